"""Exit codes, in one place. Where several hold, an error hides changes that are left, and these hide success."""

from __future__ import annotations

DONE = 0
"""In sync, applied and verified, or valid."""

ERROR = 1
"""Something is wrong: usage, settings, specs, a service, a refused apply, a failed read."""

PENDING = 2
"""Out of sync, or changes that are still to come."""

STOPPED = 130
"""Ended by Ctrl-C, at the boundary of a step."""


def worst(codes: list[int]) -> int:
    """The one that a caller has to know of."""
    return next((code for code in (STOPPED, ERROR, PENDING) if code in codes), DONE)
