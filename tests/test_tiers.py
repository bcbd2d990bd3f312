"""What `make quick` runs needs no emulator and no process, and says so itself: by what its files import."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from tests import tiers

TESTS = Path(__file__).parent
HEAVY = frozenset({"emulator", "subprocess", "multiprocessing", "schemathesis"})
FILES = sorted(TESTS.rglob("test_*.py"))
QUICK = [path for path in FILES if not tiers.markers_of(path.relative_to(TESTS))]


@functools.cache
def imported(path: Path) -> frozenset[str]:
    """Modules that a file imports, at the top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return frozenset(found)


def heavy(path: Path, seen: set[Path]) -> set[str]:
    """What a file needs beyond this process, by itself and by the helpers that it imports."""
    if path in seen:
        return set()
    seen.add(path)
    found = {name.partition(".")[0] for name in imported(path)} & HEAVY
    for name in imported(path):
        helper = TESTS.parent / Path(*name.split(".")).with_suffix(".py")
        if name.startswith("tests.") and helper.is_file():
            found |= heavy(helper, seen)
    return found


@pytest.mark.parametrize("path", QUICK, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_a_quick_test_needs_nothing_beyond_this_process(path: Path) -> None:
    """A file that begins to start something gets its entry in `tests.tiers`."""
    seen: set[Path] = set()
    needs = heavy(path, seen)
    for folder in path.parents:
        conftest = folder / "conftest.py"
        if folder.is_relative_to(TESTS) and folder != TESTS and conftest.exists():
            needs |= heavy(conftest, seen)

    assert needs == set()


def test_every_entry_is_a_file_or_a_folder() -> None:
    assert {place for place in tiers.places() if not (TESTS / place).exists()} == set()


def test_most_tests_are_quick() -> None:
    """The core is pure: what decides about pools is tried without starting anything."""
    for folder in ("config", "engine", "plan"):
        assert all(path in QUICK for path in (TESTS / folder).rglob("test_*.py")), folder
