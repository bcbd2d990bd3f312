"""What the policy says of the deployment as a whole: caps, operators, windows, the place of the state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from reconciler.plan.targets import Risk


class CapKind(StrEnum):
    """What a cap counts."""

    REMOVALS = "removals"
    """Rights that an identity or a pipeline loses."""
    WIDENINGS = "widenings"
    RESTARTS = "restarts"
    DESTRUCTIONS = "destructions"


class CapScope(StrEnum):
    """Over what a cap counts."""

    POOL = "pool"
    ORGANIZATION = "organization"
    ALL = "all"


class CapPeriod(StrEnum):
    """For how long a cap counts."""

    RUN = "run"
    DAY = "day"
    """Any 24 hours."""


@dataclass(frozen=True, slots=True)
class Cap:
    """The most changes of one kind in one scope and period."""

    kind: CapKind
    scope: CapScope
    period: CapPeriod
    most: int
    line: int = field(default=0, compare=False)
    """Of the policy file; 0 where it does not come from a file."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One identity that this deployment runs as: an address, or the object id of an enterprise application."""

    principal: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class StatePlace:
    """Where the deployment keeps its state, as `RECONCILER_STATE` names it; never a connection string."""

    place: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Window:
    """When changes of some risks may be made: from each moment of a schedule on, for a time."""

    risks: tuple[Risk, ...]
    cron: str
    """Five fields: minute, hour, day of the month, month, day of the week."""
    zone: str
    """IANA name of the time zone in which the schedule is meant."""
    length: timedelta
    line: int = field(default=0, compare=False)

    def opened(self, now: datetime) -> datetime | None:
        """Since when the window is open; None where it is closed. `now` is aware."""
        last = self._turn(now, ahead=False)
        return last if now < last + self.length else None

    def opens_next(self, now: datetime) -> datetime:
        """The next moment of the schedule."""
        return self._turn(now, ahead=True)

    def _turn(self, now: datetime, *, ahead: bool) -> datetime:
        from croniter import croniter  # noqa: PLC0415 - few policies have windows

        local = now.astimezone(ZoneInfo(self.zone))
        # `get_prev` gives a moment before its start; the one that is now counts as the last one.
        start = local if ahead else local + timedelta(microseconds=1)
        times = croniter(self.cron, start)
        found: datetime = times.get_next(datetime) if ahead else times.get_prev(datetime)
        return found
