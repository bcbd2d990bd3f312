"""Whether many messages ask for one pool: counted by whoever handles them, in memory, for as long as a pace lasts.

It decides nothing but how soon a wish is met. What a process forgets, or never saw because others handled it, costs a
run more and loses nothing. The length of a queue would not tell: where events become messages one by one, the queue of
messages is short all the time.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime

from reconciler.service.queue.coalesce import CROWD, PACE


class Crowd:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, deque[datetime]] = {}

    def joined(self, key: str, now: datetime) -> bool:
        """One more message for a pool; whether there were more than `CROWD` within the last `PACE`."""
        with self._lock:
            seen = self._seen.setdefault(key, deque(maxlen=CROWD + 1))
            seen.append(now)
            return len(seen) > CROWD and now - seen[0] < PACE
