"""The name that was meant is found, and at a bounded cost."""

from __future__ import annotations

import difflib
from typing import Any

import pytest

from reconciler.documents.spelling import ADVISED, nearest, nearest_of, similar

COMPARED = 200


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The known names that difflib compares, as it begins with each."""
    seen: list[str] = []
    begin = difflib.SequenceMatcher.set_seq1

    def counted(matcher: difflib.SequenceMatcher[str], name: Any) -> None:
        if name:  # an empty one is set while a matcher is made
            seen.append(name)
        begin(matcher, name)

    monkeypatch.setattr(difflib.SequenceMatcher, "set_seq1", counted)
    return seen


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("openAcess", "openAccess"),
        ("OPENACCESS", "openAccess"),
        ("open-access", "openAccess"),
        ("permissionsProfile", "permissionProfile"),
        ("ailas", "alias"),
        ("Wbe", "Web"),
        ("color", None),
        ("", None),
        ("x" * 100_000, None),
    ],
)
def test_the_name_that_was_meant_is_found(name: str, meant: str | None) -> None:
    assert nearest(name, ["openAccess", "permissionProfile", "alias", "Web"]) == meant


def test_several_names_come_with_the_most_similar_one_first() -> None:
    assert similar("build-pol", ["test-pool", "build-pool-2", "build-pool"], 2) == ["build-pool", "build-pool-2"]
    assert similar("build-pol", [], 3) == []


def test_a_stricter_cutoff_finds_slips_alone() -> None:
    assert nearest("AUDIT_ENDPOINT", ["ARM_ENDPOINT"]) == "ARM_ENDPOINT"
    assert nearest("AUDIT_ENDPOINT", ["ARM_ENDPOINT"], 0.8) is None
    assert nearest("Wbe", ["Web"], 0.8) is None


def test_among_very_many_names_the_meant_one_is_found_wherever_it_stands() -> None:
    known = [f"{number:05d}-project" for number in range(20_000)]

    assert nearest("Platfrom", [*known, "platform"]) == "platform"
    assert nearest("Platfrom", ["platform", *known]) == "platform"


def test_one_name_is_compared_with_so_many_and_each_question_is_answered_once(comparisons: list[str]) -> None:
    known = [f"single-{number:04d}-project" for number in range(1000)]

    first = [nearest(f"singel-{number:04d}-project", known) for number in range(5)]
    assert len(comparisons) == 5 * COMPARED
    assert [nearest(f"singel-{number:04d}-project", tuple(known)) for number in range(5)] == first
    assert len(comparisons) == 5 * COMPARED


def test_of_many_unknown_names_the_first_are_compared(comparisons: list[str]) -> None:
    known = [f"many-{number:04d}-project" for number in range(1000)]
    names = [f"mnay-{number:04d}-project" for number in range(400)]

    found = nearest_of(names, known)

    assert list(found) == names[:ADVISED]
    assert all(found.values())
    assert len(comparisons) == ADVISED * COMPARED
