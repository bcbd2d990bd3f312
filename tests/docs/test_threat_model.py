"""docs/threat-model.md: every threat names tests that exist, or says that it is open."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


@functools.cache
def names_in(path: str) -> frozenset[str]:
    """Names of the tests in a file; none where there is no such file."""
    if not (ROOT / path).is_file():
        return frozenset()
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(each.name for each in tree.body if isinstance(each, ast.FunctionDef))


def table(page: str, title: str) -> list[list[str]]:
    """The rows of a section's table, without its head."""
    section = page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines[2:]]


def problems(page: str) -> Iterator[str]:
    """What is wrong with the table of threats."""
    assets = {row[0] for row in table(page, "Assets")}
    borders = {row[0] for row in table(page, "Trust borders")}
    threats = table(page, "Threats")
    for number, (name, border, kind, asset, *_, proof) in enumerate(threats, 1):
        if name != f"T{number:02}":
            yield f"{name}: is number {number}"
        if border not in borders:
            yield f"{name}: no border {border}"
        if asset not in assets:
            yield f"{name}: no asset {asset}"
        if kind not in "STRIDE":
            yield f"{name}: no kind {kind}"
        yield from _unproven(name, proof)
    for what, known, column in (("border", borders, 1), ("kind", set("STRIDE"), 2), ("asset", assets, 3)):
        for missing in sorted(known - {row[column] for row in threats}):
            yield f"no threat for the {what} {missing}"


def _unproven(name: str, proof: str) -> Iterator[str]:
    parts = proof.split("<br>")
    for part in parts:
        named = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", part)
        if named and named[2] not in names_in(named[1]):
            yield f"{name}: there is no test {named[1]}::{named[2]}"
        if not named and not re.fullmatch(r"\*\*open\*\*: [\w`].{15,}", part):
            yield f"{name}: neither a test nor open: {part!r}"


def test_every_threat_has_a_test_that_exists_or_is_open() -> None:
    assert list(problems(PAGE)) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("::test_no_hook_runs`", "::test_no_hook_ran`", "there is no test tests/adapters/git/test_git_trees.py"),
        ("`tests/adapters/git/test_git_trees.py::", "`tests/adapters/git/test_trees.py::", "there is no test tests/"),
        (
            "**open**: npm packages, which tests alone use",
            "npm packages, which tests alone use",
            "neither a test nor open",
        ),
        ("**open**: npm packages, which tests alone use", "**open**: ", "neither a test nor open"),
        ("| T07 |", "| T70 |", "T70: is number 7"),
        ("| spec author | E |", "| author | E |", "no border author"),
        ("| people | Telemetry", "| privacy | Telemetry", "no asset privacy"),
        ("| HTTP caller | callers", "| callers | callers", "no border HTTP caller"),
        ("| people | names", "| members | names", "no threat for the asset members"),
    ],
)
def test_what_is_wrong_with_the_table_is_found(old: str, new: str, found: str) -> None:
    assert old in PAGE
    assert any(found in problem for problem in problems(PAGE.replace(old, new, 1)))


def test_the_page_for_reporters_points_to_the_threats_and_does_not_hide_the_open_ones() -> None:
    """What is open is said in a sentence on the page that is read first."""
    open_ones = [row[0] for row in table(PAGE, "Threats") if "**open**" in row[-1]]

    assert "docs/threat-model.md" in SECURITY
    assert sorted(re.findall(r"\bT\d\d\b", SECURITY)) == open_ones
