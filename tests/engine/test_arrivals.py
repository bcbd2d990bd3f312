"""What does not exist yet: waited for, counted, reported when it is overdue, and forgotten as soon as it exists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine import Outcome, Result, load_status
from reconciler.engine.status import ConditionKind, PoolStatus, Truth
from reconciler.engine.tenure import RunLimits
from reconciler.engine.waits import count_waits, overdue
from reconciler.errors import Forbidden, Rejected
from reconciler.plan.model import Gap, GapKind, Plan
from reconciler.plan.policy import Policy
from reconciler.spec.model import Mode
from tests.engine.stage import ORG, SPEC, Stage, condition, converged
from tests.keeping import START

COMING = Gap("doors", "o/p", GapKind.NOT_READY, "NotReady", "o/p: no queue yet")
QUIET = replace(COMING, message="pool-1: waits for a quiet moment", bounded=True)
LIMITS = RunLimits()


def hidden() -> Stage:
    """The agent pool is not to be seen."""
    stage = converged()
    stage.estate.pools[ORG] = []
    return stage


def wait(stage: Stage, seconds: float = 600.0, runs: int = 8) -> list[Result]:
    found = []
    for _ in range(runs):
        found.append(stage.run())
        stage.clock.seconds += seconds
    return found


def test_an_agent_pool_that_stays_away_is_waited_for_and_then_reported() -> None:
    stage = hidden()
    results = wait(stage)

    assert [result.outcome for result in results] == [Outcome.PROGRESSING] * 6 + [Outcome.STALLED] * 2
    assert [result.next_look is None for result in results] == [False] * 6 + [True] * 2
    stalled = condition(results[-1], ConditionKind.STALLED)
    assert (stalled.status, stalled.reason) == (Truth.TRUE, "Overdue")
    assert "there is no agent pool pool-1" in stalled.message
    assert "missing since 2026-06-01T12:00Z" in stalled.message
    assert condition(results[-1], ConditionKind.RECONCILING).status is Truth.FALSE
    assert results[-1].status.covered is not None, "older requests are done"


def test_the_condition_of_what_is_overdue_does_not_flap() -> None:
    *_, before, after = wait(hidden(), runs=10)

    assert before.status.conditions == after.status.conditions


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_many_looks_in_a_short_time_are_not_a_long_wait(seconds: float) -> None:
    assert all(result.outcome is Outcome.PROGRESSING for result in wait(hidden(), seconds, 20))


def test_a_reconciler_that_stood_still_for_a_day_has_not_waited() -> None:
    assert [r.outcome for r in wait(hidden(), 86400.0, 4)] == [Outcome.PROGRESSING] * 4


def test_as_soon_as_it_is_there_everything_goes_on_and_the_wait_is_forgotten() -> None:
    stage = hidden()
    wait(stage)
    stage.estate.pools[ORG] = converged().estate.pools[ORG]

    result = stage.settle()

    assert (result.outcome, result.status.awaited) == (Outcome.IN_SYNC, {})


def test_another_spec_is_another_wait_and_another_commit_is_not() -> None:
    """Others commit all day: that must not keep the wait from being reported."""
    stage = hidden()
    wait(stage)

    assert stage.run(revision="decaf").outcome is Outcome.STALLED
    edited = replace(SPEC, organizations=(replace(SPEC.organizations[0], agent_pool="pool-2"),))
    result = stage.run(edited, "decaf")
    assert (result.outcome, result.next_look is None) == (Outcome.PROGRESSING, False)


def test_what_is_overdue_in_one_place_keeps_nothing_else_from_being_done() -> None:
    stage = hidden()
    wait(stage)
    tagged = replace(SPEC, body={"tags": {"a": "b"}})

    for _ in range(2):
        stage.run(tagged)
    assert "put" in [name for name, *_ in stage.estate.writes]


def test_in_report_mode_the_sweeps_are_the_looks() -> None:
    stage = hidden()
    spec = replace(SPEC, mode=Mode.REPORT)
    outcomes = []
    for _ in range(6):
        outcomes.append(stage.run(spec).outcome)
        stage.clock.seconds += 900.0

    assert outcomes == [Outcome.PROGRESSING] * 4 + [Outcome.STALLED] * 2


def test_while_an_operation_is_in_flight_nothing_is_overdue() -> None:
    """A creation may take longer than an hour: what depends on it begins to be awaited when it is over."""
    stage = hidden()
    stage.estate.pending = "https://management.azure.com/operation"

    assert stage.run(replace(SPEC, body={"tags": {"a": "b"}})).pending is not None
    assert load_status(stage.shelf, SPEC.key).awaited == {}


def test_a_pool_that_may_not_be_created_is_not_waited_for() -> None:
    """Its agent pools will not come: a refusal waits for the policy, and no look helps."""
    stage = hidden()
    stage.policy = Policy(create_pools=False)
    stage.estate.arm.clear()

    result = stage.run(replace(SPEC, body={"tags": {"a": "b"}}))

    assert (result.outcome, result.next_look) == (Outcome.STALLED, None)
    assert condition(result, ConditionKind.STALLED).reason == "Refused"


@pytest.mark.parametrize("error", [Rejected("pool-1: no quota"), Forbidden("pool-1: 403")])
def test_nor_is_one_whose_creation_the_service_refuses(error: Exception) -> None:
    stage = hidden()
    stage.estate.arm.clear()
    stage.fail("put", error)

    result = stage.run(replace(SPEC, body={"tags": {"a": "b"}}))

    assert (result.outcome, result.next_look) == (Outcome.STALLED, None)


def plan(*gaps: Gap) -> Plan:
    return Plan("pool-1", "c0ffee", gaps=gaps)


def test_a_wait_with_an_end_of_its_own_is_not_counted() -> None:
    assert count_waits({}, plan(QUIET, COMING), SPEC, START).keys() == {COMING.message}


def test_specs_that_differ_have_digests_that_differ() -> None:
    tagged = replace(SPEC, body={"tags": {"a": "b"}})
    apart = replace(SPEC, organizations=(replace(SPEC.organizations[0], without_queue=frozenset({"b", "a"})),))
    digests = {count_waits({}, plan(COMING), spec, START)[COMING.message].spec for spec in (SPEC, tagged, apart)}

    assert len(digests) == 3


@given(st.lists(st.tuples(st.integers(0, 2000), st.booleans()), max_size=40))
def test_it_is_overdue_only_after_enough_time_and_enough_looks_without_a_break(looks: list[tuple[int, bool]]) -> None:
    """Whatever the looks were like, stored and read again in between; a read that saw it starts over."""
    status, now, began, missed = PoolStatus("pool-1"), START, START, 0
    for seconds, seen in looks:
        now += timedelta(seconds=seconds)
        began, missed = (now, 0) if seen else (began if missed else now, missed + 1)
        awaited = count_waits(status.awaited, plan() if seen else plan(COMING), SPEC, now)
        status = PoolStatus.from_json("pool-1", replace(status, awaited=awaited).to_json())

        due = bool(overdue(status.awaited, now, LIMITS))
        assert due == (missed >= LIMITS.arrival_runs and (now - began).total_seconds() >= LIMITS.arrival)
