"""Queues requests: one message for all pools of an organization that a cause concerns, one follow-up for what is left.

Requests of people, commits and events share one queue, however many pools they name; the full resync has its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.documents import moment, moment_of
from reconciler.errors import LeaseHeld
from reconciler.ports.clock import MARGIN, Clock
from reconciler.ports.stores import MessageQueue, StateStore, StoredDocument
from reconciler.service.queue.batch import batches
from reconciler.service.queue.coalesce import kept
from reconciler.service.queue.coverage import holds
from reconciler.service.queue.messages import MAX_KEYS, WorkMessage
from reconciler.service.queue.requests import Concern, whole, works
from reconciler.spec.model import Spec

TOGETHER = timedelta(seconds=15)
"""Follow-ups of one message that are due within this time share one, or within a quarter of their delay."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A queued follow-up, as it is stored beside its message."""

    at: datetime | None = None
    """When it is due; None: there is none."""
    scopes: tuple[str, ...] = ()
    """What it is about; empty: the whole pool."""

    @classmethod
    def read(cls, document: StoredDocument | None) -> FollowUp:
        """From its document. One whose places cannot be read is none: nothing may rely on it."""
        body = document.body if document is not None else None
        at = moment_of(body.get("at")) if isinstance(body, dict) else None
        scopes = body.get("scopes", []) if isinstance(body, dict) else []
        known = isinstance(scopes, list) and all(isinstance(one, str) for one in scopes)
        return cls(at, tuple(scopes)) if at is not None and known else cls()


@dataclass(frozen=True, slots=True)
class Later:
    """A follow-up that a run of one pool requests."""

    key: str
    due: datetime
    trace: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outbox:
    """Both work queues, and the stored follow-ups."""

    events: MessageQueue
    """Events, and requests of people and commits."""
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
        keys = work.keys if work.organization is None else work.keys[:1]
        for start in range(0, len(keys), MAX_KEYS):
            queue.put(replace(work, keys=keys[start : start + MAX_KEYS]).text(), delay=delay)

    def follow_up(self, key: str, delay: float, trace: str = "", *, scopes: tuple[str, ...] = ()) -> bool:
        """Request one later run; returns whether a message was put: not where one is queued that is due sooner."""
        return self.promise(key, self.clock.now() + timedelta(seconds=delay), trace, scopes=scopes)

    def promise(self, key: str, due: datetime, trace: str = "", *, scopes: tuple[str, ...] = ()) -> bool:
        """As `follow_up`, with the due time. A queued one that is due within the margin does not count.

        `scopes`: what it is about; empty: the whole pool.
        """
        return self.promise_all([Later(key, due, trace, scopes)])

    def promise_all(self, wanted: Iterable[Later]) -> bool:
        """The same for the pools of a message: those that are about the same places at the same time share one."""
        now = self.clock.now()
        groups: dict[tuple[str, ...], list[Later]] = defaultdict(list)
        for one in sorted(wanted, key=lambda one: (one.due, one.key)):
            ahead = self.follows(one.key)
            if ahead.at is None or not now + MARGIN < ahead.at <= one.due or not holds(ahead.scopes, one.scopes):
                groups[one.scopes].append(one)
        for scopes, members in groups.items():
            for part in _together(members, now):
                self._promise([one.key for one in part], FollowUp(part[-1].due, scopes), part[0].trace, now)
        return bool(groups)

    def _promise(self, keys: list[str], put: FollowUp, trace: str, now: datetime) -> None:
        if put.at is None:
            return
        delay = max((put.at - now).total_seconds(), 0.0)
        self.events.put(WorkMessage(tuple(keys), "follow-up", trace, put.at, put.scopes).text(), delay=delay)
        for key in keys:
            self._remember(key, put, now)

    def follows(self, key: str) -> FollowUp:
        """The last queued follow-up."""
        return FollowUp.read(self.state.load(f"follow-ups/{key}"))

    def forget(self, key: str) -> None:
        """The stored follow-up stands for no message any more."""
        document = self.state.load(f"follow-ups/{key}")
        if document is not None:
            with suppress(LeaseHeld):  # another worker stored a newer one
                self.state.save(f"follow-ups/{key}", {}, document.etag)

    def _remember(self, key: str, put: FollowUp, now: datetime) -> None:
        """After the message, never before: a follow-up that is stored but was never put would lose requests.

        A worker that another one overtakes here stops: the other's follow-up is on the queue as well.
        """
        document = self.state.load(f"follow-ups/{key}")
        known = FollowUp.read(document)
        if put.at is None or (known.at is not None and kept(known.at, put.at, now) == known.at):
            return
        try:
            body = {"at": moment(put.at)} | ({"scopes": list(put.scopes)} if put.scopes else {})
            self.state.save(f"follow-ups/{key}", body, document.etag if document is not None else None)
        except LeaseHeld:
            return


def _together(ordered: list[Later], now: datetime) -> Iterator[list[Later]]:
    """Follow-ups in order, in parts that one message stands for."""
    rest = ordered
    while rest:
        until = rest[0].due + max(TOGETHER, (rest[0].due - now) / 4)
        part = [one for one in rest if one.due <= until][:MAX_KEYS]
        rest = rest[len(part) :]
        yield part
