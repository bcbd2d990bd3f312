"""Who may speak to `serve` at all, before any function: hosts, web pages of others, keys, and how much at once.

A page in a browser on the same machine can send requests to loopback, and a name that resolves to loopback makes it
the same origin (DNS rebinding). So a request has to name a host that is expected here, and a browser must not say that
another site caused it. Keys are checked before the body is read. Sources: Fetch Metadata (W3C), RFC 6454, RFC 9110.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn

from aiohttp import web

from reconciler.documents import json_text
from reconciler.service.host.keys import COOKIE, FunctionKey

MAX_BODY = 1_114_112
"""Largest body in bytes that is read; handlers have lower limits and their own problems."""
SIGN_IN = "/sign-in"
KEY_NAMES = ("aeg-sas-key", "x-functions-key")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once, and for how long."""

    connections: int = 128
    bodies: int = 16
    """Bodies that are read at the same time."""
    header_seconds: float = 10.0
    """From a connection to the end of its first request's header."""
    body_seconds: float = 20.0
    idle_seconds: float = 30.0


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """A response as RFC 9457 has it."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return web.Response(
        status=status, body=json_text(body).encode(), headers=headers, content_type="application/problem+json"
    )


class Entrance:
    """The checks of one server."""

    def __init__(self, key: FunctionKey, address: str, names: Iterable[str], limits: Limits) -> None:
        """`names`: hosts that requests may name beside the address that is listened on."""
        self.key = key
        self.limits = limits
        self.silent: set[asyncio.BaseProtocol] = set()
        """Connections that have sent no whole header yet."""
        self._local = _is_loopback(address)
        self._names = {name.lower() for name in (*names, address)} | {"localhost"}
        self._bodies = asyncio.Semaphore(limits.bodies)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The first of all: nothing is read, routed or called for who may not come."""
        self.silent.discard(request.protocol)
        return self.refusal(request) or await handler(request)

    def refusal(self, request: web.Request) -> web.Response | None:
        """The response to who may not come; None where the request may pass."""
        hosts = request.headers.getall("Host", [])
        found = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if found is None or not request.raw_path.startswith("/"):
            return _closing(400, "Bad Request", "Host: send one, and a path alone as the target")
        if not self._expects(found[1]):
            text = f"Host: {found[1][:80]} is not served here; --allow-host adds a name"
            return _closing(421, "Misdirected Request", text)
        origins, sites = request.headers.getall("Origin", []), request.headers.getall("Sec-Fetch-Site", [])
        own = {f"{scheme}://{hosts[0]}".lower() for scheme in ("http", "https")}
        if any(origin.lower() not in own for origin in origins):
            return _closing(403, "Forbidden", "Origin: pages of other sites may not send requests")
        if any(site.lower() not in ("none", "same-origin") for site in sites):
            return _closing(403, "Forbidden", "Sec-Fetch-Site: pages of other sites may not send requests")
        return None

    def passes(self, request: web.Request) -> bool:
        """Whether the caller has the key: in a header, as ``?code=``, or as the cookie of a browser that signed in."""
        given = next(
            (request.headers[name] for name in KEY_NAMES if name in request.headers), request.query.get("code", "")
        )
        return self.key.matches(given) or self.key.signed_in(request.cookies.get(COOKIE, ""))

    def check(self, request: web.Request) -> None:
        """401 without the key; the body stays unread."""
        if not self.passes(request):
            text = "x-functions-key: missing or wrong"
            if "text/html" in request.headers.get("Accept", ""):
                text += (
                    "; a browser signs in with the link that serve printed at its first start, --new-key prints another"
                )
            _raise(problem(401, "Unauthorized", text, {"Connection": "close"}))

    def expecting(self, *, needs_key: bool) -> Callable[[web.Request], Awaitable[web.StreamResponse | None]]:
        """For ``Expect: 100-continue``: a caller without a key gets no 100."""

        async def expect(request: web.Request) -> web.StreamResponse | None:
            self.silent.discard(request.protocol)
            refused = self.refusal(request)
            if refused is None and needs_key and not self.passes(request):
                refused = problem(401, "Unauthorized", "x-functions-key: missing or wrong", {"Connection": "close"})
            if refused is None and request.version >= (1, 1) and request.headers["Expect"].lower() == "100-continue":
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                request.writer.output_size = 0
            return refused

        return expect

    async def body(self, request: web.Request) -> bytes:
        """The request's body within its limits; an `HTTPException` otherwise."""
        if (request.content_length or 0) > MAX_BODY:
            raise web.HTTPRequestEntityTooLarge(MAX_BODY, request.content_length or 0)
        if self._bodies.locked():
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})
        async with self._bodies:
            try:
                async with asyncio.timeout(self.limits.body_seconds):
                    return await request.read()
            except web.RequestPayloadError:
                raise web.HTTPBadRequest(headers={"Connection": "close"}) from None
            except TimeoutError:
                raise web.HTTPRequestTimeout(headers={"Connection": "close"}) from None

    async def sign_in(self, request: web.Request) -> web.Response:
        """A browser exchanges the key of the link for a cookie, so that no address holds the key afterwards."""
        self.check(request)
        headers = {"Location": "/", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        response = web.Response(status=303, headers=headers)
        response.set_cookie(COOKIE, self.key.session, httponly=True, samesite="Strict", path="/")
        return response

    def _expects(self, host: str) -> bool:
        name = host.lower().rstrip(".")
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        # No name stands behind an address, so it cannot be made to resolve to here.
        return address.is_loopback or not self._local


class Connections:
    """Makes the server's connections: so many, and each has to send a request soon."""

    def __init__(self, server: web.Server, entrance: Entrance) -> None:
        self._server = server
        self._entrance = entrance

    def __call__(self) -> asyncio.BaseProtocol:
        """For `create_server`."""
        limits = self._entrance.limits
        if len(self._server.connections) >= limits.connections:
            return _Full()
        made = self._server()
        self._entrance.silent.add(made)
        asyncio.get_running_loop().call_later(limits.header_seconds, self._end_silent, made)
        return made

    def _end_silent(self, made: web.RequestHandler) -> None:
        if made in self._entrance.silent:
            self._entrance.silent.discard(made)
            if made.transport is not None:
                made.transport.abort()


class _Full(asyncio.Protocol):
    """One connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(
                b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
            transport.close()


class _Answered(Exception):
    """Carries a response out of a handler."""

    def __init__(self, response: web.Response) -> None:
        super().__init__()
        self.response = response


def _raise(response: web.Response) -> NoReturn:
    raise _Answered(response)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors outside of a function into problem+json."""
    try:
        return await handler(request)
    except _Answered as answered:
        return answered.response
    except web.HTTPException as refused:
        detail = f"{request.method} {request.path}: {refused.reason.lower()}"
        passed = {
            name: refused.headers[name] for name in ("Allow", "Retry-After", "Connection") if name in refused.headers
        }
        return problem(refused.status, refused.reason, detail, passed)
    except Exception:  # noqa: BLE001 - as the host does: a bug is a 500 without details; `call` has logged it
        return problem(500, "Internal Server Error", f"{request.method} {request.path}: internal error; it is logged")


def _closing(status: int, title: str, detail: str) -> web.Response:
    return problem(status, title, detail, {"Connection": "close"})


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address.lower() == "localhost"
