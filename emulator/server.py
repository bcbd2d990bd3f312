"""Sockets: three ports on loopback, answers in one write, and the faults that only a socket can play.

Handlers are called one at a time on the event loop; only latency, faults and the gate wait, before or after them.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

from aiohttp import web

from emulator.exchange import LIMIT, Exchange, Incoming
from emulator.faults import AFTER
from emulator.plane import Plane
from emulator.requestlog import LogEntry, masked, masked_query
from emulator.spoiling import afresh, drop, instead, send, spoil
from emulator.world import World

HOST = "127.0.0.1"


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
            return send(Exchange.open(self._world, self._plane, incoming).answer())
        return await self._play(http, incoming)

    async def _play(self, http: web.BaseRequest, incoming: Incoming) -> web.StreamResponse:
        self._world.agenda.run_due()
        exchange = Exchange.open(self._world, self._plane, afresh(incoming))
        fault = self._world.faults.take(exchange.operation, exchange.request)
        if self._world.latency:
            await asyncio.sleep(self._world.latency)
        await self._world.gate.passed()
        if fault and fault.kind in {"refused", "reset", "timeout-before"}:
            self._log(exchange, 0)
            return await drop(http, fault)
        if fault and fault.kind not in AFTER:
            response = exchange.finish(instead(fault, self._plane, exchange.request))
            self._log(exchange, response.status)
            return send(response)
        response = exchange.answer()
        self._log(exchange, 0 if fault and fault.kind == "timeout-after" else response.status)
        return await spoil(http, response, fault, exchange.request) if fault else send(response)

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
