"""Runs the pools of an apply: one after another, and again those that something has to be waited for.

The services' long operations go on by themselves, so a pool that waits lets the others go first.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.cli.following import Following
from reconciler.cli.screen import Track
from reconciler.cli.selection import Selection
from reconciler.cli.stopping import Stop
from reconciler.engine import Outcome, Reconciler, Result
from reconciler.errors import Throttled
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey

LONGEST_NAP = 60.0
"""Seconds; an operation that says nothing of its end is looked at this often at least."""


class Running:
    """One apply of some pools."""

    def __init__(  # noqa: PLR0917 - the parts of one apply, put together in one place
        self,
        reconciler: Reconciler,
        selection: Selection,
        following: Following,
        track: Track,
        stop: Stop,
        patience: float | None = None,
    ) -> None:
        """`patience`: seconds until a write that failed transiently is tried again; None: it is reported at once."""
        self._reconciler = reconciler
        self._clock = reconciler.planner.clock
        self._patience = patience
        self._following = following
        self._selection = selection
        self._track = track
        self._stop = stop
        self._results: dict[str, Result] = {}

    def results(self) -> list[Result]:
        """One for each pool that was begun, in the order of the specs, over all its runs."""
        return [self._results[spec.key] for spec in self._selection.specs if spec.key in self._results]

    def until(self, timeout: float, plan_hash: str | None) -> bool:
        """Run until nothing is in motion, or for `timeout` seconds. Whether somebody stopped it."""
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
                self._track.line(f"{spec.name}: the time is up, and it is not done: {_why(self._results[spec.key])}")
                return
            self._wait(moment, spec)
            del due[spec.key]
            self._once(spec, due)

    def _once(
        self,
        spec: Spec,
        due: dict[str, tuple[float, Spec]],
        survey: SharedSurvey | None = None,
        plan_hash: str | None = None,
    ) -> None:
        self._stop.check()
        self._track.unknown()
        if spec.key not in self._results or self._track.interactive:
            self._track.now(f"{spec.name}: reading")
        result = self._reconciler.reconcile(spec, self._selection.revision, survey, plan_hash)
        if result.pending is None and result.plan is not None:
            result = replace(result, applied=(*self._following.ended(result.plan), *result.applied))
        self._results[spec.key] = _joined(self._results.get(spec.key), result)
        if _in_motion(result) or (self._patience is not None and _may_retry(result)):
            due[spec.key] = (self._clock.monotonic() + self._nap(result), spec)

    def _nap(self, result: Result) -> float:
        """Seconds until the next run; never less than the service asked for."""
        if self._patience is None:
            return min(result.next_look or 0.0, LONGEST_NAP)
        asked = [failure.error.retry_after or 0.0 for failure in result.failures]
        asked += [gap.retry_after or 0.0 for gap in (result.plan.gaps if result.plan else ())]
        return min(result.next_look or 0.0, max([self._patience, *asked]))

    def _wait(self, moment: float, spec: Spec) -> None:
        seconds = moment - self._clock.monotonic()
        if seconds <= 0:
            return
        self._track.unknown()
        self._track.now(f"{spec.name}: {_why(self._results[spec.key])}", f"; looking again in {seconds:.0f} s")
        self._stop.wait(seconds)


def _in_motion(result: Result) -> bool:
    """Whether waiting helps. Other trouble is told at once: somebody sits there and may know better."""
    throttled = result.outcome is Outcome.FAILED and result.status.error == Throttled.__name__
    return result.next_look is not None and (result.outcome is Outcome.PROGRESSING or throttled)


def _may_retry(result: Result) -> bool:
    """Whether something was to be written, and only transient errors were in the way."""
    wrote = result.planned is not None and bool(result.planned.changes)
    return wrote and result.next_look is not None and result.outcome is Outcome.FAILED


def _why(result: Result) -> str:
    if result.pending:
        return f"waiting for the {result.pending.description}"
    if result.outcome is Outcome.FAILED:
        return "the service asked for fewer calls"
    waited = [change for change in (result.plan.changes if result.plan else ()) if change.wait_once]
    return f"giving the service time for the {waited[0].kind} {waited[0].subject}" if waited else "not done yet"


def _joined(before: Result | None, now: Result) -> Result:
    """Several runs of one apply as one: what it began with, all that it did, and where it ended."""
    if before is None:
        return now
    outcome = Outcome.APPLIED if now.outcome is Outcome.IN_SYNC and before.applied else now.outcome
    failures = before.failures if now.outcome is Outcome.PROGRESSING else ()
    return replace(
        now,
        outcome=outcome,
        planned=before.planned or now.planned,
        applied=(*before.applied, *now.applied),
        failures=(*failures, *now.failures),
    )
