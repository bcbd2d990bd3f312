"""The site holds every page, and every link of a page leads to a file and to a heading that exist.

Checked without building; `test_site_builds.py` builds it.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from scripts.site import ROOT, anchors, links, navigation, pages, stage

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for found in (ROOT.glob("*.md"), *((ROOT / folder).rglob("*.md") for folder in ("docs", "examples", "benchmarks")))
    for path in found
)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def test_the_navigation_holds_every_page_once() -> None:
    listed = list(pages(navigation()))

    assert sorted(set(PAGES) - set(listed)) == [], "without an entry: give it a row in docs/README.md"
    assert sorted(listed) == PAGES


def test_the_navigation_is_ordered_by_kind() -> None:
    sections = [name for entry in navigation() if isinstance(entry, dict) for name in entry]

    assert sections == ["Tutorial", "How-to", "Reference", "Explanation", "Examples", "Project"]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for target, anchor in links(text_of(page)):
        if "://" in target or target.startswith("mailto:"):
            assert re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]+(/[\w.~%+&=?@:!,;/-]*)?", target), target
            continue
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        if anchor:
            assert anchor[1:] in anchors(path.read_text(encoding="utf-8")), f"{target}{anchor}: no such heading"


def test_links_and_anchors_are_found_as_code_hosts_make_them() -> None:
    """This test's own eyes: code holds no links, the second heading of a name is told apart, marks are dropped."""
    text = "# A `b`: c, [d](e.md)\n\n## Twice\n\n### Twice\n\n```\n# no heading\n[no](link.md)\n```\n`[no](x.md)` [yes](y.md#z) [here](#twice-1)\n"

    assert anchors(text) == ["a-b-c-d", "twice", "twice-1"]
    assert list(links(text)) == [("e.md", ""), ("y.md", "#z"), ("", "#twice-1")]


def test_what_is_staged_is_what_the_pages_need(tmp_path: Path) -> None:
    """Pages at their places, images and other files that they link to, and settings that name no other host."""
    stage(tmp_path)
    settings = tomllib.loads((tmp_path / "zensical.toml").read_text(encoding="utf-8"))["project"]
    staged = {
        path.relative_to(tmp_path / "pages").as_posix() for path in (tmp_path / "pages").rglob("*") if path.is_file()
    }

    assert set(PAGES) <= staged
    assert {path for path in staged - set(PAGES) if not (ROOT / path).is_file()} == set()
    assert "docs/images/status-page-overview.png" in staged
    assert settings["nav"][0] == "README.md"
    assert settings["theme"]["font"] is False


def test_an_anchor_of_a_repeated_heading_is_renamed_for_the_site(tmp_path: Path) -> None:
    for name in ("docs/decisions", "examples", "benchmarks"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/decisions/README.md"):
        (tmp_path / name).write_text("# T\n", encoding="utf-8")
    (tmp_path / "docs/README.md").write_text("# D\n\n## Tutorial\n\n| [a](a.md) | x |\n", encoding="utf-8")
    (tmp_path / "docs/a.md").write_text("# A\n## X\n## X\n## Step 1\n[x](#x-1) [s](#step-1)\n", encoding="utf-8")

    stage(tmp_path / "build", tmp_path)

    assert "[x](#x_1) [s](#step-1)" in (tmp_path / "build/pages/docs/a.md").read_text(encoding="utf-8")
