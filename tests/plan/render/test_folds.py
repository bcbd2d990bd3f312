"""Long values: what differs, not two walls of text; whole by a flag and in JSON; no secret by a cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan import render
from reconciler.plan.model import Plan
from reconciler.plan.render.folds import LONGEST, move, value
from tests.plan.render.samples import OPENED

SCRIPT = "".join(f"echo step {number:03} of the build\n" for number in range(80))
NAMES = [f"user{number}@fabrikam.com" for number in range(80)]


def test_a_text_of_one_line_shows_the_part_that_differs() -> None:
    old = "a" * 1000 + "OLD" + "b" * 1000
    assert move(old, old.replace("OLD", "NEWER")) == (
        f"…{'a' * 24}OLD{'b' * 24}… (2003 characters)",
        f"…{'a' * 24}NEWER{'b' * 24}… (2005 characters)",
    )


def test_a_script_shows_the_lines_that_differ_with_their_numbers() -> None:
    new = SCRIPT.replace("step 041", "step 41").replace("echo step 070 of the build\n", "")
    assert move(SCRIPT, new) == (
        "line 42: echo step 041 of the build; line 71: echo step 070 of the build (of 80 lines)",
        "line 42: echo step 41 of the build (of 79 lines)",
    )
    assert move(SCRIPT, SCRIPT + "exit 1\n") == ("no such line (of 80 lines)", "line 81: exit 1 (of 81 lines)")


def test_a_list_shows_the_entries_that_differ() -> None:
    new = [*NAMES[1:], "eve@fabrikam.com"]
    assert move(NAMES, new) == ("[79 the same, user0@fabrikam.com]", "[79 the same, eve@fabrikam.com]")
    assert move(NAMES, NAMES[::-1]) == ("[80 entries]", "[the same 80 entries in another order]")
    assert move(NAMES, []) == (f"[{', '.join(NAMES[:5])}, 75 more (sha256 727412ed…)]", "[]")
    assert move([*NAMES, NAMES[0]], NAMES) == ("[80 the same, user0@fabrikam.com]", "[80 the same]")


def test_an_object_shows_what_stands_between_the_parts_that_are_the_same() -> None:
    old: dict[str, Any] = {f"key{number:03}": number for number in range(80)}
    before, after = move(old, {**old, "key040": 4711})
    assert '"key040": 40,' in before
    assert '"key040": 4711,' in after
    assert max(len(before), len(after)) < LONGEST


@pytest.mark.parametrize(("before", "after"), [(None, SCRIPT), (SCRIPT, None), ("short", SCRIPT), (SCRIPT, SCRIPT)])
def test_a_long_value_beside_nothing_to_compare_is_cut_and_says_so(before: Any, after: Any) -> None:
    for text in move(before, after):
        assert len(text) < 10 * LONGEST


def test_full_has_every_letter_in_text_and_markdown_and_json_always() -> None:
    made = Plan("p", "", (replace(OPENED, before="x" * 30_000, after="x" * 30_000 + "y"),))
    assert len(render.text(made)) < 1_500
    assert len(render.markdown(made)) < 2_500
    assert "x" * 30_000 + "y" in render.text(made, full=True)
    assert "x" * 30_000 + "y" in render.markdown(made, full=True)
    assert "x" * 30_000 + "y" in str(render.to_json(made))


def test_no_cut_shows_a_secret_that_the_whole_value_hides() -> None:
    secret = "eyJ" + "a" * 40 + "." + "b" * 40 + "." + "c" * 40
    old = "x " * 100 + f"Authorization: Bearer {secret} " + "y " * 100
    for full in (False, True):
        shown = " ".join(move(old, old.replace("b" * 40, "d" * 40), full=full))
        assert "b" * 8 not in shown
        assert "d" * 8 not in shown


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=9), inner, max_size=9),
    max_leaves=40,
)


@given(JSON, JSON)
def test_every_pair_is_two_clean_lines_of_bounded_length(before: Any, after: Any) -> None:
    for text in move(before, after):
        assert text
        assert render.clean(text) == text
        assert len(text) <= 6 * (LONGEST + 40)
    assert move(before, before) == (value(before), value(before))


@given(st.text(min_size=1, max_size=400), st.text(max_size=400))
def test_two_texts_that_differ_never_look_the_same(before: str, after: str) -> None:
    shown = move(before, after)
    if render.clean(before) != render.clean(after):
        assert shown[0] != shown[1]
