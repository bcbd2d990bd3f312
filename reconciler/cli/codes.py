"""Exit codes, in one place. Where several hold: stopped before error before out of sync before done."""

from __future__ import annotations

DONE = 0
"""In sync, applied and verified, or valid."""

ERROR = 1
"""An error: usage, settings, specs, a service, a refused apply, a failed read."""

PENDING = 2
"""Out of sync, or changes not yet applied."""

STOPPED = 130
"""Ended by Ctrl-C, between two steps."""


def worst(codes: list[int]) -> int:
    """The code that the process ends with."""
    return next((code for code in (STOPPED, ERROR, PENDING) if code in codes), DONE)
