"""State documents, leases, and queues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from reconciler.documents import Json


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A stored JSON document and its ETag."""

    body: Json
    etag: str


def pool_document(key: str) -> str:
    """Name of the state document of the pool with this key: the one document that the pool's lease guards."""
    return f"pools/{key}"


def look_document(organization: str) -> str:
    """Name of the document about the pools of an organization, and of the lease under which it is written."""
    return f"looks/{organization.lower() or '-'}"


def leased_document(key: str) -> str:
    """Name of the document that the lease of this key guards: keys of pools have no slash."""
    return key if "/" in key else pool_document(key)


class StateStore(Protocol):
    """Small JSON documents by name (``pools/fabrikam-managed-pool``), each replaced whole."""

    def load(self, name: str) -> StoredDocument | None:
        """The document, or None."""

    def save(self, name: str, body: Json, etag: str | None) -> str:
        """Store and return the new ETag; `LeaseHeld` where `etag` (None: must be new) is no longer current.

        `LeaseHeld` too where another process holds the lease that guards this document, or where the lease that
        `Leases` of this store granted for it was lost.
        """

    def versions(self, prefix: str) -> Mapping[str, str]:
        """Name → ETag of all documents with this prefix, as `load` returns them: one transaction for thousands."""

    def names(self, prefix: str) -> Sequence[str]:
        """Names of all documents with this prefix, sorted."""


class Lease(Protocol):
    """The exclusive right to write to one pool, or to look at an organization, for some seconds."""

    def renew(self) -> None:
        """Extend it; `LeaseHeld` where it was lost."""

    def release(self) -> None:
        """End it; harmless where it was lost."""


class Leases(Protocol):
    """One holder per key, across processes."""

    def acquire(self, key: str, seconds: float, holder: str = "") -> Lease:
        """Take the lease or raise `LeaseHeld`. Lasts 15 to 60 seconds, other values are cut: renew in time.

        `key`: of a pool, or the name of another document that it guards. `holder`: who takes it; others that want it
        are then told until when it is held at most, in the error and its `retry_after`, and by whom: at the latest from
        its first renewal on.
        """


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was taken from a queue and is hidden from other takers for some time."""

    id: str
    text: str
    inserted: datetime
    """When the store accepted it, by the store's clock."""
    attempts: int
    """How often it was taken, including now."""
    receipt: str
    """Opaque handle for `ack` and `hide`."""


class MessageQueue(Protocol):
    """Messages of text.

    Delivery is at least once and in no guaranteed order. A message that was taken too often without an `ack` moves to
    the dead-letter queue (named ``…-poison``, as Azure Functions does), which keeps its messages without an end.
    """

    def put(self, text: str, *, delay: float = 0.0) -> None:
        """Add a message, not visible before `delay` seconds (seven days at most; more is cut)."""

    def put_all(self, texts: Sequence[str]) -> None:
        """Add messages: all or none where the store has transactions, otherwise one after the other."""

    def take(self, count: int, hide: float) -> Sequence[Message]:
        """Take up to `count` messages and hide them for `hide` seconds; those without an `ack` then reappear.

        At least one second: Azure Storage takes no less (Microsoft Learn, Get Messages). `hide` with 0 returns a
        message at once.
        """

    def hide(self, message: Message, seconds: float) -> Message:
        """Hide a taken message for that long from now, 0 to return it; the result has the new receipt.

        `LeaseHeld` where another process took it in the meantime.
        """

    def ack(self, message: Message) -> None:
        """Remove a finished message. Harmless where another process took it in the meantime."""

    def length(self) -> int:
        """Approximate number of messages, hidden ones included."""


class MessageQueues(Protocol):
    """Queues by name; each is created at first use."""

    def named(self, queue: str) -> MessageQueue:
        """The queue of this name (lower case, digits, hyphens); ``<name>-poison`` is its dead-letter queue."""


class Gates(Protocol):
    """When organizations may be called again. Azure DevOps counts calls per identity, across workers."""

    def join(self, organizations: Iterable[str]) -> None:
        """Apply the pauses that these organizations requested of other workers. Cheap; its errors do not fail a run."""
