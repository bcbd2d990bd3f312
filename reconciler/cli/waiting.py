"""What an apply waits for: said at once, with since when, until when and what would help, and again while it lasts.

On standard error, on a terminal and in a pipe alike; results on standard output stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.cli.progress import ProgressDisplay
from reconciler.engine import Result
from reconciler.errors import LeaseHeld, NotReady, ReconcilerError, Throttled
from reconciler.plan import render
from reconciler.plan.model import GapKind, Plan
from reconciler.ports.clock import Clock

REPEATED = 60.0
"""Seconds after which a wait that goes on is said again."""
SHOWN = 3
"""Waits of one kind that are named one by one."""

LEASE_HELPS = "goes on by itself once the lease is free; a process that was ended keeps it for 60 s at most"
OPERATION_HELPS = "ARM ends it by itself; how far it is, the activity log of the pool says"
THROTTLED_HELPS = "goes on by itself; what helps is fewer calls by the same identity"
CREATED_HELPS = "if Azure does not, this run does"
MISSING_HELPS = "if it stays so: `mdp-reconciler doctor` shows whether the identity may see it"
VISIBLE_HELPS = "is read again within seconds"


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that has to happen first."""

    key: str
    """The same as long as it is the same wait, whatever moments its text names."""
    what: str
    helps: str

    def __str__(self) -> str:
        """What, and what would help."""
        return f"{self.what}; {self.helps}"


def waits_of(result: Result, now: datetime) -> list[Wait]:
    """All that the next run of a pool waits for; what holds everything up stands first."""
    errors = [failure.error for failure in result.failures]
    gaps = [] if result.plan is None else [gap for gap in result.plan.gaps if not gap.foreseen]
    found = [_lease(error) for error in errors if isinstance(error, LeaseHeld)]
    if result.pending is not None:
        flying = result.status.pending
        since = "" if flying is None else f", an ARM operation since {flying.since:%H:%M:%S} UTC"
        found.append(Wait(result.pending.description, f"the {result.pending.description}{since}", OPERATION_HELPS))
    throttled = [(str(one), one.retry_after) for one in errors if isinstance(one, Throttled)]
    throttled += [(gap.message, gap.retry_after) for gap in gaps if gap.reason == Throttled.__name__]
    if throttled:
        text, seconds = max(throttled, key=lambda one: one[1] or 0.0)
        found.append(_throttled(text, seconds if seconds is not None else result.next_look, now))
    awaited = list(dict.fromkeys(gap.message for gap in gaps if gap.kind is GapKind.NOT_READY))
    awaited += [str(error) for error in errors if isinstance(error, NotReady) and str(error) not in awaited]
    found += [
        Wait(one, f"what does not exist yet{_since(result, one)}: {one}", MISSING_HELPS) for one in awaited[:SHOWN]
    ]
    if len(awaited) > SHOWN:
        found.append(Wait("more", f"{len(awaited) - SHOWN} more things that do not exist yet", MISSING_HELPS))
    if result.plan is not None and not found:
        found += _of_changes(result.plan)
    return found or [Wait("lag", "what was written to be visible", VISIBLE_HELPS)]


def _lease(error: ReconcilerError) -> Wait:
    """Of a lease: its end moves with each renewal, who holds it does not."""
    return Wait(str(error).rpartition(" until ")[0] or str(error), f"the lease: {error}", LEASE_HELPS)


def _since(result: Result, message: str) -> str:
    """Since when that is missing, as the status counts it."""
    known = result.status.awaited.get(message)
    return "" if known is None else f", since {known.since:%Y-%m-%d %H:%M:%S} UTC"


def _throttled(text: str, seconds: float | None, now: datetime) -> Wait:
    until = "" if seconds is None else f" until {now + timedelta(seconds=seconds):%H:%M:%S} UTC"
    return Wait("throttled", f"the service; throttled by the service{until}: {text}", THROTTLED_HELPS)


def _of_changes(plan: Plan) -> Iterator[Wait]:
    left = [change for change in plan.changes if change.wait_once]
    if left:
        what = f"Azure to create {left[0].kind} {left[0].subject}"
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        yield Wait(what, what + more, CREATED_HELPS)


@dataclass(slots=True)
class _Said:
    key: tuple[str, ...]
    began: float
    last: float


class WaitReports:
    """Says what pools wait for: once for each new wait, then at a pace that people can read."""

    def __init__(self, progress: ProgressDisplay, clock: Clock, every: float = REPEATED) -> None:
        self._progress = progress
        self._clock = clock
        self._every = every
        self._said: dict[str, _Said] = {}

    def say(self, pool: str, result: Result) -> None:
        """Call after each run that is followed by another one, and while that is waited for."""
        now, found = self._clock.monotonic(), waits_of(result, self._clock.now())
        key = tuple(one.key for one in found)
        known = self._said.get(pool)
        if known is None or known.key != key:
            self._said[pool] = _Said(key, now, now)
            for one in found:
                self._progress.line(f"{pool}: waiting for {one}")
            if known is None:
                self._refused(pool, result)
        elif now - known.last >= self._every:
            known.last = now
            self._progress.line(f"{pool}: still waiting, for {_span(now - known.began)}: {found[0].what}")

    def next(self, pool: str) -> float:
        """Seconds until a wait that goes on has to be said again."""
        known = self._said.get(pool)
        return self._every if known is None else max(0.0, known.last + self._every - self._clock.monotonic())

    def over(self, pool: str) -> None:
        """The pool waits for nothing more."""
        self._said.pop(pool, None)

    def _refused(self, pool: str, result: Result) -> None:
        """What no wait helps with, while the rest is waited for: refused, quarantined, not approved."""
        refusals = () if result.plan is None else result.plan.refusals
        for one in refusals[:SHOWN]:
            self._progress.line(f"{pool}: refused, and not waited for: {render.summary(one.change)}: {one.message}")
        if len(refusals) > SHOWN:
            self._progress.line(f"{pool}: {len(refusals) - SHOWN} more are refused; the result names them")


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - two minutes
