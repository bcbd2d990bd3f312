"""When a schedule of five fields has its turns, in a time zone whose clocks move.

A schedule means local times. A time that the clocks skip counts as the moment at which they move forward; of a time
that comes twice the first one counts. So every turn of the schedule is one moment, and later ones are never earlier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

FIELDS = 5
_MOVES = timedelta(hours=3)
"""More than clocks are ever moved at once, but for a change of the date line."""
_ANY_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - a local time
_RANDOM = re.compile(r"[rh]\s*(?:\(|/|,|\s|$)", re.IGNORECASE)
"""croniter's own words for a moment that it draws; another process would draw another one."""


def wrong(text: str) -> str:
    """Why a text is no schedule; empty where it is one that has a turn."""
    from croniter import CroniterError, croniter  # noqa: PLC0415 - few policies have windows

    fields = text.split()
    if len(fields) != FIELDS or any(map(_RANDOM.match, fields)) or not croniter.is_valid(text):
        return "is no schedule of five fields: minute, hour, day of the month, month, day of the week"
    try:
        croniter(text, _ANY_DAY).get_next()
    except CroniterError:
        return "is a schedule without any turn: no year has such a day"
    return ""


@lru_cache(maxsize=1024)
def last(cron: str, zone: str, now: datetime) -> datetime:
    """The last turn that is not after `now`; in UTC."""
    local = _local(now, zone) + _MOVES
    found = (_moment(one, zone) for one in _turns(cron, local, ahead=False))
    return next(one for one in found if one <= now)


@lru_cache(maxsize=1024)
def following(cron: str, zone: str, now: datetime) -> datetime:
    """The first turn after `now`; in UTC."""
    local = _local(now, zone) - _MOVES
    found = (_moment(one, zone) for one in _turns(cron, local, ahead=True))
    return next(one for one in found if one > now)


def _turns(cron: str, start: datetime, *, ahead: bool) -> Iterator[datetime]:
    from croniter import croniter  # noqa: PLC0415 - few policies have windows

    times = croniter(cron, start)
    while True:
        yield times.get_next(datetime) if ahead else times.get_prev(datetime)


def _local(now: datetime, zone: str) -> datetime:
    return now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@lru_cache(maxsize=1024)
def _moment(local: datetime, zone: str) -> datetime:
    """The moment of a local time."""
    known = ZoneInfo(zone)
    moment = local.replace(tzinfo=known, fold=0).astimezone(UTC)
    if moment.astimezone(known).replace(tzinfo=None) == local:
        return moment
    # No clock shows this time. Read by the offset of afterwards it is before the move, by that of before after it.
    before, after = local.replace(tzinfo=known, fold=1).astimezone(UTC), moment
    shift = after.astimezone(known).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(known).utcoffset() == shift:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)
