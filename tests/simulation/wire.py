"""Requests of the program, answered by the emulator's handlers within this process: no socket, no thread.

It stands where the program's connections begin (`reconciler.adapters.bounds.POOLS`, through which requests and
azure-core connect), so everything above is as in production: sessions, policies, bounds, retries. Faults are those of
the emulator, and what only a socket can play becomes the error of urllib3 that the program would see.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError, ReadTimeoutError

from emulator.arm.plane import ArmPlane
from emulator.devops.routes import ROUTES
from emulator.exchange import Exchange, Incoming, encode
from emulator.faults import AFTER, Fault
from emulator.frame import Response
from emulator.plane import Plane
from emulator.vss.plane import DevOpsPlane
from emulator.world import World
from reconciler.adapters import bounds
from tests.simulation.virtual import TIME

ARM, DEVOPS, AUDIT = "http://127.0.0.1:1001", "http://127.0.0.1:1002", "http://127.0.0.1:1003"
TIMEOUT = 30.0
"""Seconds after which a request is given up that gets no response (`RECONCILER_HTTP_TIMEOUT`)."""
_PLANES: dict[int, Plane] = {1001: ArmPlane(), 1002: DevOpsPlane(ROUTES), 1003: DevOpsPlane(ROUTES)}
WRITES = ("PUT", "PATCH", "POST", "DELETE")


@dataclass(frozen=True, slots=True)
class Sent:
    """One exchange as it went."""

    plane: str
    operation: str
    method: str
    path: str
    body: Any
    status: int
    """0: the caller saw no response."""
    done: bool
    """Whether the handler ran."""
    writes: bool

    @property
    def line(self) -> str:
        """For the trace."""
        return f"{self.method} {self.operation or '?'} {self.path} {self.status}"


def _nothing(*_: Any) -> None:
    return None


@dataclass
class Wire:
    """What answers."""

    world: World | None = None
    before: Callable[[bool], None] = _nothing
    """Called before each exchange, `True` for one that is about to write: other things happen there."""
    after: Callable[[Sent], None] = _nothing
    audit: Callable[[Response], Response] = lambda one: one
    """What the feed says of the truth."""
    latency: Callable[[], float] = lambda: 0.0
    writing: Callable[[str], None] = _nothing
    """Called immediately before a handler that writes."""

    def exchange(self, pool: HTTPConnectionPool, method: str, url: str, body: Any, headers: Any) -> HTTPResponse:
        """One exchange of a program's process."""
        port, world = pool.port, self.world
        assert world is not None
        assert port is not None
        raw = b"" if body is None else body if isinstance(body, bytes) else str(body).encode()
        mapping = CaseInsensitiveDict({str(name): _text(value) for name, value in (headers or {}).items()})
        host = f"{pool.host}:{port}"
        mapping.setdefault("Host", host)
        path = url if url.startswith("/") else urlsplit(url)._replace(scheme="", netloc="").geturl()
        self.before(method in WRITES)
        TIME.advance(self.latency())
        world.agenda.run_due()
        incoming = Incoming(method, path, mapping, raw, f"http://{host}")
        exchange = Exchange.open(world, _PLANES[port], incoming)
        fault = world.faults.take(exchange.operation, exchange.request)
        route, request = exchange.route, exchange.request
        writes = route.writes if route else method in WRITES
        if writes:
            self.writing(request.path)
        response = self._played(exchange, fault)
        done = response is not None and (fault is None or fault.kind in AFTER)
        lost = response is None or (fault is not None and fault.kind == "timeout-after")
        status = 0 if lost or response is None else response.status
        self.after(Sent(request.plane, exchange.operation, method, request.path, request.body, status, done, writes))
        if lost or response is None:
            raise _dropped(pool, url, fault)
        if port == 1003:
            response = self.audit(response)
        return _as_urllib3(response, method, truncated=fault is not None and fault.kind == "truncated")

    def _played(self, exchange: Exchange, fault: Fault | None) -> Response | None:
        if fault is not None and fault.kind in ("refused", "timeout-before"):
            return None
        if fault is not None and fault.kind not in AFTER:
            plane = _PLANES[1001 if exchange.request.plane == "arm" else 1002]
            return exchange.finish(plane.fault(fault.kind, fault.seconds, exchange.request))
        response = exchange.answer()
        if fault is not None and fault.kind == "retry-after":
            wait = f"{fault.seconds:g}" if fault.value is None else fault.value
            return replace(response, headers={**response.headers, "Retry-After": wait})
        if fault is not None and fault.kind == "slow":
            TIME.advance(fault.seconds)
        return response


WIRE = Wire()


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _dropped(pool: HTTPConnectionPool, url: str, fault: Fault | None) -> Exception:
    """What urllib3 raises where no response comes; time passes as the caller waits."""
    if fault is not None and fault.kind == "refused":
        return MaxRetryError(pool, url, NewConnectionError(pool, "refused"))  # type: ignore[arg-type] # a pool will do
    TIME.advance(TIMEOUT)
    return ReadTimeoutError(pool, url, "no response in time")


def _as_urllib3(response: Response, method: str, *, truncated: bool) -> HTTPResponse:
    body = encode(response)
    headers = {name: str(value) for name, value in response.headers.items()}
    headers.setdefault("Content-Length", str(len(body)))
    if body or response.status not in {202, 204}:
        headers.setdefault("Content-Type", response.content_type)
    sent = body[: len(body) // 2] if truncated else body
    return HTTPResponse(
        body=io.BytesIO(sent),
        headers=headers,
        status=response.status,
        preload_content=False,
        enforce_content_length=True,
        request_method=method,
    )


class _Pool(HTTPConnectionPool):
    """Connections that lead to the emulator's handlers."""

    def urlopen(self, method: str, url: str, body: Any = None, headers: Any = None, **_: Any) -> Any:  # type: ignore[override]
        """As urllib3 does, without a socket."""
        return WIRE.exchange(self, method, url, body, headers)


def connect() -> None:
    """From now on, all connections of this process over plain http lead to the emulator's handlers."""
    bounds.POOLS["http"] = _Pool
