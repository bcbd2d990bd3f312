"""Detects bursts: many messages for one pool within a short time, counted in the memory of each process.

A burst only delays runs. A message that another process handled, or that was counted before a restart, costs one more
run and loses nothing. The length of the queue is no measure: where events become messages one by one, it stays short.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime

from reconciler.service.queue.coalesce import BURST, PACE


class Burst:
    """Counts messages by pool. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, deque[datetime]] = {}
        self._silent: dict[str, int] = {}

    def joined(self, key: str, now: datetime) -> bool:
        """Count one message for a pool; returns whether there were more than `BURST` within the last `PACE`."""
        with self._lock:
            seen = self._seen.setdefault(key, deque(maxlen=BURST + 1))
            seen.append(now)
            return len(seen) > BURST and now - seen[0] < PACE

    def unsaid(self, key: str, *, silent: bool) -> int:
        """How many messages for a pool got no line in the log since its last line; `silent`: nor gets this one."""
        with self._lock:
            if not silent:
                return self._silent.pop(key, 0)
            self._silent[key] = self._silent.get(key, 0) + 1
            return 0
