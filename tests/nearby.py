"""An emulator in a thread of this process, whose answers take the short way: no socket, and the same handlers.

`start` is `emulator.start`: three ports on loopback. Requests of this process that meet no fault and nothing that waits
are answered where connections begin (`reconciler.adapters.bounds.POOLS`, through which `requests` and azure-core
connect), so everything above is as in production: sessions, policies, bounds, retries. Whatever only a socket can play
goes through one. Handlers still run one at a time: the emulator's thread lets go of its world only while it waits.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import queue
import selectors
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse
from urllib3.connectionpool import log

from emulator import Running
from emulator.control import Control, ControlError
from emulator.documents import Json
from emulator.estate import read
from emulator.exchange import Exchange, Incoming, encode
from emulator.frame import Response
from emulator.running import Ports, Service, build
from emulator.server import PlaneServer
from emulator.spoiling import AGAIN
from emulator.switch import Value
from emulator.world import World
from reconciler.adapters import bounds

_WAITING = frozenset({"/hold", "/latency", "/subscriptions"})
"""Of the control port: what the event loop itself has to know at once."""


class _Yielding(selectors.DefaultSelector):
    """Waits without the lock of the world."""

    def __init__(self, lock: threading.Lock) -> None:
        super().__init__()
        self._lock = lock

    def select(self, timeout: float | None = None) -> Any:
        """As the base does."""
        self._lock.release()
        try:
            return super().select(timeout)
        finally:
            self._lock.acquire()


class _Near:
    """The planes of one emulator, by port."""

    def __init__(self, world: World, service: Service, lock: threading.Lock) -> None:
        self._world, self._lock = world, lock
        self._servers: dict[int, PlaneServer] = {}
        for server, _ in service._servers:
            port = urlsplit(server.url).port
            assert port is not None
            self._servers[port] = server

    @property
    def ports(self) -> frozenset[int]:
        return frozenset(self._servers)

    def answer(self, port: int, method: str, url: str, body: bytes, headers: Any) -> tuple[Response, bytes] | None:
        """The response and its body, since a body may be a part of the world; None where it takes a socket."""
        world, server = self._world, self._servers[port]
        incoming = Incoming(method, url, headers, body, server.url)
        with self._lock:
            if server._plane.name == "control":
                response = Exchange.open(world, server._plane, incoming).answer()
                return response, encode(response)
            if world.latency or world.gate._closed or AGAIN in url:
                return None
            world.agenda.run_due()
            exchange = Exchange.open(world, server._plane, incoming)
            faults = world.faults._set
            if faults and any(fault.fits(exchange.operation, exchange.request) for fault in faults):
                return None
            response = exchange.answer()
            server._log(exchange, response.status)
            return response, encode(response)


_NEAR: dict[int, _Near] = {}
os.register_at_fork(after_in_child=_NEAR.clear)  # a child has a copy of the world, and the emulator is its parent's
_BASE = bounds.POOLS["http"]


class _Pool(_BASE):  # type: ignore[misc, valid-type] # a class that is found when this is read
    """Connections of which those to an emulator of this process are short."""

    def urlopen(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> Any:
        """As urllib3 does."""
        near = _NEAR.get(self.port or 0)
        if near is None or not (body is None or isinstance(body, bytes | str)):
            return super().urlopen(method, url, body, headers, **options)
        limits = bounds._current.get() or bounds._default()
        limits.remaining()
        raw = b"" if body is None else body.encode() if isinstance(body, str) else body
        named = CaseInsensitiveDict({_text(name): _text(value) for name, value in (headers or {}).items()})
        named.setdefault("Host", f"{self.host}:{self.port}")
        found = near.answer(self.port, method, url, raw, named)
        if found is None:
            return super().urlopen(method, url, body, headers, **options)
        response, sent = found
        if len(sent) > limits.size:
            raise limits.too_large()
        where = (self.scheme, self.host, self.port, method, url, "HTTP/1.1", response.status, len(sent))
        log.debug('%s://%s:%s "%s %s %s" %s %s', *where)  # as the base does: tests read the log
        return _as_urllib3(response, method, sent)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _as_urllib3(response: Response, method: str, sent: bytes) -> HTTPResponse:
    headers = {name: str(value) for name, value in response.headers.items()}
    headers.setdefault("Content-Length", str(len(sent)))
    headers.setdefault("Date", formatdate(usegmt=True))
    if sent or response.status not in {202, 204}:
        headers.setdefault("Content-Type", response.content_type)
    return HTTPResponse(
        body=io.BytesIO(sent), headers=headers, status=response.status, preload_content=False, request_method=method
    )


class _NearControl(Control):
    """The control port, without a socket."""

    def _call(self, method: str, path: str, body: Json = None) -> Json:
        parts = urlsplit(self._url)
        port = parts.port or 0
        near = _NEAR.get(port)
        if near is None or path.partition("?")[0] in _WAITING:
            return super()._call(method, path, body)
        data = b"" if body is None else json.dumps(body).encode()
        headers = CaseInsensitiveDict({"Host": parts.netloc, **({"Content-Type": "application/json"} if data else {})})
        answered = near.answer(port, method, path, data, headers)
        assert answered is not None
        found = json.loads(answered[1])
        if answered[0].status != 200:
            raise ControlError(found["error"]["message"])
        return found


@dataclass(slots=True)
class _Running(Running):
    """With a short way to its control port."""

    @property
    def do(self) -> Control:
        """What can be done to the emulated world."""
        return _NearControl(self.control)


@contextmanager
def sockets() -> Iterator[None]:
    """Everything takes a socket in this block."""
    known = dict(_NEAR)
    _NEAR.clear()
    try:
        yield
    finally:
        _NEAR.update(known)


def start(source: Path | Mapping[str, Json], *, switches: Mapping[str, Value] | None = None) -> Running:
    """As `emulator.start`."""
    world = build(read(source), switches, name=str(source) if isinstance(source, Path) else "estate")
    started: queue.Queue[tuple[dict[str, Json], Callable[[], None]] | Exception] = queue.Queue()
    thread = threading.Thread(target=lambda: _run(world, started), name="emulator", daemon=True)
    thread.start()
    found = started.get(timeout=20)
    if isinstance(found, Exception):
        raise found
    ready, end = found
    bounds.POOLS["http"] = _Pool
    return _Running(**ready, _end=end, _thread=thread)


def _run(world: World, started: queue.Queue[tuple[dict[str, Json], Callable[[], None]] | Exception]) -> None:
    lock = threading.Lock()
    with lock, asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(_Yielding(lock))) as runner:
        runner.run(_serve(world, lock, started))


async def _serve(
    world: World, lock: threading.Lock, started: queue.Queue[tuple[dict[str, Json], Callable[[], None]] | Exception]
) -> None:
    service, stop, loop = Service(world, Ports()), asyncio.Event(), asyncio.get_running_loop()

    def end() -> None:
        with suppress(RuntimeError):  # ended already
            loop.call_soon_threadsafe(stop.set)

    near = None
    try:
        await service.start()
        near = _Near(world, service, lock)
        _NEAR.update(dict.fromkeys(near.ports, near))
        started.put((service.ready(), end))
        await stop.wait()
    except OSError as error:
        started.put(error)
    finally:
        for port in near.ports if near else ():
            _NEAR.pop(port, None)
        await service.stop()
