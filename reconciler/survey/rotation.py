"""Which facts a sweep reads again where a change feed stands for the others: each in turn, within the maximum age.

A feed (the audit log) may only postpone a read. Whatever it says or leaves out, a fact is read again before it would
become older than the maximum age; rotation spreads these reads over the sweeps, so that not all are due in one of
them. Where there is no feed that counts, a sweep reads everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from zlib import crc32

from reconciler.survey.memo import Key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Feed:
    """What is known of the change feed of one organization."""

    read: datetime | None = None
    """When it was last read to its end; None: never."""
    interval: timedelta = timedelta(minutes=5)
    """How often it is read."""
    whole: bool = False
    """Whether nothing was lost or cut since then, and each entry that matters was hinted at."""
    distrusted_until: datetime | None = None
    """Until when it does not count, since it left out changes."""

    def counts(self, now: datetime) -> bool:
        """Whether reads may be postponed for it. A moment ahead of the clock says nothing."""
        if self.read is None or not self.whole or (self.distrusted_until is not None and now < self.distrusted_until):
            return False
        return timedelta() <= now - self.read <= 2 * self.interval


@dataclass(frozen=True, slots=True)
class Rotation:
    """Of the sweeps of a deployment."""

    interval: timedelta
    """Between two sweeps."""
    max_age: timedelta
    quiet: frozenset[str] = frozenset()
    """Organizations whose feed counts."""

    @property
    def turns(self) -> int:
        """Sweeps in which every project has its turn once."""
        return max(1, ceil(self.max_age / self.interval))

    def turn(self, since: datetime) -> int:
        """Of a sweep that was put then; the nearest multiple of the interval, since timers are a little late."""
        return round((since - _EPOCH) / self.interval) % self.turns

    def needed(self, key: Key, received: datetime, since: datetime) -> datetime | None:
        """When the fact must have been read for a sweep; None: after the sweep was put."""
        if not key.project or key.organization not in self.quiet or self.interval >= self.max_age:
            return None
        # Older than this, it would be beyond the maximum age before the next sweep.
        least = received + self.interval - self.max_age
        if crc32(key.project.encode()) % self.turns != self.turn(since):
            return least
        # Its turn, unless the sweep before this one read it because timers are not exact.
        return max(least, received - 1.5 * self.interval)
