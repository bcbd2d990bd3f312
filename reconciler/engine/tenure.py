"""The lease while it is held: checked before every write, and renewed in the background while the run reads or waits.

Neither service takes a fencing token, so safety comes from absolute, repeatable writes; the lease makes doubles rare.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from threading import Event, Lock

from reconciler.engine.renewal import Wait, renewing
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
    """Seconds between two renewals, a third of the lease; a write renews first where the last one is older."""
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


def holder_now(name: str, clock: Clock) -> str:
    """How others name a worker that takes a lease now."""
    return f"{name} (since {clock.now():%H:%M:%S} UTC)"


class Tenure:
    """One run's hold on the lease. Safe to share between threads."""

    def __init__(
        self, lease: Lease, clock: Clock, limits: RunLimits, *, taken: float | None = None, wait: Wait = Event.wait
    ) -> None:
        """`taken`: by the clock's stopwatch, before the lease was requested; None: now."""
        self._lease = lease
        self._clock = clock
        self._limits = limits
        self._wait = wait
        self._began = clock.monotonic()
        self._renewed = self._began if taken is None else taken
        self._lost: LeaseHeld | None = None
        self._turn = Lock()

    def kept(self) -> AbstractContextManager[None]:
        """Renew the lease in the background, also while the run reads; the renewal ends before the block does."""
        return renewing(self._keep, self._limits.renew, name="lease", wait=self._wait)

    def check(self) -> None:
        """Call before every write. `LeaseHeld` where the lease was lost, or cannot be renewed.

        The store is requested where the last renewal is older than `renew`: the background may have been held up.
        """
        self._renew(self._limits.renew)

    def _keep(self) -> None:
        with suppress(LeaseHeld):  # the next check raises it, or tries again
            self._renew(self._limits.renew / 2)

    def _renew(self, age: float) -> None:
        """Renew what was renewed that long ago, and not since."""
        with self._turn:
            now = self._clock.monotonic()
            if self._lost is not None:
                raise self._lost.with_traceback(None)
            if now - self._renewed < age:
                return
            try:
                self._lease.renew()
            except LeaseHeld as error:
                self._lost = error
                raise
            except ReconcilerError as error:
                raise LeaseHeld(f"lease: could not be renewed ({error.reason}), so nothing more is written") from error
            self._renewed = now

    @property
    def exhausted(self) -> bool:
        """Whether the budget is used up: no further step begins."""
        return self._clock.monotonic() - self._began >= self._limits.budget
