"""Time, randomness and ids of a process that simulates: all of them follow from the seed.

`install` replaces what the standard library takes from the machine, before the program is imported: nothing of the
program is replaced, and nothing of it can reach the machine's clock by another name.
"""

from __future__ import annotations

import math
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp()
"""When each history begins: a Monday."""
BOOTED = BEGIN - 1_000
"""Where the stopwatch began."""
MOST_MOVES = 50_000
"""Of time, in a history: some hundreds are usual. More of them come from a loop that ends no more."""
LEASE = ("lease",)
"""Threads that renew something in the background, by name."""
_event_wait, _thread_start = threading.Event.wait, threading.Thread.start


@dataclass
class Renewal:
    """A thread of the program that waits to renew a lease."""

    over: Any
    due: float
    owner: object
    parked: threading.Event = field(default_factory=threading.Event)
    fired: bool = False


@dataclass
class Time:
    """The true time, which moves only when the simulation, or a sleep of the program, moves it."""

    now: float = BEGIN
    renewals: list[Renewal] = field(default_factory=list)
    owner: object = None
    """Who runs now: the process of the deployment whose code sleeps or begins to renew."""
    frozen: set[int] = field(default_factory=set)
    """By `id`, owners that are held up: their renewals do not happen."""
    moved: Callable[[], object] = lambda: None
    """Called where time has moved."""
    moves: int = 0
    """How often it was moved."""

    def begin(self) -> None:
        """A new history."""
        self.now, self.owner = BEGIN, None
        self.renewals.clear()
        self.frozen.clear()
        self.moved = lambda: None
        self.moves = 0

    def advance(self, seconds: float) -> None:
        """Let time pass; renewals that fall due happen at their own moment, one after the other.

        However short the time is, it passes: who sleeps until a moment gets there.
        """
        self._count()
        end = self.now + max(0.0, seconds)
        if seconds > 0 and end == self.now:
            end = math.nextafter(self.now, math.inf)
        while True:
            live = [one for one in self.renewals if id(one.owner) not in self.frozen and one.due <= end]
            if not live:
                break
            first = min(live, key=lambda one: one.due)
            self.now = max(self.now, first.due)
            self._fire(first)
        self.now = end
        self.moved()

    def _count(self) -> None:
        self.moves += 1
        if self.moves > MOST_MOVES:
            from tests.simulation.oracles import Violation  # noqa: PLC0415 - imports the program, whose time is this

            raise Violation(f"endless: time was moved {MOST_MOVES:,} times")

    def date(self, skew: float = 0.0) -> datetime:
        """The moment on a clock that is wrong by so much."""
        return _date(self.now + skew)

    def _fire(self, renewal: Renewal) -> None:
        condition = renewal.over._cond
        renewal.parked.clear()
        with condition:
            renewal.fired = True
            condition.notify_all()
        _event_wait(renewal.parked)

    def wait(self, over: Any, seconds: float) -> bool:
        """In place of `Event.wait`, in a thread that renews: until the event, or until virtual time gets there."""
        thread = threading.current_thread()
        found = next((one for one in self.renewals if one.over is over), None)
        if found is None:
            found = Renewal(over, self.now + seconds, getattr(thread, "owner", None), getattr(thread, "parked"))  # noqa: B009 - set below
            self.renewals.append(found)
        found.due, found.fired = self.now + seconds, False
        condition = over._cond
        with condition:
            found.parked.set()
            condition.wait_for(lambda: over.is_set() or found.fired)
        if over.is_set():
            self.renewals.remove(found)
            return True
        return False


@lru_cache(maxsize=64)
def _date(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=round(seconds, 6))


TIME = Time()


def _wait(event: threading.Event, timeout: float | None = None) -> bool:
    if timeout is not None and threading.current_thread().name in LEASE:
        return TIME.wait(event, timeout)
    return _event_wait(event, timeout)


def _start(thread: threading.Thread) -> None:
    if thread.name not in LEASE:
        _thread_start(thread)
        return
    parked = threading.Event()
    setattr(thread, "owner", TIME.owner)  # noqa: B010 - an attribute of this simulation alone
    setattr(thread, "parked", parked)  # noqa: B010 - likewise
    _thread_start(thread)
    _event_wait(parked)


_ids = random.Random(0)  # noqa: S311 - a simulation


def _random_bytes(count: int) -> bytes:
    return _ids.randbytes(count)


def seed(number: int) -> None:
    """Every id and every random choice of the program follows from this number; time begins again."""
    _ids.seed(number)
    random.seed(number)
    TIME.begin()


def install() -> None:
    """Replace the machine's time, randomness and ids. RuntimeError where the program is imported already."""
    if any(name == "reconciler" or name.startswith("reconciler.") for name in sys.modules):
        raise RuntimeError("virtual time: the program is imported already, and has taken the machine's clock")
    time.time = lambda: TIME.now
    time.monotonic = lambda: TIME.now - BOOTED
    time.sleep = TIME.advance  # type: ignore[assignment] # any number
    os.urandom = _random_bytes
    threading.Event.wait = _wait  # type: ignore[method-assign,assignment] # as said
    threading.Thread.start = _start  # type: ignore[method-assign,assignment] # as said
