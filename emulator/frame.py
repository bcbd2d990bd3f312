"""A request, a response and an API error: what the server and the two planes exchange."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from emulator.documents import Json

USER_AGENT: ContextVar[str] = ContextVar("user_agent", default="")
"""``User-Agent`` of the request that is being answered; empty for what the emulator does by itself."""


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
    """The response. A dict or list body is sent as JSON, str as the given content type, None as no body."""

    status: int = 200
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"


class ApiError(Exception):
    """An error response that a handler raises; each plane renders its own error shape."""

    def __init__(self, status: int, code: str, message: str, **extra: Json) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        """ARM's error code, or Azure DevOps' `typeKey`."""
        self.message = message
        self.extra = extra
        """More of the error body (`details`, `target` in ARM; `typeName`, `errorCode`, `eventId` in Azure DevOps);
        `headers` (a dict) goes to the response instead."""
