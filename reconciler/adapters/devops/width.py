"""How many calls may be in flight for an organization: up by one a round, down by half where the service slows.

Additive increase, multiplicative decrease, as in RFC 5681: it finds what the service bears, and stays below it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

START = 4.0
LEAST = 1.0
DELAYED = 5.0
"""Seconds; a response that took longer was delayed, whatever its headers say."""


@dataclass(frozen=True, slots=True)
class Width:
    """Calls in flight."""

    value: float = START
    cut: float = float("-inf")
    """When it was last halved, by the stopwatch."""

    def at_most(self, upper: int) -> int:
        """Whole calls, within the deployment's bound."""
        return min(upper, int(self.value))

    def answered(self, in_flight: int, upper: int) -> Width:
        """After a response in time. It grows only where it was the limit."""
        if in_flight < self.at_most(upper) or self.value >= upper:
            return self
        return replace(self, value=min(float(upper), self.value + 1.0 / self.value))

    def slowed(self, began: float, now: float, upper: int) -> Width:
        """After a response that requests fewer calls; calls that began before the last cut say nothing new."""
        if began <= self.cut:
            return self
        return Width(max(LEAST, min(self.value, upper) / 2), now)
