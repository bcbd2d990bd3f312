"""The result of one run of one pool."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.engine.status import PoolStatus
from reconciler.errors import ReconcilerError
from reconciler.plan.model import Change, Plan
from reconciler.ports.azure import Pending


class Outcome(StrEnum):
    """One word for a run."""

    IN_SYNC = "in-sync"
    """Verified: nothing to do, and nothing that could not be read."""
    APPLIED = "applied"
    """Written, and verified to be in sync afterwards."""
    PROGRESSING = "progressing"
    """In motion: an operation, a wait for Azure, a write that is not visible yet, the end of the budget."""
    OUT_OF_SYNC = "out-of-sync"
    """Changes are left that no run will make: report mode, or not in the approved plan."""
    FAILED = "failed"
    """Transient: it is tried again."""
    STALLED = "stalled"
    """An administrator has to act."""
    SUSPENDED = "suspended"
    """Differences are held back by a pause of the pool."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of a run."""

    change: Change | None
    """None where it was no single change: an operation of an earlier run, an approved plan, the lease."""
    error: ReconcilerError


@dataclass(frozen=True, slots=True)
class Result:
    """A run that ended."""

    pool: str
    revision: str
    outcome: Outcome
    plan: Plan | None
    """What is left; None where nothing was planned (an operation in flight, no lease, an invalid spec)."""
    planned: Plan | None
    """With what the run began."""
    written: tuple[Change, ...]
    """Sent and confirmed by the service, in order: verified or not."""
    verified: tuple[Change, ...]
    """Written, and read back as written, in order."""
    failures: tuple[Failure, ...]
    pending: Pending | None
    """The operation that is in flight."""
    next_look: float | None
    """Seconds until the pool is to be read again; None: at the next event or resync."""
    status: PoolStatus
    """As stored."""
    due: datetime | None = None
    """When a pause ends or a window opens that holds changes back; the pool is read then at the latest."""

    @property
    def not_applied(self) -> tuple[str, ...]:
        """The modes, pauses and windows that hold back what is left: ``not applied: mode report (RECONCILER_MODE)``."""
        return self.plan.not_applied if self.plan is not None else ()
