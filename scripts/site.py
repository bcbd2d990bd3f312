"""Builds the documentation as a static site that needs no other host: build/site.

    python scripts/site.py             stages the pages in build/pages, and builds
    python scripts/site.py FOLDER      the same in another folder

Pages keep their places, so that a link holds on the code host and in the site alike. The navigation is the index in
docs/README.md: a page that is listed there is in the site, and no second list exists. A broken link or a missing anchor
fails the build.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INDEX = "docs/README.md"
DECISIONS = "docs/decisions/README.md"
PROJECT = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
LINK = re.compile(r"(\]\()([^)\s#]*)(#[^)\s]+)?(\))")
_FENCED = re.compile(r"^ *(```|~~~).*?^ *\1", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} +(.+?)(?: +#+)?$", re.MULTILINE)
_SETTINGS = """\
[project]
site_name = "mdp-reconciler"
site_description = "Keeps Azure Managed DevOps Pools and their Azure DevOps permissions in sync with a Git repository."
docs_dir = "pages"
site_dir = "site"
use_directory_urls = false
nav = {nav}

[project.theme]
font = false
language = "en"
features = ["navigation.indexes", "navigation.top", "toc.follow", "content.code.copy", "search.highlight"]

[[project.theme.palette]]
media = "(prefers-color-scheme: light)"
scheme = "default"

[[project.theme.palette]]
media = "(prefers-color-scheme: dark)"
scheme = "slate"

[project.plugins.search]

[project.markdown_extensions.tables]
[project.markdown_extensions.attr_list]
[project.markdown_extensions.md_in_html]
[project.markdown_extensions.pymdownx.superfences]
[project.markdown_extensions.pymdownx.highlight]
[project.markdown_extensions.toc]
permalink = true
slugify = {{ object = "pymdownx.slugs.slugify", kwds = {{ case = "lower" }} }}
"""
"""The theme's own fonts come from a host; without them it uses those of the reader's machine."""

Navigation = list["str | dict[str, Navigation]"]


def navigation(root: Path = ROOT) -> Navigation:
    """Every page: the kinds of docs/README.md in their order, examples, and what is about the project."""
    kinds: Navigation = []
    for section in (root / INDEX).read_text(encoding="utf-8").split("\n## ")[1:]:
        listed = re.findall(r"^\| \[[^]]+\]\(([^)#]+\.md)\)", section, re.MULTILINE)
        kinds.append({section.splitlines()[0]: [_entry(f"docs/{page}", root) for page in listed]})
    examples: Navigation = [*_below(root, "examples")]
    rest: Navigation = [*PROJECT, *_below(root, "benchmarks")]
    return ["README.md", INDEX, *kinds, {"Examples": examples}, {"Project": rest}]


def pages(entries: Navigation) -> Iterator[str]:
    """The files of a navigation."""
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            for below in entry.values():
                yield from pages(below)


def links(text: str) -> Iterator[tuple[str, str]]:
    """The links of a page outside of its code: target, which is empty within the page, and anchor with its `#`."""
    for _, target, anchor, _ in LINK.findall(_prose(text)):
        yield target, anchor


def anchors(text: str) -> list[str]:
    """The anchors of a page's headings, as code hosts name them: the second of one name ends in `-1`."""
    seen: Counter[str] = Counter()
    found = []
    for heading in _HEADING.findall(_FENCED.sub("", text)):
        slug = (
            re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()).strip().replace(" ", "-")
        )
        found.append(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def stage(folder: Path, root: Path = ROOT) -> None:
    """Copy the pages and what they link to, and write the settings."""
    shutil.rmtree(folder / "pages", ignore_errors=True)
    entries = navigation(root)
    for page in pages(entries):
        text = (root / page).read_text(encoding="utf-8")
        target = folder / "pages" / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_with_site_anchors(text, root / page), encoding="utf-8")
        for link, _ in links(text):
            if link and "://" not in link:
                _copy((root / page).parent / link, root, folder / "pages")
    (folder / "zensical.toml").write_text(_SETTINGS.format(nav=_toml(entries)), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Stage and build; the exit code of the builder."""
    folder = Path(arguments[0]) if arguments else ROOT / "build"
    folder.mkdir(parents=True, exist_ok=True)
    stage(folder)
    zensical = Path(sys.executable).parent / "zensical"
    command = [str(zensical), "build", "--strict", "--clean", "--config-file", "zensical.toml"]
    return subprocess.run(command, cwd=folder, check=False).returncode  # noqa: S603 - of the same environment


def _entry(page: str, root: Path) -> str | dict[str, Navigation]:
    if page != DECISIONS:
        return page
    every = sorted(path.relative_to(root).as_posix() for path in (root / page).parent.glob("[0-9]*.md"))
    return {"Decisions": [page, *every]}


def _below(root: Path, folder: str) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in (root / folder).rglob("*.md"))


def _copy(source: Path, root: Path, target: Path) -> None:
    """A file that is no page: an image, a schema, an example."""
    source = source.resolve()
    if source.is_file() and source.suffix != ".md" and source.is_relative_to(root.resolve()):
        place = target / source.relative_to(root.resolve())
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)


def _with_site_anchors(text: str, page: Path) -> str:
    """The second heading of a name ends in `_1` where Python-Markdown makes the anchor, not in `-1`."""

    def renamed(found: re.Match[str]) -> str:
        opening, target, anchor, end = found.groups(default="")
        place = page.parent / target if target else page
        known = anchors(place.read_text(encoding="utf-8")) if place.suffix == ".md" and place.is_file() else []
        base, _, number = anchor.removeprefix("#").rpartition("-")
        repeated = number.isdigit() and base in known and f"{base}-{number}" in known
        return f"{opening}{target}{f'#{base}_{number}' if repeated else anchor}{end}"

    return LINK.sub(renamed, text)


def _prose(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", _FENCED.sub("", text))


def _toml(entries: Navigation) -> str:
    items = (
        json.dumps(one, ensure_ascii=False)
        if isinstance(one, str)
        else "".join(f"{{ {json.dumps(name)} = {_toml(below)} }}" for name, below in one.items())
        for one in entries
    )
    return f"[{', '.join(items)}]"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
