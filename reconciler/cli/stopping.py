"""Ctrl-C in two steps: the first lets the current step finish, the second ends the run at once.

Waiting is here too, because the first Ctrl-C has to end it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType


class StopRequest:
    """Whether Ctrl-C or SIGTERM has asked the run to end."""

    def __init__(
        self, say: Callable[[str], None], wait: Callable[[threading.Event, float], bool] = threading.Event.wait
    ) -> None:
        """`wait`: for the event or that many seconds."""
        self._requested = threading.Event()
        self._say = say
        self._sleep = wait

    def check(self) -> None:
        """Call between two steps. Raises `KeyboardInterrupt` where a stop was requested."""
        if self._requested.is_set():
            raise KeyboardInterrupt

    def wait(self, seconds: float) -> None:
        """Sleep. Raises `KeyboardInterrupt` as soon as a stop is requested."""
        self._sleep(self._requested, max(0.0, seconds))
        self.check()

    def request(self) -> None:
        """Request a stop; the second request ends the run here."""
        if self._requested.is_set():
            raise KeyboardInterrupt
        self._requested.set()
        self._say("stopping after this step; Ctrl-C again ends at once")


def say_at_once(line: str) -> None:
    """Write to standard error past all buffers: a signal may come within a print, and that cannot be entered twice."""
    with suppress(OSError):
        os.write(2, f"{line}\n".encode())


@contextmanager
def stop_on_signals(say: Callable[[str], None] = say_at_once) -> Iterator[StopRequest]:
    """While this context is open, Ctrl-C and SIGTERM request a stop."""
    stop = StopRequest(say)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.request()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
