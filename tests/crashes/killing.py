"""A worker that is killed at a chosen write: what its process runs.

Writes are seen from outside of the program: a request that is no read, by CPython's audit event ``http.client.send``,
a file of the specs by those of the file system, and a transaction of the state file, by SQLite's trace of statements.
Nothing of the program is replaced.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.adapters import lazy_imports
from reconciler.cli import main
from reconciler.config.settings import Settings, become
from reconciler.config.triggers import Hosting, state
from reconciler.documents import moment
from reconciler.service.triggers import composition, messages

FILES = ("open", "os.chmod", "os.rename", "os.remove")
READS = (b"GET ", b"HEAD ", b"OPTIONS ")
WRITES = (b"PUT ", b"PATCH ", b"POST ", b"DELETE ")
APPOINTMENT = timedelta(hours=4)
"""Ahead of now; retries are nearer."""

_connect = sqlite3.connect
lazy_imports.load()


class Fate:
    """Counts writes, and kills this process before or after the one that was chosen."""

    def __init__(self, point: int, specs: str, *, after: bool) -> None:
        self._point = point
        self._specs = specs
        self._after = after
        self._armed = False
        self.writes: list[str] = []

    def seen(self, write: str = "") -> None:
        """Something is about to be sent or stored; `write`: what, where it is a write."""
        if self._armed:
            os.kill(os.getpid(), signal.SIGKILL)
        if not write:
            return
        self.writes.append(write)
        if len(self.writes) == self._point:
            if self._after:
                self._armed = True
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """For `sys.addaudithook`."""
        if event == "http.client.send" and isinstance(arguments[1], bytes):
            data = arguments[1]
            if data.startswith(WRITES):
                self.seen(data.split(b" HTTP/")[0].decode())
            elif data.startswith(READS):
                self.seen()
        elif event in FILES and self._changes_specs(event, arguments):
            self.seen(event)

    def _changes_specs(self, event: str, arguments: tuple[Any, ...]) -> bool:
        within = str(arguments[0]).startswith(f"{self._specs}/")
        return within and (event != "open" or bool(arguments[2] & (os.O_WRONLY | os.O_RDWR)))

    def connect(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        """In the place of `sqlite3.connect`, whose audit event comes before the connection can be traced."""
        connection: sqlite3.Connection = _connect(*arguments, **options)
        connection.set_trace_callback(self._statement)
        return connection

    def _statement(self, statement: str) -> None:
        self.seen("COMMIT" if statement == "COMMIT" else "")


def _watched(environment: Mapping[str, str], point: int, *, after: bool) -> Fate:
    """Become a process of the program, with its fate."""
    become(dict(environment))
    fate = Fate(point, environment["RECONCILER_SPECS"], after=after)
    sys.addaudithook(fate.hook)
    setattr(sqlite3, "connect", fate.connect)  # noqa: B010 - in a process of its own
    return fate


def command(environment: Mapping[str, str], arguments: Sequence[str], point: int, after: bool, out: str) -> None:
    """Run a command of the command line; writes the writes that it saw into a file."""
    fate = _watched(environment, point, after=after)
    code = main(list(arguments))
    with Path(out).open("a") as log:
        log.write(json.dumps({"writes": fate.writes}) + "\n")
    sys.exit(code)


def deliver(environment: Mapping[str, str], point: int, after: bool, out: str) -> None:
    """Take one message, and work on it; writes the deliveries and the writes that it saw into a file."""
    fate = _watched(environment, point, after=after)
    settings = Settings.read(environment, beneath=state(environment))
    context = composition.build(settings, Hosting.read(environment))
    for queue in (context.outbox.events, context.outbox.sweeps):
        for message in queue.take(1, 60):
            with Path(out).open("a") as log:
                log.write(json.dumps({"text": message.text, "attempts": message.attempts}) + "\n")
            messages.work(context, message.text, message.inserted)
            queue.ack(message)
            with Path(out).open("a") as log:
                log.write(json.dumps({"writes": fate.writes}) + "\n")
            return


def later(file: Path) -> int:
    """As if some time had passed: leases have run out, and hidden messages are visible and due; how many there are.

    An appointment, such as the end of a pause, is further ahead than any retry: it stays, and is not counted.
    """
    at = datetime.now(UTC)
    now, far = moment(at), moment(at + APPOINTMENT)
    waiting = 0
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DELETE FROM leases")
        for number, queue, text in connection.execute("SELECT id, queue, text FROM messages").fetchall():
            body = json.loads(text)
            if body.get("due", "") > far:
                continue
            waiting += 1
            body |= {"due": now} if body.get("due", "") > now else {}
            if not queue.endswith("-poison"):
                connection.execute("UPDATE messages SET text = ?, visible = 0 WHERE id = ?", (json.dumps(body), number))
        for name, text in connection.execute(
            "SELECT name, body FROM documents WHERE name LIKE 'follow-ups/%'"
        ).fetchall():
            body = json.loads(text)
            if now < body.get("at", "") <= far:
                body["at"] = now
                connection.execute("UPDATE documents SET body = ? WHERE name = ?", (json.dumps(body), name))
        connection.commit()
    return waiting
