"""Every way in which a run ends: the status that is stored, and the result that is returned.

Each end but one stores the status: a run that lost its lease writes nothing over the new holder's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from reconciler.documents import moment
from reconciler.documents.spelling import counted
from reconciler.engine import causes, verdict, waits
from reconciler.engine.assessment import Assessment, assess
from reconciler.engine.backoff import Backoff, chance, delay
from reconciler.engine.causes import Occurrence
from reconciler.engine.gate import annotated
from reconciler.engine.memory import StatusMemory
from reconciler.engine.notices import NOTHING_SEEN, RunFindings, noticed
from reconciler.engine.packed import organization_of
from reconciler.engine.result import Failure, Outcome, Result
from reconciler.engine.run_state import RunState
from reconciler.engine.status import Finding, InFlight, PoolStatus, Run
from reconciler.engine.tenure import RunLimits
from reconciler.engine.waits import OperationState, RestRules
from reconciler.errors import LeaseHeld, Refused, SpecInvalid
from reconciler.plan.model import facet_of
from reconciler.plan.sync import SyncCause, spec_digest
from reconciler.plan.wording import change_words
from reconciler.ports.azure import Pending
from reconciler.ports.clock import Clock
from reconciler.safety import WriteMode
from reconciler.spec.model import Spec

Counts: TypeAlias = tuple[int, int, int]
"""Changes that were planned, written, and verified."""

UNDO = "undo"
"""The trigger of a run that undoes something."""
RETRY = 15.0
"""Seconds until a pool that another worker holds is read again."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is the same from the beginning of a run to its end."""

    spec: Spec
    revision: str
    clock: Clock
    limits: RunLimits
    trace: str = ""
    """W3C traceparent of the run."""
    requested: datetime | None = None
    """When a person or a program requested this run; None: an event, a follow-up or the resync did."""
    specs_read: datetime | None = None
    """When the read of the specs began; None: not known, so the run ends no request."""
    trigger: str = ""
    """What caused the run, for the record of writes."""
    started: datetime = field(init=False)

    @property
    def undoing(self) -> bool:
        """Whether the run goes by a spec that undoes something."""
        return self.trigger == UNDO

    def __post_init__(self) -> None:
        object.__setattr__(self, "started", self.clock.now())

    def rest_rules(self) -> RestRules:
        """What decides in this run whether a rejected write is sent again."""
        return RestRules(
            spec_digest(self.spec, self.started.date()), self.revision, self.started, requested=self.requested
        )


def invalid(frame: Frame, memory: StatusMemory, error: SpecInvalid) -> Result:
    """A facet cannot read the spec: nothing is done on any part of it."""
    finding = causes.finding([Occurrence(causes.INVALID, str(error), error.reason)])
    covered = _seen(frame) or memory.status.covered
    status = replace(memory.status, attempts=0, error=error.reason, pending=None, covered=covered)
    result = _stored(frame, memory, status, finding, causes.INVALID.outcome)
    return replace(result, failures=(Failure(None, error),))


def in_flight(frame: Frame, memory: StatusMemory, flying: InFlight, state: OperationState) -> Result:
    """An operation of an earlier run goes on, or its state cannot be read."""
    known, error, seconds = memory.status, state.error, state.retry_after
    text, backoff = f"{flying.description} is in flight", Backoff()
    failures: tuple[Failure, ...] = ()
    if error is None:
        found = Occurrence(causes.OPERATION, text)
    else:
        found = Occurrence(causes.OPERATION_UNREAD, f"{text}; {error}", error.reason)
        failures = (Failure(None, error),)
        backoff = Backoff(known.attempts, known.error, known.attempted).after(error.reason, frame.revision)
        seconds = max(seconds, delay(backoff.attempts, chance(known.key, backoff.attempts)))
    status = replace(known, attempts=backoff.attempts, error=backoff.error)
    result = _stored(frame, memory, status, causes.finding([found]), found.cause.outcome)
    return replace(result, pending=_pending(flying, seconds), next_look=seconds, failures=failures)


def judged(
    frame: Frame, memory: StatusMemory, run: RunState, refused: Refused | None, told: RunFindings = NOTHING_SEEN
) -> Result:
    """A run that planned. A refused approval is the caller's problem: the pool's conditions do not show it.

    `told`: how people read of it; what the run saw and wrote is filled in.
    """
    end = assess(run, memory.status.replacing, frame.clock.now(), frame.limits)
    judgement = verdict.judge(end, frame.limits)
    resting, remembered = waits.rests_after(run, frame.rest_rules()), run.basis.survey.remembers(frame.spec)
    known = replace(
        _after(memory.status, end), resting=resting, remembered=remembered, ineffective=run.basis.ineffective
    )
    facts = run.basis.survey.oldest
    if judgement.complete and run.gate.waiting is None:
        run.basis.survey.judged(frame.spec)
    shown = _undone(judgement, run) if frame.undoing and judgement.good else judgement
    status = replace(
        verdict.concluded(known, end, shown, _seen(frame, facts)),
        seen=min(one for one in (frame.specs_read, facts or frame.started) if one is not None),
    )
    stored = _stored(
        frame, memory, status, shown.finding, judgement.outcome, counts=_counts(end), facts=facts,
        told=_told(end, run, told),
    )  # fmt: skip
    result = replace(
        stored,
        plan=annotated(end.plan, end.gate),
        planned=end.planned,
        written=end.written,
        verified=end.verified,
        failures=end.all_failures(frame.limits),
        pending=None if end.pending is None else _pending(end.pending, end.pending.retry_after),
        next_look=judgement.next_look,
        due=judgement.due,
    )
    if refused is None:
        return result
    failures = (*result.failures, Failure(None, refused))
    return replace(result, outcome=Outcome.STALLED, failures=failures, next_look=None, due=None)


def _undone(judgement: verdict.RunVerdict, run: RunState) -> verdict.RunVerdict:
    """As the spec of the run says, which is not the one in Git: until a run by that one, the pool is not in sync."""
    text = f"undone: {counted(len(run.written), 'change')}; not made again until the spec agrees"
    return replace(judgement, outcome=Outcome.OUT_OF_SYNC, finding=causes.finding([Occurrence(causes.HELD, text)]))


def _seen(frame: Frame, facts: datetime | None = None) -> datetime | None:
    """From when on everything is that a run used; `facts`: the oldest one; None: not known."""
    return None if frame.specs_read is None else min(frame.specs_read, facts or frame.started)


def _told(end: Assessment, run: RunState, told: RunFindings) -> RunFindings:
    """What a run that planned tells people."""
    asked = end.gate.closed
    return replace(
        told,
        left=end.plan.all_changes,
        refusals=end.plan.refusals,
        written=end.written,
        in_window=any(map(end.gate.needs_window, end.written)),
        drift=run.basis.cause(run.basis.planned) is SyncCause.DRIFT,
        cut_off=run.basis.status.notices.begun,
        unapproved=end.gate.waiting is not None or (asked is not None and asked.mode is WriteMode.APPROVED),
    )


def _counts(end: Assessment) -> Counts:
    return len(end.planned.all_changes), len(end.written), len(end.verified)


def interrupted(frame: Frame, memory: StatusMemory, run: RunState) -> None:
    """A run that is ended from outside, or by a bug, while it writes: what is known of its writes is stored."""
    seen = {change.id for change in run.verified}
    unread = [change.id for change in run.written if change.id not in seen]
    sent = {change.id for change in run.written} | seen | ({run.sending.id} if run.sending else set())
    open_ids = [change.id for change in run.basis.planned.all_changes if change.id not in sent]
    parts = [
        f"{len(run.written)} of {len(run.basis.planned.all_changes)} planned changes are written, {len(seen)} verified",
        f"written and not verified: {_some(unread)}" if unread else "",
        f"result not known: {change_words(run.sending.id)}" if run.sending else "",
        f"not begun: {_some(open_ids)}" if open_ids else "",
    ]
    finding = causes.finding([Occurrence(causes.INTERRUPTED, "; ".join(filter(None, parts)))])
    counts = len(run.basis.planned.all_changes), len(run.written), len(run.verified)
    _stored(frame, memory, memory.status, finding, causes.INTERRUPTED.outcome, counts=counts, ended=False)


def _some(names: Iterable[str]) -> str:
    return causes.some([change_words(name) for name in names])


def lost(frame: Frame, status: PoolStatus, error: LeaseHeld) -> Result:
    """Another worker has the pool, or took it over: nothing is written, not even this."""
    result = _result(frame, status, causes.LEASE_HELD.outcome)
    return replace(result, failures=(Failure(None, error),), next_look=error.retry_after or RETRY)


def _after(status: PoolStatus, end: Assessment) -> PoolStatus:
    """What is remembered of single changes: those that are still to be done, and those that could not be read."""
    unread = {gap.facet for gap in end.plan.gaps}
    open_ids = {change.id for change in end.plan.changes} | {r.change.id for r in end.plan.refusals}
    left_to_azure = {change.id for change in end.plan.changes if change.wait_once}
    noted = {*status.waited, *end.waiting}
    counts = sorted({**status.unverified, **end.unverified}.items())
    return replace(
        status,
        pending=end.pending,
        awaited=end.awaited,
        replacing=end.replacing,
        waited=tuple(sorted(name for name in noted if name in left_to_azure or facet_of(name) in unread)),
        unverified={name: count for name, count in counts if name in open_ids or facet_of(name) in unread},
    )


def _stored(
    frame: Frame,
    memory: StatusMemory,
    status: PoolStatus,
    finding: Finding,
    outcome: Outcome,
    *,
    counts: Counts = (0, 0, 0),
    facts: datetime | None = None,
    ended: bool = True,
    told: RunFindings = NOTHING_SEEN,
) -> Result:
    """`facts`: when the oldest was read; `ended`: False where the run ends no request, whatever it read."""
    now = frame.clock.now()
    status = replace(
        status,
        path=frame.spec.path,
        attempted=frame.revision,
        conditions=memory.conditions,
        run=Run(frame.started, now, outcome.value, *counts, frame.trace, frame.specs_read if ended else None, facts),
    ).found(finding, now)
    told = replace(told, organization=organization_of([frame.spec]), blob=frame.spec.blob, run=moment(frame.started))
    status = replace(status, notices=noticed(memory.conditions, status, told, now))
    memory.save(status)
    return _result(frame, status, outcome)


def _result(frame: Frame, status: PoolStatus, outcome: Outcome) -> Result:
    return Result(
        pool=frame.spec.name,
        revision=frame.revision,
        outcome=outcome,
        plan=None,
        planned=None,
        written=(),
        verified=(),
        failures=(),
        pending=None,
        next_look=None,
        status=status,
    )


def _pending(flying: InFlight, retry_after: float) -> Pending:
    return Pending(flying.url, retry_after, flying.description)
