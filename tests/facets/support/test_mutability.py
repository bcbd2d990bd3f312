"""One table says how properties are changed: complete, unambiguous, and printed where people look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.facets.support import mutability
from reconciler.facets.support.mutability import TABLE, Way
from reconciler.plan.model import Risk
from reconciler.spec.schema import json_schema

PAGE = Path(__file__).parents[3] / "docs" / "spec.md"


def leaves(part: dict[str, Any], definitions: dict[str, Any], path: str = "") -> Iterator[str]:
    """Paths of all properties that a spec may name in the ARM body."""
    for branch in (*part.get("anyOf", ()), *part.get("oneOf", ())):
        yield from leaves(branch, definitions, path)
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        if not name.startswith("az."):
            yield from leaves(definitions[name], definitions, path)
    if "items" in part:
        yield from leaves(part["items"], definitions, f"{path}[*]")
    for key, one in part.get("properties", {}).items():
        here = f"{path}.{key}" if path else key
        yield here
        yield from leaves(one, definitions, here)


def all_paths() -> list[str]:
    schema = json_schema()
    definitions = schema["$defs"]
    found = {path.removeprefix("properties.") for path in leaves(definitions["Pool"], definitions)}
    return sorted(found - {"properties", "organizationProfile", "agentProfile", "fabricProfile"})


def test_every_property_of_a_spec_has_a_row() -> None:
    """A property without one would be sent with no word of what it does."""
    top = {"id", "name", "type", "apiVersion", "resourceGroup", "systemData"}
    missing = [path for path in all_paths() if mutability.row_for(path) not in TABLE and path.split(".")[0] not in top]

    assert [path for path in missing if path != "organizationProfile.organizations"] == []


def test_no_row_is_hidden_by_one_above_it() -> None:
    hidden = [row.path for row in TABLE if mutability.row_for(row.path.replace("*", "x"), "2099-01-01") is not row]

    assert hidden == []


@pytest.mark.parametrize(
    ("path", "version", "way", "risk"),
    [
        ("maximumConcurrency", "2026-06-02", Way.IN_PLACE, Risk.NEUTRAL),
        ("fabricProfile.sku.name", "2026-06-02", Way.RECYCLES, Risk.RESTARTS),
        ("organizationProfile.organizations[fabrikam].openAccess", "2026-06-02", Way.DEVOPS, Risk.NEUTRAL),
        ("location", "2026-06-02", Way.REPLACE, Risk.DESTROYS),
        ("organizationProfile.alias", "2026-06-02", Way.UNKNOWN, Risk.NEUTRAL),
        ("fabricProfile.sku.vmSizes", "2025-09-20", Way.UNKNOWN, Risk.RESTARTS),
        ("somethingOfTomorrow", "2026-06-02", Way.UNKNOWN, Risk.RESTARTS),
    ],
)
def test_what_the_table_says(path: str, version: str, way: Way, risk: Risk) -> None:
    row = mutability.row_for(path, version)

    assert (row.way, row.judge(4, 6)) == (way, risk)


def test_every_default_is_one_that_the_fields_reference_has_too() -> None:
    """What a spec's reference calls a default, and what counts as the same as absent, are one."""
    schema = json_schema()["$defs"]
    stated = {
        (key, str(one["default"]))
        for definition in schema.values()
        for key, one in definition.get("properties", {}).items()
        if "default" in one
    }
    known = {(name, str(value)) for name, value in mutability.defaults().items()}
    pool = {name for name, _ in known}

    assert {one for one in stated if one[0] in pool} - {("gracePeriodTimeSpan", "00:00:00")} <= known


def test_what_arm_does_not_return_is_never_compared() -> None:
    silent = {row.path for row in TABLE if not row.returned}

    assert silent == {"organizationProfile.permissionProfile*", "organizationProfile.organizations[*].openAccess"}
    assert all(row.way is Way.DEVOPS for row in TABLE if not row.returned)


def test_the_page_shows_the_table() -> None:
    begin, end = (
        "<!-- mutability: made by python -m reconciler.facets.support.mutability -->",
        "<!-- end of mutability -->",
    )

    shown = PAGE.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0].strip()

    assert shown == mutability.table(), (
        "run python -m reconciler.facets.support.mutability and put it between the marks"
    )
