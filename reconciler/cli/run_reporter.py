"""Shows a run while it goes on: the engine's events as lines and as a progress bar.

It decides nothing about pools. Each event comes between two steps, so a requested stop is checked here.
"""

from __future__ import annotations

from reconciler.cli.screen import ProgressDisplay
from reconciler.cli.stopping import StopRequest
from reconciler.engine import events
from reconciler.plan.model import Change, Plan
from reconciler.plan.render import summary


class RunReporter:
    """A listener for the engine, bound to a progress display and to Ctrl-C once the run begins."""

    def __init__(self, wait_once: float) -> None:
        """`wait_once`: seconds that Azure gets to create something by itself."""
        self._wait_once = wait_once
        self._progress: ProgressDisplay | None = None
        self._stop: StopRequest | None = None
        self.verified: list[tuple[str, Change]] = []
        """Pool and change, in order: what was read back as written."""
        self._begun: dict[str, list[Change]] = {}

    def bind(self, progress: ProgressDisplay, stop: StopRequest) -> None:
        """From now on, show events there and check for a stop."""
        self._progress, self._stop = progress, stop

    def __call__(self, event: events.Event) -> None:
        """Called by the engine with each event."""
        if isinstance(event, events.PassStarted | events.Applying) and self._stop:
            self._stop.check()
        if isinstance(event, events.Verified):
            self.verified += [(event.pool, change) for change in event.changes]
        if isinstance(event, events.Applied) and event.pending:
            self._begun.setdefault(event.pool, []).append(event.change)
        if self._progress:
            self._show(event, self._progress)

    def finished_by_azure(self, left: Plan) -> tuple[Change, ...]:
        """Changes that the service finished by itself: begun earlier, and no longer in the plan `left`."""
        still = {change.id for change in left.changes}
        finished = tuple(change for change in self._begun.pop(left.pool, []) if change.id not in still)
        self.verified += [(left.pool, change) for change in finished]
        for change in finished:
            if self._progress:
                self._progress.line(f"{left.pool}: verified: {summary(change)}")
        return finished

    def _show(self, event: events.Event, progress: ProgressDisplay) -> None:
        pool = event.pool
        if isinstance(event, events.PassStarted):
            progress.steps(0, event.total)
        elif isinstance(event, events.Applying):
            progress.now(f"{pool}: {event.index}/{event.total} {summary(event.change)}")
        elif isinstance(event, events.Applied):
            progress.steps(event.index, event.total)
        elif isinstance(event, events.Failed):
            progress.line(f"{pool}: failed: {summary(event.change)}: {event.error.reason}: {event.error}")
        elif isinstance(event, events.Waiting):
            seconds = f"{self._wait_once:.0f} s"
            progress.line(
                f"{pool}: waiting up to {seconds} for Azure to create {event.change.kind} {event.change.subject}"
            )
        elif isinstance(event, events.Verifying):
            progress.now(f"{pool}: reading back what was written")
        else:
            for change in event.changes:
                progress.line(f"{pool}: verified: {summary(change)}")
