"""A plan as a value: its order, its hash, its counts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.model import Action, Change, Detail, Gap, GapKind, Plan, Refusal, Risk, Route, facet_of, in_order
from reconciler.plan.targets import OpenAccess, Target
from tests.plan.every_target import QUEUE, TARGETS, TYPES

FACETS = ("pool", "queues", "doors")
WORDS = st.sampled_from(["a", "b", "ü", ""])
CHANGES = st.builds(
    Change,
    facet=st.sampled_from(FACETS),
    kind=WORDS,
    subject=WORDS,
    before=st.none() | WORDS,
    after=st.none() | st.integers(0, 2),
    target=st.sampled_from(TARGETS) | st.builds(OpenAccess, st.just(QUEUE), st.booleans()),
    details=st.lists(st.builds(Detail, WORDS, WORDS, WORDS, st.sampled_from(Risk)), max_size=2).map(tuple),
)
UNIQUE = st.lists(CHANGES, max_size=6, unique_by=lambda change: change.id)
ONE = Change("doors", "open access", "o/p", None, "all", OpenAccess(QUEUE, allow=True))


@given(UNIQUE, st.data())
def test_order_and_hash_do_not_depend_on_the_order_of_the_input(changes: list[Change], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(changes))

    assert in_order(shuffled, FACETS) == in_order(changes, FACETS)
    assert Plan("p", "r", tuple(shuffled)).hash == Plan("p", "r", tuple(changes)).hash


@given(UNIQUE)
def test_what_narrows_comes_last_and_facets_keep_their_order_before_and_after(changes: list[Change]) -> None:
    """A run that dies half-way leaves too many rights, never too few."""
    ordered = in_order(changes, FACETS)

    assert [c.narrows for c in ordered] == sorted(c.narrows for c in ordered)
    for narrows in (False, True):
        part = [FACETS.index(c.facet) for c in ordered if c.narrows is narrows]
        assert part == sorted(part)


@given(UNIQUE, UNIQUE)
def test_plans_have_one_hash_only_where_they_would_do_the_same(one: list[Change], other: list[Change]) -> None:
    def content(changes: list[Change]) -> list[str]:
        return sorted(json.dumps(change.to_json(), sort_keys=True) for change in changes)

    same = Plan("p", "r", tuple(one)).hash == Plan("p", "r", tuple(other)).hash
    assert same == (content(one) == content(other))


@given(st.sampled_from(TARGETS), st.sampled_from(TARGETS))
def test_the_hash_covers_the_target(one: Target, other: Target) -> None:
    plans = [Plan("p", "r", (replace(ONE, target=target),)) for target in (one, other)]

    assert (plans[0].hash == plans[1].hash) is (one == other)


def test_the_hash_is_the_same_on_any_machine() -> None:
    """Approved in a pull request, applied by a worker: the text it is made of must not depend on where."""
    assert Plan("pool-1", "c0ffee", (ONE,)).hash == "040cbc79819228da5d032f695a1add6408a1663079142f9fd3f1b4e0901510a1"


def test_the_revision_and_what_cannot_be_done_are_not_part_of_the_hash() -> None:
    """An approval is about changes; a commit that touches another file does not void it."""
    plan = Plan("pool-1", "c0ffee", (ONE,))
    gap = Gap("doors", "o/q", GapKind.UNKNOWN, "Unavailable", "503")

    assert replace(plan, revision="decade", gaps=(gap,)).hash == plan.hash
    assert replace(plan, pool="pool-2").hash != plan.hash


def test_only_an_empty_and_complete_plan_is_in_sync() -> None:
    gap = Gap("doors", "o/q", GapKind.DEGRADED, "NotFound", "hidden")

    assert Plan("p", "r").in_sync
    assert not Plan("p", "r", (ONE,)).in_sync
    assert not Plan("p", "r", refusals=(Refusal(ONE, "rule", "message"),)).in_sync
    assert not Plan("p", "r", gaps=(gap,)).in_sync


def test_changes_are_counted_by_risk_harmless_first() -> None:
    changes = [
        replace(ONE, subject=str(n), target=OpenAccess(QUEUE, allow)) for n, allow in enumerate([False, True, True])
    ]

    assert list(Plan("p", "r", tuple(changes)).counts.items()) == [(Risk.WIDENS, 2), (Risk.NARROWS, 1)]


def test_a_plan_with_fewer_changes_keeps_its_gaps_and_tells_what_was_refused() -> None:
    refusal = Refusal(ONE, "rule", "message")
    plan = Plan("p", "r", (ONE,), gaps=(Gap("doors", "", GapKind.UNKNOWN, "Forbidden", "403"),))

    assert plan.with_allowed((), [refusal]) == replace(plan, changes=(), refusals=(refusal,))


def test_the_documented_change_is_the_change() -> None:
    """docs/plan.md names every field of a change in JSON, and no other."""
    text = (Path(__file__).parents[2] / "docs" / "plan.md").read_text()
    section = text.split("## A change", 1)[1].split("\n## ", 1)[0]

    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(ONE.to_json())
    assert re.findall(r"^\| `(\w+)` \|", text.split("## A target", 1)[1].split("\n## ", 1)[0], re.MULTILINE) == [
        kind.__name__[0].lower() + kind.__name__[1:] for kind in TYPES
    ]
    for kinds in (Action, Risk, Route, GapKind):
        assert all(f"`{kind.value}`" in text for kind in kinds)


def test_the_facet_of_a_stored_id_is_its_first_part() -> None:
    assert facet_of("doors:open access:o/p:q") == "doors"
    assert facet_of(ONE.id) == ONE.facet


def test_what_a_change_awaits_is_not_what_is_approved() -> None:
    waiting = replace(ONE, awaits="grants")

    assert waiting.content() == ONE.content()
    assert {*waiting.to_json()} - {*waiting.content()} == {"awaits"}
    assert waiting.content()["kind"] == "open access"
