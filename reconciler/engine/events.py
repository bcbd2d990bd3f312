"""What a listener is told while a run goes on: for progress bars and log lines, never for decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from reconciler.errors import ReconcilerError
from reconciler.plan.model import Change, Plan


@dataclass(frozen=True, slots=True)
class PassStarted:
    """Some changes can be made now."""

    pool: str
    number: int
    """From 1."""
    plan: Plan
    total: int
    """Changes of this pass."""


@dataclass(frozen=True, slots=True)
class Applying:
    """A write goes out next."""

    pool: str
    index: int
    """From 1."""
    total: int
    change: Change


@dataclass(frozen=True, slots=True)
class Applied:
    """The service said yes; whether it is so is proven afterwards."""

    pool: str
    index: int
    total: int
    change: Change
    pending: bool
    """The service goes on by itself."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The service said no, or nothing."""

    pool: str
    change: Change
    error: ReconcilerError


@dataclass(frozen=True, slots=True)
class Waiting:
    """The service may still do this by itself; the next run does it."""

    pool: str
    change: Change


@dataclass(frozen=True, slots=True)
class Proving:
    """What was written is read again."""

    pool: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Proved:
    """These were seen to be as written; what was written and is missing here was not."""

    pool: str
    changes: tuple[Change, ...]


Event: TypeAlias = PassStarted | Applying | Applied | Failed | Waiting | Proving | Proved


def ignore(event: Event) -> None:
    """The listener that nobody listens to."""
