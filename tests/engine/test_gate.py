"""The gate alone: which writes windows and paused fields hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from reconciler.engine.gate import Moment, WriteGate, goes_out
from reconciler.engine.written_fields import values_of
from reconciler.plan.model import Change, Detail, Plan
from reconciler.plan.policy import Window
from reconciler.plan.targets import CreatePool, ReplacePool, Risk, UpdatePool
from reconciler.safety import HoldKind, Unknown, WriteMode
from reconciler.safety.undone import Undone, UndoneField
from reconciler.spec.model import SpecPause
from tests.engine.stage import SPEC
from tests.keeping import START

NIGHT = Window((Risk.WIDENS,), "0 22 * * *", "UTC", timedelta(hours=2), 7)

NOON = Moment(START, (NIGHT, Window((Risk.RESTARTS, Risk.DESTROYS), "0 1 * * 6", "UTC", timedelta(hours=3))))
LINES = (Detail("organizationProfile", None, "all", Risk.WIDENS),)
CREATE = Change("pool", "pool", "pool-1", None, "x", CreatePool(SPEC.pool_id, {}), LINES)
REPLACE = Change("pool", "pool", "pool-1", "a", "b", ReplacePool(SPEC.pool_id, {}, ("location",)))


def update(*lines: Detail) -> Change:
    return Change("pool", "pool", "pool-1", None, None, UpdatePool(SPEC.pool_id, {}), lines)


def test_a_change_of_several_risks_needs_a_window_for_each() -> None:
    both = update(Detail("a", 1, 2, Risk.RESTARTS), Detail("b", 1, 2, Risk.WIDENS))
    gate = WriteGate(SPEC, now=NOON)

    for_one = gate.held(update(Detail("b", 1, 2, Risk.WIDENS)))
    assert for_one is not None
    assert for_one.until == START.replace(hour=22)
    held = gate.held(both)
    assert held is not None
    assert held.until is None, "the two are never open together"
    assert "an opening that is not in sight" in str(held)
    assert gate.held(update(Detail("b", 1, 2, Risk.NARROWS))) is None
    assert gate.held(update(Detail("b", 1, 2, code=True))) is not None, "foreign code widens"


def test_a_hold_names_each_window_that_would_do() -> None:
    other = Window((Risk.WIDENS,), "0 1 * * *", "UTC", timedelta(hours=2), 9)
    held = WriteGate(SPEC, now=Moment(START, (NIGHT, other))).held(update(Detail("b", 1, 2, Risk.WIDENS)))

    assert held is not None
    assert held.place == f"{NIGHT}, {other}"
    assert (held.mode, held.kind, held.until) == (WriteMode.REPORT, HoldKind.WINDOW, START.replace(hour=22))


def test_a_value_that_was_undone_is_held_with_who_undid_it() -> None:
    change = update(Detail("b", 1, 2))
    undone = Undone({name: UndoneField(2, "r1", "ann", "today") for name in values_of(change)})
    held = WriteGate(SPEC, undone=undone, now=Moment(START)).held(change)

    assert held is not None
    assert (held.mode, held.place) == (WriteMode.REPORT, "undo of run r1 by ann, today")
    assert held.reason == f"{change.kind} {change.subject} until the spec agrees"
    assert WriteGate(SPEC, undone=undone, now=Moment(START)).held(update(Detail("b", 1, 3))) is None


def test_a_change_of_a_risk_that_no_window_names_needs_none() -> None:
    gate = WriteGate(SPEC, now=NOON)

    assert gate.needs_window(update(Detail("b", 1, 2, Risk.WIDENS)))
    assert not gate.needs_window(update(Detail("b", 1, 2, Risk.NARROWS)))
    assert not WriteGate(SPEC, now=Moment(START)).needs_window(update(Detail("b", 1, 2, Risk.WIDENS)))


def test_where_approvals_cannot_be_read_nothing_goes_round_a_window() -> None:
    gate = WriteGate(SPEC, approvals=Unknown("503"), now=NOON)

    assert gate.needs_window(update(Detail("b", 1, 2, Risk.WIDENS)))
    assert gate.held(update(Detail("b", 1, 2, Risk.WIDENS))) is not None


def test_a_pool_is_not_deleted_where_its_creation_would_wait() -> None:
    saturday = datetime(2026, 6, 6, 2, tzinfo=UTC)
    gate = WriteGate(SPEC, now=replace(NOON, at=saturday))

    assert gate.held(REPLACE) is None
    assert gate.held_with(REPLACE, [CREATE]) is not None
    assert gate.held(CREATE) is not None
    assert gate.held_with(update(Detail("a", 1, 2, Risk.NARROWS)), [CREATE]) is None, "an update destroys nothing"
    assert gate.held_with(REPLACE, []) is None
    assert not goes_out(gate, REPLACE, Plan("pool-1", "c0ffee", (REPLACE,), following=(CREATE,)))
    assert goes_out(gate, REPLACE, Plan("pool-1", "c0ffee", (REPLACE,)))
    assert replace(gate, now=replace(gate.now, recreating=True)).held(CREATE) is None, "it ends what began inside"


@pytest.mark.parametrize(
    ("field", "change", "held"),
    [
        ("pool", update(Detail("maximumConcurrency", 1, 2)), True),
        ("maximumConcurrency", update(Detail("maximumConcurrency", 1, 2)), True),
        ("maximumConcurrency", update(Detail("tags.a", 1, 2)), False),
        ("tags", update(Detail("tags.a", 1, 2)), True),
        ("fabricProfile.images", update(Detail("fabricProfile", 1, 2)), True),
        ("fabricProfile.images", update(Detail("fabricProfile.images[ubuntu].buffer", 1, 2)), True),
        ("fabricProfile.images", update(Detail("fabricProfile.imagesX", 1, 2)), False),
        ("fabricProfile.images", update(), True),
        ("organizationProfile.organizations", CREATE, True),
        ("roles", REPLACE, True),
        ("roles", update(Detail("tags.a", 1, 2)), False),
        ("openAccess", replace(CREATE, facet="open_access"), True),
    ],
)
def test_which_writes_a_paused_field_holds(field: str, change: Change, held: bool) -> None:
    spec = replace(SPEC, pauses=(SpecPause((field,), date(2026, 6, 1), "x"),))

    assert (WriteGate(spec, now=Moment(START)).held(change) is not None) is held
    assert WriteGate(spec, now=Moment(START + timedelta(days=1))).held(change) is None
