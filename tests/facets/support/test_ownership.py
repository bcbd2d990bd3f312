"""One table says which maps and lists a spec owns, and how: complete, unambiguous, and printed where people look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.facets.support import ownership
from reconciler.facets.support.arm_document import differences, merged
from reconciler.facets.support.ownership import TABLE, Owned
from reconciler.spec.schema import json_schema

PAGE = Path(__file__).parents[3] / "docs" / "spec.md"


def collections(part: dict[str, Any], definitions: dict[str, Any], path: str = "") -> Iterator[str]:
    """Paths of all lists, and of all maps whose keys are data, that a spec may name in the ARM body."""
    for branch in (*part.get("anyOf", ()), *part.get("oneOf", ())):
        yield from collections(branch, definitions, path)
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        if not name.startswith("az."):
            yield from collections(definitions[name], definitions, path)
    if "items" in part:
        yield path
        yield from collections(part["items"], definitions, f"{path}[*]")
    if path and (isinstance(part.get("additionalProperties"), dict) or "patternProperties" in part):
        yield path
    for key, one in part.get("properties", {}).items():
        yield from collections(one, definitions, f"{path}.{key}" if path else key)


def test_every_map_and_list_of_a_spec_has_a_row_and_no_other_has() -> None:
    definitions = json_schema()["$defs"]
    found = {path.removeprefix("properties.") for path in collections(definitions["Pool"], definitions)}

    assert found == {row.path for row in TABLE}


def test_a_row_is_found_by_the_name_of_its_field() -> None:
    assert [name for name, count in Counter(row.name for row in TABLE).items() if count > 1] == []


WHOLE = [row for row in TABLE if row.owned is Owned.WHOLE and "permissionProfile" not in row.path]


@pytest.mark.parametrize("row", WHOLE, ids=lambda row: row.name)
def test_what_is_owned_whole_loses_what_the_spec_does_not_list(row: ownership.Collection) -> None:
    wanted: dict[str, Any]
    live: dict[str, Any]
    if row.name == "userAssignedIdentities":
        wanted, live = {row.name: {"/a": {}}}, {row.name: {"/A": {}, "/b": {}}}
    elif row.name == "daysData[*]":
        wanted, live = {"daysData": [{"08:00:00": 1}]}, {"daysData": [{"08:00:00": 1, "09:00:00": 2}]}
    else:
        wanted, live = {row.name: ["a"]}, {row.name: ["A", "b"]}

    assert len(differences(wanted, live)) == 1
    assert differences(wanted, merged(wanted, live)) == differences(merged(wanted, live), wanted) == []


@pytest.mark.parametrize("row", [row for row in TABLE if row.identity is not None], ids=lambda row: row.name)
def test_entries_that_meet_keep_what_the_spec_does_not_name(row: ownership.Collection) -> None:
    fields = {
        "organizations": {"url": "https://dev.azure.com/fabrikam"},
        "vmSizes": {"name": "a"},
        "images": {"resourceId": "/a"},
        "dataDisks": {"driveLetter": "F"},
    }
    named = fields[row.name]
    live = [{**named, "x": 1}, {**{key: f"{value}2" for key, value in named.items()}, "x": 2}]

    sent = merged({row.name: [named]}, {row.name: live})

    assert sent == {row.name: live[:1]}
    assert differences({row.name: [named]}, {row.name: live}) != []


def test_the_page_shows_the_table() -> None:
    begin, end = (
        "<!-- ownership: made by python -m reconciler.facets.support.ownership -->",
        "<!-- end of ownership -->",
    )

    shown = PAGE.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0].strip()

    assert shown == ownership.table(), "run python -m reconciler.facets.support.ownership and put it between the marks"
