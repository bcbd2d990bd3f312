"""Timers: one thread each, on the schedule that the binding declares, never two runs of one timer at once.

Schedules are NCRONTAB with six fields, seconds first, as the Functions host reads them (Microsoft Learn, "Timer
trigger for Azure Functions"); croniter computes them. A run that was missed because the last one took too long is
made up for once, with `past_due` set.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from croniter import croniter

from reconciler.service.host.bindings import BindingError, Served

CHECKED = 30.0
"""Seconds after which a waiting timer reads the clock again: it may have been set back."""
_log = logging.getLogger("reconciler.serve")


def schedule_of(served: Served) -> str:
    """The timer's schedule, checked; `BindingError` where it is no NCRONTAB expression of six fields."""
    schedule = str(served.details["schedule"])
    if len(schedule.split()) != 6 or not croniter.is_valid(schedule, second_at_beginning=True):  # noqa: PLR2004 - its fields
        raise BindingError(f"{served.name}: schedule {schedule!r} is no NCRONTAB expression of six fields")
    return schedule


def next_after(schedule: str, moment: datetime) -> datetime:
    """The schedule's first moment after another."""
    found: datetime = croniter(schedule, moment, second_at_beginning=True).get_next(datetime)
    return found


def upcoming(schedule: str, due: datetime, now: datetime) -> datetime:
    """When to run: as planned, or sooner where the plan was made under a clock that was ahead."""
    return min(due, next_after(schedule, now))


def following(schedule: str, due: datetime, now: datetime) -> tuple[datetime, bool]:
    """When to run after the run that was due then has ended now, and whether that is past due.

    However many moments were missed, one run makes up for them.
    """
    planned = next_after(schedule, due)
    return (now, True) if planned <= now else (planned, False)


class Timer:
    """Runs one function on its schedule until stopped."""

    def __init__(self, served: Served, run: Callable[[bool], None]) -> None:
        self._schedule = schedule_of(served)
        self._run = run
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"timer-{served.name}", daemon=True)

    def start(self) -> None:
        """Begin; the first run is at the schedule's next moment."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stop.set()

    def join(self, seconds: float) -> bool:
        """Wait for a run under way; whether it ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _loop(self) -> None:
        due, past_due = next_after(self._schedule, datetime.now(UTC)), False
        while not self._stop.wait(min(CHECKED, max(0.0, (due - datetime.now(UTC)).total_seconds()))):
            now = datetime.now(UTC)
            if now < due:
                due = upcoming(self._schedule, due, now)
                continue
            self._run(past_due)
            due, past_due = following(self._schedule, due, datetime.now(UTC))
