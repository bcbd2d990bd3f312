"""Processes of the deployment: each is built as in production, over one state file, and shares no memory with another.

One of them may be in the middle of a message while others do something: its code is held up inside of an exchange.
"""

from __future__ import annotations

import contextvars
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from msrest.universal_http.requests import ClientRetryPolicy

from reconciler.adapters import lazy_imports
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting
from reconciler.errors import Unavailable
from reconciler.ports.specs import Snapshot
from reconciler.ports.stores import Message, MessageQueue
from reconciler.service.catalogue import Catalogue
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.worker import Report
from reconciler.service.triggers import TriggerContext, composition, messages
from reconciler.service.triggers import logs as trigger_logs
from reconciler.telemetry import NO_TELEMETRY
from tests.simulation.holds import Held
from tests.simulation.virtual import BOOTED, TIME

T = TypeVar("T")
HIDE = 330.0
RETRY = 30.0
"""Seconds until the message of a function that raised comes again."""


class Killed(BaseException):
    """The process has ended, at once: nothing that it still does reaches anything."""


class _Connection(sqlite3.Connection):
    """A connection to the state file that ends with its process."""

    process: Process | None = None

    def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
        self._alive(sql)
        return super().execute(sql, *given)

    def executemany(self, *given: Any) -> sqlite3.Cursor:
        self._alive("")
        return super().executemany(*given)

    def _alive(self, sql: str) -> None:
        if self.process is not None:
            self.process.stored(sql)


_sqlite_connect = sqlite3.connect


def _connected(*arguments: Any, **options: Any) -> sqlite3.Connection:
    made = _sqlite_connect(*arguments, **{**options, "factory": _Connection})
    assert isinstance(made, _Connection)
    made.process = TIME.owner if isinstance(TIME.owner, Process) else None
    if made.process is not None:
        made.process.connections.append(made)
    made.execute("PRAGMA synchronous = OFF")
    return made


class _Codes:
    """The same codes as msrest's own list."""

    def __contains__(self, code: object) -> bool:
        return (isinstance(code, int) and code < 500 and code != 408) or code in (501, 505)


def install() -> None:
    """Let connections to state files end with their process."""
    sqlite3.connect = _connected  # type: ignore[assignment] # as said
    lazy_imports.load()
    ClientRetryPolicy.safe_codes = _Codes()  # type: ignore[assignment] # each client looks a thousand codes up in a list of five hundred


@dataclass
class WorkerClock:
    """The clock of one machine; its stopwatch is right."""

    skew: float = 0.0

    def now(self) -> datetime:
        """What it shows."""
        return TIME.date(self.skew)

    def monotonic(self) -> float:
        """Seconds since the machine started."""
        return TIME.now - BOOTED


@dataclass
class Repository:
    """Git: commits in order, and its troubles."""

    commits: list[Mapping[str, bytes]]
    trouble: str = ""
    behind: int = 0
    """How many commits a mirror that fell behind lacks."""

    def snapshot(self) -> Snapshot:
        """As a source of specs does."""
        if self.trouble:
            raise Unavailable(self.trouble)
        number = max(0, len(self.commits) - 1 - self.behind)
        return Snapshot(f"{number:040x}", self.commits[number])


@dataclass(frozen=True, slots=True)
class Plans:
    """What the process does at its next exchanges or statements of the state file."""

    at: int
    do: Callable[[], None]


class Process:
    """One process of the deployment."""

    def __init__(
        self, name: str, environment: Mapping[str, str], repository: Repository, listen: Any, store: WorkerClock
    ) -> None:
        """`store`: the clock of the store."""
        self.name = name
        self.clock = WorkerClock()
        self.dead = False
        self.busy = False
        """Whether it is in the middle of a message."""
        self.release = ""
        """``newer`` or ``older``: as which release it writes documents; empty: as this one."""
        self.exchanges = 0
        """Since the message began."""
        self.put = self.taken = TIME.now
        """When the message was first put on its queue, and when it was taken: true times."""
        self.decided = self.first = Held()
        """What was held back when its last exchange began, and when its last write was sent for the first time."""
        self.last: object = None
        """That write."""
        self.statements = 0
        self.plans: list[Plans] = []
        self.kill_at_statement = 0
        self.connections: list[sqlite3.Connection] = []
        self._environment, self._repository, self._listen = environment, repository, listen
        self._store = store
        self.context = self.run(self._built)

    def _built(self) -> TriggerContext:
        settings = Settings.read(self._environment)
        context = composition.build(settings, Hosting.read(self._environment), NO_TELEMETRY, self.clock)
        catalogue = Catalogue(self._repository, self.clock)
        worker = replace(context.worker, catalogue=catalogue, listen=self._report)
        self._keep_time(context)
        return replace(context, catalogue=catalogue, worker=worker)

    def _keep_time(self, context: TriggerContext) -> None:
        """Leases and visibility go by the store's clock, as in a storage account; everything else by the machine's."""
        family: Any = context.queues._family  # type: ignore[attr-defined]
        queues: list[Any] = [context.outbox.events, context.outbox.sweeps]
        for part in (family, family.leases, family.state, family.safety, *(one._queue for one in queues)):
            part._clock = self._store

    def _report(self, work: WorkMessage, report: Report, specs: Any) -> None:
        trigger_logs.run(work, report, specs)
        self._listen(self, work, report)

    def run(self, job: Callable[[], T]) -> T:
        """Do something as this process: what happens in it knows nothing of what others are in the middle of."""
        before, TIME.owner = TIME.owner, self
        try:
            return contextvars.Context().run(job)
        finally:
            TIME.owner = before

    def exchange(self) -> None:
        """An exchange is about to be sent."""
        if self.dead:
            raise Killed
        self.exchanges += 1
        due = [one for one in self.plans if one.at == self.exchanges]
        self.plans = [one for one in self.plans if one.at != self.exchanges]
        for one in due:
            TIME.frozen.add(id(self))
            try:
                one.do()
            finally:
                TIME.frozen.discard(id(self))
        if self.dead:
            raise Killed

    def when_decided(self, write: object) -> Held:
        """What was held back when it decided to send this write, which it may repeat after a failure."""
        if write != self.last:
            self.last, self.first = write, self.decided
        return self.first

    def stored(self, sql: str) -> None:
        """A statement is about to reach the state file."""
        if threading.current_thread() is not threading.main_thread():
            return
        if not self.dead and self.busy and sql in ("BEGIN IMMEDIATE", "COMMIT"):
            self.statements += 1
            if self.statements == self.kill_at_statement:
                self.dead = True
        if self.dead:
            raise Killed

    def take(self, queue: MessageQueue, function: Callable[[TriggerContext, Message], None]) -> str:
        """Take one message and run a function with it, as the platform does; what came of it, empty: no message."""
        taken = self.run(lambda: queue.take(1, HIDE))
        if not taken:
            return ""
        message = taken[0]
        self.busy, self.exchanges, self.statements, self.taken = True, 0, 0, TIME.now
        self.last = None
        try:
            self.run(lambda: function(self.context, message))
            self.run(lambda: queue.ack(message))
        except Killed:
            self.close()
            return "killed"
        finally:
            self.busy = False
            self.plans.clear()
        return "done"

    def close(self) -> None:
        """It has ended: what it had begun in the state file is undone."""
        self.dead = True
        while self.connections:
            self.connections.pop().close()


def work(context: TriggerContext, message: Message) -> None:
    """As the function of the work queues does."""
    messages.work(context, message.text, message.inserted)
