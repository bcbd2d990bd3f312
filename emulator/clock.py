"""The emulator's clock, which runs with the machine's and can be advanced, and its schedule.

Long operations, write lag and rate windows use this time, so that a test waits for none of them.
"""

from __future__ import annotations

import heapq
import itertools
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970 that never go back: start, plus elapsed, plus what was advanced."""

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return self._start + time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Push the time ahead."""
        self._ahead += seconds

    def stamp(self, at: float | None = None) -> str:
        """A moment as both services write it: `2026-06-02T09:30:00.1234560Z`."""
        moment = datetime.fromtimestamp(self.now() if at is None else at, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"


class Schedule:
    """Jobs by moment; run in order of time, then of entry."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._jobs)

    def later(self, seconds: float, job: Callable[[], object]) -> None:
        """Run a job after so many seconds; with 0, before the next request."""
        heapq.heappush(self._jobs, (self._clock.now() + seconds, next(self._order), job))

    def run_due(self) -> int:
        """Run the jobs that are due; returns how many."""
        done = 0
        while self._jobs and self._jobs[0][0] <= self._clock.now():
            job = heapq.heappop(self._jobs)[2]
            try:
                job()
            except Exception:  # noqa: BLE001 a fault of the emulator must not stop its clock
                traceback.print_exc(file=sys.stderr)
            done += 1
        return done

    def advance(self, seconds: float) -> None:
        """Advance the clock, stopping at each job so that it runs at its own moment."""
        if seconds < 0:
            raise ValueError(f"advance: {seconds} seconds would turn the clock back")
        end = self._clock.now() + seconds
        while self._jobs and self._jobs[0][0] <= end:
            self._clock.advance(max(0.0, self._jobs[0][0] - self._clock.now()))
            self.run_due()
        self._clock.advance(max(0.0, end - self._clock.now()))

    def settle(self, limit: int = 100_000) -> None:
        """Advance the clock, job by job, until none is left."""
        for _ in range(limit):
            if not self._jobs:
                return
            self._clock.advance(max(0.0, self._jobs[0][0] - self._clock.now()))
            self.run_due()
        raise RuntimeError(f"settle: a job schedules itself again without end, {limit} jobs were run")

    def clear(self) -> None:
        """Remove all jobs."""
        self._jobs.clear()
