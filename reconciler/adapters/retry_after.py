"""Reads how long a service asks us to wait."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

LONGEST = 86_400.0
"""Seconds; a service that names more than a day is not believed."""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds from ``Retry-After`` (number or date) or Azure's millisecond forms; None where there is none to read."""
    found = {name.lower(): value for name, value in headers.items()}
    for name, scale in (("retry-after", 1.0), ("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001)):
        seconds = _seconds(found[name], now) if name in found else None
        if seconds is not None:
            return min(max(seconds * scale, 0.0), LONGEST)
    return None


def _seconds(value: str, now: datetime) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return _until(value, now)
    return number if math.isfinite(number) else None


def _until(value: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return (moment.replace(tzinfo=moment.tzinfo or now.tzinfo) - now).total_seconds()
