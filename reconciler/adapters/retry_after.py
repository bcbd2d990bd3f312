"""Reads how long a service asks us to wait."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SCALES = (("retry-after", 1.0), ("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001))
WAITS = frozenset(name for name, _ in _SCALES)
"""Names of the headers that are read, in lower case."""

LONGEST = 86_400.0
"""Seconds; a service that names more than a day is not believed."""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds from ``Retry-After`` (number or date) or Azure's millisecond forms; None where none can be read.

    A date counts from the response's own `Date`, so a wrong clock here does no harm, and from `now` without one. What
    lies in the past is 0, and more than a day is a day.
    """
    found = {name.lower(): value for name, value in headers.items()}
    for name, scale in _SCALES:
        seconds = _seconds(found[name], _moment(found.get("date", "")) or now) if name in found else None
        if seconds is not None:
            return min(max(seconds * scale, 0.0), LONGEST)
    return None


def _seconds(value: str, now: datetime) -> float | None:
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", value.strip(), re.ASCII):
        return float(value)
    until = _moment(value)
    return None if until is None else (until - now).total_seconds()


def _moment(value: str) -> datetime | None:
    """An HTTP date; one without a zone is in UTC (RFC 9110, section 5.6.7)."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
