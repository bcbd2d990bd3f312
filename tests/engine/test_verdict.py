"""What a run comes to: one word, three conditions, and when to read again, for every mixture of causes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.assessment import Assessment
from reconciler.engine.result import Failure, Outcome
from reconciler.engine.run_state import RunBasis, RunState
from reconciler.engine.status import InFlight, PoolStatus, Truth
from reconciler.engine.tenure import RunLimits
from reconciler.engine.verdict import RunVerdict, concluded, judge, out_of_sync
from reconciler.errors import Forbidden, NotReady, ReconcilerError, Throttled, Transient, Unavailable
from reconciler.plan.model import Change, Gap, GapKind, Plan, Refusal
from reconciler.plan.policy import Policy
from reconciler.plan.sync import SyncCause
from reconciler.plan.targets import OpenAccess, QueuePlace
from reconciler.spec.model import Mode
from tests.engine.stage import ORG, SPEC, converged
from tests.keeping import START

OPEN = Change("doors", "open access", "o/p", None, 1, OpenAccess(QueuePlace(ORG, "p", "p", 7, 1), allow=True))
CLOSE = replace(OPEN, subject="o/q", target=OpenAccess(QueuePlace(ORG, "q", "q", 8, 1), allow=False))
HIDDEN = Gap("doors", "o/p", GapKind.DEGRADED, "NotFound", "o/p: hidden")
DARK = Gap("doors", "o/p", GapKind.UNKNOWN, "Unavailable", "o/p: 503", 40.0)
BARRED = Gap("doors", "o/p", GapKind.UNKNOWN, "Forbidden", "o/p: 403")
COMING = Gap("doors", "o/p", GapKind.NOT_READY, "NotReady", "o/p: no queue yet")
REFUSAL = Refusal(OPEN, "policy-open-access", "open access o/p: no")
FLYING = InFlight("https://x", "update of pool pool-1", "body", "body:pool:tags", 9.0, START)
LIMITS = RunLimits()


def ended(plan: Plan | None = None, *, mode: Mode = Mode.ENFORCE) -> Assessment:
    """A run that ended with this plan; what is planned may be made by the next one."""
    plan = plan or Plan("pool-1", "c0ffee")
    spec = replace(SPEC, mode=mode)
    return Assessment(spec, "c0ffee", PoolStatus("pool-1"), plan, plan, left_over=bool(plan.changes), digest="abc")


def plan(*gaps: Gap, changes: tuple[Change, ...] = (), refusals: tuple[Refusal, ...] = ()) -> Plan:
    return Plan("pool-1", "c0ffee", changes, refusals, gaps)


def failing(*errors: ReconcilerError) -> Assessment:
    return replace(ended(), failures={str(n): Failure(None, error) for n, error in enumerate(errors)})


@pytest.mark.parametrize(
    ("left", "outcome", "ready", "reason", "stalled"),
    [
        (plan(), Outcome.IN_SYNC, Truth.TRUE, "InSync", ""),
        (plan(HIDDEN), Outcome.STALLED, Truth.FALSE, "Degraded", "Degraded"),
        (plan(BARRED), Outcome.STALLED, Truth.UNKNOWN, "Forbidden", "Forbidden"),
        (plan(DARK), Outcome.FAILED, Truth.UNKNOWN, "Unavailable", ""),
        (plan(COMING), Outcome.PROGRESSING, Truth.FALSE, "Progressing", ""),
        (plan(refusals=(REFUSAL,)), Outcome.STALLED, Truth.FALSE, "Refused", "Refused"),
        (plan(DARK, HIDDEN), Outcome.STALLED, Truth.FALSE, "Degraded", "Degraded"),
        (plan(COMING, refusals=(REFUSAL,)), Outcome.STALLED, Truth.FALSE, "Refused", "Refused"),
    ],
)
def test_what_is_left_decides(left: Plan, outcome: Outcome, ready: Truth, reason: str, stalled: str) -> None:
    verdict = judge(ended(left), LIMITS)

    assert (verdict.outcome, verdict.finding.ready, verdict.finding.reason, verdict.finding.stalled) == (
        outcome,
        ready,
        reason,
        stalled,
    )


@pytest.mark.parametrize(
    ("left", "outcome", "looks"),
    [
        (plan(changes=(OPEN,)), Outcome.OUT_OF_SYNC, False),
        (plan(HIDDEN, changes=(OPEN,)), Outcome.OUT_OF_SYNC, False),
        (plan(DARK, changes=(OPEN,)), Outcome.OUT_OF_SYNC, True),
        (plan(refusals=(REFUSAL,)), Outcome.OUT_OF_SYNC, False),
        (plan(COMING), Outcome.PROGRESSING, False),
        (plan(DARK), Outcome.FAILED, True),
        (plan(BARRED), Outcome.STALLED, False),
        (plan(), Outcome.IN_SYNC, False),
    ],
)
def test_report_mode_reads_again_only_what_could_not_be_read(left: Plan, outcome: Outcome, looks: bool) -> None:
    verdict = judge(ended(left, mode=Mode.REPORT), LIMITS)

    assert verdict.outcome is outcome
    assert (verdict.next_look is not None) is looks


def test_the_service_says_when_to_come_back() -> None:
    """A wait that the service requires is kept, however short the backoff would be."""
    assert judge(ended(plan(DARK)), LIMITS).next_look == 40.0
    assert judge(failing(Throttled("slow down", retry_after=300)), LIMITS).next_look == 300.0
    assert judge(ended(plan(replace(COMING, retry_after=25.0))), LIMITS).next_look == 25.0


def test_an_operation_in_flight_leads() -> None:
    verdict = judge(replace(failing(Unavailable("503")), pending=FLYING), LIMITS)

    assert verdict.outcome is Outcome.PROGRESSING
    assert verdict.finding.in_motion == "Progressing"


def test_trouble_for_a_person_and_trouble_that_heals_are_both_told() -> None:
    verdict = judge(failing(Unavailable("o: 503"), Forbidden("o: 403")), LIMITS)

    assert verdict.outcome is Outcome.STALLED
    assert verdict.finding.message == "o: 403; o: 503"
    assert verdict.finding.stalled_message == "o: 403"
    assert verdict.finding.in_motion == "Unavailable"
    assert verdict.next_look is not None


def test_many_troubles_are_not_all_spelt_out() -> None:
    verdict = judge(failing(*(Forbidden(f"project {n}: 403") for n in range(5))), LIMITS)

    assert verdict.finding.message == "project 0: 403; project 1: 403; project 2: 403; and 2 more"


def test_a_write_without_effect_is_told_after_the_third() -> None:
    twice = replace(ended(plan(changes=(OPEN,))), unverified={OPEN.id: 2})
    assert twice.all_failures(LIMITS) == ()

    thrice = replace(twice, unverified={OPEN.id: 3, "gone": 3}).all_failures(LIMITS)
    assert [(failure.change, failure.error.reason) for failure in thrice] == [
        (OPEN, "NotEffective"),
        (None, "NotEffective"),
    ]


def test_narrowing_that_failed_does_not_count_as_a_grant_that_failed() -> None:
    left = plan(changes=(CLOSE,))
    survey = converged(0).planner.survey([SPEC])
    run = RunState(RunBasis(SPEC, "c0ffee", PoolStatus("pool-1"), Policy(), survey, left), left)
    run.attempted(CLOSE, Forbidden("403"))

    here = replace(CLOSE, subject="o/p", target=OpenAccess(QueuePlace(ORG, "p", "p", 7, 1), allow=False))
    assert run.still_allowed(here)
    run.attempted(OPEN, Forbidden("403"))
    assert not run.still_allowed(here)
    assert run.still_allowed(replace(CLOSE, subject="o/r")), "a grant that failed elsewhere stops nothing here"


def test_the_plan_in_a_few_words() -> None:
    both = plan(changes=(OPEN, CLOSE), refusals=(REFUSAL,))

    assert out_of_sync(SyncCause.UNKNOWN, plan(changes=(OPEN,))) == "1 change: 1 granting access"
    assert out_of_sync(SyncCause.DRIFT, both) == "drift: 2 changes: 1 granting access, 1 revoking access; 1 refused"
    assert out_of_sync(SyncCause.PENDING, plan(refusals=(REFUSAL,))) == "pending: 0 changes; 1 refused"


@pytest.mark.parametrize(
    ("left", "applied", "covered"),
    [(plan(), "c0ffee", True), (plan(HIDDEN), "", True), (plan(DARK), "", False), (plan(DARK, HIDDEN), "", False)],
)
def test_an_older_wake_up_is_answered_by_a_run_that_left_nothing_to_look_at(
    left: Plan, applied: str, covered: bool
) -> None:
    """Ten thousand events on one pool are a few runs; but not one is lost where the next look is still owed."""
    end = ended(left)
    status = concluded(PoolStatus("pool-1"), end, judge(end, LIMITS), START + timedelta(seconds=1))

    assert status.applied == applied
    assert (status.covered is not None) is covered


GAPS = st.lists(st.sampled_from([HIDDEN, DARK, BARRED, COMING]), max_size=3, unique=True)
ERRORS = st.lists(
    st.sampled_from([Unavailable("503"), Throttled("wait"), Forbidden("403"), NotReady("later")]), max_size=2
)


@given(
    GAPS,
    st.sampled_from([(), (OPEN,), (CLOSE,)]),
    st.sampled_from([(), (REFUSAL,)]),
    ERRORS,
    st.tuples(st.sampled_from([Mode.ENFORCE, Mode.REPORT]), st.booleans()),
)
def test_every_mixture_is_told_truly(
    gaps: list[Gap],
    changes: tuple[Change, ...],
    refusals: tuple[Refusal, ...],
    errors: list[ReconcilerError],
    mode_and_flying: tuple[Mode, bool],
) -> None:
    """In sync is read back; what is transient is never stalled; what is in motion is read again."""
    mode, flying = mode_and_flying
    failures = {str(n): Failure(None, error) for n, error in enumerate(errors)}
    end = ended(plan(*gaps, changes=changes, refusals=refusals), mode=mode)
    end = replace(end, failures=failures, pending=FLYING if flying else None)

    verdict: RunVerdict = judge(end, LIMITS)

    quiet = end.plan.in_sync and not errors and not flying
    assert (verdict.outcome is Outcome.IN_SYNC) == quiet == (verdict.finding.ready is Truth.TRUE)
    person = bool(refusals) or HIDDEN in gaps or BARRED in gaps or any(not isinstance(e, Transient) for e in errors)
    assert bool(verdict.finding.stalled) == person
    assert bool(verdict.finding.in_motion) == (verdict.next_look is not None)
    if verdict.outcome is Outcome.FAILED:
        assert verdict.next_look is not None
    if quiet:
        assert verdict.next_look is None
    PoolStatus("pool-1").found(verdict.finding, START)
