"""One request from bytes to answer, without a socket: caller, route, admission, body, handler, error, headers."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote, urlsplit

from emulator.documents import Json
from emulator.frame import USER_AGENT, ApiError, Request, Response
from emulator.plane import Plane, ResponseReady
from emulator.router import Match, Route
from emulator.world import World

LIMIT = 4 * 1024 * 1024
"""Bytes of a body; ARM's own limit (Azure Resource Manager limits: request size 4 MB)."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    raw: bytes
    base_url: str
    too_large: bool = False


@dataclass(slots=True)
class Exchange:
    """A request on its way; the server reads route and request for faults and for the log."""

    world: World
    plane: Plane
    incoming: Incoming
    match: Match
    request: Request

    @classmethod
    def open(cls, world: World, plane: Plane, incoming: Incoming) -> Exchange:
        """Find the route and, as far as possible, the caller; refusals come with `answer`."""
        parts = urlsplit(incoming.target)
        match = plane.router.find(incoming.method, parts.path)
        query = {name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)}
        try:
            caller = plane.caller(world, incoming.method, incoming.headers)
        except (ApiError, ResponseReady):
            caller = ""
        request = Request(
            plane=plane.name,
            method=incoming.method,
            path=unquote(parts.path),
            params=match.params,
            query=query,
            headers=incoming.headers,
            body=_peek(incoming.raw),
            raw=incoming.raw,
            base_url=incoming.base_url,
            caller=caller,
        )
        return cls(world, plane, incoming, match, request)

    @property
    def route(self) -> Route | None:
        """The route found."""
        return self.match.route

    @property
    def operation(self) -> str:
        """Name of the route found; empty where there is none."""
        return self.route.name if self.route else ""

    def answer(self) -> Response:
        """The response of the plane and its handler; an exception becomes a response too."""
        calling = USER_AGENT.set(self.incoming.headers.get("User-Agent", ""))
        try:
            response = self._handle()
        except ResponseReady as ready:
            response = ready.response
        except ApiError as error:
            response = self.plane.render(error)
        except Exception:  # noqa: BLE001 a fault of the emulator must reach the caller as a 500, not as a hang
            traceback.print_exc(file=sys.stderr)
            response = self.plane.render(self.plane.problem("crash", "see the emulator's standard error"))
        finally:
            USER_AGENT.reset(calling)
        return self.finish(response)

    def finish(self, response: Response) -> Response:
        """Put the service's own headers on an answer."""
        always = self.plane.finish(self.world, self.request, response)
        return replace(response, headers={**always, **response.headers})

    def _handle(self) -> Response:
        route = self.route
        if route is None or not route.anonymous:
            self.plane.caller(self.world, self.incoming.method, self.incoming.headers)
        if route is None:
            allowed = ", ".join(self.match.allowed)
            raise self.plane.problem("method" if allowed else "unknown-route", allowed or self.request.path)
        headers = self.plane.admit(self.world, self.request, route)
        request = replace(self.request, body=self._body(route))
        try:
            response = route.handler(self.world, request)
        except ApiError as error:
            response = self.plane.render(error)
        return replace(response, headers={**headers, **response.headers})

    def _body(self, route: Route) -> Json:
        if self.incoming.too_large:
            raise self.plane.problem("too-large", str(LIMIT))
        if route.body == "any" or not self.incoming.raw:
            return None
        if self.incoming.method in {"GET", "HEAD", "OPTIONS", "DELETE"}:
            return _peek(self.incoming.raw)
        kind = self.incoming.headers.get("Content-Type", "")
        if not _is_json(kind):
            raise self.plane.problem("media-type", kind)
        try:
            return json.loads(self.incoming.raw)
        except ValueError as error:
            raise self.plane.problem("malformed", str(error)) from None


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind in {"application/json", "text/json"} or (kind.startswith("application/") and kind.endswith("+json"))


def _peek(raw: bytes) -> Json:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None


def encode(response: Response) -> bytes:
    """The bytes of an answer's body."""
    if response.body is None:
        return b""
    if isinstance(response.body, bytes):
        return response.body
    if isinstance(response.body, str) and "json" not in response.content_type:
        return response.body.encode()
    return json.dumps(response.body).encode()
