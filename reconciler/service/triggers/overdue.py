"""When a full resync is overdue that its timer did not start.

On Flex Consumption all timers of an app have stopped after a deployment while its queues and HTTP went on
(azure-functions-host issue 11828). So each function looks whether a resync is overdue, also the health probe that a
monitor calls every few minutes. Most looks read no document: a process remembers until when none can be overdue.
HTTP may be another app, without a right to write the document: it puts `LOOK` on the work queue, and the worker looks.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.documents import Json, moment_of
from reconciler.ports.clock import MARGIN

LOOK = '{"look":"resync"}'
"""Text of a work message that names no pools and starts a full resync where one is overdue."""
GRACE = 1.5
"""Intervals after the last full resync, or the first look, after which the next is overdue."""
AGAIN = timedelta(minutes=1)
"""After this time a resync that could not be started is tried again."""


@dataclass(frozen=True, slots=True)
class Swept:
    """When the last full resync was requested, or else since when the first is awaited."""

    at: datetime | None
    since: datetime | None
    missed: bool = False
    """Whether an event could not be read since then, because specs could not: the next is due at once."""

    @property
    def last(self) -> datetime | None:
        """What the next one is counted from."""
        return self.at or self.since

    @classmethod
    def read(cls, body: Json, now: datetime) -> Swept:
        """From the document `sweep`; a moment that lies ahead was written under a wrong clock, and is unknown."""
        found = [moment_of(body.get(name)) if isinstance(body, dict) else None for name in ("at", "since")]
        at, since = (None if one is not None and one > now + MARGIN else one for one in found)
        return cls(at, since, isinstance(body, dict) and body.get("missed") is True)


@dataclass(slots=True)
class ResyncWatch:
    """One process's memory of when a full resync can be overdue. Safe to share between threads."""

    _next: datetime | None = None
    _awaited: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def due(self, now: datetime) -> bool:
        """Whether to look now; True for one caller alone within `AGAIN`."""
        with self._lock:
            if self._next is not None and now < self._next <= now + timedelta(days=1):
                return False
            self._next = now + AGAIN
            return True

    def awaited(self, now: datetime) -> datetime:
        """Since when this process knows of no full resync."""
        with self._lock:
            if self._awaited is None or self._awaited > now:
                self._awaited = now
            return self._awaited

    def not_before(self, moment: datetime) -> None:
        """No look is needed until then."""
        with self._lock:
            self._next = moment
