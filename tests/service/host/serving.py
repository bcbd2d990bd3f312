"""A function app served in a thread of the test, and a client that keeps to loopback."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func

from reconciler.ports.stores import MessageQueues
from reconciler.service.host.bindings import read
from reconciler.service.host.host import Host, ServeOptions
from reconciler.service.host.keys import FunctionKey

SETTINGS = {"IN": "in", "OUT": "out", "NEVER": "0 0 0 1 1 *", "ALWAYS": "* * * * * *"}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Serving:
    """A running host."""

    url: str
    stop: Callable[[], None]
    """Begin the graceful stop."""
    ended: Callable[[], bool]
    """Wait for its end; whether every run ended in time."""

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            got = connection.getresponse()
            return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        finally:
            connection.close()


@contextmanager
def serving(host: Host) -> Iterator[Serving]:
    """Serve in a thread until the block ends."""
    started: queue.SimpleQueue[tuple[str, Callable[[], None]] | BaseException] = queue.SimpleQueue()
    results: queue.SimpleQueue[bool] = queue.SimpleQueue()

    async def main() -> None:
        stopping, loop = asyncio.Event(), asyncio.get_running_loop()

        def stop() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(stopping.set)

        results.put(await host.serve(lambda url: started.put((url, stop)), stopping))

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - told to the test, whatever it is
            started.put(error)

    thread = threading.Thread(target=run)
    thread.start()
    found = started.get(timeout=300)
    if isinstance(found, BaseException):
        thread.join(300)
        raise found
    url, stop = found
    try:
        yield Serving(url, stop, lambda: results.get(timeout=300))
    finally:
        stop()
        thread.join(30)


def hosting(app: func.FunctionApp, queues: MessageQueues, **options: Any) -> Host:
    """A host for a toy app: a free port, no timers unless asked for, failed messages again at once."""
    given = {
        "port": 0,
        "timers": False,
        "retry": 0.0,
        "grace": 20.0,
        **options,
        "key": FunctionKey.of(options.get("key", "")),
    }
    return Host(read(app.get_functions(), SETTINGS), queues, ServeOptions(**given))
