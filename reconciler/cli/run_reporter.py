"""Shows a run while it goes on: the engine's events as lines and as a progress bar.

It decides nothing about pools. Each event comes between two steps, so a requested stop is checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.cli.progress import ProgressDisplay
from reconciler.cli.stopping import StopRequest
from reconciler.engine import events
from reconciler.plan import render
from reconciler.plan.model import Change, Plan
from reconciler.plan.render import summary


@dataclass(slots=True)
class PoolWrites:
    """The writes of one pool in one apply: what is known of them at any moment."""

    plan: Plan
    """That was shown."""
    written: dict[str, Change] = field(default_factory=dict)
    """By id: confirmed by the service."""
    verified: dict[str, Change] = field(default_factory=dict)
    """By id: read back as written."""
    failed: dict[str, Change] = field(default_factory=dict)
    sending: Change | None = None
    """On its way: where the run ends now, its result is not known."""

    @property
    def unverified(self) -> list[Change]:
        """Written, and not read back."""
        return [change for name, change in self.written.items() if name not in self.verified]

    @property
    def not_begun(self) -> list[Change]:
        """Of the plan, what was never sent."""
        sent = {*self.written, *self.verified, *self.failed} | ({self.sending.id} if self.sending else set())
        return [change for change in self.plan.all_changes if change.id not in sent]


class RunReporter:
    """A listener for the engine, bound to a progress display and to Ctrl-C once the run begins."""

    def __init__(self, wait_once: float) -> None:
        """`wait_once`: seconds that Azure gets to create something by itself."""
        self.shown: Mapping[str, Plan] = {}
        """By name of the pool: the plan that a person saw and agreed to."""
        self._wait_once = wait_once
        self._progress: ProgressDisplay | None = None
        self._stop: StopRequest | None = None
        self.writes: dict[str, PoolWrites] = {}
        """By name of the pool, in order: what its runs planned, wrote and verified so far."""
        self._begun: dict[str, list[Change]] = {}

    def bind(self, progress: ProgressDisplay, stop: StopRequest) -> None:
        """From now on, show events there and check for a stop."""
        self._progress, self._stop = progress, stop

    def __call__(self, event: events.Event) -> None:
        """Called by the engine with each event."""
        if isinstance(event, events.PassStarted) and event.pool not in self.writes:
            self.writes[event.pool] = PoolWrites(self.shown.get(event.pool) or event.plan)
            if event.pool not in self.shown:
                self._show_plan(event.plan)
        if isinstance(event, events.PassStarted | events.Applying) and self._stop:
            self._stop.check()
        if isinstance(event, events.Applied) and event.pending:
            self._begun.setdefault(event.pool, []).append(event.change)
        if self._progress:
            self._show(event, self._progress)
        self._note(event)  # last: a run that is ended while a line is printed has not begun this write

    def finished_by_azure(self, left: Plan) -> tuple[Change, ...]:
        """Changes that the service finished by itself: begun earlier, and no longer in the plan `left`."""
        still = {change.id for change in left.changes}
        finished = tuple(change for change in self._begun.pop(left.pool, []) if change.id not in still)
        for change in finished:
            self.writes[left.pool].verified[change.id] = change
            if self._progress:
                self._progress.line(f"{left.pool}: verified: {summary(change)}")
        return finished

    def _note(self, event: events.Event) -> None:
        writes = self.writes.get(event.pool)
        if writes is None:
            return
        if isinstance(event, events.Applying):
            writes.sending = event.change
        elif isinstance(event, events.Applied):
            writes.sending, writes.written[event.change.id] = None, event.change
        elif isinstance(event, events.Failed):
            writes.sending, writes.failed[event.change.id] = None, event.change
        elif isinstance(event, events.Verified):
            for change in event.changes:
                writes.written[change.id] = writes.verified[change.id] = change

    def _show_plan(self, plan: Plan) -> None:
        """Before the first write of a pool whose plan no person has seen."""
        if self._progress:
            for line in render.text(plan).splitlines():
                self._progress.line(line)

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
        elif isinstance(event, events.Quarantined):
            progress.line(f"{pool}: {event.text}")
        else:
            for change in event.changes:
                progress.line(f"{pool}: verified: {summary(change)}")
