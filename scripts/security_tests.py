"""Writes docs/security-tests.md: how many cases of each group of `tests/security.py` pytest collects.

    python scripts/security_tests.py            writes the page
    python scripts/security_tests.py --check    exit code 1 where the page differs, or a group has too few cases

No figure is written by hand. The suite holds every case: a test that fails fails the build.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
PAGE = ROOT / "docs" / "security-tests.md"
sys.path.insert(0, str(ROOT))

from tests.security import GROUPS, SecurityGroup  # noqa: E402 - found by the line above

_HEAD = """# Security tests

What was tried against the program and held, by group. This page is made by `scripts/security_tests.py` from what pytest
collects, and a test compares the two: each figure is the number of cases that the suite runs, and a case that does not
hold fails the build. The threats behind them are in [threat-model.md](threat-model.md).

| group | what is tried | cases that held | at least | files |
| --- | --- | --- | --- | --- |
"""


class Collected:
    """A plugin of pytest that keeps what was collected."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keep all items."""
        self.items = list(session.items)


def cases(item: pytest.Item) -> int:
    """How many cases one collected test goes through."""
    marker = item.get_closest_marker("cases")
    return int(marker.args[0]) if marker else 1


def files_of(group: SecurityGroup) -> Iterator[tuple[Path, str]]:
    """Each file of a group, with the name of the one test that counts; empty for all of them."""
    for place in group.places:
        pattern, _, test = place.partition("::")
        found = TESTS / pattern
        paths = sorted(found.rglob("test_*.py")) if found.is_dir() else sorted(TESTS.glob(pattern))
        yield from ((path, test) for path in paths)


def collect(paths: Sequence[Path]) -> list[pytest.Item]:
    """All tests of these files."""
    plugin, said = Collected(), io.StringIO()
    with contextlib.redirect_stdout(said):
        ended = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *map(str, paths)], plugins=[plugin])
    if ended != pytest.ExitCode.OK:
        raise SystemExit(f"pytest could not collect the tests: {said.getvalue()[-2000:]}")
    return plugin.items


def counts(items: Sequence[pytest.Item]) -> dict[str, tuple[int, list[str]]]:
    """Group → its cases, and the files that have some, below `tests`."""
    found = {}
    for group in GROUPS:
        places = set(files_of(group))
        held = [
            item
            for item in items
            if (item.path, "") in places or (item.path, getattr(item, "originalname", item.name)) in places
        ]
        files = sorted({item.path.relative_to(TESTS).as_posix() for item in held})
        found[group.name] = sum(map(cases, held)), files
    return found


def page(figures: dict[str, tuple[int, list[str]]]) -> str:
    """The page."""
    rows = [
        f"| {group.name} | {group.tried} | {figures[group.name][0]} | {group.least} | "
        f"{'<br>'.join(f'`{file}`' for file in figures[group.name][1])} |\n"
        for group in GROUPS
    ]
    return _HEAD + "".join(rows)


def problems(figures: dict[str, tuple[int, list[str]]]) -> list[str]:
    """Groups with too few cases."""
    return [
        f"{group.name}: {figures[group.name][0]} cases, at least {group.least} are required"
        for group in GROUPS
        if figures[group.name][0] < group.least
    ]


def main(arguments: Sequence[str]) -> int:
    """Write the page, or check it."""
    paths = sorted({path for group in GROUPS for path, _ in files_of(group)})
    figures = counts(collect(paths))
    wrong = problems(figures)
    written = page(figures)
    if "--check" not in arguments:
        PAGE.write_text(written, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != written:
        wrong.append("docs/security-tests.md: differs; run scripts/security_tests.py")
    for line in wrong:
        sys.stdout.write(f"{line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
