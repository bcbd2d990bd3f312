"""The time of a scenario: the machine's clock, pushed ahead, as the planes' clock is."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from emulator import Running
from reconciler.documents import moment_of


class Almanac:
    """The machine's clock, pushed ahead: sleeping takes no time here, it only makes it later."""

    def __init__(self, ahead: float = 0.0) -> None:
        """`ahead`: seconds, as far as the planes' clock was pushed by earlier scenarios."""
        self._ahead = ahead
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Aware, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic() + self._ahead

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._ahead

    def skip(self, seconds: float) -> None:
        """Make it later."""
        with self._lock:
            self._ahead += seconds


def ahead_of(running: Running) -> float:
    """Seconds by which earlier scenarios pushed the planes' clock."""
    now = moment_of(running.do.now())
    assert now is not None
    return now.timestamp() - time.time()
