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
        compiled = [(split(route.template), route) for route in routes]
        self._by_length: dict[int, list[tuple[list[str], Route]]] = {}
        for template, route in sorted(compiled, key=lambda item: [_is_placeholder(part) for part in item[0]]):
            self._by_length.setdefault(len(template), []).append((template, route))

    def find(self, method: str, path: str) -> Match:
        """The route for an encoded path."""
        parts, allowed = split(path), set()
        for template, route in self._by_length.get(len(parts), ()):
            params = _match(template, parts)
            if params is None:
                continue
            if route.method == method:
                return Match(route, params)
            allowed.add(route.method)
        return Match(None, {}, tuple(sorted(allowed)))


def _is_placeholder(part: str) -> bool:
    return part.startswith("{")


def _match(template: list[str], parts: list[str]) -> dict[str, str] | None:
    params = {}
    for wanted, found in zip(template, parts, strict=True):
        if _is_placeholder(wanted):
            params[wanted[1:-1]] = found
        elif wanted.lower() != found.lower():
            return None
    return params
