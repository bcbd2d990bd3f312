"""A storage account behind a relay: it names each request, plays a fault in the place of an answer, and moves time.

Behind it is a real Azurite, in front of it the real SDK. Hidden messages and leases end by the test's clock: the relay
sees every receipt and every lease, so it can do what time would do.
"""

from __future__ import annotations

import base64
import http.client
import re
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobLeaseClient, BlobServiceClient
from azure.storage.queue import QueueServiceClient

from tests.contract.azurite import Azurite
from tests.scenarios.almanac import Almanac

LEASE = 60.0
APPOINTMENT = 4 * 3600.0
"""A message that is hidden for longer is an appointment, such as the end of a pause: further ahead than any retry."""
XML = {"Content-Type": "application/xml"}
HTML = {"Content-Type": "text/html"}
YEAR = str(365 * 86400)
STATUSES: Mapping[str, tuple[int, str, Mapping[str, str]]] = {
    "401": (401, "NoAuthenticationInformation", {"WWW-Authenticate": "Bearer"}),
    "403": (403, "AuthorizationPermissionMismatch", {}),
    "404 of the container or queue": (404, "ContainerNotFound", {}),
    "404 of the blob or message": (404, "BlobNotFound", {}),
    "409 lease present": (409, "LeaseAlreadyPresent", {}),
    "409 exists": (409, "BlobAlreadyExists", {}),
    "409 being deleted": (409, "ContainerBeingDeleted", {}),
    "412 condition": (412, "ConditionNotMet", {}),
    "412 lease lost": (412, "LeaseLost", {}),
    "429 without a time": (429, "ServerBusy", {}),
    "503 without a time": (503, "ServerBusy", {}),
    "503 for seconds": (503, "ServerBusy", {"Retry-After": "3"}),
    "503 until a date": (503, "ServerBusy", {"Retry-After": "in a minute"}),
    "503 for a year": (503, "ServerBusy", {"Retry-After": YEAR}),
    "503 for no time that is one": (503, "ServerBusy", {"Retry-After": "1e999"}),
    "500 timed out": (500, "OperationTimedOut", {}),
    "500": (500, "InternalError", {}),
}
"""In the place of an answer, and nothing was done."""
SPOILED = ("empty 200", "truncated", "garbage", "HTML", "wrong content type", "huge")
"""What becomes of an answer after the effect."""
CUT = ("closed before the effect", "closed after the effect", "reset before the effect", "reset after the effect")
HELD = ("time-out before the effect", "time-out after the effect")
LOST = "lease lost"
MESSAGES = ("message without its text", "message whose base64 is damaged", "message whose JSON is damaged")
FAULTS = (*CUT, *HELD, *STATUSES, *SPOILED, LOST)
HUGE = 41 * 1024 * 1024
"""One more than an exchange may have (`CALL_BYTES`)."""
_UNSENT = frozenset({"transfer-encoding", "connection", "content-length"})


@dataclass
class Hidden:
    """A message that is queued: when it can be taken, and by what receipt it can be changed."""

    receipt: str
    visible: float
    ahead: timedelta
    """How far the test's clock was ahead of Azurite's when it was put."""
    deliveries: int = 0


@dataclass
class Relay:
    """Both services, and what was seen there."""

    azurite: Azurite
    clock: Almanac = field(default_factory=Almanac)
    front: Azurite = field(init=False)
    fault: str = ""
    site: str = ""
    lasting: bool = False
    hits: int = 0
    sites: list[str] = field(default_factory=list)
    hidden: dict[tuple[str, str], Hidden] = field(default_factory=dict)
    leases: dict[tuple[str, str], float] = field(default_factory=dict)
    """Container and blob → when its lease ends."""
    stolen: int = 0
    """Leases that the fault took away."""
    signatures: set[str] = field(default_factory=set)
    slow: bool = True
    """Whether the next block of the record takes 21 s."""
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, fault: str = "", site: str = "", *, lasting: bool = False) -> None:
        """Nothing was seen yet."""
        self.fault, self.site, self.lasting, self.hits, self.stolen = fault, site, lasting, 0, 0
        self.clock, self.slow = Almanac(), True
        self.sites.clear()
        self.hidden.clear()
        self.leases.clear()

    def held(self, blob: str) -> bool:
        """Whether a client has the lease of a blob now."""
        now = self.clock.monotonic()
        return any(name == blob and until > now for (_, name), until in list(self.leases.items()))

    def later(self) -> int:
        """Time until the next message can be taken; how many wait. What that ends is ended in Azurite too."""
        with self.lock:
            waits = [one.visible - self.clock.monotonic() for one in self.hidden.values()]
            waits = [wait for wait in waits if wait < APPOINTMENT]
            if not waits:
                return 0
            self.clock.skip(max(0.0, min(waits)) + 1)
            now = self.clock.monotonic()
            with QueueServiceClient.from_connection_string(self.azurite.connection) as queues:
                for (queue, number), one in list(self.hidden.items()):
                    if one.visible <= now:
                        with suppress(AzureError):  # it can be taken anyhow, or is gone
                            client = queues.get_queue_client(queue)
                            done = client.update_message(number, one.receipt, visibility_timeout=0)
                            one.receipt = str(done.pop_receipt)
            for (container, blob), until in list(self.leases.items()):
                if until <= now:
                    self._break(container, blob)
            self.slow = True
            return len(waits)

    def _break(self, container: str, blob: str) -> None:
        with BlobServiceClient.from_connection_string(self.azurite.connection) as service, suppress(AzureError):
            BlobLeaseClient(service.get_blob_client(container, blob)).break_lease(lease_break_period=0)
        self.leases.pop((container, blob), None)

    def steal(self) -> None:
        """Every lease is broken, as a person could do; another worker could have them now."""
        with self.lock:
            for container, blob in list(self.leases):
                self._break(container, blob)
                self.stolen += 1

    def meets(self, site: str) -> bool:
        """Whether the fault is played at this request."""
        with self.lock:
            self.sites.append(site)
            if not self.fault or site != self.site or (self.hits and not self.lasting):
                return False
            if self.fault == LOST and not self.leases:
                return False
            self.hits += 1
            return True

    def seen(self, asked: Asked, status: int, headers: Mapping[str, str], body: bytes) -> bytes:
        """What an exchange with Azurite did; the body with the times of the test's clock."""
        with self.lock:
            if asked.service == "queue" and status < 300:
                return self._queued(asked, headers, body)
            if asked.comp == "lease" and status < 300:
                place, action = (asked.container, asked.name), asked.headers["x-ms-lease-action"]
                if action == "release":
                    self.leases.pop(place, None)
                else:
                    given = asked.headers.get("x-ms-lease-duration")
                    self.leases[place] = self.clock.monotonic() + float(given or LEASE)
            if asked.comp == "appendblock" and self.slow:
                self.slow = False
                self.clock.skip(21)
            return body

    def _queued(self, asked: Asked, headers: Mapping[str, str], body: bytes) -> bytes:
        queue, number = asked.container, asked.name.partition("/")[2]
        hide = self.clock.monotonic() + float(asked.query.get("visibilitytimeout", ["0"])[0])
        if number and asked.method == "DELETE":
            self.hidden.pop((queue, number), None)
        elif number and asked.method == "PUT":
            kept = self.hidden[queue, number]
            kept.receipt, kept.visible = headers["x-ms-popreceipt"], hide
        else:
            for one in re.findall(rb"<QueueMessage>.*?</QueueMessage>", body, re.DOTALL):
                found, receipt = _element(one, "MessageId"), _element(one, "PopReceipt")
                if asked.method == "POST":
                    ahead = self.clock.now() - Almanac().now()
                    self.hidden[queue, found] = Hidden(receipt, hide, ahead)
                else:
                    kept = self.hidden[queue, found]
                    kept.receipt, kept.visible, kept.deliveries = receipt, hide, kept.deliveries + 1
                    put = _element(one, "InsertionTime")
                    moved = format_datetime(parsedate_to_datetime(put) + kept.ahead, usegmt=True)
                    body = body.replace(one, one.replace(put.encode(), moved.encode()))
        return body


def _element(text: bytes, name: str) -> str:
    found = re.search(rf"<{name}>(.*?)</{name}>".encode(), text)
    assert found is not None, text
    return found[1].decode()


@dataclass
class Asked:
    """One request."""

    service: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def __post_init__(self) -> None:
        url = urlsplit(self.path)
        self.query = parse_qs(url.query)
        self.comp = self.query.get("comp", [""])[0]
        parts = [unquote(part) for part in url.path.split("/")[2:]]
        self.container, self.name = parts[0] if parts else "", "/".join(parts[1:])

    @property
    def site(self) -> str:
        """Service, method, operation, and what kind of thing it is about."""
        action = self.headers.get("x-ms-lease-action", "")
        kind = self.headers.get("x-ms-blob-type", "") if self.method == "PUT" and not self.comp else ""
        if self.service == "queue":
            queue = re.sub(r"^[a-z0-9]+-", "", self.container)
            what = "message" if "/" in self.name else self.name
        else:
            queue = "safety" if self.container.endswith("-safety") else ""
            prefix = self.query.get("prefix", [""])[0]
            what = re.split(r"[/.]", self.name or prefix)[0] or "container"
        words = (self.service, self.method, self.comp, action, kind, queue, what)
        return " ".join(word for word in words if word)


@contextmanager
def relayed(azurite: Azurite) -> Iterator[Relay]:
    """In front of Azurite, on free ports."""
    relay = Relay(azurite)
    servers = [
        _Server(("127.0.0.1", 0), _handler(relay, service, port))
        for service, port in (("blob", azurite.blob_port), ("queue", azurite.queue_port))
    ]
    threads = [threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True) for one in servers]
    for thread in threads:
        thread.start()
    relay.front = Azurite("http", servers[0].server_address[1], servers[1].server_address[1])
    try:
        yield relay
    finally:
        relay.over.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is part of the tests."""


def _handler(relay: Relay, service: str, port: int) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a class
    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536
        disable_nagle_algorithm = True

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(service, self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            relay.signatures.add(self.headers.get("Authorization", "").rpartition(":")[2])
            fault = relay.fault if relay.meets(asked.site) else ""
            if fault in STATUSES:
                self._refuse(*STATUSES[fault])
                return
            if fault == LOST:
                relay.steal()
            if fault.endswith("before the effect"):
                self._cut(fault)
                return
            status, headers, content = self._behind(asked)
            if fault.endswith("after the effect"):
                self._cut(fault)
                return
            self._say(asked, *spoiled(fault, status, headers, content))

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815 - names of the package

        def _behind(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
            behind = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
            behind.request(asked.method, asked.path, asked.body, dict(self.headers.items()))
            answer = behind.getresponse()
            content, headers = answer.read(), dict(answer.getheaders())
            behind.close()
            return answer.status, headers, relay.seen(asked, answer.status, headers, content)

        def _say(self, asked: Asked, status: int, headers: Mapping[str, str], content: bytes, size: int) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in _UNSENT:
                    self.send_header(name, value)
            head = asked.method == "HEAD"
            said = next((value for name, value in headers.items() if name.lower() == "content-length"), "")
            self.send_header("Content-Length", said if head and said else str(size))
            self.end_headers()
            self.wfile.write(b"" if head else content)
            self.close_connection = self.close_connection or size != len(content)

        def _refuse(self, status: int, code: str, more: Mapping[str, str]) -> None:
            code = code.replace("Container", "Queue").replace("Blob", "Message") if service == "queue" else code
            content = f'﻿<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code></Error>'.encode()
            self.send_response(status)
            minute = format_datetime(Almanac(60).now().replace(microsecond=0), usegmt=True)
            for name, value in {**XML, **more, "x-ms-error-code": code}.items():
                self.send_header(name, minute if value == "in a minute" else value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else content)

        def _cut(self, how: str) -> None:
            self.close_connection = True
            if how.startswith("time-out"):
                self.connection.settimeout(0.05)
                while not relay.over.is_set():  # until the client has had enough
                    try:
                        if not self.connection.recv(1):
                            return
                    except TimeoutError:
                        continue
            if how.startswith("reset"):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Passing


def spoiled(  # noqa: PLR0911 - a table
    fault: str, status: int, headers: dict[str, str], content: bytes
) -> tuple[int, dict[str, str], bytes, int]:
    """An answer after a fault, and the size that it claims to have."""
    plain = {name: value for name, value in headers.items() if not name.lower().startswith(("x-ms-", "etag"))}
    match fault:
        case "empty 200":
            return 200, {}, b"", 0
        case "truncated":
            return status, headers, content[: len(content) // 2], max(len(content), 1)
        case "garbage":
            return status, plain, b"\xff" * max(len(content), 1), max(len(content), 1)
        case "HTML":
            page = b"<html><body>Sign in</body></html>"
            return 200, HTML, page, len(page)
        case "wrong content type":
            return status, {**headers, **HTML}, content, len(content)
        case "huge":
            return 200, {**headers, **XML}, b" " * HUGE, HUGE
        case _ if fault in MESSAGES:
            content = re.sub(rb"(?<=<MessageText>).*?(?=</MessageText>)", lambda one: _text(fault, one[0]), content)
    return status, headers, content, len(content)


def _text(fault: str, text: bytes) -> bytes:
    whole = base64.b64decode(text)
    return {MESSAGES[0]: b"", MESSAGES[1]: text[:-5] + b"!", MESSAGES[2]: base64.b64encode(whole[:-9])}[fault]
