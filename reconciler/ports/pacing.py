"""Whose work is going on: the priority of the calls that a piece of work makes, chosen once where the work enters.

::

    with pacing.priority(Priority.SWEEP) as work:
        ...
        work.unfinished()  # where a later message goes on with it

Threads that are started with a copy of the context belong to the same work. Work outside of any such block has the
highest priority: a command, or a request that a caller waits for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from threading import Lock


class Priority(IntEnum):
    """A higher one goes first, and may use more of an organization's rate budget."""

    SWEEP = 1
    """The periodic full resync."""
    EVENT = 2
    """Events, commits, audit entries, follow-ups, and repairs that a full resync found necessary."""
    PERSON = 3
    """Requests of people, and commands."""


class Work:
    """One piece of work: the calls it made, by organization. Safe to share between threads."""

    def __init__(self, priority: Priority) -> None:
        self.priority = priority
        self._lock = Lock()
        self._calls: Counter[str] = Counter()
        self._cut: set[str] = set()
        self._rest = False
        self._ends: dict[Hashable, Callable[[Work], None]] = {}

    def called(self, organization: str) -> None:
        """Count a call to an organization."""
        with self._lock:
            self._calls[organization.lower()] += 1

    def calls(self, organization: str) -> int:
        """Calls to an organization so far."""
        with self._lock:
            return self._calls[organization.lower()]

    def cut(self, organization: str) -> None:
        """A call to this organization was refused: the work there is left to a later message."""
        with self._lock:
            self._cut.add(organization.lower())

    def unfinished(self) -> None:
        """A later message goes on with this work, in every organization."""
        with self._lock:
            self._rest = True

    def complete(self, organization: str) -> bool:
        """Whether nothing is left to a later message there, as far as is known."""
        with self._lock:
            return not self._rest and organization.lower() not in self._cut

    def at_end(self, key: Hashable, act: Callable[[Work], None]) -> None:
        """Call `act` when this work ends; once for each key."""
        with self._lock:
            self._ends.setdefault(key, act)

    def end(self) -> None:
        """Call what `at_end` was given."""
        with self._lock:
            ends, self._ends = tuple(self._ends.values()), {}
        for act in ends:
            act(self)


_CURRENT: ContextVar[tuple[Priority, Work | None]] = ContextVar("reconciler-work", default=(Priority.PERSON, None))


@contextmanager
def priority(level: Priority) -> Iterator[Work]:
    """Begin a piece of work: calls of this block, and of threads started with its context, have this priority."""
    work = Work(level)
    token = _CURRENT.set((level, work))
    try:
        yield work
    except BaseException:
        work.unfinished()
        raise
    finally:
        _CURRENT.reset(token)
        work.end()


@contextmanager
def at_least(level: Priority) -> Iterator[None]:
    """A part of the current work that is more urgent than the rest of it."""
    before, work = _CURRENT.get()
    token = _CURRENT.set((max(before, level), work))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current() -> tuple[Priority, Work | None]:
    """The priority of a call now, and the work that it belongs to, if any."""
    return _CURRENT.get()
