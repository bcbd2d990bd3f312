"""What both hosts of code share: a socket on loopback, credentials, the log of requests, and the faults a test orders."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

HANG_UP = "hang up"
"""A fault: the connection ends without a response."""
HALF = "half"
"""A fault: the whole length is announced, and half of the body sent."""


@dataclass(frozen=True)
class Caller:
    """Who a token belongs to, and what it may do."""

    name: str
    rights: frozenset[str]


@dataclass(frozen=True)
class Request:
    """A request as it arrived."""

    method: str
    segments: tuple[str, ...]
    """Of the path, decoded."""
    query: Mapping[str, str]
    headers: Message
    body: Any
    """The JSON value, or None without one."""
    raw: bytes
    target: str
    """Path and query as on the wire."""

    def token(self) -> str:
        """The token of a Bearer or Basic header; empty without one that can be read."""
        scheme, _, value = (self.headers["Authorization"] or "").partition(" ")
        if scheme.lower() in {"bearer", "token"}:
            return value.strip()
        if scheme.lower() != "basic":
            return ""
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""


@dataclass(frozen=True)
class Response:
    """What is sent back; bytes go as they are, all else as JSON."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"

    @property
    def content(self) -> bytes:
        """The body on the wire."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


class Refused(Exception):
    """Ends a request with this response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class CodeHostServer(ThreadingHTTPServer):
    """A host on a free port of loopback. What it keeps is changed by requests and read by tests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[Request] = []
        self.callers: dict[str, Caller] = {}
        """By token."""
        self.lock = threading.RLock()
        self._next: deque[Response | str] = deque()

    def let(self, token: str, *rights: str, name: str = "pipeline") -> None:
        """Accept a token, with these rights."""
        self.callers[token] = Caller(name, frozenset(rights))

    def next_answers(self, *answers: Response | str) -> None:
        """Answer the next requests so, whatever they ask; nothing is changed by them. HANG_UP and HALF are faults."""
        self._next.extend(answers)

    def writes(self) -> list[str]:
        """Method and target of the requests that were no reads."""
        return [f"{request.method} {request.target}" for request in self.requests if request.method != "GET"]

    def respond(self, request: Request) -> Response | str:
        """The response, or the fault."""
        with self.lock:
            self.requests.append(request)
            if self._next:
                return self._next.popleft()
            try:
                return self.answer(request)
            except Refused as refused:
                return refused.response

    def answer(self, request: Request) -> Response:
        """What this host says."""
        raise NotImplementedError("each host answers by itself")


class _Handler(BaseHTTPRequestHandler):
    server: CodeHostServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        segments = tuple(unquote(part) for part in parts.path.strip("/").split("/"))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        made = Request(self.command, segments, query, self.headers, body, raw, self.path)
        self._send(self.server.respond(made))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815 - the names that http.server calls

    def _send(self, response: Response | str) -> None:
        if response == HANG_UP:
            self.close_connection = True
            return
        whole = response if isinstance(response, Response) else Response(200, {"value": ["half"] * 50})
        self.send_response(whole.status)
        for name, value in {"Content-Type": whole.content_type, **whole.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(whole.content)))
        self.end_headers()
        if response == HALF:
            self.wfile.write(whole.content[: len(whole.content) // 2])
            self.close_connection = True
        else:
            self.wfile.write(whole.content)


Server = TypeVar("Server", bound=CodeHostServer)


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The host, answering; closed afterwards."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
