"""Requests, responses, and problems (RFC 9457) as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.documents import Json, json_text
from reconciler.documents.redaction import redacted

MAX_BODY = 65_536
"""Largest body of a request in bytes; webhooks have their own limit."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request."""

    method: str
    path: str
    """Path, or the whole URL."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Values of the route's placeholders."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names in lower case. They carry credentials: never printed or logged."""
    body: bytes = field(default=b"", repr=False)
    trace: str = ""
    """W3C traceparent of the invocation; as sent, not checked."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The response; `body` is sent as JSON, None as no body, bytes as they are (a page redacts its own values)."""

    status: int
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def content(self) -> bytes:
        """The body's bytes, redacted."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json_text(redacted(self.body), sort_keys=True).encode()


class HttpProblem(Exception):
    """An error response: `application/problem+json` with one sentence."""

    def __init__(self, status: int, title: str, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})

    def response(self) -> HttpResponse:
        """The problem as a response. `type` is `about:blank`: the status is the kind (RFC 9457, 4.2.1)."""
        body = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        return HttpResponse(self.status, body, self.headers, "application/problem+json")


def json_body(request: HttpRequest, *, limit: int = MAX_BODY) -> Json:
    """The request's JSON value, None where the body is empty; `HttpProblem` 413, 415 or 400 otherwise."""
    if len(request.body) > limit:
        raise HttpProblem(413, "Content Too Large", f"body: {len(request.body)} bytes, the limit is {limit}")
    if not request.body.strip():
        return None
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise HttpProblem(415, "Unsupported Media Type", "body: send application/json")
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise HttpProblem(400, "Bad Request", "body: this is not JSON") from error
