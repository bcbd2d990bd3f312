"""The priority of a message's calls, by what caused it; chosen where a worker takes the message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import Protocol, TypeVar

from reconciler.ports import pacing
from reconciler.ports.pacing import Priority
from reconciler.service.queue.messages import WorkMessage

_PRIORITIES = {"sweep": Priority.SWEEP, "http": Priority.PERSON}
_LEFT = frozenset({"later", "busy", "apart"})


class _Reported(Protocol):
    @property
    def what(self) -> str:
        """Result for one key."""


_W = TypeVar("_W")
_R = TypeVar("_R", bound=_Reported)


def priority_of(trigger: str) -> Priority:
    """Full resyncs wait for events, and both for people."""
    return _PRIORITIES.get(trigger, Priority.EVENT)


def paced(
    handle: Callable[[_W, WorkMessage, datetime], tuple[_R, ...]],
) -> Callable[[_W, WorkMessage, datetime], tuple[_R, ...]]:
    """Handle a message as one piece of work of its priority; one that leaves keys for later is unfinished."""

    @wraps(handle)
    def within(worker: _W, work: WorkMessage, inserted: datetime) -> tuple[_R, ...]:
        with pacing.priority(priority_of(work.trigger)) as begun:
            reports = handle(worker, work, inserted)
            if _leaves(work.keys, reports):
                begun.unfinished()
            return reports

    return within


def _leaves(keys: Sequence[str], reports: Sequence[_Reported]) -> bool:
    return len(reports) < len(keys) or any(report.what in _LEFT for report in reports)
