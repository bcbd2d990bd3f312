"""Notices that wait to be sent: one document, to which every worker adds, and a queued message that empties it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.documents import Json, list_of, moment, moment_of
from reconciler.engine.notice_state import LASTS, Notice
from reconciler.engine.status import PoolStatus
from reconciler.errors import LeaseHeld, ReconcilerError
from reconciler.ports.clock import MARGIN, Clock
from reconciler.ports.stores import MessageQueue, StateStore
from reconciler.service.notify.letters import fitting
from reconciler.telemetry import Telemetry

DOCUMENT = "notices/waiting"
FLUSH = json.dumps({"notify": "flush"}, separators=(",", ":"))
"""Text of a work message that names no pools and sends what waits."""
TOGETHER = 30.0
"""Seconds between the first notice and the message that sends it: notices of one cause come together."""
MOST = 2000
"""Notices that wait; of more, the oldest are dropped and counted."""
TRIES = 6
"""Of a save that another worker overtakes. What is not added then, the next look at the pool hands over again."""
KNOWN = 5000


@dataclass(frozen=True, slots=True)
class WaitingNotices:
    """The document, as a value."""

    notices: tuple[Notice, ...] = ()
    taken: Mapping[str, datetime] = field(default_factory=dict)
    """Id → when it was taken out to be sent: it is not added again."""
    flush: datetime | None = None
    """When the queued message is due; None: none is known."""

    @classmethod
    def from_json(cls, body: Json) -> WaitingNotices:
        """From the stored form; what cannot be read is left out."""
        if not isinstance(body, Mapping):
            return cls()
        taken = body.get("taken")
        moments = {k: moment_of(v) for k, v in taken.items()} if isinstance(taken, Mapping) else {}
        return cls(
            tuple(one for one in map(Notice.from_json, list_of(body, "waiting")) if one is not None),
            {k: v for k, v in moments.items() if v is not None},
            moment_of(body.get("flushAt")),
        )

    def to_json(self) -> dict[str, Json]:
        """The stored form."""
        return {
            "waiting": [one.to_json() for one in self.notices],
            "taken": {name: moment(at) for name, at in self.taken.items()},
            "flushAt": None if self.flush is None else moment(self.flush),
        }

    def lacks(self, notices: Iterable[Notice]) -> list[Notice]:
        """Those that are neither here nor taken, each once."""
        known = {one.id for one in self.notices} | set(self.taken)
        return [one for name, one in {one.id: one for one in notices}.items() if name not in known]

    def without(self, notices: Sequence[Notice], now: datetime) -> WaitingNotices:
        """With these taken; marks that no look can need any more are dropped."""
        gone = {one.id for one in notices}
        old = now - 2 * LASTS
        marks = {name: at for name, at in self.taken.items() if at > old}
        marks |= {
            one.id: max(now, one.at) for one in notices
        }  # its status hands it over until then, if a clock was wrong
        return WaitingNotices(tuple(one for one in self.notices if one.id not in gone), marks, None)


class NoticeOutbox:
    """Takes the notices of statuses. Safe to share between threads; its errors fail no run."""

    def __init__(self, state: StateStore, queue: MessageQueue, clock: Clock, telemetry: Telemetry) -> None:
        self._state = state
        self._queue = queue
        self._clock = clock
        self._telemetry = telemetry
        self._known: dict[str, None] = {}
        """Ids that this process handed over: a look at their pool costs nothing."""
        self._lock = threading.Lock()

    def hand_over(self, statuses: Iterable[PoolStatus]) -> None:
        """Add the notices of these statuses that were not handed over yet."""
        now = self._clock.now()
        found = [one for status in statuses for one in status.notices.young(now)]
        with self._lock:
            found = [one for one in found if one.id not in self._known]
        if not found:
            return
        try:
            added = self._added(found, now)
        except ReconcilerError as error:
            self._telemetry.count("reconciler.notices.failed", reason=error.reason)
            return
        if not added:  # the next look at the pool hands it over
            self._telemetry.count("reconciler.notices.failed", reason=LeaseHeld.__name__)
        else:
            with self._lock:
                self._known.update(dict.fromkeys(one.id for one in found))
                for name in list(self._known)[: max(0, len(self._known) - KNOWN)]:
                    del self._known[name]

    def _added(self, found: list[Notice], now: datetime) -> bool:
        for _ in range(TRIES):
            document = self._state.load(DOCUMENT)
            known = WaitingNotices.from_json(document.body if document is not None else None)
            new = known.lacks(found)
            if not new:
                return True
            flush = known.flush
            if flush is None or not now + MARGIN < flush <= now + timedelta(seconds=TOGETHER):
                # Before the document, never after: what is stored and has no message would wait for the next notice.
                self._queue.put(FLUSH, delay=TOGETHER)
                flush = now + timedelta(seconds=TOGETHER)
            notices = (*known.notices, *new)
            kept = fitting(reversed(notices), MOST)
            body = WaitingNotices(notices[-kept:], known.taken, flush).to_json()
            with suppress(LeaseHeld):  # another worker was faster
                self._state.save(DOCUMENT, body, None if document is None else document.etag)
                if len(notices) > kept:
                    self._telemetry.count("reconciler.notices.dropped", len(notices) - kept)
                return True
        return False
