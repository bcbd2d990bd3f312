"""State documents and leases in the embedded file."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from reconciler.adapters.boundary import port
from reconciler.adapters.sqlite.file import LocalFile
from reconciler.adapters.store_limits import CLOCKS, LONGEST_LEASE, lease_held, lease_seconds, leased
from reconciler.documents import Json
from reconciler.errors import LeaseHeld, Rejected
from reconciler.ports.clock import Clock
from reconciler.ports.stores import Lease, Leases, StateStore, StoredDocument, leased_document, pool_document

BELIEVED = LONGEST_LEASE + CLOCKS
"""Seconds ahead at which a lease may expire at most."""


@port("local file", Leases)
class LocalLeases:
    """Leases as rows with a time of expiry, by the machine's clock (`reconciler.ports.stores.Leases`).

    A lease that would expire later than any can was taken under a clock that was ahead: it is free.
    """

    def __init__(self, file: LocalFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, str] = {}

    def acquire(self, key: str, seconds: float, holder: str = "") -> LocalLease:
        """Take the lease, or raise `LeaseHeld`."""
        token, length = f"{uuid4().hex} {holder}".strip(), lease_seconds(seconds)
        now = self._clock.now().timestamp()
        with self._file.begin() as connection:
            taken = connection.execute(
                "INSERT INTO leases VALUES (:key, :token, :until) ON CONFLICT (key) DO UPDATE "
                "SET token = excluded.token, expires = excluded.expires WHERE expires <= :now OR expires > :longest",
                {"key": key, "token": token, "until": now + length, "now": now, "longest": now + BELIEVED},
            ).rowcount
            row = None
            if not taken:
                row = connection.execute("SELECT token, expires FROM leases WHERE key = ?", (key,)).fetchone()
        if row is not None:
            until = datetime.fromtimestamp(row[1], UTC)
            raise lease_held(key, row[0].partition(" ")[2], until, row[1] - now)
        with self._lock:
            self._held[leased_document(key)] = token
        return LocalLease(self, key, token, length)

    def held(self, name: str) -> str | None:
        """Token of the lease that was given out here for a document and not yet returned."""
        with self._lock:
            return self._held.get(name)

    def prolong(self, lease: LocalLease) -> None:
        """Move the expiry of a lease that is still the last one given."""
        until = self._clock.now().timestamp() + lease.seconds
        with self._file.begin() as connection:
            kept = connection.execute(
                "UPDATE leases SET expires = ? WHERE key = ? AND token = ?", (until, lease.key, lease.token)
            ).rowcount
        if not kept:
            raise LeaseHeld(f"{leased(lease.key)}: the lease was lost to another worker")

    def free(self, lease: LocalLease) -> None:
        """Return a lease."""
        with self._lock:
            if self._held.get(leased_document(lease.key)) == lease.token:
                del self._held[leased_document(lease.key)]
        with self._file.begin() as connection:
            connection.execute("DELETE FROM leases WHERE key = ? AND token = ?", (lease.key, lease.token))


@port("local file", Lease)
class LocalLease:
    """One lease that was given out (`reconciler.ports.stores.Lease`)."""

    def __init__(self, leases: LocalLeases, key: str, token: str, seconds: float) -> None:
        self._leases = leases
        self.key = key
        self.token = token
        self.seconds = seconds

    def renew(self) -> None:
        """Prolong it; `LeaseHeld` where it was lost."""
        self._leases.prolong(self)

    def release(self) -> None:
        """Give it back; harmless where it was lost."""
        self._leases.free(self)


@port("local file", StateStore)
class LocalState:
    """Documents as rows of one table (`reconciler.ports.stores.StateStore`)."""

    def __init__(self, file: LocalFile, leases: LocalLeases | None, clock: Clock, table: str = "documents") -> None:
        """`leases`: None where no lease guards a document of this table."""
        self._file = file
        self._leases = leases
        self._clock = clock
        self._table = table

    def load(self, name: str) -> StoredDocument | None:
        """The document, or None."""
        with self._file.look() as connection:
            sql = f"SELECT body, etag FROM {self._table} WHERE name = ?"  # noqa: S608 - the table is a constant
            row = connection.execute(sql, (name,)).fetchone()
        if not row:
            return None
        try:
            return StoredDocument(json.loads(row[0]), row[1])
        except ValueError:
            raise Rejected(f"state {name}: the row in table {self._table} is no JSON; remove it") from None

    def save(self, name: str, body: Json, etag: str | None) -> str:
        """Store and return the new tag; `LeaseHeld` where the tag or the lease is no longer true."""
        text, fresh = json.dumps(body, allow_nan=False), uuid4().hex
        with self._file.begin() as connection:
            self._guard(connection, name)
            if etag is None:
                sql = f"INSERT OR IGNORE INTO {self._table} (body, etag, name) VALUES (?, ?, ?)"  # noqa: S608 - as above
                saved = connection.execute(sql, (text, fresh, name)).rowcount
            else:
                sql = f"UPDATE {self._table} SET body = ?, etag = ? WHERE name = ? AND etag = ?"  # noqa: S608 - as above
                saved = connection.execute(sql, (text, fresh, name, etag)).rowcount
        if not saved:
            raise LeaseHeld(f"state {name}: another worker has written it in the meantime")
        return fresh

    def names(self, prefix: str) -> Sequence[str]:
        """Names of all documents that begin so, sorted."""
        sql = f"SELECT name FROM {self._table} WHERE substr(name, 1, ?) = ? ORDER BY name"  # noqa: S608 - as above
        with self._file.look() as connection:
            return [row[0] for row in connection.execute(sql, (len(prefix), prefix))]

    def versions(self, prefix: str) -> Mapping[str, str]:
        """Name → tag of all documents that begin so."""
        sql = f"SELECT name, etag FROM {self._table} WHERE substr(name, 1, ?) = ?"  # noqa: S608 - as above
        with self._file.look() as connection:
            return dict(connection.execute(sql, (len(prefix), prefix)).fetchall())

    def _guard(self, connection: sqlite3.Connection, name: str) -> None:
        """Hold to the lease that guards this document, in the same transaction as the write."""
        if self._leases is None:
            return
        mine = self._leases.held(name)
        key = name.removeprefix(pool_document(""))
        now = self._clock.now().timestamp()
        sql = "SELECT token FROM leases WHERE key = ? AND expires > ? AND expires <= ?"
        row = connection.execute(sql, (key, now, now + BELIEVED)).fetchone()
        holder = row[0] if row and name == leased_document(key) else None
        if holder != mine:
            raise LeaseHeld(f"state {name}: another worker holds its lease, or ours was lost")
