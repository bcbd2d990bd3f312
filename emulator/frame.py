"""The seam between the server and the two planes: a request, a response, a route.

A handler is a plain function from world and request to response; sockets, faults, latency, logging and
authentication are the server's business and happen before and after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from emulator.world import World

Json: TypeAlias = Any
"""A JSON value."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, decoded."""

    plane: str
    """``arm`` or ``devops``."""
    method: str
    path: str
    """Decoded path without query."""
    params: Mapping[str, str]
    """Values of the route's placeholders, decoded."""
    query: Mapping[str, str]
    """Query parameters; names lower-cased, last value wins (both services ignore the case of names)."""
    headers: Mapping[str, str]
    """Case-insensitive."""
    body: Json
    """Decoded JSON, None where there was none."""
    raw: bytes
    base_url: str
    """``http://127.0.0.1:PORT`` as the caller addressed it."""
    caller: str
    """Name of the estate's principal whose token came with the request."""


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back. A dict or list body is sent as JSON, str as the given content type, None as no body."""

    status: int = 200
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"


Handler: TypeAlias = "Callable[[World, Request], Response]"


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
    """Asked for before anybody signs in; `Request.caller` is then empty where no token came along."""

    @property
    def writes(self) -> bool:
        """Whether a call of it counts as a write."""
        return not self.reads and self.method not in {"GET", "HEAD", "OPTIONS"}


class ApiError(Exception):
    """An answer that a handler gives by raising; each plane renders its own error shape."""

    def __init__(self, status: int, code: str, message: str, **extra: Json) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        """ARM's error code, or Azure DevOps' `typeKey`."""
        self.message = message
        self.extra = extra
        """More of the error body (`details`, `target` in ARM; `typeName`, `errorCode`, `eventId` in Azure DevOps);
        `headers` (a dict) goes to the response instead."""
