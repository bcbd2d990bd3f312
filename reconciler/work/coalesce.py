"""Ten thousand messages about one pool are one wish: look at it after the last of them.

A run reads everything afresh, so a run that began after a message was written has done what the message asks. What
cannot be told (a message written within the margin of a run's start, a run under way elsewhere) asks for one
follow-up later, and one only: whoever finds a follow-up ahead of him has nothing to add.

The start of a run is told by the worker's clock, the insertion of a message by the store's; the margin covers what
lies between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.plan import Json

MARGIN = timedelta(seconds=5)
"""How far the two clocks may be apart, and the seconds to which a store rounds."""


class Decision(StrEnum):
    """What to do with a message."""

    RUN = "run"
    SUPERSEDED = "superseded"
    """Acknowledge: it is done, or a follow-up ahead will do it."""
    FOLLOW_UP = "follow-up"
    """Ask for one follow-up, then acknowledge."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of one pool's runs."""

    started: datetime | None = None
    """Start of the last run that came to an end."""
    succeeded: bool = False
    """Whether that run left nothing to do."""
    follow_up: datetime | None = None
    """When a follow-up becomes visible."""

    def to_json(self) -> dict[str, Json]:
        """The stored form."""
        return {
            "started": self.started.isoformat() if self.started else None,
            "succeeded": self.succeeded,
            "followUp": self.follow_up.isoformat() if self.follow_up else None,
        }

    def ended(self, started: datetime, *, succeeded: bool, follow_up: datetime | None) -> Record:
        """The record after a run; a follow-up that is further ahead stays."""
        ahead = [moment for moment in (self.follow_up, follow_up) if moment is not None]
        return Record(started, succeeded, max(ahead, default=None) if not succeeded else follow_up)

    def asked(self, follow_up: datetime) -> Record:
        """The record after a follow-up was put on the queue."""
        return replace(self, follow_up=follow_up)


def from_json(body: Json) -> Record:
    """The record of a stored form; an empty one where it cannot be read (it then costs a run, no more)."""
    if not isinstance(body, dict):
        return Record()
    return Record(_moment(body.get("started")), body.get("succeeded") is True, _moment(body.get("followUp")))


def decide(record: Record, inserted: datetime, now: datetime) -> Decision:
    """What a message that was inserted then asks for now."""
    follows = record.follow_up is not None and record.follow_up > now
    if record.started is None or inserted > record.started + MARGIN:
        return Decision.RUN
    if inserted + MARGIN < record.started:
        return Decision.SUPERSEDED if record.succeeded or follows else Decision.RUN
    return Decision.SUPERSEDED if follows else Decision.FOLLOW_UP


def _moment(value: Json) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None
