"""All stores of a deployment, as the program uses them (`reconciler.bootstrap.stores.Store`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Protocol

from reconciler.adapters.owned.owner import Owner, unless_unread
from reconciler.adapters.owned.state import Damages, OwnedState
from reconciler.documents import Json, JsonObject
from reconciler.documents.chain import ChainEnd
from reconciler.documents.kinds import SAFETY, STATE
from reconciler.ports.clock import Clock
from reconciler.ports.stores import Lease, Leases, Message, MessageQueue, StateStore
from reconciler.ports.write_log import WriteLog
from reconciler.telemetry import NO_TELEMETRY, Metrics


class Family(Protocol):
    """State, leases and queues in a store of either family."""

    @property
    def state(self) -> StateStore:
        """Documents."""

    @property
    def safety(self) -> StateStore:
        """Documents that decide what may be written (`reconciler.safety`); `state` never lists them."""

    @property
    def leases(self) -> Leases:
        """One holder for each key."""

    @property
    def record(self) -> WriteLog:
        """The record of writes."""

    def named(self, queue: str) -> MessageQueue:
        """A queue by name."""

    def close(self) -> None:
        """Close connections and files."""


@dataclass(frozen=True, slots=True)
class Whose:
    """How a store and its deployment are called."""

    place: str
    """The store, for messages: ``container reconciler``."""
    given: str = ""
    default: str = "reconciler"


class OwnedStore:
    """Stores whose documents and messages are this deployment's."""

    def __init__(self, family: Family, whose: Whose, clock: Clock, metrics: Metrics = NO_TELEMETRY) -> None:
        self._family = family
        self._clock = clock
        self._damages = Damages(metrics)
        self.ownership = Owner(lambda: family.state, whose.place, whose.given, whose.default)

    @cached_property
    def state(self) -> OwnedState:
        """Documents."""
        return OwnedState(self._family.state, self.ownership, self._clock, self._damages, STATE)

    @cached_property
    def safety(self) -> OwnedState:
        """Documents that decide what may be written."""
        return OwnedState(self._family.safety, self.ownership, self._clock, self._damages, SAFETY)

    @cached_property
    def leases(self) -> OwnedLeases:
        """One holder for each key."""
        return OwnedLeases(self._family.leases, self.ownership)

    @cached_property
    def record(self) -> OwnedRecord:
        """The record of writes."""
        return OwnedRecord(self._family, self.ownership)

    def named(self, queue: str) -> MessageQueue:
        """A queue whose messages carry the deployment's name."""
        return OwnedQueue(self._family.named(queue), self.ownership)

    def close(self) -> None:
        """Close connections and files."""
        self._family.close()


class OwnedLeases:
    """Leases of a store that is this deployment's."""

    def __init__(self, leases: Leases, owner: Owner) -> None:
        self._leases = leases
        self._owner = owner

    def acquire(self, key: str, seconds: float, holder: str = "") -> Lease:
        """As of `Leases`; `Refused` where the store is another deployment's."""
        self._owner.claim()
        return self._leases.acquire(key, seconds, holder)


class OwnedRecord:
    """The record of writes in a store that is this deployment's (`reconciler.ports.write_log.WriteLog`)."""

    def __init__(self, family: Family, owner: Owner) -> None:
        self._family = family
        self._owner = owner

    def append(self, chain: str, bodies: Sequence[JsonObject]) -> ChainEnd:
        """As of `WriteLog`; `Refused` where the store is another deployment's, as all below."""
        self._owner.claim()
        return self._family.record.append(chain, bodies)

    def since(self, chain: str, moment: datetime) -> Sequence[JsonObject]:
        """As of `WriteLog`."""
        unless_unread(self._owner)
        return self._family.record.since(chain, moment)

    def entries(self, chain: str) -> Iterator[Json]:
        """As of `WriteLog`."""
        unless_unread(self._owner)
        return self._family.record.entries(chain)

    def chains(self) -> Sequence[str]:
        """As of `WriteLog`."""
        unless_unread(self._owner)
        return self._family.record.chains()

    def seal(self, chain: str, reason: str, at: datetime) -> None:
        """As of `WriteLog`."""
        self._owner.claim()
        self._family.record.seal(chain, reason, at)


class OwnedQueue:
    """A queue whose new messages say whose they are. A queue may be shared; its documents never are."""

    def __init__(self, queue: MessageQueue, owner: Owner) -> None:
        self._queue = queue
        self._owner = owner

    def put(self, text: str, *, delay: float = 0.0) -> None:
        """As of `MessageQueue`; a message that says whose it is stays as it is."""
        self._queue.put(self._marked(text), delay=delay)

    def put_all(self, texts: Sequence[str]) -> None:
        """As of `MessageQueue`."""
        self._queue.put_all(list(map(self._marked, texts)))

    def take(self, count: int, hide: float) -> Sequence[Message]:
        """As of `MessageQueue`."""
        return self._queue.take(count, hide)

    def hide(self, message: Message, seconds: float) -> Message:
        """As of `MessageQueue`."""
        return self._queue.hide(message, seconds)

    def ack(self, message: Message) -> None:
        """As of `MessageQueue`."""
        self._queue.ack(message)

    def length(self) -> int:
        """As of `MessageQueue`."""
        return self._queue.length()

    def _marked(self, text: str) -> str:
        """Requests name keys; what names none, as a look for an overdue resync, belongs to no deployment."""
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return text
        if not isinstance(body, dict) or "keys" not in body or "deployment" in body:
            return text
        return json.dumps({**body, "deployment": self._owner.name}, separators=(",", ":"))
