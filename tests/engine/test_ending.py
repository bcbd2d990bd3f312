"""What a run leaves behind for the next one: what waits, what was not seen, and what was rejected."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.documents import moment
from reconciler.engine import ending, waits
from reconciler.engine.memory import Memory
from reconciler.engine.run_state import RunBasis, RunState
from reconciler.engine.status import PoolStatus
from reconciler.engine.stored import Rest
from reconciler.engine.tenure import RunLimits, Tenure
from reconciler.errors import Forbidden, ReconcilerError, Rejected
from reconciler.plan.model import Change, Gap, GapKind, Plan, Refusal
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, DirectoryEntry, NewQueue, ProjectPlace
from reconciler.spec.model import Spec
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
    plan: Plan,
    status: PoolStatus,
    *,
    revision: str = "c0ffee",
    failed: ReconcilerError | None = None,
    hours: int = 0,
    minutes: int = 0,
    spec: Spec = SPEC,
    requested: datetime | None = None,
) -> PoolStatus:
    """The status that a run stores which began with one and ended with a plan."""
    stage, clock = converged(0), HandClock()
    clock.seconds += hours * 3600 + minutes * 60
    shelf = Shelf()
    lease = Desk().acquire(SPEC.key, 60.0)
    memory = Memory(shelf, SPEC.key, Tenure(lease, clock, RunLimits()))
    memory.save(status)
    frame = ending.Frame(spec, revision, clock, RunLimits(), requested=requested)
    held = waits.resting_changes(plan, status.resting, frame.rest_rules())
    survey = stage.planner.survey([SPEC])
    run = RunState(RunBasis(spec, revision, status, Policy(), survey, plan, held=held), plan)
    if failed is not None:
        for change in plan.changes:
            run.attempted(change, failed)
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

OTHER = replace(MEMBER, subject="o ann@fabrikam.com", target=DirectoryEntry(AgentPoolPlace(ORG, 1), "ann@fabrikam.com"))
UNREAD = Gap("keys", ORG, GapKind.UNKNOWN, "Unavailable", "o: 503")


def later(status: PoolStatus, left: Plan, **options: Any) -> PoolStatus:
    """The status after the next run, in which everything that may go out is rejected again."""
    return judged(left, status, failed=UNKNOWN, **options)


def rejected(*changes: Change) -> PoolStatus:
    return later(PoolStatus("pool-1"), plan(*changes))


def test_a_member_whom_no_directory_knows_rests_for_an_hour_then_for_two() -> None:
    """The service's words are kept, so that the condition stays the same while nothing is sent."""
    first = rejected(MEMBER)

    meanwhile = later(first, plan(MEMBER)).resting[MEMBER.id]
    again = later(first, plan(MEMBER), hours=1).resting[MEMBER.id]

    rest = first.resting[MEMBER.id]
    assert (rest.attempts, rest.message, rest.organization) == (1, str(UNKNOWN), ORG)
    assert meanwhile == rest, "what rested was not sent, so it does not start over"
    assert (again.attempts, again.until - rest.until) == (2, timedelta(hours=2))


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


def test_another_commit_with_the_same_content_lifts_no_rest() -> None:
    first = rejected(MEMBER)

    assert later(first, plan(MEMBER), revision="decade").resting == first.resting


@pytest.mark.parametrize(
    ("left", "options", "reason"),
    [
        (plan(MEMBER), {"spec": replace(SPEC, resource_group="rg-other")}, "another content of the spec"),
        (plan(replace(MEMBER, target=DirectoryEntry(AgentPoolPlace(ORG, 2), "nobody@fabrikam.com"))), {}, "a new pool"),
        (plan(MEMBER), {"requested": HandClock().now() + timedelta(minutes=1)}, "a caller asks for it"),
    ],
)
def test_what_could_have_changed_the_response_lifts_a_rest(left: Plan, options: dict[str, Any], reason: str) -> None:
    first = rejected(MEMBER)

    again = later(first, left, minutes=2, **options).resting[MEMBER.id]

    assert again.until == first.resting[MEMBER.id].until + timedelta(minutes=2), reason
    assert again.attempts == 1, "an attempt that was asked for does not lengthen the pause"


def test_a_request_from_before_the_rejection_lifts_nothing() -> None:
    """It is what the rejection answered."""
    first = rejected(MEMBER)

    assert later(first, plan(MEMBER), minutes=2, requested=HandClock().now()).resting == first.resting


def test_a_member_who_is_known_now_lifts_the_rests_of_the_others() -> None:
    """The directory changed. What cannot be read says nothing of the kind, and goes on resting itself."""
    first = rejected(MEMBER, OTHER)

    found = later(first, plan(MEMBER), minutes=2)
    unread = later(first, plan(MEMBER, gaps=(UNREAD,)), minutes=2)

    assert found.resting[MEMBER.id].until == first.resting[MEMBER.id].until + timedelta(minutes=2)
    assert OTHER.id not in found.resting
    assert later(found, plan(MEMBER), minutes=3).resting == found.resting, "once"
    assert unread.resting == first.resting


def test_rests_of_earlier_releases_are_read_and_count_for_their_commit() -> None:
    until = HandClock().now() + timedelta(hours=9)
    old = {"message": "no", "revision": "c0ffee", "attempts": 5, "until": moment(until)}
    read = Rest.from_json(old)
    assert read is not None
    status = PoolStatus("pool-1", resting={MEMBER.id: read})

    assert later(status, plan(MEMBER)).resting == status.resting
    assert later(status, plan(MEMBER), revision="decade").resting[MEMBER.id].attempts == 1
    new = rejected(MEMBER).resting[MEMBER.id]
    assert Rest.from_json(new.to_json()) == new
    assert old.keys() <= new.to_json().keys(), "an earlier release reads a newer document"


def test_what_was_not_sent_goes_on_resting() -> None:
    """A run that ended before it, or whose approval was refused, says nothing about it."""
    first = rejected(MEMBER)

    assert judged(plan(MEMBER), first).resting == first.resting
