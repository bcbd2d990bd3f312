"""What a run leaves behind for the next one: what waits, what was not seen, and what was rejected."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.engine import ending
from reconciler.engine.memory import Memory
from reconciler.engine.run_state import RunBasis, RunState
from reconciler.engine.status import PoolStatus
from reconciler.engine.stored import Rest
from reconciler.engine.tenure import RunLimits, Tenure
from reconciler.errors import Forbidden, ReconcilerError, Rejected
from reconciler.plan.model import Change, Gap, GapKind, Plan, Refusal
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, DirectoryEntry, NewQueue, ProjectPlace
from tests.engine.stage import ORG, SPEC, converged
from tests.keeping import Desk, HandClock, Shelf

QUEUE = Change(
    "queues", "queue", "o/p", None, "pool-1", NewQueue(ProjectPlace(ORG, "p", "p"), 1, "pool-1"),
    wait_once="the service may make it by itself",
)  # fmt: skip
MEMBER = Change(
    "keys", "member", "o nobody@fabrikam.com", None, "member",
    DirectoryEntry(AgentPoolPlace(ORG, 1), "nobody@fabrikam.com"),
)  # fmt: skip
DARK = Gap("queues", ORG, GapKind.UNKNOWN, "Unavailable", "o: 503")
UNKNOWN = Rejected("o: principal nobody@fabrikam.com: found in no directory")


def judged(
    plan: Plan, status: PoolStatus, *, revision: str = "c0ffee", failed: ReconcilerError | None = None, hours: int = 0
) -> PoolStatus:
    """The status that a run stores which began with one and ended with a plan."""
    stage, clock = converged(0), HandClock()
    clock.seconds += hours * 3600
    shelf = Shelf()
    lease = Desk().acquire(SPEC.key, 60.0)
    memory = Memory(shelf, SPEC.key, Tenure(lease, clock, RunLimits()))
    memory.save(status)
    run = RunState(RunBasis(SPEC, revision, status, Policy(), stage.planner.survey([SPEC]), plan), plan)
    if failed is not None:
        for change in plan.changes:
            run.attempted(change, failed)
    frame = ending.Frame(SPEC, revision, clock, RunLimits())
    ending.judged(frame, memory, run, None)
    return Memory(shelf, SPEC.key, Tenure(lease, clock, RunLimits())).status


def plan(*changes: Change, gaps: tuple[Gap, ...] = (), refusals: tuple[Refusal, ...] = ()) -> Plan:
    return Plan("pool-1", "c0ffee", changes, refusals, gaps)


@pytest.mark.parametrize(
    ("left", "kept", "reason"),
    [
        (plan(QUEUE), (QUEUE.id,), "still missing: the next run does it"),
        (plan(), (), "the service made it"),
        (plan(gaps=(DARK,)), (QUEUE.id,), "not seen: forgetting it would give the service another round of time"),
        (plan(replace(QUEUE, wait_once="")), (), "no longer left to the service"),
    ],
)
def test_what_waits_is_kept_as_long_as_it_is_open_or_unseen(left: Plan, kept: tuple[str, ...], reason: str) -> None:
    assert judged(left, PoolStatus("pool-1", waited=(QUEUE.id,))).waited == kept, reason


@pytest.mark.parametrize(
    ("left", "kept", "reason"),
    [
        (plan(QUEUE), {QUEUE.id: 2}, "written twice, and still not seen"),
        (plan(refusals=(Refusal(QUEUE, "a-rule", "no"),)), {QUEUE.id: 2}, "refused is not in force"),
        (plan(gaps=(DARK,)), {QUEUE.id: 2}, "not seen is not verified"),
        (plan(), {}, "it is in force"),
    ],
)
def test_what_was_written_without_effect_is_counted_until_it_is_seen(
    left: Plan, kept: dict[str, int], reason: str
) -> None:
    assert judged(left, PoolStatus("pool-1", unverified={QUEUE.id: 2})).unverified == kept, reason


# --- what was rejected ---


def test_a_member_whom_no_directory_knows_rests_for_an_hour_then_for_two() -> None:
    """The service's words are kept, so that the condition stays the same while nothing is sent."""
    first = judged(plan(MEMBER), PoolStatus("pool-1"), failed=UNKNOWN).resting[MEMBER.id]
    resting = PoolStatus("pool-1", resting={MEMBER.id: first})

    meanwhile = judged(plan(MEMBER), resting, failed=UNKNOWN).resting[MEMBER.id]
    again = judged(plan(MEMBER), resting, failed=UNKNOWN, hours=1).resting[MEMBER.id]

    assert (first.attempts, first.message) == (1, str(UNKNOWN))
    assert meanwhile == first, "what rested was not sent, so it does not start over"
    assert (again.attempts, again.until - first.until) == (2, timedelta(hours=2))


def test_no_rest_is_longer_than_a_day() -> None:
    status = PoolStatus("pool-1", resting={MEMBER.id: Rest("no", "c0ffee", 60, HandClock().now())})

    rest = judged(plan(MEMBER), status, failed=UNKNOWN).resting[MEMBER.id]

    assert rest.until - HandClock().now() == timedelta(days=1)


@pytest.mark.parametrize(
    ("left", "error", "reason"),
    [
        (plan(MEMBER), Forbidden("o: 403"), "a right may be given at any moment"),
        (plan(QUEUE), Rejected("o/p: 400"), "one refused write a sweep is cheap"),
        (plan(), None, "it is in force"),
    ],
)
def test_nothing_else_rests(left: Plan, error: ReconcilerError | None, reason: str) -> None:
    status = PoolStatus("pool-1", resting={MEMBER.id: Rest("no", "c0ffee", 1, HandClock().now())})

    assert judged(left, status, failed=error).resting == {}, reason


def test_another_revision_starts_over() -> None:
    """The cause may be fixed by now, and that should show at once."""
    status = PoolStatus("pool-1", resting={MEMBER.id: Rest("no", "c0ffee", 5, HandClock().now() + timedelta(hours=9))})

    rest = judged(plan(MEMBER), status, revision="decade", failed=UNKNOWN).resting[MEMBER.id]

    assert (rest.attempts, rest.revision) == (1, "decade")
