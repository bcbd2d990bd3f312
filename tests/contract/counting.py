"""What the stores are asked for: each call of a port, and each request that an account receives."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.contract.azurite import Azurite
from tests.contract.families import Stores


class Counted:
    """An implementation of a port, whose calls are written down as ``port.method name``."""

    def __init__(self, port: str, behind: Any, calls: list[str]) -> None:
        self._port, self._behind, self._calls = port, behind, calls

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._behind, method)

        def called(*args: Any, **options: Any) -> Any:
            about = args[0] if args and isinstance(args[0], str) and self._port != "queue" else ""
            self._calls.append(f"{self._port}.{method} {about}".strip())
            answer = found(*args, **options)
            return Counted("lease", answer, self._calls) if method == "acquire" else answer

        return called


@dataclass
class CountedStores:
    """Stores whose calls are written down."""

    behind: Stores
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return Counted(name, getattr(self.behind, name), self.calls)

    def named(self, queue: str) -> Any:
        return Counted("queue", self.behind.named(queue), self.calls)

    def close(self) -> None:
        self.behind.close()

    def counted(self) -> Counter[str]:
        """Calls by port and method, about whatever; the list begins again."""
        found = Counter(one.partition(" ")[0] for one in self.calls)
        self.calls.clear()
        return found


@dataclass
class Relay:
    """Requests that went through to Azurite, as ``METHOD /path?comp=…``."""

    azurite: Azurite
    requests: list[str] = field(default_factory=list)


@contextmanager
def relay(azurite: Azurite) -> Iterator[Relay]:
    """Both services of an account behind counting relays, on free ports."""
    requests: list[str] = []
    servers = [
        ThreadingHTTPServer(("127.0.0.1", 0), _handler(port, requests))
        for port in (azurite.blob_port, azurite.queue_port)
    ]
    threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        ports = [server.server_address[1] for server in servers]
        yield Relay(Azurite("http", *ports), requests)
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(port: int, requests: list[str]) -> type[BaseHTTPRequestHandler]:
    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            url = urlsplit(self.path)
            about = next((one for one in url.query.split("&") if one.startswith("comp=")), "")
            requests.append(f"{self.command} {url.path}{f'?{about}' if about else ''}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            behind = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            behind.request(self.command, self.path, body, dict(self.headers.items()))
            answer = behind.getresponse()
            content = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            behind.close()

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815 - names of the package

        def log_message(self, *_: Any) -> None:
            """Nothing: what passed is in the list."""

    return Passing
