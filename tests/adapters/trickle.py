"""A server on loopback whose answer never ends: one byte after the other, and a clock that moves with each."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

STARTS = {
    "status line": b"HTTP/1.1 200 ",
    "headers": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Slow: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n",
    "body in pieces": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    "interim answers": b"HTTP/1.1 100 Continue\r\n",
}
"""What comes at once, by what trickles then."""
_MOST = 20_000


@dataclass
class Endless:
    """What such a server has to say of its callers."""

    url: str = ""
    requests: int = 0
    ended: int = 0
    """Answers that were sent to the last byte that the server is ready to send: no caller turned away."""


class Watch:
    """A clock that only a test moves (`reconciler.ports.clock.Clock`, its stopwatch)."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds

    def tick(self) -> None:
        self.seconds += 1.0


@contextmanager
def trickling(what: str, tick: Callable[[], None], kind: str = "application/json") -> Iterator[Endless]:
    """Send the start, then single bytes; `tick` is called before each. `kind`: of what content."""
    listening = socket.create_server(("127.0.0.1", 0))
    found = Endless(f"http://127.0.0.1:{listening.getsockname()[1]}")

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.recv(65_536)
            found.requests += 1
            connection.sendall(STARTS[what].replace(b"application/json", kind.encode()))
            for _ in range(_MOST):
                tick()
                connection.sendall(b"1\r\n7\r\n" if what == "body in pieces" else b"7")
                time.sleep(0.0005)  # only so that each byte is read by itself; nothing is measured by it
            found.ended += 1

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield found
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
