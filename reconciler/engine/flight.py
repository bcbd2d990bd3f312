"""Long operations: asked about, never waited for.

The operation's answer decides nothing but whether to look now: what became of it is read from the resource itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.engine.tenure import Limits
from reconciler.errors import ReconcilerError, Rejected, Terminal, Transient
from reconciler.ports import ArmReader
from reconciler.status import InFlight


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of an operation now."""

    over: bool
    retry_after: float = 0.0
    error: ReconcilerError | None = None
    """Over: it failed. Not over: it could not be asked about."""


def ask(arm: ArmReader, flying: InFlight, now: datetime, limits: Limits) -> Answer:
    """Ask once. An operation that is forgotten, or far too old, is over: the resource tells the rest."""
    if now - flying.since > timedelta(seconds=limits.operation):
        return Answer(over=True)
    try:
        operation = arm.operation(flying.url)
    except Terminal:
        return Answer(over=True)  # gone, or its signed URL is no longer valid
    except Transient as error:
        return Answer(over=False, retry_after=error.retry_after or flying.retry_after, error=error)
    if operation.state == "running":
        return Answer(over=False, retry_after=operation.retry_after or flying.retry_after)
    if operation.state in ("succeeded", "gone"):
        return Answer(over=True)  # gone: kept no longer, only the resource still tells how it ended
    said = ": ".join(part for part in (operation.code, operation.message) if part)
    return Answer(over=True, error=Rejected(f"{flying.description}: {said or 'failed, and no reason was given'}"))
