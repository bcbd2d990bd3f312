"""Joins the gates of several processes over the state store: pauses, budgets, and what a full resync needs."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from reconciler.adapters.boundary import port
from reconciler.adapters.devops.throttling import ThrottlingGates
from reconciler.errors import LeaseHeld, ReconcilerError
from reconciler.ports import pacing
from reconciler.ports.budgets import INTERVAL, Rate, document_name, rates
from reconciler.ports.clock import Clock
from reconciler.ports.pacing import Priority, Work
from reconciler.ports.stores import Gates, StateStore, StoredDocument
from reconciler.telemetry import NO_TELEMETRY, Metrics

WORTH_PUBLISHING = 5.0
"""Seconds; a shorter pause ends before other workers read of it."""
CLOSE_ENOUGH = timedelta(seconds=1)
"""Of several responses with the same request the first is written."""
READ_AGAIN = 2.0
"""Seconds for which a read counts: a batch of a hundred pools reads once."""
DIFFERENT = 0.25
"""Part by which what a full resync needs must differ from what is stored, to be stored again."""
_TRIES = 3


@port("gates", Gates)
class GateClosings:
    """`reconciler.ports.stores.Gates` over a state store.

    One document for each organization. It is read once for a message; written where a response closes a gate for
    longer than some seconds, and otherwise once at the end of a message, where a budget is known or the need changed.
    """

    def __init__(
        self, state: StateStore, clock: Clock, metrics: Metrics = NO_TELEMETRY, interval: float = INTERVAL
    ) -> None:
        self.gates = ThrottlingGates(
            clock.monotonic, self._publish, lambda: clock.now().timestamp(), ended=self._work_ended
        )
        self._metrics = metrics
        self._state = state
        self._clock = clock
        self._interval = interval
        self._lock = Lock()
        self._read: dict[str, float] = {}
        self._documents: dict[str, StoredDocument | None] = {}
        self._written: dict[str, Work | None] = {}
        """Organization → the last work in which its document was written."""

    def join(self, organizations: Iterable[str]) -> None:
        """Apply what other workers stored for these organizations."""
        for organization in organizations:
            if self._due(organization):
                with suppress(ReconcilerError):
                    self._learn(organization, self._load(organization))

    def _due(self, organization: str) -> bool:
        now = self._clock.monotonic()
        with self._lock:
            if organization in self._read and now - self._read[organization] < READ_AGAIN:
                return False
            self._read[organization] = now
        return True

    def _load(self, organization: str) -> StoredDocument | None:
        document = self._state.load(document_name(organization))
        with self._lock:
            self._documents[organization.lower()] = document
        return document

    def _learn(self, organization: str, document: StoredDocument | None) -> None:
        for identity, rate in self._rates(document).items():
            if rate.until is not None:
                self.gates.learn(organization, identity, (rate.until - self._clock.now()).total_seconds())
            self.gates.join(organization, identity, rate.budget, rate.looks)

    def _rates(self, document: StoredDocument | None) -> dict[str, Rate]:
        return rates(document.body, self._clock.now().timestamp()) if document is not None else {}

    def _publish(self, organization: str, identity: str, seconds: float) -> None:
        self._metrics.record("reconciler.gate.seconds", seconds, organization=organization)
        if seconds <= WORTH_PUBLISHING:
            return
        with suppress(ReconcilerError):
            self._write(organization, identity, pacing.current()[1], self._clock.now() + timedelta(seconds=seconds))

    def _work_ended(self, organization: str, identity: str, work: Work) -> None:
        if work.priority is Priority.SWEEP:
            self.gates.look_ended(organization, identity, work, self._interval)
        with self._lock:
            written = self._written.get(organization.lower())
        if written is not work and self._worth_storing(organization, identity):
            with suppress(ReconcilerError):  # the next message stores it
                self._write(organization, identity, work)

    def _worth_storing(self, organization: str, identity: str) -> bool:
        known = self.gates.known(organization, identity)
        if known.budget.calls is not None:
            return known.unpublished > 0
        with self._lock:
            stored = self._rates(self._documents.get(organization.lower())).get(identity, Rate())
        now = self._clock.now().timestamp()
        need, before = (one.needs(now, self._interval) or 0 for one in (known.looks, stored.looks))
        return abs(need - before) > DIFFERENT * max(need, before)

    def _write(self, organization: str, identity: str, work: Work | None, until: datetime | None = None) -> None:
        """Store what is known of an identity; `until`: its pause, None: as stored."""
        name, now = document_name(organization), self._clock.now()
        for attempt in range(_TRIES):
            with self._lock:
                read = organization.lower() in self._documents
                document = self._documents.get(organization.lower())
            if attempt or not read:
                document = self._load(organization)
            stored = self._rates(document)
            before = stored.get(identity, Rate())
            if until is not None and before.until is not None and until <= before.until + CLOSE_ENOUGH:
                return
            known = self.gates.join(organization, identity, before.budget, before.looks)
            pause = until or before.until
            stored[identity] = Rate(pause, known.budget, known.looks, self._interval)
            kept = {
                one: replace(rate, until=None) if rate.until is not None and rate.until <= now else rate
                for one, rate in sorted(stored.items())
            }
            body = {one: text for one, rate in kept.items() if (text := rate.body())}
            try:
                etag = self._state.save(name, body, document.etag if document else None)
            except LeaseHeld:
                continue  # another worker wrote meanwhile
            with self._lock:
                self._documents[organization.lower()] = StoredDocument(body, etag)
                self._written[organization.lower()] = work
            self.gates.published(organization, identity, known)
            return
