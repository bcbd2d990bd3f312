"""The name that was meant is found, and at a bounded cost."""

from __future__ import annotations

import pytest

from reconciler.documents.spelling import nearest, similar


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
