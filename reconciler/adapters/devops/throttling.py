"""When an organization may be called again, and how fast: one gate for each (organization, identity).

Azure DevOps counts what an identity consumes, and requests fewer calls on any response, a 200 included (Microsoft
Learn: Azure DevOps rate and usage limits). Further calls would be slowed for minutes, so the first such response
closes the gate for all calls of this process. An organization that does not respond at all is paused for some seconds
too, since calls that each wait for a timeout cost time only.

Open, a gate bounds the calls in flight (`width`) and keeps a part of the organization's rate budget for events and
people (`reconciler.ports.budgets`): calls of a full resync wait for their share of it.

A gate never sleeps. It returns how long it is closed, and raises; the caller decides whether a short wait is worth it.
What other workers know comes in by `learn` and `join`; pauses of this one go out by `publish`: `GateClosings` in
`reconciler.adapters.devops.closings` joins the gates of several processes over the state store.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Condition, Lock

from reconciler.adapters.devops.width import DELAYED, Width
from reconciler.errors import ReconcilerError, Throttled, Unavailable
from reconciler.ports import pacing
from reconciler.ports.budgets import SLICE, Figures, Looks, RateBudget
from reconciler.ports.pacing import Priority, Work

LONGEST = 3600.0
"""Longest pause in seconds, so that a wrong header does not stop calls for a day."""

SILENT_CALLS = 3
"""Calls in a row without a response, each with its retries, before an organization is paused."""

SILENCE = 10.0
"""Seconds of this pause."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and randomness; tests replace both."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    """Seconds since the epoch: for dates that the service sends, and for budgets, which several machines share."""
    chance: Callable[[], float] = random.random
    """From 0 up to 1; spreads retries."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a gate knows beyond its pause."""

    budget: RateBudget = field(default_factory=RateBudget)
    looks: Looks = field(default_factory=Looks)
    unpublished: int = 0
    """Calls of this process that no other worker knows of."""


@dataclass(slots=True)
class _Gate:
    room: Condition
    until: float = 0.0
    silent: bool = False
    """Closed since nothing came back, not by a request of the service."""
    misses: int = 0
    width: Width = field(default_factory=Width)
    in_flight: int = 0
    waiting: Counter[Priority] = field(default_factory=Counter)
    budget: RateBudget = field(default_factory=RateBudget)
    looks: Looks = field(default_factory=Looks)
    mine: Counter[int] = field(default_factory=Counter)
    """Calls by slice that no other worker knows of."""
    part: int = 0
    """Calls of an unfinished look that no other worker knows of."""

    def known(self) -> Known:
        """With what no other worker knows of."""
        return Known(self.budget, replace(self.looks, part=self.looks.part + self.part), self.mine.total())

    def enter(self, level: Priority, upper: int, timeout: float) -> bool:
        """Wait for room; calls of a higher priority go first."""

        def free() -> bool:
            first = any(count for other, count in self.waiting.items() if other > level)
            return self.in_flight < self.width.at_most(upper) and not first

        self.waiting[level] += 1
        entered = self.room.wait_for(free, timeout)
        self.waiting[level] -= 1
        self.in_flight += entered
        self.room.notify_all()
        return entered


class ThrottlingGates:
    """All gates of a process; safe to share between threads and sessions."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        publish: Callable[[str, str, float], None] | None = None,
        wall: Callable[[], float] = time.time,
        ended: Callable[[str, str, Work], None] | None = None,
    ) -> None:
        """`publish` is called where a response extends a pause: organization, identity, seconds from now.

        `ended` is called where a piece of work ends that called this organization.
        """
        self.monotonic = monotonic
        self._publish = publish
        self._wall = wall
        self._ended = ended
        self._lock = Lock()
        self._gates: dict[tuple[str, str], _Gate] = {}

    def close(self, organization: str, identity: str, seconds: float) -> None:
        """Close for `seconds` from now; never opens earlier than an earlier response requested."""
        if self.learn(organization, identity, seconds) and self._publish:
            self._publish(organization, identity, min(seconds, LONGEST))

    def learn(self, organization: str, identity: str, seconds: float) -> bool:
        """Close by the pause of another worker; returns whether the gate opens later now."""
        with self._lock:
            gate = self._gate(organization, identity)
            until = self.monotonic() + min(seconds, LONGEST)
            if seconds <= 0 or until <= gate.until:
                return False
            gate.until, gate.silent = until, False
            return True

    @contextmanager
    def slot(self, organization: str, identity: str, upper: int, timeout: float) -> Iterator[bool]:
        """Room for one call; False where none was free in time. `upper`: the most calls in flight."""
        level, _ = pacing.current()
        with self._lock:
            gate = self._gate(organization, identity)
            entered = gate.enter(level, upper, timeout)
        try:
            yield entered
        finally:
            if entered:
                with self._lock:
                    gate.in_flight -= 1
                    gate.room.notify_all()

    def take(self, organization: str, identity: str, *, writes: bool = False) -> ReconcilerError | None:
        """Count a call that is sent now, or return why it may not be. A write waits for the gate alone."""
        level, work = pacing.current()
        with self._lock:
            gate = self._gate(organization, identity)
            if error := self._error(gate, organization):
                return error
            now = self._wall()
            if seconds := gate.budget.wait(Priority.PERSON if writes else level, now):
                text = f"organization {organization}: the rest of its rate budget is kept for more urgent calls"
                return Throttled(text, retry_after=seconds)
            gate.budget = gate.budget.called(now)
            gate.mine[int(now // SLICE)] += 1
            gate.mine = Counter({one: count for one, count in gate.mine.items() if one in gate.budget.spent})
        if work is not None:
            work.called(organization)
            work.at_end((id(self), organization.lower(), identity), partial(self._end, organization, identity))
        return None

    def answered(self, organization: str, identity: str) -> None:
        """Record that a response came, of any status."""
        with self._lock:
            self._gate(organization, identity).misses = 0

    def measured(self, organization: str, identity: str, began: float, figures: Figures, *, upper: int) -> None:
        """Adapt to a response; `began`: when its call was sent, by the stopwatch."""
        with self._lock:
            gate, now, wall = self._gate(organization, identity), self.monotonic(), self._wall()
            took = max(0.0, now - began)
            if figures.slowed or took > DELAYED:
                gate.width = gate.width.slowed(began, now, upper)
            else:
                gate.width = gate.width.answered(gate.in_flight, upper)
            gate.budget = gate.budget.answered(wall - took, wall, figures)
            gate.room.notify_all()

    def unanswered(self, organization: str, identity: str) -> None:
        """Record that a call with all its retries got no response."""
        with self._lock:
            gate = self._gate(organization, identity)
            gate.misses += 1
            until = self.monotonic() + SILENCE
            if gate.misses >= SILENT_CALLS and until > gate.until:
                gate.until, gate.silent = until, True

    def remaining(self, organization: str, identity: str) -> float:
        """Seconds until the gate opens; 0 where it is open."""
        with self._lock:
            return max(0.0, self._gate(organization, identity).until - self.monotonic())

    def width(self, organization: str, identity: str, upper: int) -> int:
        """Calls that may be in flight now."""
        with self._lock:
            return self._gate(organization, identity).width.at_most(upper)

    def queued(self, organization: str, identity: str, level: Priority) -> int:
        """Calls of a priority that wait for room."""
        with self._lock:
            return self._gate(organization, identity).waiting[level]

    def closed(self, organization: str, identity: str) -> ReconcilerError | None:
        """The error of a call now, or None where the gate is open; the text is constant, the seconds are a field."""
        with self._lock:
            return self._error(self._gate(organization, identity), organization)

    def check(self, organization: str, identity: str) -> None:
        """Raise what `closed` says."""
        if error := self.closed(organization, identity):
            raise error

    # --- what workers share ------------------------------------------------------------------------------

    def known(self, organization: str, identity: str) -> Known:
        """What is known of an organization."""
        with self._lock:
            return self._gate(organization, identity).known()

    def join(self, organization: str, identity: str, budget: RateBudget, looks: Looks) -> Known:
        """Take over what other workers stored, beside what this process has not published."""
        with self._lock:
            gate = self._gate(organization, identity)
            spent = Counter(budget.spent)
            spent.update(gate.mine)
            gate.budget = replace(gate.budget.joined(budget), spent=dict(spent))
            gate.looks = gate.looks.joined(looks) if looks.done or budget.calls is not None else gate.looks
            return gate.known()

    def published(self, organization: str, identity: str, stored: Known) -> None:
        """This is stored; where a budget is known, calls and unfinished looks are, too."""
        if stored.budget.calls is None:
            return
        with self._lock:
            gate = self._gate(organization, identity)
            gate.mine = Counter(
                {
                    one: more
                    for one, count in gate.budget.spent.items()
                    if (more := count - stored.budget.spent.get(one, 0)) > 0
                }
            )
            gate.looks, gate.part = replace(gate.looks, part=stored.looks.part), 0

    def look_ended(self, organization: str, identity: str, work: Work, interval: float) -> None:
        """Add the calls of a message of a full resync to what a full resync needs."""
        with self._lock:
            gate = self._gate(organization, identity)
            gate.part += work.calls(organization)
            if work.complete(organization):
                gate.looks, gate.part = gate.looks.ended(self._wall(), gate.part, interval), 0

    def _end(self, organization: str, identity: str, work: Work) -> None:
        if self._ended is not None:
            self._ended(organization, identity, work)

    def _error(self, gate: _Gate, organization: str) -> ReconcilerError | None:
        seconds = gate.until - self.monotonic()
        if seconds <= 0:
            return None
        if gate.silent:
            text = f"organization {organization}: not called, the last {SILENT_CALLS} calls got no response"
            return Unavailable(text, retry_after=seconds)
        return Throttled(f"organization {organization}: the service requests fewer calls", retry_after=seconds)

    def _gate(self, organization: str, identity: str) -> _Gate:
        key = (organization.lower(), identity)
        if key not in self._gates:
            self._gates[key] = _Gate(Condition(self._lock))
        return self._gates[key]
