"""Ten thousand messages about one pool are one wish: look at it after the last of them.

A run reads everything afresh, so a run that began after a message was written has done what the message asks. What
cannot be told (a message written within the margin of a run's start, a run under way elsewhere) asks for one
follow-up later, and one only: whoever finds a follow-up ahead has nothing to add.

A follow-up is a promise to everybody who counted on it, so it says itself when it is due, and is kept unless a run
began then or later; what the last run covered does not matter to it, for those who counted on it may have come after.
Where many messages ask for one pool, they are answered at once, and then at the end of each `PACE`: whatever the
number of messages and workers, the runs that they cost follow from how long it takes to work them off.

The start of a run and the time at which a follow-up is due are told by workers' clocks, the insertion of a message by
the store's; the margin covers what lies between any two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MARGIN = timedelta(seconds=5)
"""How far two clocks may be apart, and the seconds to which a store rounds."""
PACE = timedelta(seconds=60)
"""Between two runs of one pool that many events ask for."""
SOON = timedelta(seconds=20)
"""A follow-up that is no further ahead answers every message there is now; one that is further ahead is for trouble."""
CROWD = 20
"""Messages for one pool within a pace from which on they are many."""

_SAME = timedelta(seconds=1)
"""Two follow-ups that are due within this are one: two workers asked at the same moment."""


class Decision(StrEnum):
    """What to do with a message."""

    RUN = "run"
    SUPERSEDED = "superseded"
    """Acknowledge: it is done, or a follow-up ahead will do it."""
    FOLLOW_UP = "follow-up"
    """Ask for one follow-up, then acknowledge."""
    EARLY = "early"
    """A follow-up that came before it is due: put it back, for others count on it until then."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one pool's runs."""

    started: datetime | None = None
    """Start of the last run that came to an end."""
    covered: datetime | None = None
    """Start of the last run that left nothing to do."""
    follow_up: datetime | None = None
    """When a follow-up is due that was asked for."""


def decide(record: Record, inserted: datetime, now: datetime, *, crowded: bool = False) -> Decision:
    """What a message that was inserted then asks for now. `crowded`: many ask for the same."""
    ahead = _ahead(record, now)
    if MARGIN < ahead <= (PACE + 2 * MARGIN if crowded else SOON):
        return Decision.SUPERSEDED
    if record.started is None:
        return Decision.RUN
    if record.covered is not None and inserted + MARGIN < record.covered:
        return Decision.SUPERSEDED
    if inserted <= record.started + MARGIN and ahead > MARGIN:
        return Decision.SUPERSEDED
    if crowded and now < _last(record, now) + PACE:
        return Decision.FOLLOW_UP
    # A run that begins now answers everything that was written more than the margin ago: no need to wait for one.
    certain = inserted > record.started + MARGIN or inserted + MARGIN < now
    return Decision.RUN if certain else Decision.FOLLOW_UP


def due(record: Record, at: datetime, now: datetime) -> Decision:
    """What a follow-up asks for that is due then."""
    if now < at:
        return Decision.EARLY
    twin = record.follow_up is not None and record.follow_up != at and abs(record.follow_up - at) <= _SAME
    if twin or (record.started is not None and record.started >= at):
        return Decision.SUPERSEDED
    return Decision.RUN


def promised(record: Record, now: datetime, *, crowded: bool = False) -> datetime:
    """When a follow-up is due that is asked for now: after the margin, after one that is about to be, and in pace."""
    soonest = now + MARGIN
    if record.follow_up is not None and record.follow_up > now:
        soonest = max(soonest, record.follow_up + MARGIN)
    if crowded:
        ahead = (record.follow_up,) if record.follow_up is not None and record.follow_up <= now + MARGIN else ()
        begun = (record.started,) if record.started is not None else ()
        soonest = max(soonest, *(moment + PACE for moment in (*ahead, *begun)))
    return soonest + _SAME


def kept(known: datetime | None, new: datetime, now: datetime) -> datetime:
    """Which of two follow-ups is worth remembering: the sooner one that others can still count on."""
    return known if known is not None and now + MARGIN < known <= new else new


def _ahead(record: Record, now: datetime) -> timedelta:
    return record.follow_up - now if record.follow_up is not None else timedelta()


def _last(record: Record, now: datetime) -> datetime:
    """When a run last began, or is about to because a follow-up is due."""
    moments = [one for one in (record.started, record.follow_up) if one is not None and one <= now + MARGIN]
    return max(moments, default=now - PACE)
