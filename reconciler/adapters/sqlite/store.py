"""The embedded default: state, leases and work in one SQLite file, for one machine and no cloud."""

from __future__ import annotations

from pathlib import Path

from reconciler.adapters.boundary import port
from reconciler.adapters.clock import SystemClock
from reconciler.adapters.sqlite.file import BUSY_SECONDS, LocalFile
from reconciler.adapters.sqlite.queue import LocalQueue
from reconciler.adapters.sqlite.record import LocalWriteLog
from reconciler.adapters.sqlite.state import LocalLeases, LocalState
from reconciler.adapters.store_limits import ATTEMPTS, POISON
from reconciler.ports.clock import Clock
from reconciler.ports.stores import MessageQueues


@port("local file", MessageQueues)
class Local:
    """The stores over one file, which is made when it is first needed. Safe to share between threads."""

    def __init__(
        self,
        path: str | Path,
        clock: Clock | None = None,
        *,
        queue: str = "work",
        attempts: int = ATTEMPTS,
        busy: float = BUSY_SECONDS,
    ) -> None:
        self._file = LocalFile(path, busy=busy)
        self._clock = clock or SystemClock()
        self._attempts = attempts
        self.leases = LocalLeases(self._file, self._clock)
        self.state = LocalState(self._file, self.leases, self._clock)
        self.safety = LocalState(self._file, None, self._clock, "safety")
        self.record = LocalWriteLog(self._file)
        self.queue = self.named(queue)
        self.poison = LocalQueue(self._file, self._clock, queue + POISON, None)

    def named(self, queue: str) -> LocalQueue:
        """Another work queue in the same file; its dead letters are in ``<queue>-poison``."""
        return LocalQueue(self._file, self._clock, queue, self._attempts)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()
