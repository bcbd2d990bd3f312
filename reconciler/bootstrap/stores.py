"""State, leases and queues in either store, and the stored status of every pool."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from reconciler.adapters.clock import SystemClock
from reconciler.bootstrap.connections import credential_of
from reconciler.config.endpoints import storage_endpoints
from reconciler.config.settings import PREFIX, Settings
from reconciler.errors import Forbidden, SpecInvalid
from reconciler.ports.clock import Clock
from reconciler.ports.stores import Leases, MessageQueue, StateStore

if TYPE_CHECKING:
    from reconciler.adapters.azure_storage.account import Account
    from reconciler.engine.status import PoolStatus


class Store(Protocol):
    """State, leases and queues in either store."""

    @property
    def state(self) -> StateStore:
        """Documents."""

    @property
    def safety(self) -> StateStore:
        """Documents that decide what may be written (`reconciler.safety`); `state` never lists them."""

    @property
    def leases(self) -> Leases:
        """One holder for each key."""

    def named(self, queue: str) -> MessageQueue:
        """A queue by name."""

    def close(self) -> None:
        """Close connections and files."""


def store(settings: Settings, clock: Clock) -> Store:
    """State, leases and queues: in a storage account where the setting names one, in a SQLite file otherwise."""
    if in_storage(settings.state):
        from reconciler.adapters.azure_storage.account import Storage  # noqa: PLC0415 - see the package's docstring

        further = frozenset(filter(None, settings.storage_hosts.split(",")))
        return Storage(_account(settings), allow_loopback=settings.allow_loopback, further=further)
    from reconciler.adapters.sqlite.store import Local  # noqa: PLC0415 - see the package's docstring

    path = Path(settings.state)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Forbidden(f"{PREFIX}STATE: {path.parent}: {error.strerror}") from None
    return Local(path, clock)


def in_storage(state: str) -> bool:
    """Whether the setting names a storage account: by the URL of its blobs, or by a connection string."""
    return bool(re.match(r"https?://|[A-Za-z]+=", state))


def _account(settings: Settings) -> Account:
    """Blobs and queues of one account; the queues' URL stands behind that of the blobs, or follows from it."""
    from reconciler.adapters.azure_storage.account import Account  # noqa: PLC0415 - see the package's docstring

    if "://" not in settings.state.partition("=")[0]:
        return Account(connection=settings.state)
    url = storage_endpoints(settings.state)
    if url["queue"] == url["blob"]:
        raise SpecInvalid(f"{PREFIX}STATE: a storage account is named by the URL of its blobs, https://NAME.blob.…")
    return Account(blob_url=url["blob"], queue_url=url["queue"], credential=credential_of(settings).for_azure())


def statuses(settings: Settings, keys: Iterable[str] | None = None) -> tuple[PoolStatus, ...]:
    """The stored status of every pool, or of these, sorted; creates no store."""
    if not in_storage(settings.state) and not Path(settings.state).exists():
        return ()
    from reconciler.engine.status import PoolStatus  # noqa: PLC0415 - most folders hold no state

    with closing(store(settings, SystemClock())) as kept:
        names = kept.state.names("pools/") if keys is None else [f"pools/{key}" for key in sorted(keys)]
        stored = [(name.removeprefix("pools/"), kept.state.load(name)) for name in names]
    return tuple(PoolStatus.from_json(key, document.body) for key, document in stored if document is not None)
