"""The two families of stores behind one face, so that one suite can hold both to the same promises."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import uuid4

from azure.storage.blob import BlobLeaseClient, BlobServiceClient

from reconciler.adapters.azure_storage.account import Account, Names, Storage
from reconciler.adapters.sqlite.store import Local
from reconciler.ports.clock import Clock
from reconciler.ports.stores import Leases, MessageQueue, StateStore, leased_document
from reconciler.ports.write_log import WriteLog

T = TypeVar("T")


class Stores(Protocol):
    """What `Local` and `Storage` have in common."""

    @property
    def state(self) -> StateStore: ...

    @property
    def safety(self) -> StateStore: ...

    @property
    def leases(self) -> Leases: ...

    @property
    def queue(self) -> MessageQueue: ...

    @property
    def record(self) -> WriteLog: ...

    @property
    def poison(self) -> MessageQueue: ...

    def named(self, queue: str) -> MessageQueue: ...

    def close(self) -> None: ...


class Settable:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class Family(Protocol):
    """One backend, as the suite sees it."""

    many: int
    """Messages of the large test."""

    def worker(self) -> Stores:
        """Another worker on the same backend: it shares nothing in memory with the others."""

    def lapse(self, key: str) -> None:
        """Let the lease of a pool run out."""

    def until(self, look: Callable[[], T]) -> T:
        """Let time pass, within bounds, until a look gives something."""


@dataclass
class LocalFamily:
    """SQLite, with the test's own time."""

    path: str
    clock: Clock | None = field(default_factory=Settable)
    many: int = 10_000

    def worker(self) -> Stores:
        return Local(self.path, self.clock, attempts=3)

    def connect(self) -> sqlite3.Connection:
        """The file itself."""
        return sqlite3.connect(self.path)

    def lapse(self, key: str) -> None:
        assert isinstance(self.clock, Settable), key
        self.clock.advance(61)

    def until(self, look: Callable[[], T]) -> T:
        assert isinstance(self.clock, Settable)
        for _ in range(100):
            if found := look():
                return found
            self.clock.advance(0.5)
        raise AssertionError("nothing came")


@dataclass
class StorageFamily:
    """Azurite, in real time."""

    connection: str
    name: str
    many: int = 100
    """Each message is at least two requests here: thousands of them take minutes and prove nothing more."""

    @property
    def record_container(self) -> str:
        return f"{self.name}-safety"

    def worker(self) -> Stores:
        names = Names(container=self.name, queue=self.name, attempts=3)
        return Storage(Account(self.connection), names, allow_loopback=True)

    def lapse(self, key: str) -> None:
        """Break it at once: a lease cannot be shorter than 15 s, and a broken one is to everybody a lapsed one."""
        with BlobServiceClient.from_connection_string(self.connection) as service:
            blob = service.get_blob_client(self.name, leased_document(key))
            BlobLeaseClient(blob).break_lease(lease_break_period=0)

    def until(self, look: Callable[[], T]) -> T:
        end = time.monotonic() + 300
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.05)
        raise AssertionError("nothing came")


def local_family(folder: Path) -> LocalFamily:
    return LocalFamily(str(folder / "state.db"))


def storage_family(connection: str) -> StorageFamily:
    return StorageFamily(connection, f"t{uuid4().hex}")
