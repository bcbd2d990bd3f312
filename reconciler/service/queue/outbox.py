"""Queues requests: single keys for events and callers, batches for many pools, one follow-up for what is left."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.documents import moment, moment_of
from reconciler.errors import LeaseHeld
from reconciler.ports.clock import MARGIN, Clock
from reconciler.ports.stores import MessageQueue, StateStore
from reconciler.service.queue.batch import batches
from reconciler.service.queue.coalesce import kept
from reconciler.service.queue.messages import WorkMessage, one_each
from reconciler.spec.model import Spec

FEW = 20
"""Pools up to which each gets a message of its own."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Both work queues, and the stored follow-ups."""

    events: MessageQueue
    """Single keys, for requests and events."""
    sweeps: MessageQueue
    """Batches of the full resync."""
    state: StateStore
    clock: Clock

    def request(self, specs: Collection[Spec], trigger: str, trace: str = "") -> None:
        """Request a run of some pools soon."""
        if len(specs) > FEW:
            self.sweep(specs, trigger=trigger, trace=trace)
            return
        for text in one_each(tuple(sorted(spec.key for spec in specs)), trigger, trace):
            self.events.put(text)

    def sweep(self, specs: Iterable[Spec], *, trigger: str = "sweep", spread: float = 0.0, trace: str = "") -> int:
        """Request runs of many pools, in batches spread over `spread` seconds; returns the number of batches."""
        cut = batches(specs)
        for batch in cut:
            self.sweeps.put(batch.work(trigger, trace).text(), delay=batch.delay(spread))
        return len(cut)

    def again(self, work: WorkMessage, delay: float = 0.0) -> None:
        """Put back what was not done: the rest of a batch, one failing pool, or all while Git cannot be read."""
        queue = self.events if len(work.keys) == 1 and work.trigger != "sweep" else self.sweeps
        queue.put(work.text(), delay=delay)

    def follow_up(self, key: str, delay: float, trace: str = "") -> bool:
        """Request one later run; returns whether a message was put: not where one is queued that is due sooner."""
        return self.promise(key, self.clock.now() + timedelta(seconds=delay), trace)

    def promise(self, key: str, due: datetime, trace: str = "") -> bool:
        """As `follow_up`, with the due time. A queued one that is due within the margin does not count."""
        now = self.clock.now()
        ahead = self.follows(key)
        if ahead is not None and now + MARGIN < ahead <= due:
            return False
        delay = max((due - now).total_seconds(), 0.0)
        self.events.put(WorkMessage((key,), "follow-up", trace, due).text(), delay=delay)
        self._remember(key, due, now)
        return True

    def follows(self, key: str) -> datetime | None:
        """When the last queued follow-up is due."""
        document = self.state.load(f"follow-ups/{key}")
        return moment_of(document.body.get("at")) if document is not None else None

    def forget(self, key: str) -> None:
        """The stored follow-up stands for no message any more."""
        document = self.state.load(f"follow-ups/{key}")
        if document is not None:
            with suppress(LeaseHeld):  # another worker stored a newer one
                self.state.save(f"follow-ups/{key}", {}, document.etag)

    def _remember(self, key: str, due: datetime, now: datetime) -> None:
        """After the message, never before: a follow-up that is stored but was never put would lose requests.

        A worker that another one overtakes here stops: the other's follow-up is on the queue as well.
        """
        document = self.state.load(f"follow-ups/{key}")
        known = moment_of(document.body.get("at")) if document is not None else None
        try:
            body = {"at": moment(kept(known, due, now))}
            self.state.save(f"follow-ups/{key}", body, document.etag if document is not None else None)
        except LeaseHeld:
            return
