"""What people see of a run while it goes on: the engine's events as lines and as a bar.

Nothing is decided here; but each event stands at the boundary of a step, which is where Ctrl-C is looked for.
"""

from __future__ import annotations

from reconciler.cli.screen import Track
from reconciler.cli.stopping import Stop
from reconciler.engine import events
from reconciler.plan.model import Change, Plan
from reconciler.plan.render import summary


class Following:
    """A listener for the engine, bound to a screen and to Ctrl-C once the run begins."""

    def __init__(self) -> None:
        self._track: Track | None = None
        self._stop: Stop | None = None
        self.verified: list[tuple[str, Change]] = []
        """Pool and change, in order: what was seen to be in force."""
        self._begun: dict[str, list[Change]] = {}

    def bind(self, track: Track, stop: Stop) -> None:
        """From now on, show and stop here."""
        self._track, self._stop = track, stop

    def __call__(self, event: events.Event) -> None:
        """Told by the engine."""
        if isinstance(event, events.PassStarted | events.Applying) and self._stop:
            self._stop.check()
        if isinstance(event, events.Verified):
            self.verified += [(event.pool, change) for change in event.changes]
        if isinstance(event, events.Applied) and event.pending:
            self._begun.setdefault(event.pool, []).append(event.change)
        if self._track:
            self._show(event, self._track)

    def ended(self, left: Plan) -> tuple[Change, ...]:
        """Changes that the service went on with by itself, and that a plan made since does not find any more."""
        still = {change.id for change in left.changes}
        seen = tuple(change for change in self._begun.pop(left.pool, []) if change.id not in still)
        self.verified += [(left.pool, change) for change in seen]
        for change in seen:
            if self._track:
                self._track.line(f"{left.pool}: verified: {summary(change)}")
        return seen

    def _show(self, event: events.Event, track: Track) -> None:
        pool = event.pool
        if isinstance(event, events.PassStarted):
            track.steps(0, event.total)
        elif isinstance(event, events.Applying):
            track.now(f"{pool}: {event.index}/{event.total} {summary(event.change)}")
        elif isinstance(event, events.Applied):
            track.steps(event.index, event.total)
        elif isinstance(event, events.Failed):
            track.line(f"{pool}: failed: {summary(event.change)}: {event.error.reason}: {event.error}")
        elif isinstance(event, events.Waiting):
            track.line(f"{pool}: giving the service time: {summary(event.change)}")
        elif isinstance(event, events.Verifying):
            track.now(f"{pool}: reading again what was written")
        else:
            for change in event.changes:
                track.line(f"{pool}: verified: {summary(change)}")
