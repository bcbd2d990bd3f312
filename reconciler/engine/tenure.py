"""The lease while it is held: checked before every write, renewed in time.

Neither service takes a fencing token, so safety comes from absolute, repeatable writes; the lease makes doubles rare.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import LeaseHeld, ReconcilerError
from reconciler.ports.clock import Clock
from reconciler.ports.stores import Lease


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Seconds and counts of one run."""

    budget: float = 240.0
    """Seconds after which no further step begins; the platform ends a run at 300."""
    lease: float = 60.0
    renew: float = 20.0
    """Age of the last renewal from which on the next write renews first."""
    passes: int = 5
    """Plan, apply, verify: so often at most in one run."""
    wait_once: float = 15.0
    """Seconds that Azure is given to create what it usually creates."""
    lag: float = 5.0
    """Seconds until a write that was not visible is read again."""
    writes: int = 3
    """Writes without effect after which that is an error."""
    arrival: float = 3600.0
    """Seconds for which something that is missing is waited for; afterwards it is overdue."""
    arrival_runs: int = 5
    """Runs that have to miss it before that: a reconciler that stood still for an hour has not waited."""
    operation: float = 7200.0
    """Seconds after which the state of a long operation is no longer read; the resource itself is read instead."""


class Tenure:
    """One run's hold on the lease."""

    def __init__(self, lease: Lease, clock: Clock, limits: RunLimits) -> None:
        self._lease = lease
        self._clock = clock
        self._limits = limits
        self._began = self._renewed = clock.monotonic()

    def check(self) -> None:
        """Call before every write. `LeaseHeld` where the lease was lost, or cannot be renewed."""
        now = self._clock.monotonic()
        if now - self._renewed < self._limits.renew:
            return
        try:
            self._lease.renew()
        except LeaseHeld:
            raise
        except ReconcilerError as error:
            raise LeaseHeld(f"lease: could not be renewed ({error.reason}), so nothing more is written") from error
        self._renewed = now

    @property
    def exhausted(self) -> bool:
        """Whether the budget is used up: no further step begins."""
        return self._clock.monotonic() - self._began >= self._limits.budget
