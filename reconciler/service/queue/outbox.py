"""Queues requests: one message for all pools of an organization that a cause concerns, one follow-up for what is left.

Requests of people, commits and events share one queue, however many pools they name; the full resync has its own.
"""

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
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.requests import Concern, whole, works
from reconciler.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Outbox:
    """Both work queues, and the stored follow-ups."""

    events: MessageQueue
    """Requests and events: what somebody waits for."""
    sweeps: MessageQueue
    """Batches of the full resync."""
    state: StateStore
    clock: Clock

    def request(self, specs: Collection[Spec], trigger: str, trace: str = "") -> None:
        """Request a run of some pools soon."""
        self.concern(whole(specs), trigger, trace)

    def concern(self, concerns: Iterable[Concern], trigger: str, trace: str = "") -> None:
        """The same where it is known what each pool has to do with the cause."""
        for work in works(concerns, trigger, trace):
            self.events.put(work.text())

    def sweep(self, specs: Iterable[Spec], *, spread: float = 0.0, trace: str = "") -> int:
        """Request runs of all pools, in batches spread over `spread` seconds; returns the number of batches."""
        cut = batches(specs)
        for batch in cut:
            self.sweeps.put(batch.work("sweep", trace).text(), delay=batch.delay(spread))
        return len(cut)

    def again(self, work: WorkMessage, delay: float = 0.0) -> None:
        """Put back what was not done (`WorkMessage.back`): a batch's rest, a failing pool, all while Git is away."""
        queue = self.sweeps if work.trigger == "sweep" else self.events
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
