"""The panel of `play`: a page with a button for each cause of drift, on loopback, for pages of its own alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from reconciler.demo.drift import Drift
from reconciler.errors import ReconcilerError
from reconciler.plan.render import clean

_SHOWN = 20
"""Entries of the list of what was done."""
_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 45rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
form { margin: .5rem 0; } button { font: inherit; padding: .4rem .9rem; cursor: pointer; } small { display: block; }
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Cause drift</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/panel.css"></head>
<body><main><h1>Cause drift</h1>
<p>Then watch the <a href="{page}">status page</a>: event, plan, repair, verification and record.</p>
{buttons}
<h2>What was done</h2><ol>{done}</ol></main></body></html>
"""


class Panel:
    """The server; a context manager that ends it."""

    def __init__(
        self, causes: Sequence[Drift], do: Callable[[Drift], str], now: Callable[[], datetime], page: str
    ) -> None:
        """`do`: does what a button says. `page`: address of the status page."""
        self._causes = {cause.key: cause for cause in causes}
        self._do, self._now, self._page = do, now, page
        self._done: list[str] = []
        self._lock = threading.Lock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="panel", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def cause(self, key: str) -> bool:
        """Do what this button says, and note it; False where there is no such button."""
        if (cause := self._causes.get(key)) is None:
            return False
        try:
            said = f"{self._do(cause)}. Expected: {cause.expected}"
        except ReconcilerError as error:
            said = f"{cause.title}: {error}"
        with self._lock:
            self._done.insert(0, f"{self._now():%H:%M:%S} {said}")
            del self._done[_SHOWN:]
        return True

    def html(self) -> str:
        """The page."""
        buttons = "".join(
            f'<form method="post" action="/cause/{cause.key}"><button>{escape(cause.title)}</button>'
            f"<small>Expected: {escape(cause.expected)}</small></form>"
            for cause in self._causes.values()
        )
        with self._lock:
            done = "".join(f"<li>{escape(clean(line))}</li>" for line in self._done) or "<li>nothing yet</li>"
        return _PAGE.format(page=escape(self._page), buttons=buttons, done=done)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, panel: Panel) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.panel = panel


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """The page, or its style."""
        if not self._own():
            self._send(403)
        elif self.path == "/panel.css":
            self._send(200, _STYLE, "text/css")
        elif self.path == "/":
            self._send(200, self.server.panel.html(), "text/html; charset=utf-8")
        else:
            self._send(404)

    def do_POST(self) -> None:
        """A button."""
        if not self._own() or self.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            self._send(403)
        elif self.server.panel.cause(self.path.removeprefix("/cause/")):
            self._send(303, location="/")
        else:
            self._send(404)

    def _own(self) -> bool:
        """Whether no page of another site sent it, nor a name that was made to resolve to here (DNS rebinding)."""
        hosts = [f"{name}:{self.server.server_port}" for name in ("127.0.0.1", "localhost")]
        origins = [None, *(f"http://{host}" for host in hosts)]
        return self.headers.get("Host") in hosts and self.headers.get("Origin") in origins

    def _send(self, status: int, text: str = "", kind: str = "text/plain", location: str = "") -> None:
        body = text.encode()
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Content-Security-Policy": _POLICY}
        more = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
        for name, value in {**headers, **more, **({"Location": location} if location else {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """No log: the panel's list says what was done."""
