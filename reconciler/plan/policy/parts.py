"""What the policy says of the deployment as a whole: caps, operators, windows, the place of the state."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.plan.policy import schedule
from reconciler.plan.targets import Risk

_OPENINGS = 100
"""How many openings are looked at for one at which all windows of a change are open."""


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
        last = schedule.last(self.cron, self.zone, now)
        return last if now < last + self.length else None

    def opens_next(self, now: datetime) -> datetime:
        """The next moment of the schedule."""
        return schedule.following(self.cron, self.zone, now)

    def __str__(self) -> str:
        """For people: ``window 0 22 * * 6 Europe/Berlin (policy:7)``."""
        return f"window {self.cron} {self.zone}{f' (policy:{self.line})' if self.line else ''}"


@dataclass(frozen=True, slots=True)
class ShutWindows:
    """Why changes of some risks are not made now."""

    until: datetime | None
    """When their windows are open next; None: not within the next openings that were looked at."""
    windows: tuple[Window, ...]
    """Those that they wait for."""


def closed(windows: Sequence[Window], risks: Collection[Risk], now: datetime) -> ShutWindows | None:
    """What holds back a change with these risks; None: nothing does.

    Of several windows for one risk any may be open. A change with several risks that windows name needs one for each.
    """
    named = [group for risk in Risk if risk in risks and (group := [one for one in windows if risk in one.risks])]
    first = _shut(named, now)
    if not first:
        return None
    moment, shut = now, first
    for _ in range(_OPENINGS):
        moment = max(min(one.opens_next(moment) for one in group) for group in shut)
        shut = _shut(named, moment)
        if not shut:
            return ShutWindows(moment, _each(first))
    return ShutWindows(None, _each(first))


def _shut(groups: Sequence[Sequence[Window]], now: datetime) -> list[Sequence[Window]]:
    return [group for group in groups if all(one.opened(now) is None for one in group)]


def _each(groups: Sequence[Sequence[Window]]) -> tuple[Window, ...]:
    return tuple(dict.fromkeys(one for group in groups for one in group))
