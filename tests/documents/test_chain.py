"""A hash chain of entries: what is edited, missing, repeated or moved is found, regardless of its writer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.documents.chain import (
    ChainEnd,
    closing,
    end_of,
    entry_of,
    expired,
    line_of,
    linked,
    next_segment,
    problems,
)

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
BODIES = st.lists(
    st.fixed_dictionaries({"kind": st.just("intent"), "id": st.uuids().map(str), "more": JSON}), min_size=2, max_size=6
)


def chain(bodies: list[dict[str, Any]]) -> list[Any]:
    """The entries as they are read back."""
    entries, _ = linked(bodies, ChainEnd())
    return [entry_of(line_of(entry)) for entry in entries]


@given(BODIES)
def test_a_chain_reads_back_whole(bodies: list[dict[str, Any]]) -> None:
    entries = chain(bodies)

    assert [{name: entry[name] for name in body} for entry, body in zip(entries, bodies, strict=True)] == bodies
    assert list(problems(entries)) == []
    assert end_of(entries[-1]) == ChainEnd(len(bodies), entries[-1]["hash"])


@given(BODIES, st.data())
def test_whatever_is_changed_is_found(bodies: list[dict[str, Any]], data: st.DataObject) -> None:
    entries = chain(bodies)
    at = data.draw(st.integers(0, len(entries) - 1))
    change = data.draw(st.sampled_from(["edit", "drop", "repeat", "swap", "forge"]))
    if change == "edit":
        entries[at] = {**entries[at], "id": "another"}
    elif change == "drop":
        del entries[at]
    elif change == "repeat":
        entries.insert(at, entries[at])
    elif change == "swap":
        other = (at + 1) % len(entries)
        entries[at], entries[other] = entries[other], entries[at]
    else:  # edited, with a hash that fits
        body = {name: value for name, value in entries[at].items() if name != "hash"}
        (entries[at],), _ = linked([{**body, "id": "another"}], ChainEnd(entries[at]["number"] - 1, body["previous"]))

    # Only the end can be cut off, or replaced, unseen: the stores keep it, or what follows it.
    unseen = (change == "drop" and at == len(bodies) - 1) or (change == "forge" and at == len(bodies) - 1)
    assert (list(problems(entries)) == []) is unseen


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"number": 1}', b'{"number": true, "hash": ""}', b"[" * 100_000],
)
def test_a_damaged_line_is_no_entry(line: bytes) -> None:
    assert entry_of(line) is None


def test_an_entry_of_another_release_is_checked_like_any_other() -> None:
    (entry,), _ = linked([{"kind": "of tomorrow", "at": "later", "unknown": {"deep": [1]}}], ChainEnd())

    assert entry_of(json.dumps(entry, indent=2).encode()) == entry


@pytest.mark.parametrize(
    ("current", "at", "full", "following"),
    [
        ("", "2026-11-30T23:59:59Z", False, "2026-11.0000"),
        ("2026-11.0000", "2026-11-30T23:59:59Z", False, None),
        ("2026-11.0000", "2026-11-30T23:59:59Z", True, "2026-11.0001"),
        ("2026-11.0003", "2026-12-01T00:00:00Z", False, "2026-12.0000"),
        ("2026-12.0000", "2026-11-30T23:59:59Z", False, None),
        ("2026-12.0000", "2026-11-30T23:59:59Z", True, "2026-12.0001"),
        ("2026-12.0000", "2027-01-01T00:30:00+01:00", False, None),
    ],
)
def test_segments_follow_the_months_of_the_world_and_never_go_back(
    current: str, at: str, full: bool, following: str | None
) -> None:
    assert next_segment(current, {"at": at}, full=full) == following


def test_an_entry_without_a_time_is_a_bug() -> None:
    with pytest.raises(ValueError, match="no time"):
        next_segment("", {"kind": "intent"})


def test_only_segments_that_are_older_as_a_whole_expire() -> None:
    names = [f"{year}-{month:02}.0000" for year in (2025, 2026) for month in range(1, 13)]

    assert expired(names, "2026-12", 400) == names[:8]
    assert expired(names, "2026-12", 0) == names[:-1]
    assert expired([], "2026-12", 400) == []
    assert closing("2026-11.0000", "2026-12.0000", "x")["next"] == "2026-12.0000"
