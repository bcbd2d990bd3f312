"""Earlier responses by idempotency key and webhook delivery, the newest few hundred of them.

One small document with an ETag, so several workers may write at once and nothing has to be cleaned up.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from reconciler.documents import Json, moment, moment_of
from reconciler.errors import LeaseHeld
from reconciler.ports.clock import Clock
from reconciler.ports.stores import StateStore

KEEP = 500
FOR = timedelta(days=1)
_TRIES = 5


class RememberedDeliveries:
    """A bounded store of responses by id, in one state document."""

    def __init__(self, state: StateStore, clock: Clock, name: str) -> None:
        self._state = state
        self._clock = clock
        self._name = name

    def find(self, key: str) -> Json:
        """The value that was stored under this id within the last day, or None."""
        return _entries(self._state.load(self._name), self._clock.now()).get(_digest(key), {}).get("value")

    def keep(self, key: str, value: Json) -> None:
        """Store a JSON value that is not None; the oldest are removed."""
        for attempt in range(1, _TRIES + 1):
            document = self._state.load(self._name)
            entries = _entries(document, self._clock.now())
            entries[_digest(key)] = {"at": moment(self._clock.now()), "value": value}
            newest = dict(sorted(entries.items(), key=lambda item: item[1]["at"])[-KEEP:])
            try:
                self._state.save(self._name, newest, document.etag if document else None)
            except LeaseHeld:
                if attempt == _TRIES:
                    raise
            else:
                return


def _entries(document: Json, now: datetime) -> dict[str, dict[str, Json]]:
    body = document.body if document is not None and isinstance(document.body, dict) else {}
    return {
        key: entry
        for key, entry in body.items()
        if isinstance(entry, dict) and (at := moment_of(entry.get("at"))) is not None and at >= now - FOR
    }


def _digest(key: str) -> str:
    """Ids come from outside and may contain anything; a digest reveals nothing."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]
