"""What a verdict says word for word, what it leaves out, and what it adds to the status of the pool."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from reconciler.engine.assessment import Assessment
from reconciler.engine.backoff import chance, delay
from reconciler.engine.gate import Moment, WriteGate
from reconciler.engine.result import Failure, Outcome
from reconciler.engine.status import PoolStatus, Truth
from reconciler.engine.stored import Replacing
from reconciler.engine.verdict import concluded, judge, not_recreated
from reconciler.errors import Forbidden, ReconcilerError, Throttled, Unavailable
from reconciler.plan.model import Change, Plan, Refusal, Remark
from reconciler.plan.sync import SyncCause, VerifiedSpec
from reconciler.plan.targets import CreatePool, OpenAccess, QueuePlace, UpdatePool
from reconciler.safety import HoldKind, Modes, ModeScope, ModeSetting, WriteMode
from reconciler.spec.model import Mode
from tests.engine.stage import ORG, SPEC
from tests.engine.test_verdict import (
    BARRED,
    CLOSE,
    COMING,
    DARK,
    FLYING,
    HIDDEN,
    LIMITS,
    OPEN,
    REFUSAL,
    ended,
    failing,
    plan,
)
from tests.keeping import START

DELETED = Replacing("doors", "pool-1: x → y", "c0ffee1234", START)
UNREADY = "o/p: no queue yet"
CREATE = Change("body", "pool", "pool-1", None, {}, CreatePool("/pools/pool-1", {}))
UPDATE = replace(CREATE, before={}, target=UpdatePool("/pools/pool-1", {}))
STOP = ModeSetting(WriteMode.STOP, "set", ModeScope(organization=ORG))
PAUSE = ModeSetting(
    WriteMode.REPORT, "set", ModeScope(organization=ORG), kind=HoldKind.PAUSE, until=START + timedelta(hours=1)
)


def gated(gate: WriteGate, left: Plan) -> Assessment:
    return replace(ended(left), modes=gate, left_over=False)


def stopped(left: Plan) -> Assessment:
    return gated(WriteGate(SPEC, Modes(organizations={ORG: STOP})), left)


def message(end: Assessment) -> str:
    return judge(end, LIMITS).finding.message


def test_why_the_pool_is_out_of_sync_is_told_with_what_holds_it() -> None:
    drift = replace(ended(plan(changes=(OPEN,))), left_over=False, cause=SyncCause.DRIFT)
    assert message(drift) == "drift: 1 change: 1 granting access"

    reported = replace(ended(plan(changes=(OPEN,)), mode=Mode.REPORT), cause=SyncCause.DRIFT)
    assert message(reported) == "drift: 1 change: 1 granting access; not applied: mode report (pools/pool-1.yaml)"


def test_what_is_held_stands_behind_what_is_wrong_once() -> None:
    held = f"not applied: mode stop of organization {ORG} (set): "

    assert message(stopped(plan(HIDDEN, changes=(OPEN,)))) == f"o/p: hidden; {held}1 change"
    assert message(stopped(plan(changes=(OPEN, CLOSE)))) == f"{held}2 changes"
    reported = ended(plan(HIDDEN, changes=(OPEN,)), mode=Mode.REPORT)
    assert message(reported) == "1 change: 1 granting access; not applied: mode report (pools/pool-1.yaml)"


def test_a_pause_that_ends_comes_before_a_mode_that_does_not() -> None:
    other = replace(OPEN, subject="x/p", target=OpenAccess(QueuePlace("x", "p", "p", 7, 1), allow=True))
    modes = Modes(organizations={"x": replace(STOP, scope=ModeScope(organization="x"))}, pauses=(PAUSE,))
    end = gated(WriteGate(SPEC, modes, now=Moment(START)), plan(changes=(other, OPEN)))

    first, second = message(end).split("; ")
    assert first.startswith(f"not applied: organization {ORG} paused until ")
    assert second.startswith("not applied: mode stop of organization x ")


@pytest.mark.parametrize(("changes", "ready"), [((OPEN,), Truth.FALSE), ((), Truth.UNKNOWN)])
def test_a_pool_of_which_something_is_known_to_differ_is_not_unknown(changes: tuple[Change, ...], ready: Truth) -> None:
    assert judge(ended(plan(DARK, changes=changes)), LIMITS).finding.ready is ready


def test_of_two_causes_with_one_message_the_one_that_was_written_leads() -> None:
    end = replace(ended(plan(BARRED)), failures={"x": Failure(None, Forbidden(BARRED.message))})

    assert judge(end, LIMITS).finding.ready is Truth.FALSE


def test_a_pool_in_place_of_a_deleted_one_is_missed_only_while_nothing_creates_it() -> None:
    missing = replace(ended(plan(changes=(OPEN,))), left_over=False, replacing=DELETED)

    assert judge(missing, LIMITS).finding.stalled == "Replacing"
    assert judge(replace(missing, pending=FLYING), LIMITS).finding.stalled == ""
    assert judge(replace(ended(), replacing=DELETED), LIMITS).outcome is Outcome.IN_SYNC


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock is nine hours ahead."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_the_moment_of_the_deletion_is_told_in_utc() -> None:
    note = replace(DELETED, since=datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=2))))

    assert not_recreated(note) == (
        "pool-1: x → y: deleted 2026-03-01T10:30Z to be replaced by commit c0ffee1, and not created again yet"
    )


def test_a_pool_that_moved_is_told_apart_from_other_things_to_correct() -> None:
    moved = replace(HIDDEN, reason="Moved")

    assert judge(ended(plan(moved)), LIMITS).finding.reason == "Moved"
    assert judge(ended(plan(HIDDEN)), LIMITS).finding.reason == "Degraded"


NEAR = next(name for name in (f"pool-{n}" for n in range(1000)) if delay(1, chance(name, 1)) < 0.5)
"""A pool whose first wait is short."""


@pytest.mark.parametrize(
    "end",
    [
        failing(Unavailable("503")),
        ended(plan(replace(DARK, retry_after=None))),
        ended(plan(COMING)),
        gated(WriteGate(SPEC, Modes(ModeSetting(WriteMode.REPORT, "mode", unknown=Unavailable("503")))), plan()),
    ],
)
def test_without_a_word_of_the_service_the_backoff_alone_decides(end: Assessment) -> None:
    end = replace(end, spec=replace(SPEC, name=NEAR))

    assert judge(end, LIMITS).next_look == delay(1, chance(end.spec.key, 1))


def test_safety_facts_that_cannot_be_read_are_read_again_when_the_store_allows_it() -> None:
    unknown = Modes(ModeSetting(WriteMode.REPORT, "mode", unknown=Throttled("slow down", retry_after=300)))

    verdict = judge(gated(WriteGate(SPEC, unknown), plan()), LIMITS)
    assert (verdict.next_look, verdict.finding.message) == (300.0, "nothing is written: slow down")


@pytest.mark.parametrize(
    ("end", "waited_for"),
    [
        (ended(plan(COMING)), True),
        (ended(plan(COMING, refusals=(Refusal(CREATE, "cap", "no"),))), False),
        (ended(plan(COMING, refusals=(Refusal(UPDATE, "cap", "no"),))), True),
        (ended(plan(COMING, refusals=(REFUSAL,))), True),
        (
            replace(
                ended(plan(COMING, changes=(OPEN,), refusals=(Refusal(CREATE, "cap", "no"),))),
                failures={OPEN.id: Failure(OPEN, Forbidden("403"))},
            ),
            False,
        ),
        (replace(ended(plan(COMING)), unapproved=True), True),
        (ended(plan(replace(COMING, foreseen=True))), True),
        (replace(ended(plan(replace(COMING, foreseen=True))), unapproved=True), False),
        (stopped(plan(replace(COMING, foreseen=True), changes=(OPEN,))), False),
        (stopped(plan(COMING, changes=(OPEN,))), True),
    ],
)
def test_what_is_missing_is_waited_for_where_something_can_bring_it(end: Assessment, waited_for: bool) -> None:
    finding = judge(end, LIMITS).finding

    assert (finding.in_motion == "Progressing") is waited_for
    assert waited_for or UNREADY not in finding.message


def test_what_goes_on_by_itself_is_told_in_words() -> None:
    left = ended(plan(changes=(OPEN,)))

    assert message(replace(left, exhausted=True)) == "the run's time is used up, the next run goes on"
    assert message(replace(left, cause=SyncCause.DRIFT)) == "left for the next run: 1 change: 1 granting access"
    noted = replace(plan(), remarks=(Remark("doors", "o/p", "o/p: open by hand"),))
    assert message(ended(noted)) == "both planes are as the spec says; o/p: open by hand"


STATUS = PoolStatus(
    "pool-1",
    attempted="c0ffee",
    applied="0ld",
    verified=VerifiedSpec("0ld"),
    cause=SyncCause.DRIFT,
    attempts=2,
    error="Unavailable",
)


def tried(*errors: ReconcilerError) -> PoolStatus:
    """The status after a third run, of which these errors are left."""
    end = replace(failing(*errors), before=STATUS, cause=SyncCause.PENDING)
    return concluded(STATUS, end, judge(end, LIMITS), None)


def test_a_run_that_ends_in_sync_clears_what_failed() -> None:
    status = tried()

    assert (status.verified, status.cause, status.applied) == (VerifiedSpec("abc"), None, "c0ffee")
    assert (status.attempts, status.error) == (0, "")


def test_one_more_failure_counts_and_waits_longer() -> None:
    status = tried(Unavailable("503"))

    assert (status.verified, status.cause, status.applied) == (VerifiedSpec("0ld"), SyncCause.PENDING, "0ld")
    assert (status.attempts, status.error) == (3, "Unavailable")
    end = replace(failing(Unavailable("503")), before=STATUS)
    assert judge(end, LIMITS).next_look == delay(3, chance("pool-1", 3))


def test_another_failure_or_another_commit_counts_from_one() -> None:
    status = tried(Throttled("slow down"))
    assert (status.attempts, status.error) == (1, "Throttled")

    end = replace(failing(Unavailable("503")), before=replace(STATUS, attempted="0ther"))
    assert judge(end, LIMITS).backoff.attempts == 1
