"""Routes, and how the route of a request is found: template segments against decoded path segments, literals first.

A handler is a plain function from world and request to response; the server does sockets, faults, latency, logging and
authentication before and after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote

from emulator.frame import Request, Response
from emulator.world import World

Handler: TypeAlias = Callable[[World, Request], Response]
_Part: TypeAlias = tuple[str, str]
"""A segment of a template: in lower case, and the name where it is a placeholder (else empty)."""


@dataclass(frozen=True, slots=True)
class Route:
    """One documented operation."""

    name: str
    """Operation name, for faults and counters: ``Pools_Get``, ``pipelinepermissions.update``."""
    plane: str
    method: str
    template: str
    """``/{organization}/{project}/_apis/distributedtask/queues``; matched case-insensitively, segments decoded."""
    handler: Handler
    preview_only: bool = False
    """A version without ``-preview`` is answered with VssInvalidPreviewVersionException (Azure DevOps plane)."""
    reads: bool = False
    """A POST that changes nothing (a query in a body): counted as a read. GET, HEAD and OPTIONS are reads anyway."""
    body: str = "json"
    """``json``: a body, where there is one, must be JSON; ``any``: whatever it is, it stands in `raw`."""

    anonymous: bool = False
    """Available without signing in; `Request.caller` is then empty if there is no token."""

    @property
    def writes(self) -> bool:
        """Whether a call of it counts as a write."""
        return not self.reads and self.method not in {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True)
class Match:
    """The route found and the values of its placeholders; or none, and which methods the path does allow."""

    route: Route | None
    params: dict[str, str]
    allowed: tuple[str, ...] = ()


def split(path: str) -> list[str]:
    """Decoded segments of an encoded path; empty ones (doubled and trailing slashes) do not count."""
    return [unquote(part) for part in path.split("/") if part]


class Router:
    """Routes of one plane, tried from the most literal to the least."""

    def __init__(self, routes: Iterable[Route]) -> None:
        compiled = [([_part(part) for part in split(route.template)], route) for route in routes]
        self._routes: dict[int, list[tuple[list[_Part], Route]]] = {}
        """By the number of segments."""
        for template, route in sorted(compiled, key=lambda item: [bool(name) for _, name in item[0]]):
            self._routes.setdefault(len(template), []).append((template, route))

    def find(self, method: str, path: str) -> Match:
        """The route for an encoded path."""
        parts, allowed = split(path), set()
        lower = [part.lower() for part in parts]
        for template, route in self._routes.get(len(parts), ()):
            params = _match(template, parts, lower)
            if params is None:
                continue
            if route.method == method:
                return Match(route, params)
            allowed.add(route.method)
        return Match(None, {}, tuple(sorted(allowed)))


def _part(part: str) -> _Part:
    return (part.lower(), part[1:-1] if part.startswith("{") else "")


def _match(template: list[_Part], parts: list[str], lower: list[str]) -> dict[str, str] | None:
    params = {}
    for (wanted, name), part, found in zip(template, parts, lower, strict=True):
        if name:
            params[name] = part
        elif wanted != found:
            return None
    return params
