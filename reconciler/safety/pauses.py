"""A pause: a pool, an organization, or a field of a pool is read and reported, and not written, until a moment.

Pauses stand in the document that holds the mode of the same scope, so all that is true of a mode is true of them: who
may set one, that it is found missing, and that one that cannot be read blocks writing in what it governs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from reconciler.documents import moment, moment_of, text_of

LONGEST = timedelta(days=90)
"""A forgotten pause holds back the repair of drift for so long at most."""
SHORTEST = timedelta(seconds=1)
_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_SHORT = re.compile(r"(?:[0-9]{1,7}[wdhms])+")
_ISO = re.compile(r"P(?:[0-9]{1,7}W)?(?:[0-9]{1,7}D)?(?:T(?:[0-9]{1,7}H)?(?:[0-9]{1,7}M)?(?:[0-9]{1,7}S)?)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PART = re.compile(r"([0-9]+)([wdhms])")

FORMS = "a moment with its offset (2026-12-05T18:00:00Z), a day (2026-12-05, to its end in UTC), or a time (4h, P3D)"


def end_of(text: str, now: datetime) -> datetime:
    """When a pause ends that is set now. `ValueError` says what is wrong with the text."""
    end = _end(text.strip(), now)
    if end is None:
        raise ValueError(f"is not {FORMS}")
    if end - now < SHORTEST:
        raise ValueError(f"is over already: it is {moment(now.replace(microsecond=0))} now")
    if end - now > LONGEST:
        raise ValueError(f"is more than {LONGEST.days} days ahead; a pause that is needed for longer is set again")
    return end.replace(microsecond=0)


def _end(text: str, now: datetime) -> datetime | None:
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
        if _SHORT.fullmatch(text) or (_ISO.fullmatch(text) and text[-1] not in "PT"):
            found = _PART.findall(text.lower())
            return now + timedelta(seconds=sum(int(count) * _UNITS[unit] for count, unit in found))
        end = datetime.fromisoformat(text)
        return end.astimezone(UTC) if end.utcoffset() is not None else None
    except (ValueError, OverflowError):
        return None


def stored(body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Field → its pause, of a document; the field is empty for the whole scope. `ValueError` where it holds no pauses.

    All of them are returned, also those that are over.
    """
    given = body.get("pauses", {})
    if not isinstance(given, Mapping):
        raise ValueError("holds no pauses that this release knows")  # noqa: TRY004 - about what is stored
    for one in given.values():
        if not isinstance(one, Mapping) or moment_of(one.get("until")) is None:
            raise ValueError("holds a pause without an end that can be read")
    return {str(name): dict(one) for name, one in given.items()}


def changed(body: Mapping[str, Any], fields: Mapping[str, dict[str, Any] | None], now: datetime) -> dict[str, Any]:
    """The document with these pauses set, or ended (None); those that are over are dropped."""
    try:
        known = stored(body)
    except ValueError:
        known = {}  # the owner says now what counts
    known |= {name: one for name, one in fields.items() if one is not None}
    kept = {
        name: one
        for name, one in known.items()
        if fields.get(name, one) is not None and (end := moment_of(one.get("until"))) is not None and end > now
    }
    return {**body, "pauses": kept}


def entry(until: datetime, *, reason: str, by: str, at: datetime) -> dict[str, Any]:
    """The stored form of one pause."""
    return {"until": moment(until), "reason": reason, "by": by, "at": moment(at.replace(microsecond=0))}


def said(one: Mapping[str, Any]) -> str:
    """Who set it, and when."""
    return f"set {text_of(one, 'at')} by {text_of(one, 'by')}"
