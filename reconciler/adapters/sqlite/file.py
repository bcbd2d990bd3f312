"""The SQLite file under the embedded stores: opening it, its schema, its transactions, its troubles.

Several threads and processes of one machine may share the file. It must not lie on a network file system, whose
locks SQLite cannot trust (sqlite.org, Write-Ahead Logging). A commit survives the end of the process; a power cut may
take the last few, which the next sweep makes good.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.errors import Forbidden, ReconcilerError, Rejected, Unavailable

APPLICATION = 0x4D445052
"""Marks the file as ours (SQLite's application_id): the letters MDPR."""
VERSION = 1
BUSY_SECONDS = 20.0
LOG_BYTES = 5 * 2**20
"""To which the write-ahead log is cut after it was longer: SQLite copies it back each 1,000 pages (4 MiB), and a
transaction of a thousand long messages makes it ten times as long."""

_SCHEMA = """
CREATE TABLE documents (name TEXT PRIMARY KEY, body TEXT NOT NULL, etag TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE leases (key TEXT PRIMARY KEY, token TEXT NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, text TEXT NOT NULL,
    inserted REAL NOT NULL, visible REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, token TEXT NOT NULL DEFAULT ''
);
CREATE INDEX messages_by_visibility ON messages (queue, visible, id);
"""

_ADDED = {
    "safety": "CREATE TABLE safety (name TEXT PRIMARY KEY, body TEXT NOT NULL, etag TEXT NOT NULL) WITHOUT ROWID",
    "record": "CREATE TABLE record (chain TEXT NOT NULL, number INTEGER NOT NULL, segment TEXT NOT NULL, "
    "at REAL NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (chain, number)) WITHOUT ROWID",
    "record_ends": "CREATE TABLE record_ends (chain TEXT PRIMARY KEY, segment TEXT NOT NULL, number INTEGER NOT NULL, "
    "hash TEXT NOT NULL) WITHOUT ROWID",
}
"""Tables that files of the same schema may lack: created when such a file is opened. Earlier releases ignore them."""

_MAY_NOT = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class LocalFile:
    """One connection to the file, used by one thread at a time."""

    def __init__(self, path: str | Path, *, busy: float = BUSY_SECONDS) -> None:
        self._path = Path(path)
        self._where = f"state file {self._path}"
        self._busy = busy
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def begin(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes: all of it or nothing."""
        with self._lock, self._troubles():
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def look(self) -> Iterator[sqlite3.Connection]:
        """Reads alone, which no writer holds up."""
        with self._lock, self._troubles():
            yield self._opened()

    def close(self) -> None:
        """Let the file go; it opens again when it is needed."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        _create(self._path)
        connection = sqlite3.connect(self._path, timeout=self._busy, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._write_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
        if _marks(connection) == (VERSION, APPLICATION) and not _missing(connection):
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._make(connection)
            for table in _missing(connection):
                connection.execute(_ADDED[table])
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _make(self, connection: sqlite3.Connection) -> None:
        """Under the write lock: make the tables, unless another process was faster."""
        version, application = _marks(connection)
        if (version, application) == (VERSION, APPLICATION):
            return
        if application == APPLICATION:
            raise Rejected(
                f"{self._where}: has schema {version}, and this program knows {VERSION}; use its newer release"
            )
        if application or version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise Rejected(f"{self._where}: is a database of another program; name another file")
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        """Switch to the write-ahead log; where two processes switch at once, SQLite says busy without waiting."""
        until = time.monotonic() + self._busy
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as problem:
                if _code(problem) not in _BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    @contextmanager
    def _troubles(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise Forbidden(f"{self._where}: cannot be made or opened ({problem.strerror})") from None
        except sqlite3.DatabaseError as problem:
            raise self._named(problem) from None

    def _named(self, problem: sqlite3.DatabaseError) -> ReconcilerError:
        code = _code(problem)
        if code in _BUSY:
            return Unavailable(f"{self._where}: locked by another process for {self._busy:g} s")
        if code in _MAY_NOT:
            return Forbidden(f"{self._where}: cannot be opened and written ({problem})")
        if code in _DAMAGED:
            return Rejected(f"{self._where}: is damaged or no database; move it away, the next sweep builds a new one")
        return Unavailable(f"{self._where}: {problem}")


def _create(path: Path) -> None:
    """An empty file for its owner alone: it will hold URLs of operations that may grant."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _missing(connection: sqlite3.Connection) -> list[str]:
    """Tables of later releases that this file does not have."""
    found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return [table for table in _ADDED if table not in found]


def _marks(connection: sqlite3.Connection) -> tuple[int, int]:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    return version, connection.execute("PRAGMA application_id").fetchone()[0]


def _code(problem: sqlite3.Error) -> int:
    """The primary result code; extended ones carry more in their upper bits."""
    return (getattr(problem, "sqlite_errorcode", None) or 0) & 0xFF
