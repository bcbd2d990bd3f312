"""Handles a message: which of its pools still need a run, one run for each, and a follow-up where needed.

Every message ends as a run, as superseded, or as a later request that is queued before this one is acknowledged. A bug
leaves this module as an exception: the platform delivers the message again, and after the last attempt `quarantine`
marks its pools. A pool of a batch that fails this way is first put back alone, so that it affects no other pool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.engine import Result, load_status, waits
from reconciler.engine.look import OrganizationLook
from reconciler.engine.status import PoolStatus
from reconciler.errors import LeaseHeld, ReconcilerError
from reconciler.ports.clock import MARGIN, Clock
from reconciler.ports.stores import StateStore
from reconciler.service.catalogue import Catalogue, Specs
from reconciler.service.queue import metrics
from reconciler.service.queue.batch import spread_out
from reconciler.service.queue.burst import Burst
from reconciler.service.queue.causes import Paused, SharedCauses, cause_of, pause_of, places_left
from reconciler.service.queue.coalesce import FARTHEST, Decision, Record, decide, due, promised
from reconciler.service.queue.coverage import SweepDemands, demand_of, holds, is_whole, scopes_of
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.outbox import FollowUp, Later, Outbox
from reconciler.service.queue.urgency import paced
from reconciler.spec.model import Spec
from reconciler.survey.demand import MAX_AGE, Demand
from reconciler.survey.evidence import Evidence
from reconciler.survey.memo import OutOfTimeError
from reconciler.survey.owners import owned_elsewhere
from reconciler.telemetry import Span, Telemetry

FLOODS = frozenset({"event", "audit"})
"""Triggers without a waiting caller, of which there may be thousands."""
SWEEP = "sweep"
"""The trigger of a resync, which reads an organization as a whole."""
EXPLICIT = "http"
"""The trigger of a caller's own request: it sends again what was rejected before."""


class Reconciles(Protocol):
    """The part of `reconciler.engine.Reconciler` that a worker uses."""

    def look(
        self, specs: Sequence[Spec], demand: Demand | None = None, *, shared: bool
    ) -> AbstractContextManager[OrganizationLook]:
        """What the pools of a message share; `shared`: under the organization's lease, `LeaseHeld` by whom."""


class TakesNotices(Protocol):
    """The part of a `reconciler.service.notify.waiting.NoticeOutbox` that a worker uses."""

    def hand_over(self, statuses: Iterable[PoolStatus]) -> None:
        """Add the notices of these statuses that were not handed over yet; raises nothing."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result for one key of a message."""

    key: str
    what: str
    """An `Outcome`, or ``superseded``, ``postponed``, ``unknown``, ``busy``, ``later``, ``apart``."""
    result: Result | None = None
    seconds: float = 0.0
    ahead: bool = False
    """Whether stored moments lay ahead of this clock; they counted as unknown."""
    trace: str = ""
    """W3C traceparent of the run."""
    later: Later | None = None
    """The follow-up that the run requests."""
    status: PoolStatus | None = None
    """As stored, where this message needed no run."""
    in_burst: bool = False
    """Whether it is one of many messages for its pool."""
    unsaid: int = 0
    """Messages for its pool since the last report that were `silent`."""

    @property
    def silent(self) -> bool:
        """Whether it gets no line in the log: a run that has a line covers it, and thousands like it."""
        return self.in_burst and self.what == "superseded"

    @property
    def stored(self) -> PoolStatus | None:
        """The pool's status after this message, as far as it was read."""
        return self.result.status if self.result is not None else self.status


@dataclass(frozen=True, slots=True)
class _Task:
    """A message, and what its pools share."""

    work: WorkMessage
    inserted: datetime
    """When it was put for the first time."""
    specs: Specs
    look: OrganizationLook
    """One pool reads for itself; the pools of a batch share what they read."""
    demand: Demand

    def lifts_rests(self, status: PoolStatus) -> bool:
        """Whether a caller requested this run after a write was rejected that is not sent again by itself."""
        return any(waits.lifts(self.requested, rest) for rest in status.resting.values())

    @property
    def requested(self) -> datetime | None:
        """When a caller requested this run; None for everything else."""
        return self.inserted if self.work.trigger == EXPLICIT else None


@dataclass(frozen=True, slots=True)
class Worker:
    """Handles messages; no decision rests on state of its own."""

    catalogue: Catalogue
    reconciler: Reconciles
    state: StateStore
    outbox: Outbox
    clock: Clock
    telemetry: Telemetry
    listen: Callable[[WorkMessage, Report, Specs], None]
    """Called for every key, for one log line."""
    begin: float = 50.0
    """Seconds after which no further run of a message begins: a run has its own budget (240 s) and must end before the
    platform ends the function (300 s). The rest is put back before the message is acknowledged."""
    reading: float = 60.0
    """Seconds after which a message begins no further read but those of a write. What was read stays, and the rest of
    the message is put back: however slow the answers are, each message brings the look further."""
    busy: float = 15.0
    """Seconds until a pool is retried that another worker holds now."""
    git_away: float = 60.0
    """Seconds until a message is retried for which no specs could be read."""
    burst: Burst = field(default_factory=Burst)
    evidence: Evidence | None = None
    """What this process knows of the organizations."""
    sweeps: SweepDemands | None = None
    """Which reads a resync may postpone; None: none."""
    notices: TakesNotices | None = None
    """Takes what people are told; None: no one is told."""

    @paced
    def handle(self, work: WorkMessage, inserted: datetime) -> tuple[Report, ...]:
        """Reconcile the pools of a message; `inserted` by the store's clock."""
        began, received, inserted = self.clock.monotonic(), self.clock.now(), work.put(inserted)
        wait = (received - min(work.at or inserted, inserted)).total_seconds()
        self.telemetry.record("reconciler.queue.wait", max(0.0, wait), trigger=work.trigger)
        try:
            specs = self.catalogue.specs(_put(work, inserted))
        except ReconcilerError as error:
            # No pool causes this, so it must not count as an attempt: five would be used up in a minute.
            self.outbox.again(work.back(inserted), max(self.git_away, error.retry_after or 0.0))
            self.telemetry.count("reconciler.specs.failed", reason=error.reason)
            return ()
        work = spread_out(work, specs.by_key.values())
        known = self._concerned(work, specs)
        put, sweep = _put(work, inserted), work.trigger == SWEEP
        demand = demand_of(work, received, put, MAX_AGE if self.evidence is None else self.evidence.max_age)
        turn = self.sweeps.demand(known, received, put) if sweep and self.sweeps is not None else demand
        turn = replace(turn, until=began + self.reading)
        with ExitStack() as stack:
            try:
                look = self.reconciler.look(known, turn, shared=sweep)
                task = _Task(work, inserted, specs, stack.enter_context(look), demand)
            except LeaseHeld as error:
                self.outbox.again(work.back(inserted), error.retry_after or self.busy)
                return tuple(self._reported(work, specs, Report(key, "busy")) for key in work.keys)
            reports = tuple(self._each(task, began))
        if self.notices is not None:
            self.notices.hand_over(one.stored for one in reports if one.stored is not None)
        return reports

    def _concerned(self, work: WorkMessage, specs: Specs) -> list[Spec]:
        """The specs of a message, without those of pools whose queues it is known not to be about."""
        if self.evidence is not None:
            self.evidence.name(specs.by_key.values(), (specs.revision, id(specs.by_key)))
        found = [specs.by_key[key] for key in work.keys if key in specs.by_key]
        return [one for one in found if not owned_elsewhere(self.evidence, one, specs.by_key, scopes_of(work))]

    def _each(self, task: _Task, began: float) -> Iterator[Report]:
        work, failed, later, paused = task.work, SharedCauses(), list[Later](), Paused()
        for position, key in enumerate(work.keys):
            if position and self.clock.monotonic() - began >= self.begin:
                self.outbox.again(work.back(task.inserted, work.keys[position:]))
                yield self._reported(work, task.specs, Report(key, "later"))
                break
            if paused.holds(key, task.specs.by_key.get(key)):
                continue  # no pool of an organization that throttles can be read, and one tells of it
            try:
                report = self._apart(task, key)
            except OutOfTimeError:
                self.outbox.again(work.back(task.inserted, work.keys[position:]))
                yield self._reported(work, task.specs, Report(key, "later"))
                break
            yield self._reported(work, task.specs, report)
            paused.note(key, report.result, task.specs.by_key.get(key))
            failed.note(report.trace, report.result)
            if report.later is not None:
                later.append(report.later)
        if paused.keys:
            self.outbox.again(_retried(work, task.inserted, tuple(paused.keys)), paused.seconds)
        for keys, delay in failed.together():
            self.outbox.again(_retried(work, task.inserted, keys), delay)
        for trace, result in failed.apart():
            due = self.clock.now() + timedelta(seconds=result.next_look or 0.0)
            later.append(Later(result.status.key, due, trace, places_left(work, result)))
        self.outbox.promise_all(later)

    def _apart(self, task: _Task, key: str) -> Report:
        """One pool of a message; where it fails among others, it gets a message of its own."""
        try:
            with self.telemetry.span("pool", attributes={"reconciler.pool": key}) as span:
                report = self._one(task, key, span)
                span.set("reconciler.result", report.what)
                return report
        except OutOfTimeError:
            raise
        except Exception:
            if len(task.work.keys) == 1:
                raise
            self.outbox.again(task.work.back(task.inserted, (key,)))
            return Report(key, "apart")

    def _reported(self, work: WorkMessage, specs: Specs, report: Report) -> Report:
        self.telemetry.count("reconciler.runs", result=report.what, trigger=work.trigger)
        if unsaid := self.burst.unsaid(report.key, silent=report.silent):
            report = replace(report, unsaid=unsaid)
        self.listen(work, report, specs)
        return report

    def _one(self, task: _Task, key: str, span: Span) -> Report:
        if (report := self._unchanged(task, key, span)) is not None:
            return report
        status = load_status(self.state, key)
        now, work, run = self.clock.now(), task.work, status.run
        task = self._not_behind(task, status)
        spec = task.specs.by_key.get(key)
        if spec is None:
            return Report(key, "unknown")
        seen, started = (run.seen, run.started) if run is not None else (None, None)
        promised_at, places = self.outbox.follows(key), () if is_whole(work) else work.scopes
        stored = Record(seen, status.covered, promised_at.at, started)
        record = stored.believed(now)
        if record.follow_up != stored.follow_up:
            self.outbox.forget(key)
        if owned_elsewhere(self.evidence, spec, task.specs.by_key, task.demand.scopes):
            return Report(key, "superseded")
        ahead, record = record != stored, self._for_places(task, record, spec, promised_at)
        in_burst = work.trigger in FLOODS and self.burst.joined(key, now)
        promise = work.due
        if promise is not None and promise > now + MARGIN:
            # The store waited until it was due, by a clock that was ahead.
            self.outbox.forget(key)
            promise = now
        decision = (
            decide(record, task.inserted, now, in_burst=in_burst) if promise is None else due(record, promise, now)
        )
        # A run that is counted as covering the request did not send what rests.
        if decision is Decision.RUN or task.lifts_rests(status):
            return replace(self._run(task, spec, status, span), ahead=ahead)
        if status.run is not None:
            # Another message's run covers this one: link its trace.
            span.link(status.run.trace)
        if decision is Decision.SUPERSEDED:
            return Report(key, "superseded", status=status, in_burst=in_burst)
        if decision is Decision.EARLY and promise is not None:
            self.outbox.again(replace(work, keys=(key,)), (promise - now).total_seconds())
        else:
            at = promised(record, now, in_burst=in_burst)
            self.outbox.promise(key, at, span.traceparent or work.trace, scopes=places)
        return Report(key, "postponed", status=status)

    def _for_places(self, task: _Task, record: Record, spec: Spec, follows: FollowUp) -> Record:
        """The record as a request about some places sees it: it relies on no follow-up that is about others."""
        if is_whole(task.work):
            return record if not follows.scopes else replace(record, follow_up=None)
        found = replace(record, follow_up=record.follow_up if holds(follows.scopes, task.work.scopes) else None)
        seen, read = None, task.specs.read
        if self.evidence is not None and read is not None:
            seen = self.evidence.seen(spec, task.demand.scopes)
        if seen is None or read is None:
            return found
        seen = min(seen, read)
        return replace(found, seen=max(seen, record.seen or seen), covered=max(seen, record.covered or seen))

    def _unchanged(self, task: _Task, key: str, span: Span) -> Report | None:
        """The report on a pool that a shared look finds as it was, at no transaction of its own; None elsewhere.

        Whether a follow-up is queued for it is not read: such a run costs less than that would.
        """
        spec, status, work = task.specs.by_key.get(key), task.look.status(key), task.work
        if spec is None or status is None or work.due is not None:
            return None
        now, run = self.clock.now(), status.run
        seen, started = (run.seen, run.started) if run is not None else (None, None)
        record = Record(seen, status.covered, None, started).believed(now)
        if decide(record, task.inserted, now) is Decision.SUPERSEDED and not task.lifts_rests(status):
            span.link(run.trace if run is not None else "")
            return Report(key, "superseded", status=status)
        began = self.clock.monotonic()
        result = task.look.unchanged(
            spec, task.specs.revision, trace=span.traceparent, requested=task.requested, specs_read=task.specs.read
        )
        return None if result is None else self._ended(task, result, status, span, began)

    def _not_behind(self, task: _Task, status: PoolStatus) -> _Task:
        """The message with newer specs, where another worker's run of this pool read them later than this batch."""
        known = status.run.specs_read if status.run is not None else None
        if known is None or known > self.clock.now() + MARGIN or task.specs.read is None or task.specs.read >= known:
            return task
        with suppress(ReconcilerError):  # Git cannot be read any more: the run goes by what was read
            return replace(task, specs=self.catalogue.specs(known))
        return task

    def _run(self, task: _Task, spec: Spec, before: PoolStatus, span: Span) -> Report:
        began = self.clock.monotonic()
        result = task.look.reconcile(
            spec, task.specs.revision, requested=task.requested, specs_read=task.specs.read, trigger=task.work.trigger
        )
        return self._ended(task, result, before, span, began)

    def _ended(self, task: _Task, result: Result, before: PoolStatus, span: Span, began: float) -> Report:
        key = result.status.key
        seconds = self.clock.monotonic() - began
        self.telemetry.record("reconciler.run.seconds", seconds, result=result.outcome.value)
        trace = span.traceparent or task.work.trace
        if any(isinstance(failure.error, LeaseHeld) for failure in result.failures):
            if task.lifts_rests(before):
                self.outbox.again(task.work.back(task.inserted, (key,)), self.busy)  # a follow-up would lift nothing
            else:
                self.outbox.follow_up(key, self.busy, trace, scopes=() if is_whole(task.work) else task.work.scopes)
            return Report(key, "busy", result, seconds)
        metrics.record_run(self.telemetry, result, before, task.work.trigger, task.inserted)
        later, now = None, self.clock.now()
        moments = []
        if result.next_look is not None and pause_of(result) is None and cause_of(result) is None:
            moments.append(now + timedelta(seconds=result.next_look))
        if result.due is not None and (moments or result.next_look is None):
            # What is due later than that is asked for again by the follow-ups before it.
            moments.append(min(max(result.due, now), now + FARTHEST))
        if moments:
            later = Later(key, min(moments), trace, places_left(task.work, result))
        return Report(key, result.outcome.value, result, seconds, trace=trace, later=later)


def _retried(work: WorkMessage, inserted: datetime, keys: tuple[str, ...]) -> WorkMessage:
    """The message again for pools that failed; no follow-up, which would count as done by the run that failed."""
    return replace(work.back(_put(work, inserted), keys), due=None)


def _put(work: WorkMessage, inserted: datetime) -> datetime:
    """When the last request was put that relies on this message: on a follow-up, shortly before it is due."""
    return inserted if work.due is None else max(inserted + MARGIN, work.due) - MARGIN
