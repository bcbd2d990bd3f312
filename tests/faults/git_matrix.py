"""Every request to git of a process that has read no specs yet, with every fault: the message waits, and is not lost.

A real git server on loopback plays the faults in the place of its answer. Call sites come from a run without faults.
"""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email.utils import format_datetime
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.config.settings import Settings
from reconciler.engine import Outcome, load_status
from reconciler.engine.status import ConditionKind
from reconciler.errors import ReconcilerError
from reconciler.service.triggers import TriggerContext, messages
from tests.adapters.git.git_kit import Server, Wsgi, backend_app, serving
from tests.crashes.killing import later
from tests.deployment import Deployment, deployed, spec
from tests.faults.matrix import documented

POOL = "build-pool"
DELIVERIES = 10
REQUESTS = 40
"""To git, of one delivery: one that takes more does not end."""

HTML = {"Content-Type": "text/html"}
STATUSES: Mapping[str, tuple[str, Mapping[str, str], bytes]] = {
    "401": ("401 Unauthorized", {"WWW-Authenticate": "Basic"}, b""),
    "203 sign-in": ("203 Non-Authoritative Information", HTML, b"<html>Sign in</html>"),
    "302 to sign-in": ("302 Found", {"Location": "/_signin"}, b""),
    "403": ("403 Forbidden", {}, b""),
    "404": ("404 Not Found", {}, b""),
    "409": ("409 Conflict", {}, b""),
    "412": ("412 Precondition Failed", {}, b""),
    "429 without a time": ("429 Too Many Requests", {}, b""),
    "429 for seconds": ("429 Too Many Requests", {"Retry-After": "3"}, b""),
    "429 until a date": ("429 Too Many Requests", {"Retry-After": "in a minute"}, b""),
    "429 for a year": ("429 Too Many Requests", {"Retry-After": str(365 * 86400)}, b""),
    "429 for no time that is one": ("429 Too Many Requests", {"Retry-After": "1e999"}, b""),
    "500": ("500 Internal Server Error", {}, b""),
    "503": ("503 Service Unavailable", {"Retry-After": "2"}, b""),
    "HTML": ("200 OK", HTML, b"<html>Sign in</html>"),
}
SPOILED = ("empty 200", "truncated", "garbage", "doubled")
"""What becomes of an answer that the server did give."""
FAULTS = ("refused", *STATUSES, *SPOILED)


@dataclass(frozen=True, slots=True)
class GitCell:
    """One case."""

    site: str
    fault: str
    lasting: bool

    def __str__(self) -> str:
        return f"{self.fault} at {self.site}, {'for a look' if self.lasting else 'once'}"


@dataclass(slots=True)
class FaultyServer:
    """In the place of `Server.before`: counts, and plays a fault at one site."""

    app: Wsgi
    cell: GitCell | None = None
    hits: int = 0
    sites: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        site = _site(environ, body)
        self.sites.append(site)
        environ["wsgi.input"], connection = BytesIO(body), environ["wsgi.input"]
        cell = self.cell
        if cell is None or site != cell.site or (self.hits and not cell.lasting):
            return self.app(environ, start)
        self.hits += 1
        if cell.fault == "refused":
            connection.raw._sock.shutdown(socket.SHUT_RDWR)
            start("200 OK", [])
            return []
        if cell.fault in STATUSES:
            status, headers, said = STATUSES[cell.fault]
            start(status, [(name, _moment(value)) for name, value in headers.items()])
            return [said]
        return _spoiled(self.app, environ, start, cell.fault)


def _moment(value: str) -> str:
    return format_datetime(SystemClock().now(), usegmt=True) if value == "in a minute" else value


def _site(environ: Mapping[str, Any], body: bytes) -> str:
    name = environ["PATH_INFO"].removeprefix("/specs.git/")
    command = next((word for word in ("ls-refs", "fetch") if f"command={word}".encode() in body), "")
    return f"git {environ['REQUEST_METHOD']} {name} {command}".strip()


def _spoiled(app: Wsgi, environ: dict[str, Any], start: Any, how: str) -> list[bytes]:
    head: list[Any] = []
    whole = b"".join(app(environ, lambda status, headers: head.extend((status, headers))))
    body = {
        "empty 200": b"",
        "truncated": whole[: len(whole) // 2],
        "garbage": b"\xff" * len(whole),
        "doubled": whole + whole,
    }[how]
    headers = [(name, value) for name, value in head[1] if name.lower() != "content-length"]
    size = len(whole) if how == "truncated" else len(body)
    start(head[0], [*headers, ("Content-Length", str(size))])
    return [body]


@contextmanager
def staged(folder: Path) -> Iterator[GitStage]:
    """A deployment that is in sync with one commit, and the next one is there."""
    (folder / "before").mkdir()
    with deployed(folder, {"RECONCILER_STATE": str(folder / "before" / "state.db")}) as deployment:
        app = backend_app(deployment.repository.path / ".git")
        with serving(app) as server:
            deployment.environment["RECONCILER_SPECS"] = f"{server.url}/specs.git#main:specs"
            context = deployment.context()
            specs = context.catalogue.specs()
            for one in specs.by_key.values():
                with context.worker.reconciler.look([one], shared=False) as look:
                    assert look.reconcile(one, specs.revision).outcome is Outcome.IN_SYNC
            commit = deployment.commit(**{POOL: spec(POOL, concurrency=3)})
            yield GitStage(deployment, server, app, folder, commit)


class GitStage:
    """A deployment whose specs are behind a server, and a new state for each case."""

    def __init__(self, deployment: Deployment, server: Server, app: Wsgi, folder: Path, commit: str) -> None:
        self._deployment, self._folder, self._commit = deployment, folder, commit
        self.faulty = FaultyServer(app)
        server.before = self.faulty
        self._number = 0
        self.ideal = self.play(None)
        self.sites = sorted(set(self.faulty.sites))

    def cells(self) -> Iterator[GitCell]:
        """Each site with each fault, once and for a look."""
        for site, fault, lasting in product(self.sites, FAULTS, (False, True)):
            yield GitCell(site, fault, lasting)

    def play(self, cell: GitCell | None) -> dict[str, Any]:
        """Deliver until nothing is left; problems, and the writes that were made."""
        self._number += 1
        place = self._folder / f"git-{self._number}"
        shutil.copytree(self._folder / "before", place)
        do, state = self._deployment.cloud.do, place / "state.db"
        do.reset()
        do.switch("arm.update-seconds", 0.05)
        do.reset_log()
        self.faulty.cell, self.faulty.hits = cell, 0
        problems: list[str] = []
        with closing(bootstrap.store(Settings.read(self._environment(state)), SystemClock())) as store:
            store.named("work").put(json.dumps({"keys": [POOL], "trigger": "event"}))
        for _ in range(DELIVERIES):
            self.faulty.sites.clear()
            self._deliver(self._deployment.context(STATE=str(state)), problems)
            if len(self.faulty.sites) > REQUESTS:
                problems.append(f"hangs: {len(self.faulty.sites)} requests to git in one delivery")
            if self.faulty.hits:
                self.faulty.cell = None
            do.settle()
            if not later(state):
                break
        else:
            problems.append(f"messages are left after {DELIVERIES} deliveries")
        if cell is not None and not self.faulty.hits:
            problems.append("the fault was never met")
        problems += self._ended(state)
        return {"problems": problems, "writes": [f"{one['method']} {one['path']}" for one in _writes(do)]}

    def _environment(self, state: Path) -> dict[str, str]:
        return self._deployment.environment | {"RECONCILER_STATE": str(state)}

    def _deliver(self, context: TriggerContext, problems: list[str]) -> None:
        for queue in (context.outbox.events, context.outbox.sweeps):
            for message in queue.take(1, 60):
                if message.attempts > 3:
                    problems.append(f"delivered {message.attempts} times")
                try:
                    messages.work(context, message.text, message.inserted)
                except ReconcilerError:
                    continue
                except Exception as error:  # noqa: BLE001 - whatever else leaves is a crash
                    problems.append(f"crash: {type(error).__name__}: {error}")
                    continue
                queue.ack(message)

    def _ended(self, state: Path) -> Iterator[str]:
        pools = [one for there in self._deployment.cloud.do.state()["subscriptions"] for one in there["pools"]]
        found = next(one["properties"]["maximumConcurrency"] for one in pools if one["name"] == POOL)
        if found != 3:
            yield f"lost: the queues are empty, and the pool has {found} agents"
        with closing(bootstrap.store(Settings.read(self._environment(state)), SystemClock())) as store:
            status = load_status(store.state, POOL)
            if store.named("work-poison").length():
                yield "a dead letter"
        if status.applied != self._commit or not status.condition_true(ConditionKind.READY):
            yield f"at the end {[(one.kind.value, one.reason) for one in status.conditions]} of {status.applied}"
        if unknown := {one.reason for one in status.conditions} - documented():
            yield f"reasons that docs/operations.md does not explain: {sorted(unknown)}"


def _writes(do: Any) -> list[Any]:
    return [one for one in do.requests() if one["write"]]
