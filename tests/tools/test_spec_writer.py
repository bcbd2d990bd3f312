"""Specs written by a program: valid, readable, and the same document when they are read again."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.spec.loader import load
from reconciler.tools.spec_writer import Draft, scalar, settled, text

BODY: dict[str, Any] = {
    "apiVersion": "reconciler/v1",
    "kind": "ManagedDevOpsPool",
    "name": "build",
    "subscription": "11111111-2222-3333-4444-555555555555",
    "resourceGroup": "rg-build",
    "pool": {"location": "eastus", "properties": {"maximumConcurrency": 2}},
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read_as_the_same_document(document: dict[str, Any]) -> None:
    written = text(Draft(document))
    printable = written.encode("utf-8", "surrogatepass").decode("utf-8")

    assert yaml.safe_load(printable) == document


@pytest.mark.parametrize(
    "value", ["yes", "No", "1.5", "2026-12-31", "0x1", "~", "", "- a", "a: b", "#", "1e3", "é", "@a", "*0", "&a", "!a"]
)
def test_a_text_that_yaml_takes_for_something_else_is_quoted(value: str) -> None:
    assert scalar(value)[0] in "'\""
    assert yaml.safe_load(scalar(value)) == value


def test_comments_stand_above_what_they_are_about() -> None:
    draft = Draft({"a": {"b": [{"c": 1, "d": {"e": 2}}, {"c": 3}]}, "f": []})
    draft.note(("a", "b", 0), "first")
    draft.note(("a", "b", 0, "d", "nowhere"), "inside\nand on one line")
    draft.note(("nowhere",), "of the whole")
    draft.note(("nowhere",), "of the whole")

    assert text(draft, ["head"]).splitlines() == [
        "# head",
        "# of the whole",
        "a:",
        "  b:",
        "    # first",
        "    - c: 1",
        "      # inside\\nand on one line",
        "      d: { e: 2 }",
        "    - { c: 3 }",
        "f: []",
    ]


def test_a_comment_on_the_first_key_of_an_entry_stands_above_the_dash() -> None:
    draft = Draft({"a": {"b": [{"c": {"d": 1}}]}})
    draft.note(("a", "b", 0, "c"), "why")

    assert text(draft).splitlines() == ["a:", "  b:", "    # why", "    - c: { d: 1 }"]


def test_what_no_spec_may_hold_is_left_out_with_a_note() -> None:
    """A field of a newer version travels through ARM unchanged; a spec just does not manage it."""
    body = {**BODY, "pool": {"location": "eastus", "properties": {"maximumConcurrency": 0, "newField": {"x": 1}}}}

    result = settled(Draft(body))

    assert result.problems == []
    assert result.document["pool"] == {"location": "eastus", "properties": {}}
    notes = dict(result.notes)
    assert notes["pool", "properties", "newField"].startswith("left out: pool.properties.newField is not a field")
    assert load({"a.yaml": text(result).encode()}).problems == ()


def test_what_must_stay_is_a_problem() -> None:
    result = settled(Draft({**BODY, "name": "x"}))

    assert (
        result.problems == ["name: is 'x', 1 characters long; a pool's name has 3 to 44"]
        or "name" in result.problems[0]
    )


def test_an_entry_of_a_list_goes_alone() -> None:
    access = {"access": {"roles": [{"organization": "a b"}, {"organization": "other", "nothing": 1}]}}

    result = settled(Draft({**BODY, **access}))

    assert result.problems == []
