"""Queues in the embedded file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from reconciler.adapters.boundary import port
from reconciler.adapters.sqlite.file import LocalFile
from reconciler.adapters.store_limits import ATTEMPTS, CLOCKS, MOST_AT_ONCE, POISON, delay_seconds, hide_seconds
from reconciler.errors import LeaseHeld
from reconciler.ports.clock import Clock
from reconciler.ports.stores import Message, MessageQueue


@port("local file", MessageQueue)
class LocalQueue:
    """Messages as rows, visible from a time on (`reconciler.ports.stores.MessageQueue`).

    A message that was inserted later than now was put under a clock that was ahead: it is visible now.
    """

    def __init__(self, file: LocalFile, clock: Clock, name: str, attempts: int | None = ATTEMPTS) -> None:
        self._file = file
        self._clock = clock
        self._name = name
        self._attempts = attempts

    def put(self, text: str, *, delay: float = 0.0) -> None:
        """Add a message, not visible before `delay` seconds."""
        self._insert((text,), delay)

    def put_all(self, texts: Sequence[str]) -> None:
        """Add messages in one transaction."""
        self._insert(texts, 0.0)

    def _insert(self, texts: Sequence[str], delay: float) -> None:
        now = self._now()
        with self._file.begin() as connection:
            connection.executemany(
                "INSERT INTO messages (queue, text, inserted, visible) VALUES (?, ?, ?, ?)",
                [(self._name, text, now, now + delay_seconds(delay)) for text in texts],
            )

    def take(self, count: int, hide: float) -> Sequence[Message]:
        """Take up to `count` messages (32 at most), the ones visible for longest first."""
        now, token = self._now(), uuid4().hex
        with self._file.begin() as connection:
            while self._set_poison_aside(connection, now, count):
                pass
            rows = connection.execute(
                "UPDATE messages SET attempts = attempts + 1, visible = ?, token = ? WHERE id IN "
                "(SELECT id FROM messages WHERE queue = ? AND visible <= ? ORDER BY visible, id LIMIT ?) "
                "RETURNING id, text, inserted, attempts",
                (now + hide_seconds(hide), token, self._name, now, min(count, MOST_AT_ONCE)),
            ).fetchall()
            if not rows:  # only then: looking at all would make each take as slow as the queue is long
                connection.execute(
                    "UPDATE messages SET visible = :now, inserted = :now WHERE queue = :name AND inserted > :ahead",
                    {"now": now, "name": self._name, "ahead": now + CLOCKS},
                )
        return [
            Message(str(number), text, datetime.fromtimestamp(inserted, UTC), attempts, f"{number} {token}")
            for number, text, inserted, attempts in sorted(rows)
        ]

    def hide(self, message: Message, seconds: float) -> Message:
        """Hide a taken message for that long from now; `LeaseHeld` where another took it."""
        number, token = message.receipt.split(" ")
        fresh = uuid4().hex
        with self._file.begin() as connection:
            kept = connection.execute(
                "UPDATE messages SET visible = ?, token = ? WHERE id = ? AND token = ?",
                (self._now() + delay_seconds(seconds), fresh, number, token),
            ).rowcount
        if not kept:
            raise LeaseHeld(f"queue {self._name}: message {message.id} was taken by another worker")
        return replace(message, receipt=f"{number} {fresh}")

    def ack(self, message: Message) -> None:
        """Remove it, unless another took it in the meantime."""
        with self._file.begin() as connection:
            connection.execute("DELETE FROM messages WHERE id = ? AND token = ?", message.receipt.split(" "))

    def length(self) -> int:
        """How many messages there are, hidden ones included."""
        with self._file.look() as connection:
            found = connection.execute("SELECT count(*) FROM messages WHERE queue = ?", (self._name,)).fetchone()
            return int(found[0])

    def _set_poison_aside(self, connection: sqlite3.Connection, now: float, count: int) -> int:
        """Of those whose turn it is alone: looking at all would make each take as slow as the queue is long."""
        if self._attempts is None:
            return 0
        return connection.execute(
            "UPDATE messages SET queue = :poison, attempts = 0, token = '', visible = :now, inserted = :now "
            "WHERE attempts >= :most AND id IN "
            "(SELECT id FROM messages WHERE queue = :name AND visible <= :now ORDER BY visible, id LIMIT :count)",
            {
                "poison": self._name + POISON,
                "now": now,
                "name": self._name,
                "most": self._attempts,
                "count": min(count, MOST_AT_ONCE),
            },
        ).rowcount

    def _now(self) -> float:
        return self._clock.now().timestamp()
