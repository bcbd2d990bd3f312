"""Reads of one organization side by side, up to the deployment's bound.

How many of them are in flight is decided where they are sent, by what the organization responds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")


class Lanes:
    """Threads by organization, made when two reads can first go side by side, kept so that connections are too."""

    def __init__(self, parallel: int) -> None:
        self._parallel = parallel
        self._lock = Lock()
        self._executors: dict[str, ThreadPoolExecutor] = {}

    def each(self, organization: str, work: Callable[[T], object], items: Sequence[T]) -> None:
        """Do `work` for every item; the first exception is raised, what has not begun by then never begins."""
        if len(items) < 2 or self._parallel < 2:  # noqa: PLR2004 - two is where «side by side» begins
            for item in items:
                work(item)
            return
        # Telemetry of a read belongs to the span around this one, in whichever thread it is made.
        carried = [partial(copy_context().run, work, item) for item in items]
        for _ in self._executor(organization).map(_call, carried):
            pass

    def begin(self, organization: str, reads: Sequence[Callable[[str], object]]) -> None:
        """Begin these without waiting. A caller that needs a fact requests it again, and gets its error there."""
        if self._parallel < 2:  # noqa: PLR2004 - two is where «side by side» begins
            return
        for read in reads:
            self._executor(organization).submit(copy_context().run, read, organization)

    def _executor(self, organization: str) -> ThreadPoolExecutor:
        # Imported here: importing the triggers must not wait for it.
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - see above

        with self._lock:
            if organization not in self._executors:
                self._executors[organization] = ThreadPoolExecutor(self._parallel, thread_name_prefix=organization)
            return self._executors[organization]


def _call(work: Callable[[], object]) -> object:
    return work()
