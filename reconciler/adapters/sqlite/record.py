"""The record of writes in the embedded file: entries as rows, and the end of each chain as a row of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime

from reconciler.adapters.boundary import port
from reconciler.adapters.sqlite.file import LocalFile
from reconciler.adapters.store_limits import RECORD_DAYS, damaged_record, entry_line
from reconciler.documents import Json, JsonObject, moment, moment_of
from reconciler.documents.chain import (
    ChainEnd,
    checkpoint,
    closing,
    end_of,
    entry_of,
    expired,
    linked,
    month_of,
    next_segment,
)
from reconciler.ports.write_log import WriteLog


@port("local file", WriteLog)
class LocalWriteLog:
    """Entries as rows (`reconciler.ports.write_log.WriteLog`)."""

    def __init__(self, file: LocalFile, *, keep_days: int = RECORD_DAYS) -> None:
        self._file = file
        self._keep_days = keep_days

    def append(self, chain: str, bodies: Sequence[JsonObject]) -> ChainEnd:
        """Add entries in one transaction."""
        with self._file.begin() as connection:
            segment, end = _end(connection, chain)
            for body in bodies:
                following = next_segment(segment, body)
                if following is not None:
                    end = self._roll(connection, chain, (segment, end), (following, str(body["at"])))
                    segment = following
                end = _insert(connection, chain, segment, [body], end)
            _keep_end(connection, chain, segment, end)
        return end

    def since(self, chain: str, moment_: datetime) -> Sequence[JsonObject]:
        """Entries of this moment and later, oldest first."""
        sql = "SELECT number, entry FROM record WHERE chain = ? AND at >= ? ORDER BY number"
        with self._file.look() as connection:
            _end(connection, chain)
            rows = connection.execute(sql, (chain, moment_.timestamp())).fetchall()
        found: list[JsonObject] = []
        sealed = False
        for number, content in reversed(rows):
            entry = entry_of(_bytes(content))
            whole = entry is not None and entry["number"] == number
            if not whole and not sealed:
                raise damaged_record(chain, f"entry {number} is edited or damaged")
            if entry is not None and whole:
                sealed = sealed or "sealed" in entry
                found.append(entry)
        return found[::-1]

    def entries(self, chain: str) -> Iterator[Json]:
        """All entries, oldest first."""
        with self._file.look() as connection:
            rows = connection.execute("SELECT entry FROM record WHERE chain = ? ORDER BY number", (chain,)).fetchall()
        for (content,) in rows:
            yield entry_of(_bytes(content)) or _bytes(content).decode(errors="replace")

    def chains(self) -> Sequence[str]:
        """Names of all chains, sorted."""
        with self._file.look() as connection:
            return [name for (name,) in connection.execute("SELECT chain FROM record_ends ORDER BY chain")]

    def seal(self, chain: str, reason: str, at: datetime) -> None:
        """Begin a new segment after a damaged end."""
        with self._file.begin() as connection:
            sql = "SELECT segment, number, hash FROM record_ends WHERE chain = ?"
            row = connection.execute(sql, (chain,)).fetchone()
            last = connection.execute("SELECT max(number) FROM record WHERE chain = ?", (chain,)).fetchone()[0]
            segment, number, digest = row or ("", 0, "")
            following = next_segment(segment, {"at": moment(at)}, full=True) or segment
            body = {**checkpoint(segment, following, moment(at)), "sealed": reason}
            end = ChainEnd(max(number, last or 0), digest)
            _keep_end(connection, chain, following, _insert(connection, chain, following, [body], end))

    def _roll(
        self, connection: sqlite3.Connection, chain: str, old: tuple[str, ChainEnd], new: tuple[str, str]
    ) -> ChainEnd:
        """Close a segment, begin the next, and delete those that are too old."""
        (segment, end), (following, at) = old, new
        if segment:
            end = _insert(connection, chain, segment, [closing(segment, following, at)], end)
        rows = connection.execute("SELECT DISTINCT segment FROM record WHERE chain = ?", (chain,)).fetchall()
        for name in expired([name for (name,) in rows], month_of({"at": at}), self._keep_days):
            connection.execute("DELETE FROM record WHERE chain = ? AND segment = ?", (chain, name))
        return _insert(connection, chain, following, [checkpoint(segment, following, at)], end)


def _end(connection: sqlite3.Connection, chain: str) -> tuple[str, ChainEnd]:
    """Segment and end of a chain. `Rejected` where its last entry is not the one that was added last."""
    last = connection.execute(
        "SELECT entry FROM record WHERE chain = ? ORDER BY number DESC LIMIT 1", (chain,)
    ).fetchone()
    row = connection.execute("SELECT segment, number, hash FROM record_ends WHERE chain = ?", (chain,)).fetchone()
    if row is None and last is None:
        return "", ChainEnd()
    entry = entry_of(_bytes(last[0])) if last is not None else None
    if row is None or entry is None or end_of(entry) != ChainEnd(row[1], row[2]):
        raise damaged_record(chain, "its last entry is edited or damaged, or missing")
    return row[0], ChainEnd(row[1], row[2])


def _insert(
    connection: sqlite3.Connection, chain: str, segment: str, bodies: Sequence[JsonObject], end: ChainEnd
) -> ChainEnd:
    entries, end = linked(bodies, end)
    connection.executemany(
        "INSERT INTO record (chain, number, segment, at, entry) VALUES (?, ?, ?, ?, ?)",
        [(chain, one["number"], segment, _seconds(one), entry_line(chain, one)) for one in entries],
    )
    return end


def _keep_end(connection: sqlite3.Connection, chain: str, segment: str, end: ChainEnd) -> None:
    connection.execute(
        "INSERT INTO record_ends VALUES (?, ?, ?, ?) ON CONFLICT (chain) DO UPDATE "
        "SET segment = excluded.segment, number = excluded.number, hash = excluded.hash",
        (chain, segment, end.number, end.hash),
    )


def _seconds(entry: JsonObject) -> float:
    at = moment_of(entry["at"])
    return at.timestamp() if at is not None else 0.0


def _bytes(content: bytes | str | None) -> bytes:
    """A stored entry; an edited row may hold a text, or nothing."""
    return content.encode() if isinstance(content, str) else content or b""
