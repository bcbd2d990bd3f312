"""Every way in which a run ends: the status that is stored, and the result that is handed back.

Each end but one stores the status: a run that lost its lease writes nothing over the new holder's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from reconciler.engine import verdict, waits
from reconciler.engine.backoff import Backoff, chance, delay
from reconciler.engine.memory import Memory
from reconciler.engine.result import Failure, Outcome, Result
from reconciler.engine.run_state import RunState
from reconciler.engine.status import Finding, InFlight, PoolStatus, Run, Truth
from reconciler.engine.stored import Replacing
from reconciler.engine.tenure import RunLimits
from reconciler.engine.waits import OperationAnswer
from reconciler.errors import LeaseHeld, Refused, SpecInvalid
from reconciler.ports.azure import Pending
from reconciler.ports.clock import Clock
from reconciler.spec.model import Spec

RETRY = 15.0
"""Seconds until a pool that another worker holds is looked at again."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is the same from the beginning of a run to its end."""

    spec: Spec
    revision: str
    clock: Clock
    limits: RunLimits
    trace: str = ""
    """W3C traceparent of the run."""
    started: datetime = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "started", self.clock.now())


def paused(frame: Frame) -> bool:
    """Whether the spec pauses the pool today."""
    return frame.spec.paused_on(frame.started.astimezone(UTC).date())


def suspended(frame: Frame, memory: Memory) -> Result:
    """The spec pauses this pool: it is not even looked at."""
    spec = frame.spec
    until = f" until {spec.until.isoformat()}" if spec.until else ""
    reason = f": {spec.reason}" if spec.reason else ""
    finding = Finding(Truth.UNKNOWN, "Suspended", f"paused{until}{reason}")
    if memory.status.replacing is not None:
        text = verdict.unmade(memory.status.replacing)
        finding = replace(finding, stalled="Replacing", stalled_message=f"{text}; the spec pauses it")
    status = replace(memory.status, attempts=0, error="", covered=frame.started)
    return _stored(frame, memory, status, finding, Outcome.SUSPENDED)


def invalid(frame: Frame, memory: Memory, error: SpecInvalid) -> Result:
    """A facet cannot read the spec: nothing is done on any part of it."""
    finding = Finding(Truth.FALSE, error.reason, str(error), stalled=error.reason, stalled_message=str(error))
    status = replace(memory.status, attempts=0, error=error.reason, pending=None, covered=frame.started)
    result = _stored(frame, memory, status, finding, Outcome.STALLED)
    return replace(result, failures=(Failure(None, error),))


def in_flight(frame: Frame, memory: Memory, flying: InFlight, answer: OperationAnswer) -> Result:
    """An operation of an earlier run goes on, or cannot be asked about."""
    known, error, look = memory.status, answer.error, answer.retry_after
    message, reason = f"{flying.description} is in flight", "Progressing"
    failures: tuple[Failure, ...] = ()
    ready, outcome, backoff = Truth.FALSE, Outcome.PROGRESSING, Backoff()
    if error is not None:
        message, reason, failures = f"{message}; {error}", error.reason, (Failure(None, error),)
        ready, outcome = Truth.UNKNOWN, Outcome.FAILED
        backoff = Backoff(known.attempts, known.error, known.attempted).after(error.reason, frame.revision)
        look = max(look, delay(backoff.attempts, chance(known.key, backoff.attempts)))
    status = replace(known, attempts=backoff.attempts, error=backoff.error)
    result = _stored(frame, memory, status, Finding(ready, reason, message, in_motion=reason), outcome)
    return replace(result, pending=_pending(flying, look), next_look=look, failures=failures)


def judged(frame: Frame, memory: Memory, work: RunState, refused: Refused | None) -> Result:
    """A run that planned. A refused approval is the caller's trouble: the pool's conditions do not know of it."""
    now = frame.clock.now()
    awaited = {} if work.pending else waits.counted(memory.status.awaited, work.plan, work.spec, now)
    work.overdue = waits.overdue(awaited, now, frame.limits)
    work.replacing = _replacing(memory.status, work)
    judgement = verdict.judge(work, frame.limits)
    known = replace(_after(memory.status, work, frame), awaited=awaited, replacing=work.replacing)
    status = verdict.concluded(known, judgement, frame.revision, frame.started)
    stored = _stored(frame, memory, status, judgement.finding, judgement.outcome, applied=len(work.applied))
    flying = work.pending
    result = replace(
        stored,
        plan=work.plan,
        planned=work.planned,
        applied=tuple(work.applied),
        failures=verdict.failures(work, frame.limits),
        pending=None if flying is None else _pending(flying, flying.retry_after),
        next_look=judgement.next_look,
    )
    if refused is None:
        return result
    return replace(result, outcome=Outcome.STALLED, failures=(*result.failures, Failure(None, refused)), next_look=None)


def lost(frame: Frame, status: PoolStatus, error: LeaseHeld) -> Result:
    """Another worker has the pool, or took it over: nothing is written, not even this."""
    result = _result(frame, status, Outcome.FAILED)
    return replace(result, failures=(Failure(None, error),), next_look=error.retry_after or RETRY)


def _after(status: PoolStatus, work: RunState, frame: Frame) -> PoolStatus:
    """What is remembered of single changes: those that are still to be done, and those that could not be seen."""
    blind = {gap.facet for gap in work.plan.gaps}
    open_ids = {change.id for change in work.plan.changes} | {r.change.id for r in work.plan.refusals}
    waited = {change.id for change in work.plan.changes if change.wait_once}
    noted = {*status.waited, *work.waiting}
    unproven = {**status.unproven, **work.unproven}
    return replace(
        status,
        pending=work.pending,
        resting=waits.after(work.failed.values(), status.resting, frame.revision, frame.started),
        remembered=work.survey.remembers(work.spec),
        waited=tuple(sorted(name for name in noted if name in waited or _facet(name) in blind)),
        unproven={name: count for name, count in sorted(unproven.items()) if name in open_ids or _facet(name) in blind},
    )


def _replacing(status: PoolStatus, work: RunState) -> Replacing | None:
    """The note of a deletion, kept until the pool is seen to be there: again, or still, where it was not deleted."""
    note = status.replacing
    if note is None:
        return None
    flying = work.pending is not None and work.pending.facet == note.facet
    unseen = any(gap.facet == note.facet and not gap.bounded for gap in work.plan.gaps)
    return note if flying or unseen or work.unmade(note.facet) else None


def _facet(name: str) -> str:
    """The facet of a change's id."""
    return name.partition(":")[0]


def _stored(
    frame: Frame, memory: Memory, status: PoolStatus, finding: Finding, outcome: Outcome, *, applied: int = 0
) -> Result:
    now = frame.clock.now()
    status = replace(
        status,
        path=frame.spec.path,
        attempted=frame.revision,
        conditions=memory.conditions,
        run=Run(frame.started, now, outcome.value, applied, frame.trace),
    ).found(finding, now)
    memory.save(status)
    return _result(frame, status, outcome)


def _result(frame: Frame, status: PoolStatus, outcome: Outcome) -> Result:
    return Result(
        pool=frame.spec.name,
        revision=frame.revision,
        outcome=outcome,
        plan=None,
        planned=None,
        applied=(),
        failures=(),
        pending=None,
        next_look=None,
        status=status,
    )


def _pending(flying: InFlight, retry_after: float) -> Pending:
    return Pending(flying.url, retry_after, flying.description)
