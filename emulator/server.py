"""Sockets: three ports on loopback, answers in one write, and the faults that only a socket can play.

Handlers are called one at a time on the event loop; only latency, faults and the gate wait, before or after them.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from emulator.documents import Json
from emulator.exchange import LIMIT, Exchange, Incoming, encode
from emulator.faults import AFTER, Fault
from emulator.frame import Response
from emulator.plane import Plane
from emulator.requestlog import LogEntry, masked, masked_query
from emulator.world import World

HOST = "127.0.0.1"
HOLD = 120.0
"""Seconds for which a time-out holds a connection at most; the caller usually leaves before."""


class PlaneServer:
    """One plane on one port."""

    def __init__(self, world: World, plane: Plane, *, tls: ssl.SSLContext | None = None) -> None:
        self._world, self._plane, self._tls = world, plane, tls
        self._runner: web.ServerRunner | None = None
        self.url = ""

    async def start(self, port: int) -> None:
        """Listen; 0 takes a free port. OSError where the port is taken."""
        self._runner = web.ServerRunner(_ConnectionCounter(self._serve, self._opened), shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port, ssl_context=self._tls)
        await site.start()
        bound = self._runner.addresses[0][1]
        self.url = f"{'https' if self._tls else 'http'}://{HOST}:{bound}"

    def _opened(self) -> None:
        self._world.log.connections[self._plane.name] += 1

    async def stop(self) -> None:
        """Close the port and what is open on it."""
        if self._runner:
            await self._runner.cleanup()

    async def _serve(self, http: web.BaseRequest) -> web.StreamResponse:
        raw, too_large = await _read(http)
        scheme = "https" if self._tls else "http"
        base = f"{scheme}://{http.host}"
        incoming = Incoming(http.method, http.raw_path, http.headers, raw, base, too_large)
        if self._plane.name == "control":
            return _send(Exchange.open(self._world, self._plane, incoming).answer())
        return await self._play(http, incoming)

    async def _play(self, http: web.BaseRequest, incoming: Incoming) -> web.StreamResponse:
        self._world.agenda.run_due()
        exchange = Exchange.open(self._world, self._plane, incoming)
        fault = self._world.faults.take(exchange.operation, exchange.request)
        if self._world.latency:
            await asyncio.sleep(self._world.latency)
        await self._world.gate.passed()
        if fault and fault.kind in {"refused", "timeout-before"}:
            self._log(exchange, 0)
            return await _drop(http, fault)
        if fault and fault.kind not in AFTER:
            response = exchange.finish(self._plane.fault(fault.kind, fault.seconds, exchange.request))
            self._log(exchange, response.status)
            return _send(response)
        response = exchange.answer()
        self._log(exchange, 0 if fault and fault.kind == "timeout-after" else response.status)
        return await _spoil(http, response, fault) if fault else _send(response)

    def _log(self, exchange: Exchange, status: int) -> None:
        request, route = exchange.request, exchange.route
        entry = LogEntry(
            plane=request.plane,
            route=exchange.operation,
            method=request.method,
            path=request.path,
            query=masked_query(request.query),
            body=masked(request.body),
            status=status,
            caller=request.caller,
            at=self._world.clock.stamp(),
            write=route.writes if route else request.method not in {"GET", "HEAD", "OPTIONS"},
        )
        self._world.log.add(entry)


class _ConnectionCounter(web.Server):
    """aiohttp's server, which also counts the connections opened."""

    def __init__(
        self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], opened: Callable[[], None]
    ) -> None:
        super().__init__(handler, access_log=None)
        self._opened = opened

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Count it."""
        super().connection_made(handler, transport)
        self._opened()


async def _read(http: web.BaseRequest) -> tuple[bytes, bool]:
    parts, size = [], 0
    async for chunk in http.content.iter_chunked(65536):
        size += len(chunk)
        if size <= LIMIT:
            parts.append(chunk)
    return b"".join(parts), size > LIMIT


def _send(response: Response) -> web.Response:
    body = encode(response)
    headers = dict(response.headers)
    if body or response.status not in {202, 204}:
        headers.setdefault("Content-Type", response.content_type)
    return web.Response(status=response.status, body=body, headers=headers)


async def _drop(http: web.BaseRequest, fault: Fault) -> web.StreamResponse:
    """Close the connection without a response: at once, or when the caller has waited long enough."""
    if fault.kind != "refused":
        loop = asyncio.get_running_loop()
        end = loop.time() + HOLD
        while loop.time() < end and http.transport is not None and not http.transport.is_closing():  # noqa: ASYNC110 a transport has no event for a peer that leaves
            await asyncio.sleep(0.02)
    if http.transport is not None:
        http.transport.abort()
    return web.Response(status=500)


async def _spoil(http: web.BaseRequest, response: Response, fault: Fault) -> web.StreamResponse:
    if fault.kind == "timeout-after":
        return await _drop(http, fault)
    if fault.kind == "retry-after":
        wait = f"{fault.seconds:g}" if fault.value is None else fault.value
        return _send(replace(response, headers={**response.headers, "Retry-After": wait}))
    if fault.kind == "nulls":
        return _send(replace(response, body=_with_nulls(response.body)))
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        return _send(response)
    return await _truncate(http, response)


def _with_nulls(body: Json) -> Json:
    """The same with one entry more in each list: null."""
    if isinstance(body, list):
        return [*map(_with_nulls, body), None]
    if not isinstance(body, dict):
        return body
    made = {name: _with_nulls(value) for name, value in body.items()}
    if isinstance(made.get("count"), int) and isinstance(made.get("value"), list):
        made["count"] = len(made["value"])
    return made


async def _truncate(http: web.BaseRequest, response: Response) -> web.StreamResponse:
    """Announce the whole body, send half of it, and close."""
    whole = encode(response)
    answer = web.StreamResponse(status=response.status, headers={**response.headers})
    answer.content_type, answer.charset = "application/json", "utf-8"
    answer.content_length = max(len(whole), 2)
    await answer.prepare(http)
    await answer.write(whole[: len(whole) // 2])
    if http.transport is not None:
        http.transport.close()
    return answer
