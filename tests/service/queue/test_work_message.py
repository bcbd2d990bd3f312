"""Messages carry keys; everything else in them is for people."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.service.queue.messages import MAX_KEYS, WorkMessage, one_each, read

TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


def test_work_is_written_and_read_again() -> None:
    work = WorkMessage(("a", "b-1.2"), "sweep", TRACE)

    assert read(work.text()) == work
    assert [read(text) for text in one_each(("a", "b"), "http")] == [
        WorkMessage(("a",), "http"),
        WorkMessage(("b",), "http"),
    ]


def test_a_person_may_drop_a_bare_name_into_the_queue() -> None:
    assert read(" Fabrikam-Pool\n") == WorkMessage(("fabrikam-pool",))


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "7e5x!", "{}", '{"keys": []}', '{"keys": "a"}', '{"keys": ["../x"]}', '{"keys": [1]}',
        json.dumps({"keys": ["a"] * (MAX_KEYS + 1)}), "[" * 100_000,
    ],
)  # fmt: skip
def test_what_asks_for_nothing_is_nothing(text: str) -> None:
    assert read(text) is None


def test_labels_that_are_none_are_left_out() -> None:
    assert read('{"keys": ["a"], "trigger": 7, "trace": "x"}') == WorkMessage(("a",))


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    work = read(text)

    assert work is None or work.keys
