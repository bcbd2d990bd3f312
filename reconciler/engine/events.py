"""The events of a run, for progress bars and log lines; nothing decides on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from reconciler.errors import ReconcilerError
from reconciler.plan.model import Change, Plan


@dataclass(frozen=True, slots=True)
class PassStarted:
    """Some changes can be made now; a pass of writes begins."""

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
    """The service confirmed the write; it is verified afterwards."""

    pool: str
    index: int
    total: int
    change: Change
    pending: bool
    """Whether the service goes on with a long operation."""
    entry: str = ""
    """Id of its entry in the record of writes; begins with the id of the run."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The service rejected the write, or did not respond."""

    pool: str
    change: Change
    error: ReconcilerError
    entry: str = ""
    """As of `Applied`; empty where it could not be recorded."""
    sent: bool = True
    """Whether it was sent at all."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Azure usually makes this change; the next run makes it if it is still missing."""

    pool: str
    change: Change


@dataclass(frozen=True, slots=True)
class Verifying:
    """What was written is read again."""

    pool: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """These were read back as written; what was written and is missing here was not."""

    pool: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A field is corrected no more, since another owner makes the opposite again and again."""

    pool: str
    text: str
    """Which one, and both owners."""


Event: TypeAlias = PassStarted | Applying | Applied | Failed | Waiting | Verifying | Verified | Quarantined


def ignore(event: Event) -> None:
    """A listener that does nothing."""
