"""A service on loopback that answers what a test wrote down, and remembers exactly what it was asked."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

JSON = "application/json; charset=utf-8; api-version=7.1"

ROUTES = {
    "a8c47e17-4d56-4a56-92bb-de7ea7dc65be": ("distributedtask", "pools", "_apis/{area}/{resource}/{poolId}"),
    "900fa995-c559-4923-aae7-f8424fe4fbea": (
        "distributedtask",
        "queues",
        "{project}/_apis/{area}/{resource}/{queueId}",
    ),
    "b5b9a4a4-e6cd-4096-853c-ab7d8b0c4eb2": (
        "pipelinePermissions",
        "pipelinePermissions",
        "{project}/_apis/pipelines/{resource}/{resourceType}/{resourceId}",
    ),
    "398c85bc-81aa-4822-947c-a194a05f0fef": ("build", "authorizedresources", "{project}/_apis/{area}/{resource}"),
    "18a2ad18-7571-46ae-bec7-0c7da1495885": (
        "Security",
        "AccessControlLists",
        "_apis/{resource}/{securityNamespaceId}",
    ),
    "00d9565f-ed9c-4a06-9a50-00e7896ccab4": ("Location", "ConnectionData", "_apis/{resource}"),
    "e81700f7-3be2-46de-8624-2eb35882fcaa": ("Location", "ResourceAreas", "_apis/{resource}/{areaId}"),
    "28010c54-d0c0-4c89-a5b0-1c9e188b9fb7": ("IMS", "identities", "_apis/{resource}/{identityId}"),
    "005e26ec-6b77-4e4f-a986-b3827bf241f5": ("Graph", "users", "_apis/{area}/{resource}/{userDescriptor}"),
    "ebbe6af8-0b91-4c13-8cf1-777c14858188": ("Graph", "groups", "_apis/{area}/{resource}/{groupDescriptor}"),
    "e1dbb0ae-49cb-4532-95a1-86cd89cfcab4": (
        "Graph",
        "serviceprincipals",
        "_apis/{area}/{resource}/{servicePrincipalDescriptor}",
    ),
    "eb85f8cc-f0f6-4264-a5b1-ffe2e4d4801f": ("Graph", "storagekeys", "_apis/{area}/{resource}/{subjectDescriptor}"),
}


def table(*without: str) -> dict[str, Any]:
    """The answer to OPTIONS; routes whose resource is in `without` are missing."""
    entries = [
        {
            "id": id_,
            "area": area,
            "resourceName": resource,
            "routeTemplate": template,
            "resourceVersion": 1,
            "minVersion": "1.0",
            "maxVersion": "7.2",
            "releasedVersion": "7.1",
        }
        for id_, (area, resource, template) in ROUTES.items()
        if resource not in without
    ]
    return wrapped(*entries)


def wrapped(*entries: Any) -> dict[str, Any]:
    """How the service wraps lists."""
    return {"count": len(entries), "value": list(entries)}


def failure(key: str, message: str) -> dict[str, Any]:
    """An error body of the service."""
    return {"$id": "1", "innerException": None, "message": message, "typeName": key, "typeKey": key, "errorCode": 0}


@dataclass(frozen=True)
class Reply:
    """One answer; `fault` is ``cut`` (half of the body), ``reset``, ``silent`` (never answers) or ``hold`` (until released)."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""

    def sent(self) -> tuple[bytes, dict[str, str]]:
        """Bytes and headers on the wire."""
        raw = (
            self.body if isinstance(self.body, bytes) else b"" if self.body is None else json.dumps(self.body).encode()
        )
        kind = {"Content-Type": JSON} if raw else {}
        return raw, {**kind, "Content-Length": str(len(raw)), **self.headers}


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body) if self.body else None

    @property
    def version(self) -> str:
        """The api-version, from wherever it was given."""
        accept = self.headers.get("accept", "").partition("api-version=")[2]
        return self.query.get("api-version", accept)


class Scripted:
    """The service: `reply` says what to answer, `seen` what was asked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.everything: list[Seen] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._replies: dict[tuple[str, str], list[Reply]] = defaultdict(list)
        self.release = threading.Event()
        self.arrived = threading.Semaphore(0)
        """One more for each request that is held."""
        self.holding = self.most_held = 0
        script = self

        class Handler(_Handler):
            scripted = script

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def reply(self, method: str, path: str, *replies: Reply | Any) -> None:
        """Answer these one after the other, the last for ever. What is no Reply is a JSON body."""
        self._replies[method, path.lower()] = [one if isinstance(one, Reply) else Reply(one) for one in replies]

    def answer(self, seen: Seen) -> Reply:
        """What to say to this."""
        with self._lock:
            self.everything.append(seen)
            replies = self._replies.get((seen.method, seen.path.lower()))
            if replies:
                return replies.pop(0) if len(replies) > 1 else replies[0]
        if seen.method == "OPTIONS" and seen.path.endswith("/_apis"):
            return Reply(table())
        return Reply(failure("NotScripted", f"nothing is scripted for {seen.method} {seen.path}"), status=418)

    def hold(self) -> None:
        """Keep a request waiting until `release`."""
        with self._lock:
            self.holding += 1
            self.most_held = max(self.most_held, self.holding)
        self.arrived.release()
        self.release.wait(30)
        with self._lock:
            self.holding -= 1

    @property
    def seen(self) -> list[Seen]:
        """What was asked, discovery left out."""
        return [one for one in self.everything if one.method != "OPTIONS"]

    @property
    def only(self) -> Seen:
        """The one request that was made."""
        (one,) = self.seen
        return one

    def close(self) -> None:
        """Stop serving."""
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    scripted: Scripted
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.scripted.connections += 1

    def handle(self) -> None:
        with contextlib.suppress(ssl.SSLError, ConnectionError):  # a client that turns away ends here
            super().handle()

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        reply = self.scripted.answer(Seen(self.command, parts.path, query, headers, body))
        raw, sent = reply.sent()
        if reply.fault in {"silent", "hold"}:
            self.scripted.hold()
        if reply.fault in {"reset", "silent"}:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        self.send_response_only(reply.status)
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw[: len(raw) // 2] if reply.fault == "cut" else raw)
        self.wfile.flush()
        self.close_connection = self.close_connection or reply.fault == "cut"

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class FakeTime:
    """Time that passes only where the code sleeps; chance is always one half."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        """Pass the time."""
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds

    def clock(self) -> float:
        """Seconds; wall and monotonic alike."""
        return self.now
