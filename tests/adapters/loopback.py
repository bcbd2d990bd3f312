"""A scripted HTTP server on loopback: it answers what a test tells it to, and keeps what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CUT = "cut"
"""Send half of the body, then close."""
SILENT = "silent"
"""Close without an answer."""


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    """With the query, exactly as on the wire."""
    headers: Mapping[str, str]
    body: bytes
    port: int
    """Of the client's end: equal ports, one connection."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """One scripted answer."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Script:
    """What the server says next; a callable answer sees the request."""

    def __init__(self) -> None:
        self.answers: deque[Answer | Callable[[Asked], Answer]] = deque()
        self.asked: list[Asked] = []
        self.url = ""
        self._lock = threading.Lock()

    def say(self, *answers: Answer | Callable[[Asked], Answer]) -> None:
        self.answers.extend(answers)

    def next(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            answer = self.answers.popleft() if self.answers else Answer(599, {"error": {"code": "NothingScripted"}})
        return answer(asked) if callable(answer) else answer


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, dict(self.headers.items()), body, self.client_address[1])
            answer = script.next(asked)
            if answer.fault == SILENT:
                self.close_connection = True
                return
            content = b"" if answer.status == 204 else answer.content
            send = self.send_response_only if "Date" in answer.headers else self.send_response
            send(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content[: len(content) // 2] if answer.fault == CUT else content)
            self.close_connection = self.close_connection or answer.fault == CUT

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - the base class asks for these names

        def log_message(self, *args: object) -> None:
            """Stay quiet."""

    return Handler


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        """A client that hangs up is part of the tests."""


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Script]:
    """A server for the length of a test; with `tls`, over https."""
    script = Script()
    server = _Quiet(("127.0.0.1", 0), _handler(script))
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    script.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
