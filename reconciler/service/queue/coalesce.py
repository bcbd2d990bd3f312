"""Coalesces messages: ten thousand messages about one pool are one request, done by one run after the last of them.

A run covers the messages that were written before the oldest thing it used was read: the specs, and every fact of the
pool. Its own start says nothing: the pools of a batch share reads that began earlier. In doubtful cases (a message
written within the margin of that moment, a run in progress elsewhere) one follow-up is queued for later, and only one:
where a follow-up is already ahead, nothing is added.

Other messages rely on a follow-up, so it carries the time at which it is due, and it runs unless a run read everything
then or later. What the last run covered does not matter to it, because messages that rely on it may have come after
that run. In a burst the first message runs at once, and then one run begins at the end of each `PACE`: the number of
runs follows from the duration of the burst, not from the number of messages or workers.

The moments of a run and the due time of a follow-up come from workers' clocks, the insertion of a message from the
store's; the margin covers their differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.ports.clock import MARGIN
from reconciler.service.queue.messages import LATEST

PACE = timedelta(seconds=60)
"""Time between two runs of one pool in a burst."""
SOON = timedelta(seconds=20)
"""A follow-up that is due within this time covers every present message; later ones are retries after an error."""
FARTHEST = timedelta(days=1)
"""How far ahead a follow-up is queued; what is to happen later is asked for again by it."""
RETRY = timedelta(hours=2)
"""More than any wait after an error: a follow-up that is due later covers no message, or events would wait for it."""
BURST = 20
"""Messages for one pool within a pace above which they are a burst."""

_SAME = timedelta(seconds=1)
"""Two follow-ups that are due within this time are one: two workers queued them at the same moment."""


class Decision(StrEnum):
    """What to do with a message."""

    RUN = "run"
    SUPERSEDED = "superseded"
    """Acknowledge: it is done, or a queued follow-up will do it."""
    FOLLOW_UP = "follow-up"
    """Queue one follow-up, then acknowledge."""
    EARLY = "early"
    """A follow-up that came before it is due: put it back, since other messages rely on it."""


@dataclass(frozen=True, slots=True)
class Record:
    """The known runs of one pool."""

    seen: datetime | None = None
    """When the oldest thing was read that the last run used, specs included, whether or not it went well."""
    covered: datetime | None = None
    """The same of the last run that left nothing to do."""
    follow_up: datetime | None = None
    """When the queued follow-up is due."""
    started: datetime | None = None
    """Start of the last run, which counts for the pace of runs alone; None: as `seen`."""

    def believed(self, now: datetime) -> Record:
        """Without what a clock that was ahead wrote: a run or a read later than now, a follow-up in more than a week.

        Such a record would cover every message until that time.
        """
        seen, covered, started = (
            None if one is not None and one > now + MARGIN else one for one in (self.seen, self.covered, self.started)
        )
        late = self.follow_up is not None and self.follow_up > now + LATEST
        return Record(seen, covered, None if late else self.follow_up, started)


def decide(record: Record, inserted: datetime, now: datetime, *, in_burst: bool = False) -> Decision:
    """What to do with a message that was inserted then. `in_burst`: many messages are for the same pool."""
    ahead = _ahead(record, now)
    if MARGIN < ahead <= (PACE + 2 * MARGIN if in_burst else SOON):
        return Decision.SUPERSEDED
    paced = in_burst and now < _last(record, now) + PACE
    if record.seen is None:
        return Decision.FOLLOW_UP if paced else Decision.RUN
    if record.covered is not None and inserted + MARGIN < record.covered:
        return Decision.SUPERSEDED
    if inserted <= record.seen + MARGIN and MARGIN < ahead <= RETRY:
        return Decision.SUPERSEDED
    if paced:
        return Decision.FOLLOW_UP
    # A run that reads now covers everything that was written more than the margin ago.
    certain = inserted > record.seen + MARGIN or inserted + MARGIN < now
    return Decision.RUN if certain else Decision.FOLLOW_UP


def due(record: Record, at: datetime, now: datetime) -> Decision:
    """What to do with a follow-up that is due at `at`."""
    if now < at:
        return Decision.EARLY
    twin = record.follow_up is not None and record.follow_up != at and abs(record.follow_up - at) <= _SAME
    if twin or (record.seen is not None and record.seen >= at):
        return Decision.SUPERSEDED
    return Decision.RUN


def promised(record: Record, now: datetime, *, in_burst: bool = False) -> datetime:
    """When a follow-up that is queued now is due: after the margin, after one that is about to run, and in pace."""
    soonest = now + MARGIN
    if record.follow_up is not None and record.follow_up > now:
        soonest = max(soonest, record.follow_up + MARGIN)
    if in_burst:
        ahead = (record.follow_up,) if record.follow_up is not None and record.follow_up <= now + MARGIN else ()
        last = record.started or record.seen
        begun = (last,) if last is not None else ()
        soonest = max((soonest, *(moment + PACE for moment in (*ahead, *begun))))
    return soonest + _SAME


def kept(known: datetime | None, new: datetime, now: datetime) -> datetime:
    """Which of two follow-ups to store: the sooner one that other messages can still rely on."""
    return known if known is not None and now + MARGIN < known <= new else new


def _ahead(record: Record, now: datetime) -> timedelta:
    return record.follow_up - now if record.follow_up is not None else timedelta()


def _last(record: Record, now: datetime) -> datetime:
    """When a run last began, or is about to because a follow-up is due."""
    moments = [
        one for one in (record.started or record.seen, record.follow_up) if one is not None and one <= now + MARGIN
    ]
    return max(moments, default=now - PACE)
