"""Ten thousand messages about one pool are one wish: look at it after the last of them.

A run reads everything afresh, so a run that began after a message was written has done what the message asks. What
cannot be told (a message written within the margin of a run's start, a run under way elsewhere) asks for one
follow-up later, and one only: whoever finds a follow-up ahead of him has nothing to add. A follow-up itself says after
which run it was asked for; as long as that is still the last one, it is due, whatever the clocks say.

The start of a run is told by the worker's clock, the insertion of a message by the store's; the margin covers what
lies between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MARGIN = timedelta(seconds=5)
"""How far the two clocks may be apart, and the seconds to which a store rounds."""


SOON = timedelta(seconds=20)
"""A follow-up that is no further ahead answers every message there is now."""


class Decision(StrEnum):
    """What to do with a message."""

    RUN = "run"
    SUPERSEDED = "superseded"
    """Acknowledge: it is done, or a follow-up ahead will do it."""
    FOLLOW_UP = "follow-up"
    """Ask for one follow-up, then acknowledge."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one pool's runs."""

    started: datetime | None = None
    """Start of the last run that came to an end."""
    covered: datetime | None = None
    """Start of the last run that left nothing to do."""
    follow_up: datetime | None = None
    """When a follow-up becomes visible."""


def decide(record: Record, inserted: datetime, now: datetime, after: datetime | None = None) -> Decision:
    """What a message that was inserted then asks for now; `after`: start of the run that a follow-up follows."""
    if after is not None and after == record.started:
        return Decision.RUN
    ahead = record.follow_up - now if record.follow_up is not None else timedelta()
    if timedelta() < ahead <= SOON:
        return Decision.SUPERSEDED
    if record.started is None or inserted > record.started + MARGIN:
        return Decision.RUN
    if record.covered is not None and inserted + MARGIN < record.covered:
        return Decision.SUPERSEDED
    if ahead > timedelta():
        return Decision.SUPERSEDED
    # A run that begins now answers everything that was written more than the margin ago: no need to wait for one.
    return Decision.RUN if inserted + MARGIN < now else Decision.FOLLOW_UP
