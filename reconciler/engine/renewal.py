"""Renews something in the background for as long as a block runs, and never after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event, Thread

Wait = Callable[[Event, float], bool]
"""Waits for an event or that many seconds, and returns whether the event is set."""


@contextmanager
def renewing(renew: Callable[[], None], seconds: float, *, name: str, wait: Wait = Event.wait) -> Iterator[None]:
    """Call `renew`, which raises nothing, in this rhythm; a call under way ends before this returns.

    `name`: of the thread. It carries the telemetry of its block.
    """
    over = Event()

    def keep() -> None:
        while not wait(over, seconds):
            renew()

    thread = Thread(target=copy_context().run, args=(keep,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
