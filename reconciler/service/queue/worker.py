"""Handles a message: which of its pools still need a run, one run for each, and a follow-up where needed.

Every message ends as a run, as superseded, or as a later request that is queued before this one is acknowledged. A bug
leaves this module as an exception: the platform delivers the message again, and after the last attempt `quarantine`
marks its pools. A pool of a batch that fails this way is first put back alone, so that it affects no other pool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from reconciler.engine import Result, load_status, waits
from reconciler.engine.status import PoolStatus
from reconciler.errors import LeaseHeld, ReconcilerError
from reconciler.ports.clock import MARGIN, Clock
from reconciler.ports.stores import StateStore
from reconciler.service.catalogue import Catalogue, Specs
from reconciler.service.queue import metrics
from reconciler.service.queue.burst import Burst
from reconciler.service.queue.coalesce import Decision, Record, decide, due, promised
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.outbox import Outbox
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey
from reconciler.telemetry import Span, Telemetry

FLOODS = frozenset({"event", "audit"})
"""Triggers without a waiting caller, of which there may be thousands."""
EXPLICIT = "http"
"""The trigger of a caller's own request: it sends again what was rejected before."""


class Reconciles(Protocol):
    """The part of `reconciler.engine.Reconciler` that a worker uses."""

    def survey(self, specs: Iterable[Spec]) -> SharedSurvey:
        """The shared reads of a batch."""

    def reconcile(
        self,
        spec: Spec,
        revision: str,
        survey: SharedSurvey | None = None,
        *,
        requested: datetime | None = None,
        specs_read: datetime | None = None,
        trigger: str = "",
    ) -> Result:
        """One run of one pool; `requested`: when a caller requested it; `specs_read`: when its specs were read."""


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


@dataclass(frozen=True, slots=True)
class _Task:
    """A message, and what its pools share."""

    work: WorkMessage
    inserted: datetime
    specs: Specs
    survey: SharedSurvey | None
    """One pool reads for itself; the pools of a batch share what they read."""

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
    busy: float = 15.0
    """Seconds until a pool is retried that another worker holds now."""
    git_away: float = 60.0
    """Seconds until a message is retried for which no specs could be read."""
    burst: Burst = field(default_factory=Burst)

    def handle(self, work: WorkMessage, inserted: datetime) -> tuple[Report, ...]:
        """Reconcile the pools of a message; `inserted` by the store's clock."""
        began = self.clock.monotonic()
        wait = (self.clock.now() - inserted).total_seconds()
        self.telemetry.record("reconciler.queue.wait", max(0.0, wait), trigger=work.trigger)
        try:
            specs = self.catalogue.specs(_put(work, inserted))
        except ReconcilerError as error:
            # No pool causes this, so it must not count as an attempt: five would be used up in a minute.
            self.outbox.again(work, max(self.git_away, error.retry_after or 0.0))
            self.telemetry.count("reconciler.specs.failed", reason=error.reason)
            return ()
        known = [specs.by_key[key] for key in work.keys if key in specs.by_key]
        survey = self.reconciler.survey(known) if len(known) > 1 else None
        task = _Task(work, inserted, specs, survey)
        reports = []
        for position, key in enumerate(work.keys):
            if position and self.clock.monotonic() - began >= self.begin:
                self.outbox.again(replace(work, keys=work.keys[position:]))
                reports.append(self._reported(task, Report(key, "later")))
                break
            reports.append(self._reported(task, self._apart(task, key)))
        return tuple(reports)

    def _apart(self, task: _Task, key: str) -> Report:
        """One pool of a message; where it fails among others, it gets a message of its own."""
        try:
            with self.telemetry.span("pool", attributes={"reconciler.pool": key}) as span:
                report = self._one(task, key, span)
                span.set("reconciler.result", report.what)
                return report
        except Exception:
            if len(task.work.keys) == 1:
                raise
            self.outbox.again(replace(task.work, keys=(key,)))
            return Report(key, "apart")

    def _reported(self, task: _Task, report: Report) -> Report:
        self.telemetry.count("reconciler.runs", result=report.what, trigger=task.work.trigger)
        self.listen(task.work, report, task.specs)
        return report

    def _one(self, task: _Task, key: str, span: Span) -> Report:
        status = load_status(self.state, key)
        now, work, run = self.clock.now(), task.work, status.run
        task = self._not_behind(task, status)
        spec = task.specs.by_key.get(key)
        if spec is None:
            return Report(key, "unknown")
        seen, started = (run.seen, run.started) if run is not None else (None, None)
        stored = Record(seen, status.covered, self.outbox.follows(key), started)
        record = stored.believed(now)
        if record.follow_up != stored.follow_up:
            self.outbox.forget(key)
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
            return replace(self._run(task, spec, status, span), ahead=record != stored)
        if status.run is not None:
            # Another message's run covers this one: link its trace.
            span.link(status.run.trace)
        if decision is Decision.SUPERSEDED:
            return Report(key, "superseded")
        if decision is Decision.EARLY and promise is not None:
            self.outbox.again(work, (promise - now).total_seconds())
        else:
            self.outbox.promise(key, promised(record, now, in_burst=in_burst), span.traceparent or work.trace)
        return Report(key, "postponed")

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
        result = self.reconciler.reconcile(
            spec, task.specs.revision, task.survey, requested=task.requested, specs_read=task.specs.read,
            trigger=task.work.trigger,
        )  # fmt: skip
        seconds = self.clock.monotonic() - began
        self.telemetry.record("reconciler.run.seconds", seconds, result=result.outcome.value)
        trace = span.traceparent or task.work.trace
        if any(isinstance(failure.error, LeaseHeld) for failure in result.failures):
            if task.lifts_rests(before):
                self.outbox.again(replace(task.work, keys=(spec.key,)), self.busy)  # a follow-up would lift nothing
            else:
                self.outbox.follow_up(spec.key, self.busy, trace)
            return Report(spec.key, "busy", result, seconds)
        metrics.record_run(self.telemetry, result, before, task.work.trigger, task.inserted)
        if result.next_look is not None:
            self.outbox.follow_up(spec.key, result.next_look, trace)
        return Report(spec.key, result.outcome.value, result, seconds)


def _put(work: WorkMessage, inserted: datetime) -> datetime:
    """When the last request was put that relies on this message: on a follow-up, shortly before it is due."""
    return inserted if work.due is None else max(inserted + MARGIN, work.due) - MARGIN
