"""Pauses and windows: what they hold does not go out, what they do not hold does, and drift is told at all times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine import Outcome, Result
from reconciler.engine.status import ConditionKind, Truth
from reconciler.plan.policy import Policy, Window
from reconciler.plan.targets import Risk
from reconciler.ports.azure import Operation
from reconciler.safety import ModeScope, WriteMode
from reconciler.safety.approvals import ApprovedPlan, ApprovedSpec
from reconciler.spec.model import Mode, SpecPause
from tests.engine.stage import ORG as PRIME
from tests.engine.stage import OTHER, admins, condition, second_run_writes_nothing
from tests.engine.test_safety_modes import BOTH, URL, Governed, governed, stop_at
from tests.examples import tries
from tests.keeping import START

POOL, FIELD = ModeScope(pool="pool-1"), ModeScope(pool="pool-1", field="doors")
OF_PRIME = ModeScope(organization=PRIME)
NIGHT = Window((Risk.WIDENS,), "0 22 * * *", "UTC", timedelta(hours=2), 7)
HOUR = 3600.0
BY_ANN = "set 2026-06-01T12:00:00Z by ann"


def pause(stage: Governed, scope: ModeScope, hours: float = 4.0) -> None:
    stage.safety.pause(scope, stage.clock.now() + timedelta(hours=hours), reason="moving", by="ann")


def ready(result: Result) -> tuple[Truth, str, str]:
    found = condition(result, ConditionKind.READY)
    return found.status, found.reason, found.message


def within(window: Window = NIGHT) -> Governed:
    stage = governed()
    stage.policy = Policy(windows=(window,))
    return stage


# --- pauses --------------------------------------------------------------------------------------------------------


def test_a_pool_that_the_owner_paused_is_read_and_told_and_goes_on_by_itself() -> None:
    stage = governed()
    pause(stage, POOL)

    held = stage.run(BOTH)

    assert (held.outcome, stage.estate.writes) == (Outcome.SUSPENDED, [])
    assert (held.due, held.next_look) == (START + timedelta(hours=4), None)
    assert ready(held) == (
        Truth.FALSE, "Suspended",
        f"6 changes: 6 granting access; not applied: pool pool-1 paused until 2026-06-01T16:00:00Z ({BY_ANN}): moving",
    )  # fmt: skip
    assert held.status.covered is not None, "the request is done: nothing is left to do now"
    since = condition(held, ConditionKind.READY).since
    stage.clock.seconds = 3 * HOUR
    assert condition(stage.run(BOTH), ConditionKind.READY).since == since
    stage.clock.seconds = 4 * HOUR
    assert stage.run(BOTH).outcome is Outcome.APPLIED
    second_run_writes_nothing(stage, BOTH)


def test_a_paused_organization_stops_no_other() -> None:
    stage = governed()
    pause(stage, OF_PRIME)

    result = stage.run(BOTH)

    assert {write[1] for write in stage.estate.writes} == {OTHER}
    assert (result.outcome, result.due) == (Outcome.OUT_OF_SYNC, START + timedelta(hours=4))
    assert ready(result)[1] == "OutOfSync"
    assert "organization fabrikam-prime paused until 2026-06-01T16:00:00Z" in ready(result)[2]


@pytest.mark.parametrize("by_spec", [True, False])
def test_a_paused_field_stops_no_other(by_spec: bool) -> None:
    stage = governed()
    stage.hold("bob")
    spec = replace(admins("ann"), organizations=BOTH.organizations)
    if by_spec:
        spec = replace(spec, pauses=(SpecPause(("doors",), date(2026, 6, 1), "moving"),))
    else:
        pause(stage, FIELD, 12.0)

    result = stage.run(spec)

    assert [write[0] for write in stage.estate.writes] == ["assign", "remove"]
    assert stage.holders() == {"ann"}
    assert stage.estate.open == set()
    assert "doors of pool pool-1 paused until 2026-06-02T00:00:00Z" in ready(result)[2]
    stage.clock.seconds = 12 * HOUR
    stage.settle(spec)
    assert len(stage.estate.open) == 6


def test_a_pause_acts_within_one_write() -> None:
    stage = governed()
    stop_at(stage, lambda: pause(stage, POOL))

    result = stage.run(BOTH)

    assert len(stage.estate.writes) == 1
    assert result.outcome is Outcome.SUSPENDED


def test_resuming_ends_it_at_once() -> None:
    stage = governed()
    pause(stage, POOL)
    pause(stage, FIELD)
    stage.run(BOTH)

    assert sorted(stage.safety.resume(POOL, every=True)) == ["", "doors"]
    assert stage.safety.resume(POOL, every=True) == []
    assert stage.run(BOTH).outcome is Outcome.APPLIED


def test_a_paused_field_is_ended_however_it_is_spelled() -> None:
    """A pause holds what its name means in any case of letters: so does its end."""
    stage = governed()
    for name in ("tags.Team", "Tags.team", "tags.other"):
        pause(stage, replace(POOL, field=name))

    assert sorted(stage.safety.resume(replace(POOL, field="TAGS.TEAM"))) == ["Tags.team", "tags.Team"]
    assert [one.scope.field for one in stage.safety.pauses()] == ["tags.other"]


def test_an_operation_in_flight_goes_on_in_a_pause() -> None:
    stage, spec = governed(), replace(BOTH, body={"tags": {"team": "build"}})
    stage.estate.pending = URL
    stage.run(spec)
    pause(stage, POOL)
    stage.estate.writes.clear()
    stage.estate.operations[URL] = Operation("running", retry_after=20.0)
    assert stage.run(spec).outcome is Outcome.PROGRESSING
    stage.estate.pending = ""
    stage.estate.operations[URL] = Operation("succeeded")

    assert stage.run(spec).outcome is Outcome.SUSPENDED
    assert stage.estate.writes == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body | {"pauses": 5},
        lambda body: body | {"pauses": {"": {"until": "soon"}}},
        lambda body: body | {"pauses": {"": None}},
        lambda _: {},
    ],
)
def test_a_pause_that_cannot_be_read_blocks_what_it_governs(
    damage: Callable[[dict[str, object]], dict[str, object]],
) -> None:
    stage = governed()
    pause(stage, POOL)
    stage.safety.documents.change(POOL.document, damage)

    result = stage.run(BOTH)

    assert (result.outcome, stage.estate.writes) == (Outcome.STALLED, [])
    assert "nothing is written: safety store: the document mode/pools/pool-1" in ready(result)[2]
    stage.clock.seconds = 5 * HOUR
    assert stage.run(BOTH).outcome is Outcome.STALLED, "nobody knows how long it was to last"


def test_a_pause_whose_document_is_missing_blocks() -> None:
    stage = governed()
    pause(stage, POOL)
    del stage.safe.documents[POOL.document]

    assert stage.run(BOTH).outcome is Outcome.STALLED
    assert stage.estate.writes == []


def test_a_mode_and_a_pause_of_one_scope_do_not_end_each_other() -> None:
    stage = governed()
    stage.set(WriteMode.STOP, POOL)
    pause(stage, POOL)
    stage.set(None, POOL)
    assert stage.run(BOTH).outcome is Outcome.SUSPENDED
    stage.set(WriteMode.REPORT, POOL)
    stage.safety.resume(POOL)

    result = stage.run(BOTH)

    assert (result.outcome, result.due) == (Outcome.OUT_OF_SYNC, None)
    assert "not applied: mode report of pool pool-1" in result.not_applied[0]


def test_a_pause_beside_a_mode_without_an_end_promises_nothing() -> None:
    stage = governed()
    stage.set(WriteMode.REPORT)
    pause(stage, POOL)

    result = stage.run(BOTH)

    assert (result.outcome, result.due, result.next_look) == (Outcome.OUT_OF_SYNC, None, None)


def test_a_damaged_document_is_not_mended_by_a_pause() -> None:
    """The mode that it held may have been a stop."""
    stage = governed()
    stage.set(WriteMode.STOP, POOL)
    stage.safety.documents.change(POOL.document, lambda _: {"mode": "stopp"})
    pause(stage, POOL, 1.0)
    stage.clock.seconds = 2 * HOUR

    assert stage.run(BOTH).outcome is Outcome.STALLED
    assert stage.estate.writes == []


# --- windows -------------------------------------------------------------------------------------------------------


def test_a_change_waits_for_its_window_and_is_made_at_the_opening() -> None:
    stage = within()

    held = stage.run(BOTH)

    assert (held.outcome, stage.estate.writes) == (Outcome.OUT_OF_SYNC, [])
    assert (held.due, held.next_look) == (START.replace(hour=22), None)
    text = "held until 2026-06-01T22:00:00Z: window 0 22 * * * UTC (policy:7)"
    assert ready(held) == (Truth.FALSE, "OutsideWindow", f"{text}: 6 changes")
    assert held.not_applied == (text,)
    assert held.status.covered is not None
    stage.clock.seconds = 10 * HOUR - 1
    assert stage.run(BOTH).outcome is Outcome.OUT_OF_SYNC
    stage.clock.seconds = 10 * HOUR
    assert stage.run(BOTH).outcome is Outcome.APPLIED
    second_run_writes_nothing(stage, BOTH)


def test_a_window_that_closes_during_a_run_ends_its_writes() -> None:
    """Whether before the next write, or while its intent is recorded."""
    stage = within()
    stage.clock.seconds = 12 * HOUR - 1
    stop_at(stage, lambda: setattr(stage.clock, "seconds", 12 * HOUR))

    result = stage.run(BOTH)

    assert len(stage.estate.writes) == 1
    assert (ready(result)[1], result.due) == ("OutsideWindow", datetime(2026, 6, 2, 22, tzinfo=UTC))


def test_a_window_that_closes_while_an_intent_is_recorded_lets_nothing_out() -> None:
    stage = within()
    stage.clock.seconds = 12 * HOUR - 1
    append = stage.ledger.append

    def slowly(*args: object, **options: object) -> object:
        stage.clock.seconds = 12 * HOUR
        return append(*args, **options)  # type: ignore[arg-type]  # as it was called

    stage.ledger.append = slowly  # type: ignore[method-assign,assignment]
    result = stage.run(BOTH)

    assert (stage.estate.writes, ready(result)[1]) == ([], "OutsideWindow")
    assert result.failures == ()


def test_what_narrows_does_not_wait_and_nothing_is_narrowed_before_its_grant() -> None:
    """The grant waits for a window, so the removal in its place waits for the grant: the place keeps its rights."""
    stage = within()
    stage.hold("bob")
    stage.hold("eve", "ann", organization=OTHER)
    spec = admins("ann")
    other = replace(spec.access.roles[0], organization=OTHER)
    spec = replace(
        spec, organizations=BOTH.organizations, access=replace(spec.access, roles=(*spec.access.roles, other))
    )

    held = stage.run(spec)

    assert stage.holders() == {"bob"}, "ann is not granted yet"
    assert stage.holders(OTHER) == {"ann"}, "where no grant is missing it is narrowed at once"
    assert ready(held)[1] == "OutsideWindow"
    stage.clock.seconds = 10 * HOUR
    stage.settle(spec)
    assert stage.holders() == {"ann"}


def test_the_owner_s_approval_is_the_way_round() -> None:
    stage = within()
    spec = replace(BOTH, blob="b" * 40)
    plan = stage.planner.plan(spec, stage.planner.survey([spec]), "c0ffee")
    of = ApprovedSpec(spec.blob, spec.path, "text", "ann", "2026-06-01T12:00:00Z")
    stage.safety.approve_plan("pool-1", ApprovedPlan.of_plan(replace(plan, spec=spec.blob), "ann", START), of)
    assert stage.run(spec).outcome is Outcome.OUT_OF_SYNC, "an approval for a cap is none for a window"
    way = ApprovedPlan.of_plan(replace(plan, spec=spec.blob), "ann", START, outside_windows=True)
    stage.safety.approve_plan("pool-1", way, of)

    assert stage.run(spec).outcome is Outcome.APPLIED
    stage.estate.open.clear()
    stage.clock.seconds = 25 * HOUR
    assert stage.run(spec).outcome is Outcome.OUT_OF_SYNC, "it counts for a day"


def test_a_person_who_applies_waits_for_windows_too() -> None:
    stage = within()

    result = stage.run(BOTH, plan_hash=stage.plan(BOTH).hash, trigger="apply")

    assert (result.outcome, stage.estate.writes) == (Outcome.OUT_OF_SYNC, [])


# --- whatever is set ------------------------------------------------------------------------------------------------

scopes = st.sampled_from([POOL, FIELD, replace(FIELD, field="keys"), OF_PRIME, ModeScope(organization=OTHER)])
windows = st.builds(
    Window,
    st.sampled_from([(Risk.WIDENS,), (Risk.NARROWS,), (Risk.WIDENS, Risk.NARROWS)]),
    st.builds("{} {} * * *".format, st.integers(0, 59), st.integers(0, 23)),
    st.sampled_from(["UTC", "Europe/Berlin"]),
    st.integers(1, 20).map(lambda hours: timedelta(hours=hours)),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("pause"), scopes, st.integers(1, 30)),
        st.tuples(st.just("resume"), scopes, st.just(0)),
        st.tuples(st.just("wait"), st.just(POOL), st.integers(1, 20)),
        st.tuples(st.just("drift"), st.just(POOL), st.integers(0, 2)),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=tries(20, soaked=60), deadline=None)
@given(st.lists(windows, max_size=2), steps, st.booleans())
def test_what_is_held_does_not_go_out_what_is_not_does_and_drift_is_told(
    policy: list[Window], todo: list[tuple[str, ModeScope, int]], by_spec: bool
) -> None:
    stage = governed()
    stage.policy = Policy(windows=tuple(policy))
    spec = replace(admins("ann"), organizations=BOTH.organizations)
    if by_spec:
        spec = replace(spec, mode=Mode.PAUSE, until=date(2026, 6, 1), reason="moving")
    stage.hold("ann", "bob")
    ends: dict[ModeScope, datetime] = {}
    for what, scope, number in todo:
        now = stage.clock.now()
        if what == "pause":
            pause(stage, scope, number)
            ends[scope] = now + timedelta(hours=number)
        elif what == "resume":
            stage.safety.resume(scope)
            ends.pop(scope, None)
        elif what == "wait":
            stage.clock.seconds += number * HOUR
        else:
            stage.hold("ann", *["bob", "eve"][:number])
            stage.estate.open = {one for one in stage.estate.open if one % 3 != number}
        now = stage.clock.now()
        paused = {one for one, end in ends.items() if end > now}
        stage.estate.writes.clear()

        result = stage.run(spec)

        whole = POOL in paused or (by_spec and now < datetime(2026, 6, 2, tzinfo=UTC))
        for name, organization, *_ in stage.estate.writes:
            assert not whole, "a paused pool was written"
            assert ModeScope(organization=str(organization)) not in paused
            assert replace(FIELD, field="keys" if name in ("assign", "remove") else "doors") not in paused
            risk = Risk.NARROWS if name == "remove" else Risk.WIDENS
            named = [one for one in policy if risk in one.risks]
            assert not named or any(one.opened(now) is not None for one in named)
        left = stage.plan(spec)
        status = condition(result, ConditionKind.READY)
        assert (status.status is Truth.TRUE) is left.in_sync, "drift is told, whatever is held"
        if left.all_changes:
            assert result.not_applied
            assert result.due is not None or result.outcome is Outcome.PROGRESSING
    for scope in ends:
        stage.safety.resume(scope)
    stage.policy = Policy()
    stage.clock.seconds += 48 * HOUR
    stage.settle(spec)
    assert stage.holders() == {"ann"}
    assert stage.plan(spec).in_sync
    second_run_writes_nothing(stage, spec)
