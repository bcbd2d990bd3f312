"""What a run of one pool comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.engine.status import PoolStatus
from reconciler.errors import ReconcilerError
from reconciler.plan.model import Change, Plan
from reconciler.ports.azure import Pending


class Outcome(StrEnum):
    """One word for a run."""

    IN_SYNC = "in-sync"
    """Seen: nothing to do, and nothing that could not be seen."""
    APPLIED = "applied"
    """Written, and seen to be in sync afterwards."""
    PROGRESSING = "progressing"
    """In motion: an operation, a wait for the service, a write that is not visible yet, the end of the budget."""
    DRIFTED = "drifted"
    """Changes are left that nobody will make: report mode, or not in the approved plan."""
    FAILED = "failed"
    """Trouble that time may heal."""
    STALLED = "stalled"
    """Trouble that somebody has to act on."""
    SUSPENDED = "suspended"
    """Paused by the spec."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that went wrong while applying."""

    change: Change | None
    """None where it was no single change: an operation of an earlier run, an approved plan, the lease."""
    error: ReconcilerError


@dataclass(frozen=True, slots=True)
class Result:
    """A run that came to its end."""

    pool: str
    revision: str
    outcome: Outcome
    plan: Plan | None
    """What is left; None where nothing was planned (paused, an operation in flight, no lease, an invalid spec)."""
    planned: Plan | None
    """With what the run began."""
    applied: tuple[Change, ...]
    """Written and seen, in order."""
    failures: tuple[Failure, ...]
    pending: Pending | None
    """The operation that is in flight."""
    next_look: float | None
    """Seconds until somebody should look again by himself; None: the next event or sweep."""
    status: PoolStatus
    """As stored."""
