"""One pool under one lease: repair, order, verification. The rules of the design are named where they are kept."""

from __future__ import annotations

from dataclasses import replace

from reconciler.engine import Outcome
from reconciler.engine.events import Applied, Applying, Failed, PassStarted, Verified, Verifying, Waiting
from reconciler.engine.status import ConditionKind, Truth
from reconciler.errors import Forbidden, Rejected, Unavailable
from reconciler.plan.guards import organization_of
from reconciler.plan.model import Change
from reconciler.spec.model import Organization
from tests.engine.stage import (
    ORG,
    OTHER,
    SPEC,
    Stage,
    admins,
    condition,
    converged,
    second_run_writes_nothing,
    without_first_queue,
)
from tests.estate import Estate


def test_a_converged_pool_is_in_sync_and_nothing_is_written() -> None:
    """Rule 1: only an empty, complete plan is in sync."""
    stage = converged()

    result = stage.run()

    assert result.outcome is Outcome.IN_SYNC
    assert (result.next_look, result.verified, stage.estate.writes) == (None, (), [])
    assert (result.status.attempted, result.status.applied) == ("c0ffee", "c0ffee")
    seen = condition(result, ConditionKind.READY)
    assert (seen.status, seen.reason) == (Truth.TRUE, "InSync")


def test_a_closed_queue_is_opened_again_and_seen_open() -> None:
    stage = converged()
    stage.estate.open.discard(1001)

    result = stage.run()

    assert result.outcome is Outcome.APPLIED
    assert [change.subject for change in result.verified] == ["fabrikam-prime/project-1"]
    assert result.planned is not None
    assert len(result.planned.changes) == 1
    assert result.plan is not None
    assert result.plan.in_sync
    second_run_writes_nothing(stage)


def test_a_queue_that_somebody_opened_is_closed() -> None:
    stage = converged()
    spec = replace(SPEC, organizations=(replace(SPEC.organizations[0], open_access=False),))

    assert stage.run(spec).outcome is Outcome.APPLIED
    assert stage.estate.open == set()
    second_run_writes_nothing(stage, spec)


def test_one_event_to_a_proven_repair_takes_few_calls_in_sequence() -> None:
    """A build waits for a repair; verification reads what was touched and nothing else."""
    stage = converged(1)
    stage.run()
    stage.estate.calls.clear()
    stage.estate.open.discard(1001)

    stage.run()

    assert stage.estate.reads + len(stage.estate.writes) <= 9


def test_a_grant_is_seen_before_anybody_is_removed() -> None:
    """Rules 4 and 12: a grant that was answered and never seen must not cost the last key."""
    stage = converged(0)
    stage.hold("bob")

    result = stage.run(admins("ann"))

    assert [write[0] for write in stage.estate.writes] == ["assign", "remove"]
    passes = [event.number for event in stage.events if isinstance(event, PassStarted)]
    assert passes == [1, 2]
    assert result.outcome is Outcome.APPLIED
    assert stage.holders() == {"ann"}


def test_nothing_is_narrowed_where_a_grant_failed() -> None:
    stage = converged(0)
    stage.hold("bob")
    with stage.failing("assign", Forbidden("fabrikam-prime: 403")):
        result = stage.run(admins("ann"))

    assert result.outcome is Outcome.STALLED
    assert stage.estate.writes == []
    assert stage.holders() == {"bob"}


def test_nothing_is_narrowed_where_a_grant_failed_even_if_it_is_seen_in_force() -> None:
    """The answer was lost, the write was not: that is no failure, and the removal comes with the next run."""
    stage = converged(0)
    stage.hold("bob")
    spec = admins("ann")

    def lose_the_answer(name: str, args: tuple[object, ...]) -> None:
        if name == "assign":
            stage.hold("bob", "ann")
            raise Unavailable("fabrikam-prime: no answer")

    stage.estate.before = lose_the_answer
    result = stage.run(spec)

    assert result.outcome is Outcome.PROGRESSING
    assert [change.subject for change in result.verified] == ["fabrikam-prime ann"]
    assert (result.failures, result.next_look) == ((), 5.0)
    assert stage.holders() == {"ann", "bob"}
    assert stage.settle(spec).outcome is Outcome.APPLIED
    assert stage.holders() == {"ann"}


def test_a_grant_that_failed_in_one_organization_does_not_hold_up_another() -> None:
    """Rule 10."""
    stage = converged(1)
    stage.estate.add(OTHER, 1, 1)
    closed = Organization(OTHER, "pool-1", (), open_access=False)
    spec = replace(SPEC, organizations=(*SPEC.organizations, closed))
    stage.estate.open.discard(1001)
    with stage.failing("open access", Forbidden("fabrikam-prime: 403"), about=ORG):
        result = stage.run(spec)

    assert [organization_of(change) for change in result.verified] == [OTHER]
    assert [failure.error.reason for failure in result.failures] == ["Forbidden"]


def test_a_failing_change_does_not_stop_its_neighbours() -> None:
    stage = converged(3)
    stage.estate.open.clear()
    with stage.failing("open access", Rejected("project-1: 400"), about="fabrikam-prime-0001"):
        result = stage.run()

    assert [change.subject for change in result.verified] == ["fabrikam-prime/project-2", "fabrikam-prime/project-3"]
    assert result.outcome is Outcome.STALLED
    second_run_writes_nothing(stage_after_one_repair(stage))


def stage_after_one_repair(stage: Stage) -> Stage:
    stage.settle()
    return stage


def test_yes_without_effect_is_an_error_and_no_success() -> None:
    """A write that is not visible is read again soon; after the third it is an error of its own."""
    stage = converged()
    stage.estate.open.discard(1001)
    stage.estate.deaf = True

    first, second, third = stage.run(), stage.run(), stage.run()

    assert [r.outcome for r in (first, second, third)] == [Outcome.PROGRESSING, Outcome.PROGRESSING, Outcome.FAILED]
    assert [r.next_look for r in (first, second)] == [5.0, 5.0]
    assert [failure.error.reason for failure in third.failures] == ["NotEffective"]
    assert third.verified == ()
    assert len(stage.estate.writes) == 3
    stage.estate.deaf = False
    assert stage.run().outcome is Outcome.APPLIED
    assert stage.run().status.unverified == {}


def test_a_write_that_shows_late_is_not_written_again() -> None:
    stage = converged()
    stage.estate.open.discard(1001)
    stage.estate.deaf = True
    stage.run()
    stage.estate.open.add(1001)

    result = stage.run()

    assert result.outcome is Outcome.IN_SYNC
    assert len(stage.estate.writes) == 1


def test_what_cannot_be_read_after_the_write_is_not_verified() -> None:
    stage = converged()
    stage.estate.open.discard(1001)

    def go_dark(name: str, args: tuple[object, ...]) -> None:
        if name == "authorized" and stage.estate.writes:
            raise Unavailable("project-1: 503")

    stage.estate.before = go_dark
    result = stage.run()

    assert result.outcome is Outcome.FAILED
    assert result.verified == ()
    assert result.status.unverified == {}


def test_what_the_service_may_do_by_itself_is_waited_for_once() -> None:
    stage = without_first_queue()

    first = stage.run()
    assert (first.outcome, first.next_look, stage.estate.writes) == (Outcome.PROGRESSING, 15.0, [])
    assert [event.change.kind for event in stage.events if isinstance(event, Waiting)] == ["queue"]

    second = stage.run()
    assert [write[0] for write in stage.estate.writes] == ["create queue", "open access"]
    assert second.outcome is Outcome.APPLIED
    assert second.status.waited == ()
    second_run_writes_nothing(stage)


def test_a_stray_administrator_does_not_stay_because_a_project_waits_for_its_queue() -> None:
    """Rule 4 speaks of one place: what is waited for in a project says nothing about who administers the pool."""
    stage = without_first_queue()
    stage.hold("ann", "bob")

    stage.run(admins("ann"))

    assert stage.holders() == {"ann"}
    assert stage.estate.writes[-1][0] != "create queue"


def test_what_the_service_made_meanwhile_is_not_made_again() -> None:
    stage = without_first_queue()
    stage.run()
    fresh = Estate()
    fresh.add(ORG, 1, 3)
    stage.estate.queues = fresh.queues

    assert stage.run().outcome is Outcome.IN_SYNC
    assert stage.estate.writes == []


def test_a_listener_hears_the_whole_story() -> None:
    stage = converged(2)
    stage.estate.open.clear()
    with stage.failing("open access", Forbidden("project-2: 403"), about="fabrikam-prime-0002"):
        stage.run()

    assert [type(event) for event in stage.events] == [
        PassStarted,
        Applying,
        Applied,
        Applying,
        Failed,
        Verifying,
        Verified,
    ]
    verified = stage.events[-1]
    assert isinstance(verified, Verified)
    assert [change.subject for change in verified.changes] == ["fabrikam-prime/project-1"]


def test_nobody_has_to_listen() -> None:
    stage = converged()
    stage.estate.open.clear()
    reconciler = stage.reconciler
    quiet = type(reconciler)(stage.planner, stage.estate.writers, stage.shelf, stage.desk, record=stage.ledger)

    assert quiet.reconcile(SPEC, "c0ffee").outcome is Outcome.APPLIED


def test_a_change_is_done_once_in_a_run() -> None:
    stage = converged()
    stage.estate.open.clear()
    stage.estate.deaf = True

    stage.run()

    ids = [event.change.id for event in stage.events if isinstance(event, Applying)]
    assert len(ids) == len(set(ids)) == 3
    assert all(isinstance(event.change, Change) for event in stage.events if isinstance(event, Applying))
