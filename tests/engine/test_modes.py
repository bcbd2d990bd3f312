"""Report, pause, approved plans, and reads that a batch shares."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from reconciler.engine import Outcome
from reconciler.engine.status import ConditionKind, Truth
from reconciler.errors import SpecInvalid
from reconciler.spec.model import Mode
from tests.engine.stage import (
    ORG,
    SPEC,
    admins,
    condition,
    converged,
    without_first_queue,
)
from tests.small_facets import DOORS, SCOPE


def test_report_mode_plans_and_writes_nothing() -> None:
    stage = converged()
    stage.estate.open.clear()

    result = stage.run(replace(SPEC, mode=Mode.REPORT))

    assert (result.outcome, result.next_look, stage.estate.writes) == (Outcome.OUT_OF_SYNC, None, [])
    seen = condition(result, ConditionKind.READY)
    assert (seen.reason, seen.message) == (
        "OutOfSync",
        "3 changes: 3 granting access; not applied: mode report (pools/pool-1.yaml)",
    )


def test_a_paused_pool_is_read_and_its_drift_is_told() -> None:
    stage = converged()
    stage.estate.open.clear()
    spec = replace(SPEC, mode=Mode.PAUSE, until=date(2026, 6, 1), reason="moving")

    result = stage.run(spec)

    assert (result.outcome, stage.estate.writes) == (Outcome.SUSPENDED, [])
    assert (result.due, result.next_look) == (datetime(2026, 6, 2, tzinfo=UTC), None)
    seen = condition(result, ConditionKind.READY)
    assert (seen.status, seen.reason) == (Truth.FALSE, "Suspended")
    assert seen.message == (
        "3 changes: 3 granting access; not applied: paused until 2026-06-02T00:00:00Z (pools/pool-1.yaml): moving"
    )


def test_a_paused_pool_without_drift_is_in_sync() -> None:
    """What was seen is told: a pause holds back writes and no reading."""
    result = converged().run(replace(SPEC, mode=Mode.PAUSE, until=date(2026, 6, 1), reason="moving"))

    assert (result.outcome, result.next_look) == (Outcome.IN_SYNC, None)


def test_a_pause_past_its_last_day_is_over_by_itself() -> None:
    """It needs no further commit."""
    stage = converged()
    stage.estate.open.clear()
    spec = replace(SPEC, mode=Mode.PAUSE, until=date(2026, 5, 31), reason="moving")

    assert stage.run(spec).outcome is Outcome.APPLIED


def test_a_pause_without_a_date_lasts() -> None:
    stage = converged()
    stage.estate.open.clear()

    result = stage.run(replace(SPEC, mode=Mode.PAUSE))

    assert (result.outcome, result.next_look, stage.estate.writes) == (Outcome.SUSPENDED, None, [])


def test_the_approved_plan_is_applied() -> None:
    """Rule 6: the plan is made again under the lease, and must be the same."""
    stage = converged()
    stage.estate.open.clear()

    assert stage.run(plan_hash=stage.plan().hash).outcome is Outcome.APPLIED


def test_another_plan_than_the_approved_one_is_refused_with_both_hashes() -> None:
    stage = converged()
    stage.estate.open.discard(1001)
    approved = stage.plan().hash
    stage.estate.open.discard(2001)

    result = stage.run(plan_hash=approved)

    (failure,) = result.failures
    assert (result.outcome, failure.error.reason, stage.estate.writes) == (Outcome.STALLED, "Refused", [])
    assert approved in str(failure.error)
    assert stage.plan().hash in str(failure.error)
    stalled = condition(result, ConditionKind.STALLED)
    assert stalled.status is Truth.FALSE


def test_what_follows_from_an_approved_change_is_approved_with_it() -> None:
    """A queue that is created is closed: its open access was a line of the plan, and part of its hash."""
    stage = without_first_queue()
    stage.estate.open.discard(1001)
    stage.run()
    approved = stage.plan()

    result = stage.run(plan_hash=approved.hash)

    assert [change.kind for change in approved.following] == ["open access"]
    assert [write[0] for write in stage.estate.writes] == ["create queue", "open access"]
    assert result.outcome is Outcome.APPLIED


@pytest.mark.parametrize("as_planned", [True, False])
def test_what_appears_while_a_run_writes_needs_another_plan_where_the_first_was_shown(*, as_planned: bool) -> None:
    """A person who becomes administrator meanwhile is removed by the service, and not behind the back of `apply`."""
    stage = converged()
    stage.hold("ann")

    def meanwhile(called: str, args: tuple[object, ...]) -> None:
        if called == "assign":
            stage.estate.roles[ORG, SCOPE, "1"]["eve"] = "Administrator"

    stage.estate.before = meanwhile
    result = stage.run(admins("ann", "bob"), as_planned=as_planned)

    assert stage.holders() == ({"ann", "bob", "eve"} if as_planned else {"ann", "bob"})
    assert result.outcome is (Outcome.OUT_OF_SYNC if as_planned else Outcome.APPLIED)
    assert result.next_look is None
    assert result.plan is not None
    assert len(result.plan.changes) == as_planned


def test_a_later_run_of_the_same_approval_makes_no_other_change() -> None:
    """`apply` waits for a long operation and runs again: what changed meanwhile was not approved."""
    stage = converged()
    stage.estate.open.discard(1001)
    approved = stage.plan()
    stage.run(plan_hash=approved.hash)
    stage.estate.open.discard(2001)

    result = stage.run(approved=approved)

    assert len(stage.estate.writes) == 1
    assert result.outcome is Outcome.OUT_OF_SYNC


def test_a_spec_that_a_facet_cannot_read_stalls_the_pool() -> None:
    def refuse(*_: object) -> None:
        raise SpecInvalid("pools/pool-1.yaml:3: tags: no")

    stage = converged(facets=[replace(DOORS, parse=refuse)])

    result = stage.run()

    assert (result.outcome, result.next_look) == (Outcome.STALLED, None)
    assert [failure.error.reason for failure in result.failures] == ["SpecInvalid"]


def test_a_batch_in_sync_is_seen_on_shared_reads() -> None:
    stage = converged()
    survey = stage.reconciler.survey([SPEC])
    stage.run(survey=survey)
    stage.estate.calls.clear()

    assert stage.run(survey=survey).outcome is Outcome.IN_SYNC
    assert stage.estate.reads == 0


def test_what_is_written_is_decided_on_reads_made_for_it() -> None:
    """It was repaired by hand after the batch was read: nothing is written."""
    stage = converged()
    stage.estate.open.discard(1001)
    survey = stage.reconciler.survey([SPEC])
    stage.planner.plan(SPEC, survey, "")
    stage.estate.open.add(1001)

    result = stage.run(survey=survey)

    assert (result.outcome, stage.estate.writes) == (Outcome.IN_SYNC, [])


def test_evidence_is_kept_between_runs_and_processes() -> None:
    stage = converged()
    stage.run()
    stage.estate.calls.clear()

    stage.run()

    assert stage.estate.calls["permissions"] == 0
    assert stage.shelf.load("evidence/fabrikam-prime") is not None


def test_evidence_that_another_worker_stores_at_the_same_time_is_no_trouble() -> None:
    stage = converged()

    def collide(name: str) -> None:
        if name.startswith("evidence/"):
            stage.shelf.touch(name)

    stage.shelf.before = collide

    assert stage.run().outcome is Outcome.IN_SYNC
