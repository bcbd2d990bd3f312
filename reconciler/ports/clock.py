"""Time; the core reads it nowhere else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

MARGIN = timedelta(seconds=5)
"""Largest difference of two clocks, including the stores' rounding to seconds."""


class Clock(Protocol):
    """Wall clock and stopwatch."""

    def now(self) -> datetime:
        """Aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds, for durations."""
