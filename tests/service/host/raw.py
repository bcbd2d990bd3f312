"""Requests as bytes, as no library would send them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Raw:
    """What came back; status 0 where the connection ended without a response."""

    status: int
    kind: str = ""
    body: bytes = b""


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    with closing(socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20)) as connection:
        yield connection


def received(connection: socket.socket) -> Raw:
    response = HTTPResponse(connection)
    try:
        response.begin()
        return Raw(response.status, response.getheader("Content-Type", ""), response.read())
    except (HTTPException, ConnectionError):
        return Raw(0)


def sent(url: str, request: bytes) -> Raw:
    """Send these bytes, and read one response."""
    with connected(url) as connection:
        connection.sendall(request)
        return received(connection)
