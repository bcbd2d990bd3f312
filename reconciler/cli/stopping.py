"""Ctrl-C, in two steps: the first lets the step that is under way end, the second ends at once.

Waiting is here too, because it has to end with the first Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType


class Stop:
    """Whether somebody wants it to end."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._asked = threading.Event()
        self._tell = tell

    def check(self) -> None:
        """Call at the boundary of a step; `KeyboardInterrupt` where somebody asked."""
        if self._asked.is_set():
            raise KeyboardInterrupt

    def wait(self, seconds: float) -> None:
        """Sleep, or raise `KeyboardInterrupt` as soon as somebody asks."""
        self._asked.wait(max(0.0, seconds))
        self.check()

    def ask(self) -> None:
        """Somebody wants it to end; asked twice, it ends here."""
        if self._asked.is_set():
            raise KeyboardInterrupt
        self._asked.set()
        self._tell("stopping after this step; Ctrl-C again ends at once")


def say_at_once(line: str) -> None:
    """Write to standard error past all buffers: a signal may come within a print, and that cannot be entered twice."""
    with suppress(OSError):
        os.write(2, f"{line}\n".encode())


@contextmanager
def stopping(tell: Callable[[str], None] = say_at_once) -> Iterator[Stop]:
    """For as long as it lasts, Ctrl-C and SIGTERM ask the given run to end."""
    stop = Stop(tell)

    def asked(_number: int, _frame: FrameType | None) -> None:
        stop.ask()

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
