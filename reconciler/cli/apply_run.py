"""Runs the pools of an apply one after another, and runs those that wait for Azure again.

Long operations of the services go on by themselves, so a waiting pool lets the others go first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.cli.progress import ProgressDisplay
from reconciler.cli.run_reporter import RunReporter
from reconciler.cli.selection import Selection
from reconciler.cli.stopping import StopRequest
from reconciler.cli.waiting import WaitReports, waits_of
from reconciler.engine import Outcome, Reconciler, Result
from reconciler.errors import LeaseHeld, Throttled
from reconciler.plan.model import Change
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey

LONGEST_WAIT = 60.0
"""Seconds after which a pending operation is read again at the latest."""
LEASE_WAIT = 5.0
"""Seconds after which a lease that another process holds is tried again: it may be given back at any moment."""


class ApplyRun:
    """One apply of some pools."""

    def __init__(  # noqa: PLR0917 - the parts of one apply, put together in one place
        self,
        reconciler: Reconciler,
        selection: Selection,
        reporter: RunReporter,
        progress: ProgressDisplay,
        stop: StopRequest,
        patience: float | None = None,
        *,
        as_planned: bool = False,
        trigger: str = "command",
    ) -> None:
        """`patience`: seconds until a write that failed transiently is tried again; None: it is reported at once.

        `as_planned`: nothing is written but what the plan shows that a person agreed to (`RunReporter.shown`), or,
        where none did, the first plan of each pool.
        """
        self._reconciler = reconciler
        self._clock = reconciler.planner.clock
        self._patience = patience
        self._reporter = reporter
        self._selection = selection
        self._progress = progress
        self._stop = stop
        self._waits = WaitReports(progress, self._clock)
        self._results: dict[str, Result] = {}
        self._as_planned = as_planned
        self._trigger = trigger
        self._approved = {
            spec.key: reporter.shown[spec.name] for spec in selection.specs if spec.name in reporter.shown
        }
        """By pool, the plan that was shown first, or approved by its hash: its runs make no other change."""
        self._requested = self._clock.now()
        self.running = ""
        """Name of the pool whose run has begun and not come to an end."""

    def results(self) -> list[Result]:
        """One result for each pool that was begun, in the order of the specs, over all its runs."""
        return [self._results[spec.key] for spec in self._selection.specs if spec.key in self._results]

    def until(self, timeout: float, plan_hash: str | None) -> bool:
        """Run until no pool waits, or for `timeout` seconds. True where a requested stop ended it."""
        end = self._clock.monotonic() + timeout
        try:
            self._all(end, plan_hash)
        except KeyboardInterrupt:
            return True
        return False

    def _all(self, end: float, plan_hash: str | None) -> None:
        due: dict[str, tuple[float, Spec]] = {}
        specs = self._selection.specs
        shared = self._reconciler.survey(specs) if len(specs) > 1 else None
        for spec in specs:
            self._once(spec, due, shared, plan_hash)
        while due:
            moment, spec = min(due.values(), key=lambda entry: entry[0])
            if moment > end:
                first = waits_of(self._results[spec.key], self._clock.now())[0]
                self._progress.line(
                    f"{spec.name}: --timeout is over, and it is not finished: waiting for {first}; run it again, or "
                    "give it more time"
                )
                return
            self._wait(moment, spec)
            del due[spec.key]
            self._once(spec, due, None, None if spec.key in self._approved else plan_hash)

    def _once(
        self,
        spec: Spec,
        due: dict[str, tuple[float, Spec]],
        survey: SharedSurvey | None = None,
        plan_hash: str | None = None,
    ) -> None:
        self._stop.check()
        self._progress.unknown()
        if spec.key not in self._results or self._progress.interactive:
            self._progress.now(f"{spec.name}: reading")
        self.running = spec.name
        result = self._reconciler.reconcile(
            spec,
            self._selection.revision,
            survey,
            plan_hash,
            approved=self._approved.get(spec.key),
            as_planned=self._as_planned,
            requested=self._requested,
            trigger=self._trigger,
        )
        self.running = ""
        if result.planned is not None and (plan_hash or self._as_planned):
            self._approved.setdefault(spec.key, result.planned)
        if result.pending is None and result.plan is not None:
            result = replace(result, verified=(*self._reporter.finished_by_azure(result.plan), *result.verified))
        self._results[spec.key] = _joined(self._results.get(spec.key), result)
        if _waits(result) or (self._patience is not None and _may_retry(result)):
            due[spec.key] = (self._clock.monotonic() + self._delay(result), spec)
            self._waits.say(spec.name, result)
        else:
            self._waits.over(spec.name)

    def _delay(self, result: Result) -> float:
        """Seconds until the next run; never less than the service requested."""
        if _lease_held(result):
            return min(result.next_look or 0.0, LEASE_WAIT)
        if self._patience is None:
            return min(result.next_look or 0.0, LONGEST_WAIT)
        requested = [failure.error.retry_after or 0.0 for failure in result.failures]
        requested += [gap.retry_after or 0.0 for gap in (result.plan.gaps if result.plan else ())]
        return min(result.next_look or 0.0, max([self._patience, *requested]))

    def _wait(self, moment: float, spec: Spec) -> None:
        """Until then; what is waited for is said again at its pace, also where one pause is longer."""
        result = self._results[spec.key]
        while (seconds := moment - self._clock.monotonic()) > 0:
            self._progress.unknown()
            first = waits_of(result, self._clock.now())[0].what
            self._progress.state(f"{spec.name}: waiting for {first}; reading again in {seconds:.0f} s")
            self._stop.wait(min(seconds, max(1.0, self._waits.next(spec.name))))
            self._waits.say(spec.name, result)


def _waits(result: Result) -> bool:
    """Whether waiting helps. Other errors are reported at once, to the person at the terminal."""
    throttled = result.outcome is Outcome.FAILED and result.status.error == Throttled.__name__
    waits = result.outcome is Outcome.PROGRESSING or throttled or _lease_held(result)
    return result.next_look is not None and waits


def _lease_held(result: Result) -> bool:
    """Whether another process has the pool, or took it over."""
    return any(isinstance(failure.error, LeaseHeld) for failure in result.failures)


def _may_retry(result: Result) -> bool:
    """Whether something was to be written, and only transient errors were in the way."""
    wrote = result.planned is not None and bool(result.planned.changes)
    return wrote and result.next_look is not None and result.outcome is Outcome.FAILED


def _together(before: Sequence[Change], now: Sequence[Change]) -> tuple[Change, ...]:
    """Each change once, in order of its first time."""
    return tuple({change.id: change for change in (*before, *now)}.values())


def _joined(before: Result | None, now: Result) -> Result:
    """Several runs of one apply as one result: the first plan, everything written and verified, the last outcome."""
    if before is None:
        return now
    outcome = Outcome.APPLIED if now.outcome is Outcome.IN_SYNC and before.verified + now.verified else now.outcome
    failures = before.failures if now.outcome is Outcome.PROGRESSING else ()
    return replace(
        now,
        outcome=outcome,
        planned=before.planned or now.planned,
        written=_together(before.written, now.written),
        verified=_together(before.verified, now.verified),
        failures=(*failures, *now.failures),
    )
