"""State, leases and work in Azure Storage: for several machines, and for Azure Functions.

By connection string, or by the addresses of the two services and an identity. Nothing heavy is imported and nothing
is called before the first use.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.adapters.boundary import port
from reconciler.adapters.lazy_imports import LOADING
from reconciler.adapters.store_limits import ATTEMPTS, POISON
from reconciler.config.endpoints import storage_problem
from reconciler.errors import Refused
from reconciler.ports.stores import MessageQueues

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.storage.queue import QueueServiceClient

    from reconciler.adapters.azure_storage.queue import StorageQueue
    from reconciler.adapters.azure_storage.record import StorageWriteLog
    from reconciler.adapters.azure_storage.state import Blobs, StorageLeases, StorageState


@dataclass(frozen=True, slots=True)
class Account:
    """How a storage account is reached: a connection string, or two addresses with a credential."""

    connection: str = field(default="", repr=False)
    blob_url: str = ""
    queue_url: str = ""
    credential: TokenCredential | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Names:
    """What is used in the account."""

    container: str = "reconciler"
    queue: str = "reconciler-work"
    attempts: int = ATTEMPTS
    """Deliveries of a message before it becomes a dead letter."""
    create: bool = True
    """Whether containers and queues are made when they are missing."""

    @property
    def safety(self) -> str:
        """The container of the safety facts: of its own, so that a role can leave it out."""
        return f"{self.container}-safety"


@port("Azure Storage", MessageQueues)
class Storage:
    """The stores on one storage account. Safe to share between threads."""

    def __init__(
        self,
        account: Account,
        names: Names | None = None,
        *,
        allow_loopback: bool = False,
        further: frozenset[str] = frozenset(),
    ) -> None:
        """`further`: hosts beside those of Microsoft's clouds."""
        self._account = account
        self._names = names or Names()
        self._allow_loopback = allow_loopback
        self._further = further
        self._lock = threading.RLock()
        self._made_blobs: dict[str, Blobs] = {}
        self._made_queues: QueueServiceClient | None = None
        self._made_record: StorageWriteLog | None = None
        if not account.connection:
            self._check("blob", account.blob_url)
            self._check("queue", account.queue_url)

    @property
    def state(self) -> StorageState:
        """Documents as blobs."""
        with LOADING:
            from reconciler.adapters.azure_storage.state import StorageState  # noqa: PLC0415 - heavy, as all below

        return StorageState(self._blobs(self._names.container))

    @property
    def safety(self) -> StorageState:
        """Documents in the container of the safety facts."""
        with LOADING:
            from reconciler.adapters.azure_storage.state import StorageState  # noqa: PLC0415 - heavy

        return StorageState(self._blobs(self._names.safety))

    @property
    def leases(self) -> StorageLeases:
        """Leases on the blobs of the pools' documents."""
        with LOADING:
            from reconciler.adapters.azure_storage.state import StorageLeases  # noqa: PLC0415 - heavy

        return StorageLeases(self._blobs(self._names.container))

    @property
    def record(self) -> StorageWriteLog:
        """The record of writes, beside the safety facts; one for all, since it remembers where each chain ends."""
        with LOADING:
            from reconciler.adapters.azure_storage.record import StorageWriteLog  # noqa: PLC0415 - heavy

        blobs = self._blobs(self._names.safety)
        with self._lock:
            if self._made_record is None:
                self._made_record = StorageWriteLog(blobs)
            return self._made_record

    @property
    def queue(self) -> StorageQueue:
        """The work queue."""
        return self.named(self._names.queue)

    @property
    def poison(self) -> StorageQueue:
        """Where messages end that were delivered too often."""
        with LOADING:
            from reconciler.adapters.azure_storage.queue import StorageQueue  # noqa: PLC0415 - heavy

        return StorageQueue(self._queues(), self._names.queue + POISON, attempts=None, create=self._names.create)

    def named(self, queue: str) -> StorageQueue:
        """Another work queue of the account; its dead letters are in ``<queue>-poison``."""
        with LOADING:
            from reconciler.adapters.azure_storage.queue import StorageQueue  # noqa: PLC0415 - heavy

        return StorageQueue(self._queues(), queue, attempts=self._names.attempts, create=self._names.create)

    def close(self) -> None:
        """Close the connections; they are opened again when needed."""
        with self._lock:
            blobs, self._made_blobs = self._made_blobs, {}
            queues, self._made_queues = self._made_queues, None
            self._made_record = None
        for client in (*blobs.values(), queues):
            if client is not None:
                client.close()

    def _blobs(self, container: str) -> Blobs:
        """One for all uses of a container: state and leases must know of each other."""
        with LOADING:
            from reconciler.adapters.azure_storage.state import Blobs  # noqa: PLC0415 - heavy
        with LOADING:
            from reconciler.adapters.azure_storage.wire import blobs  # noqa: PLC0415 - heavy

        with self._lock:
            if container not in self._made_blobs:
                service = blobs(self._account.connection, self._account.blob_url, self._account.credential)
                self._check("blob", service.url)
                self._made_blobs[container] = Blobs(service, container, create=self._names.create)
            return self._made_blobs[container]

    def _queues(self) -> QueueServiceClient:
        with LOADING:
            from reconciler.adapters.azure_storage.wire import queues  # noqa: PLC0415 - heavy

        with self._lock:
            if self._made_queues is None:
                service = queues(self._account.connection, self._account.queue_url, self._account.credential)
                self._check("queue", service.url)
                self._made_queues = service
            return self._made_queues

    def _check(self, service: str, url: str) -> None:
        if not url:
            raise Refused(f"storage {service} endpoint: is not set, and there is no connection string either")
        if problem := storage_problem(url, service, self._further, loopback=self._allow_loopback):
            raise Refused(f"storage: {problem}")
