"""The seams to state, leases and queues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from reconciler.documents import Json


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A stored JSON document and the tag of this version."""

    body: Json
    etag: str


def pool_document(key: str) -> str:
    """Name of the state document of the pool with this key: the one document that the pool's lease guards."""
    return f"pools/{key}"


class StateStore(Protocol):
    """Small JSON documents by name (``pools/fabrikam-managed-pool``), each replaced whole."""

    def load(self, name: str) -> StoredDocument | None:
        """The document, or None."""

    def save(self, name: str, body: Json, etag: str | None) -> str:
        """Store and return the new tag; `LeaseHeld` where `etag` (None: must be new) is no longer true.

        `LeaseHeld` too where somebody else holds the lease of the pool whose document this is, or where the lease
        that this store's own `Leases` gave out for it was lost.
        """

    def names(self, prefix: str) -> Sequence[str]:
        """Names of all documents that begin so, sorted."""


class Lease(Protocol):
    """The right to write to one pool, for a while."""

    def renew(self) -> None:
        """Prolong it; `LeaseHeld` where it was lost."""

    def release(self) -> None:
        """Give it back; harmless where it was lost."""


class Leases(Protocol):
    """One holder for each key, across processes."""

    def acquire(self, key: str, seconds: float) -> Lease:
        """Take the lease or raise `LeaseHeld`. Lasts 15 to 60 seconds, whatever is asked: renew in time."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was taken from a queue and is hidden from others for a while."""

    id: str
    text: str
    inserted: datetime
    """When the store accepted it, by the store's clock."""
    attempts: int
    """How often it was taken, this time included."""
    receipt: str
    """Opaque handle for `ack` and `hide`."""


class MessageQueue(Protocol):
    """Messages of text.

    Delivery is at least once and in no promised order. A message that was taken too often without an `ack` moves to
    a second queue of the same kind, the poison queue, which keeps its messages for as long as it takes.
    """

    def put(self, text: str, *, delay: float = 0.0) -> None:
        """Add a message, not visible before `delay` seconds (seven days at most; more is cut)."""

    def take(self, count: int, hide: float) -> Sequence[Message]:
        """Take up to `count` messages and hide them for `hide` seconds; those not acknowledged then come again.

        At least a second, whatever is asked: Azure Storage takes no less (Microsoft Learn, Get Messages). A message is
        given back at once by `hide`.
        """

    def hide(self, message: Message, seconds: float) -> Message:
        """Hide a taken message for that long from now, 0 to give it back; the answer carries the new receipt.

        `LeaseHeld` where another took it in the meantime.
        """

    def ack(self, message: Message) -> None:
        """Done: remove it. Harmless where it was taken by another in the meantime."""

    def length(self) -> int:
        """About how many messages there are, hidden ones included."""


class MessageQueues(Protocol):
    """Queues by name; they are made when first needed."""

    def named(self, queue: str) -> MessageQueue:
        """The queue of this name (lower case, digits, hyphens); ``<name>-poison`` is its poison queue."""


class Gates(Protocol):
    """When organizations may be called again. Azure DevOps counts by identity, whichever worker calls."""

    def join(self, organizations: Iterable[str]) -> None:
        """Honour what other workers were told by these organizations. Cheap; trouble with it is no trouble of a run."""
