"""How long to wait before a failing pool is read again: full jitter, doubling, capped.

``delay = chance * min(cap, 15 s * 2 ** n)``, `chance` from 0 to 1 given by the caller. The count starts over with
another class of error, with a new revision of the spec, and after success: what changed is read again soon.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

BASE = 15.0
"""Seconds; the most that the first wait takes."""
CAP = 1800.0
"""Seconds; the most that any wait takes."""


def delay(attempts: int, chance: float) -> float:
    """Seconds to wait after so many attempts (from 1) that failed alike."""
    doublings = min(max(attempts - 1, 0), 16)  # far above the cap, and no number too large for a float
    return chance * min(CAP, BASE * 2.0**doublings)


def chance(key: str, attempts: int) -> float:
    """A share from 0 to 1 that spreads pools and attempts evenly, the same in every process.

    Jitter has to keep many pools apart, not to be unpredictable: a hash does that, and can be tested.
    """
    digest = hashlib.sha256(f"{key}#{attempts}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


@dataclass(frozen=True, slots=True)
class Backoff:
    """Failures in a row that were alike."""

    attempts: int = 0
    error: str = ""
    """Class name of the error."""
    revision: str = ""
    """Commit of the spec with which it failed."""

    def after(self, error: str, revision: str) -> Backoff:
        """With one more failure."""
        alike = (error, revision) == (self.error, self.revision)
        return Backoff(self.attempts + 1 if alike else 1, error, revision)
