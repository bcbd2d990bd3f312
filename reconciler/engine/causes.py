"""The table of conditions by cause: why a pool is not (or is) in sync, and what follows for its conditions.

docs/architecture.md shows `TABLE`, and a test compares the two. Nothing else in the program decides which status and
reason a condition has, or when a pool is read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.engine import status
from reconciler.engine.result import Outcome
from reconciler.engine.status import Finding, Truth
from reconciler.engine.tenure import RunLimits

SHOWN = 3
"""Occurrences that a condition's message spells out."""

ERROR = "error"
"""In the table: the reason is the class name of the error."""
MOVING = "Progressing"


class NextRead(StrEnum):
    """When the pool is read again without any further request."""

    RESYNC = "next event or resync"
    BACKOFF = "after the backoff, and not before the service's `Retry-After`"
    OPERATION = "after the operation's `Retry-After`"
    WAIT_ONCE = "after `wait_once` (15 s)"
    LAG = "after `lag` (5 s)"
    NOW = "at once"
    LEASE = "after 15 s"
    THIS_RUN = "in this run"
    ENDS = "at its end"
    OPENS = "when the window opens"


@dataclass(frozen=True, slots=True)
class Cause:
    """One row of the table."""

    text: str
    ready: Truth | None
    """None: nothing is stored, the conditions stay as they are."""
    reason: str
    """Of `Ready`, and of `Stalled` where that is true."""
    reconciling: str
    """Reason of `Reconciling`; empty where it is false."""
    stalled: bool
    outcome: Outcome
    """The result of the run, where this cause decides."""
    next_read: NextRead


_NO = ""


def _in_sync(text: str, outcome: Outcome) -> Cause:
    return Cause(text, Truth.TRUE, "InSync", _NO, False, outcome, NextRead.RESYNC)


def _left(text: str) -> Cause:
    return Cause(text, Truth.FALSE, "OutOfSync", _NO, False, Outcome.OUT_OF_SYNC, NextRead.RESYNC)


def _stalls(text: str, reason: str = ERROR, ready: Truth = Truth.FALSE) -> Cause:
    return Cause(text, ready, reason, _NO, True, Outcome.STALLED, NextRead.RESYNC)


def _retried(text: str, ready: Truth) -> Cause:
    return Cause(text, ready, ERROR, ERROR, False, Outcome.FAILED, NextRead.BACKOFF)


def _moves(text: str, next_read: NextRead) -> Cause:
    return Cause(text, Truth.FALSE, MOVING, MOVING, False, Outcome.PROGRESSING, next_read)


IN_SYNC = _in_sync("nothing differs, and everything was read", Outcome.IN_SYNC)
APPLIED = _in_sync("the same, after this run's writes", Outcome.APPLIED)

REPORTED = _left("a mode lets nothing be written: changes are planned or refused")
HELD = _left("the mode of an organization holds changes back")
HELD_BY_PAUSE = replace(_left("a pause of an organization or a field holds changes back"), next_read=NextRead.ENDS)
OUTSIDE_WINDOW = replace(
    _left("changes wait for a window of the policy"), reason=status.OUTSIDE_WINDOW, next_read=NextRead.OPENS
)
AWAITING = _left("mode `approved`: the spec in Git is not approved, and the approved one is applied")
UNAPPROVED = _left("changes are left that the approved plan does not hold")

REFUSED = _stalls("a guard or the policy refuses a change", "Refused")
WRITE_REJECTED = _stalls("a write was rejected, and waiting does not help")
READ_REJECTED = _stalls("a read was rejected, and waiting does not help", ready=Truth.UNKNOWN)
DEGRADED = _stalls("something was read that an administrator has to correct", "Degraded")
MOVED = _stalls("the pool is in another resource group or subscription than the spec says", "Moved")
OVERDUE = _stalls("something does not exist, for longer than `arrival` and `arrival_runs` allow", "Overdue")
REPLACING = _stalls("the pool was deleted to be replaced, and is not created again", "Replacing")
INVALID = _stalls("a facet cannot read the spec")

WRITE_FAILED = _retried("a write failed and may succeed later, or had no effect three times", Truth.FALSE)
SAFETY_DAMAGED = _stalls("the safety facts about the pool are missing or cannot be read", ready=Truth.UNKNOWN)
SAFETY_UNREAD = _retried("the safety facts about the pool cannot be read for now", Truth.UNKNOWN)
READ_FAILED = _retried("a read failed and may succeed later", Truth.UNKNOWN)
OPERATION_UNREAD = _retried("the state of a long operation cannot be read", Truth.UNKNOWN)

OPERATION = _moves("a long operation is in flight", NextRead.OPERATION)
LEFT_TO_AZURE = _moves("a change is left to Azure once", NextRead.WAIT_ONCE)
BUDGET_USED = _moves("the run's budget is used up", NextRead.NOW)
NOT_VISIBLE = _moves("a write is not visible yet", NextRead.LAG)
LEFT_OVER = _moves("changes are left for the next run", NextRead.LAG)
MISSING = _moves("something does not exist yet", NextRead.BACKOFF)
MISSING_REPORTED = replace(
    MISSING,
    text="a mode lets nothing be written: something does not exist yet",
    reconciling=_NO,
    next_read=NextRead.RESYNC,
)

INTERRUPTED = Cause(
    "a run ended before it read back what it wrote", Truth.FALSE, "Interrupted", _NO, False, Outcome.FAILED,
    NextRead.RESYNC,
)  # fmt: skip
BEGUN = Cause("a run is writing", Truth.FALSE, "OutOfSync", MOVING, False, Outcome.PROGRESSING, NextRead.THIS_RUN)
PAUSED = Cause(
    "a pause of the pool lets nothing be written: changes are planned or refused",
    Truth.FALSE, "Suspended", _NO, False, Outcome.SUSPENDED, NextRead.ENDS,
)  # fmt: skip
DEAD_LETTER = Cause("a request is a dead letter", Truth.UNKNOWN, "Stalled", _NO, True, Outcome.STALLED, NextRead.RESYNC)
NOT_IN_SPECS = Cause(
    "no spec names the pool any more", Truth.UNKNOWN, "NotInSpecs", _NO, False, Outcome.OUT_OF_SYNC, NextRead.RESYNC
)
SPEC_BROKEN = Cause(
    "the file of the pool's spec has errors, or another file names the pool too",
    Truth.UNKNOWN, "SpecInvalid", _NO, True, Outcome.STALLED, NextRead.RESYNC,
)  # fmt: skip
LEASE_HELD = Cause("another worker holds the lease", None, _NO, _NO, False, Outcome.FAILED, NextRead.LEASE)

TABLE: tuple[Cause, ...] = (
    IN_SYNC, APPLIED, REPORTED, PAUSED, REFUSED, WRITE_REJECTED, READ_REJECTED, DEGRADED, MOVED, OVERDUE, REPLACING,
    INVALID,
    SAFETY_DAMAGED, WRITE_FAILED, READ_FAILED, SAFETY_UNREAD, OPERATION_UNREAD, OPERATION, LEFT_TO_AZURE, BUDGET_USED,
    NOT_VISIBLE, LEFT_OVER, MISSING, MISSING_REPORTED, HELD, HELD_BY_PAUSE, OUTSIDE_WINDOW, AWAITING, UNAPPROVED,
    BEGUN, INTERRUPTED,
    DEAD_LETTER, NOT_IN_SPECS, SPEC_BROKEN, LEASE_HELD,
)  # fmt: skip
"""Every cause, in the order of the documentation."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A cause that was met, with what it says of this pool."""

    cause: Cause
    message: str
    error: str = ""
    """Class name of the error, where the table takes the reason from it."""
    retry_after: float = 0.0
    """Seconds before which the service allows no further call."""

    @property
    def reason(self) -> str:
        """The reason of a condition."""
        return self.error if self.cause.reason == ERROR else self.cause.reason

    def seconds(self, limits: RunLimits) -> float | None:
        """Until the next read; None where there is none, or where a backoff decides."""
        known = {NextRead.OPERATION: self.retry_after, NextRead.WAIT_ONCE: limits.wait_once,
                 NextRead.LAG: limits.lag, NextRead.NOW: 0.0}  # fmt: skip
        return known.get(self.cause.next_read)


def finding(
    lead: Sequence[Occurrence],
    others: Sequence[Occurrence] = (),
    beside: Sequence[Occurrence] = (),
    *,
    differs: bool = False,
) -> Finding:
    """The conditions that follow: `Ready` by the first occurrence and its like, the others by all.

    `beside`: what `Ready` tells as well, behind what it is about.
    `differs`: whether changes are planned; then *unknown* is known to be false.
    """
    first, everything = lead[0], [*lead, *others]
    stalled = [one for one in everything if one.cause.stalled]
    # What goes on by itself comes before what is tried again.
    moving = sorted(
        (one for one in everything if one.cause.reconciling), key=lambda one: one.cause.next_read is NextRead.BACKOFF
    )
    ready = first.cause.ready or Truth.UNKNOWN
    return Finding(
        ready=Truth.FALSE if ready is Truth.UNKNOWN and differs else ready,
        reason=first.reason,
        message="; ".join([some([one.message for one in lead]), *(one.message for one in beside[:SHOWN])]),
        in_motion=_reconciling(moving[0]) if moving else "",
        stalled=stalled[0].reason if stalled else "",
        stalled_message=some([one.message for one in stalled]),
    )


def _reconciling(one: Occurrence) -> str:
    return one.error if one.cause.reconciling == ERROR else one.cause.reconciling


def some(texts: Sequence[str]) -> str:
    """The first texts, and how many more there are."""
    more = len(texts) - SHOWN
    return "; ".join(texts[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
