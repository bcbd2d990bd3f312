"""Every page is listed by its kind, and every decision with its status; links between decisions go both ways."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INDEX = (DOCS / "README.md").read_text(encoding="utf-8")
KINDS = ["Tutorial", "How-to", "Reference", "Explanation"]
FOLDER = DOCS / "decisions"
DECISIONS = {
    path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md")) if path.name != "README.md"
}
OPPOSITE = {"superseded by": "replaces", "replaces": "superseded by", "amended by": "amends", "amends": "amended by"}


def header(name: str) -> tuple[str, str, str]:
    """Number, title and status of a decision."""
    found = re.match(r"# (\d{4}): (.+)\n\nStatus: (.+)\.\n\n\*\*Context\.\*\*", DECISIONS[name])
    assert found, f"{name}: begins with '# NNNN: Title', 'Status: …' and '**Context.**'"
    return found[1], found[2], found[3]


def test_every_page_is_listed_once_under_its_kind() -> None:
    headings = re.findall(r"^## (.+)$", INDEX, re.MULTILINE)
    listed = re.findall(r"^\| \[[^]]+\]\(([^)]+)\)", INDEX, re.MULTILINE)

    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if path.parent != FOLDER}
    expected = (there - {"README.md"}) | {"decisions/README.md", "plan.schema.json"} & set(listed)

    assert headings == KINDS
    assert sorted(expected - set(listed)) == [], (
        "docs/README.md lacks a row in a table; the site's navigation is made of these"
    )
    assert sorted(set(listed) - expected) == [], "docs/README.md lists what does not exist"
    assert len(listed) == len(set(listed)), "docs/README.md lists a page twice"


def test_every_kind_has_a_page() -> None:
    sections = INDEX.split("\n## ")[1:]

    assert [section.splitlines()[0] for section in sections if "| [" not in section] == []


def test_the_index_of_decisions_is_that_of_the_files() -> None:
    rows = [
        "| [{}]({}) | {} | {} |".format(number, name, *rest) for name in DECISIONS for number, *rest in [header(name)]
    ]
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    shown = [line for line in page.splitlines() if line.startswith("| [")]

    assert shown == rows, "docs/decisions/README.md needs this table:\n" + "\n".join(rows)


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_has_a_number_of_its_own_and_the_parts_of_one(name: str) -> None:
    number, _, status = header(name)

    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name)
    assert name[:4] == number
    assert [other for other in DECISIONS if other.startswith(number)] == [name]
    assert re.match(r"(accepted|superseded by)\b", status)
    assert re.search(r"^\*\*(Choice|Measured)\b", DECISIONS[name], re.MULTILINE)
    assert "\n**Cost accepted.** " in DECISIONS[name]


@pytest.mark.parametrize("name", DECISIONS)
def test_what_a_decision_replaces_or_amends_says_so_too(name: str) -> None:
    for relation, number, target in re.findall(
        r"(superseded by|replaces|amended by|amends) \[(\d{4})\]\(([^)]+)\)", header(name)[2]
    ):
        assert target in DECISIONS
        assert target.startswith(number)
        assert f"{OPPOSITE[relation]} [{name[:4]}]({name})" in header(target)[2]
