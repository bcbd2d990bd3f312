"""Bounds of every HTTP exchange: total time and total size, whatever the other end sends and however slowly.

A time-out of a socket counts from the last byte, so an answer that trickles never meets it. Here each read of a socket
gets what is left of the exchange's own time, status line and headers included, and the bytes are counted. This is
below urllib3, so that `requests`, azure-core, the Storage SDK, msrest and dulwich cannot read around it: all of them
connect through the classes of `POOLS` (`reconciler.adapters.network`).

`within` sets the bounds of everything that is exchanged in its block, with all tries; outside of any block an exchange
has those of `DEFAULT`.
"""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

MEGABYTE = 1024 * 1024
SECONDS = 60.0
BYTES = 32 * MEGABYTE
WRITE_SECONDS = 35.0
"""For a write with everything around it: a lease of 60 s that is at most 20 s old when the write begins still holds
when it ends. Above the 30 s by which Azure DevOps delays heavy users."""
_PIECE = 64 * 1024


class Exceeded(Exception):
    """An exchange went beyond its bounds. No `OSError`, and none of the libraries' own errors: no one retries it."""

    def __init__(self, why: str, *, size: bool = False) -> None:
        super().__init__(why)
        self.size = size
        """Whether it is the size, and not the time."""


class _Bounds:
    """What is left of one block."""

    def __init__(self, seconds: float, size: int, monotonic: Callable[[], float], outer: _Bounds | None) -> None:
        self.size = size
        self._seconds = seconds
        self._monotonic = monotonic
        self._until = monotonic() + seconds
        self._outer = outer

    def remaining(self) -> float:
        """Seconds, more than 0; `Exceeded` where there are none."""
        left = self._until - self._monotonic()
        if left <= 0:
            raise self.late()
        return min(left, self._outer.remaining()) if self._outer else left

    def late(self) -> Exceeded:
        return Exceeded(f"the response did not end within {self._seconds:g} s")

    def too_large(self) -> Exceeded:
        return Exceeded(f"the response is larger than {self.size} bytes", size=True)


_current: ContextVar[_Bounds | None] = ContextVar("bounds", default=None)


@contextmanager
def within(seconds: float, size: int = BYTES, monotonic: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Bound everything that this thread exchanges in the block; inside of another block the earlier end counts."""
    token = _current.set(_Bounds(seconds, size, monotonic, _current.get()))
    try:
        yield
    finally:
        _current.reset(token)


def body_of(response: requests.Response) -> bytes:
    """The whole body, decoded: what unfolds beyond the bounds is not read to its end."""
    bounds = _current.get() or _default()
    body = bytearray()
    for piece in response.iter_content(_PIECE):
        body += piece
        if len(body) > bounds.size:
            raise bounds.too_large()
    return bytes(body)


class BoundedAdapter(HTTPAdapter):
    """Connections of requests."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """As the base does."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        """As the base does."""
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = POOLS
        return manager


def _default() -> _Bounds:
    return _Bounds(SECONDS, BYTES, time.monotonic, None)


class _Watched(io.RawIOBase):
    """What arrives at a socket."""

    def __init__(self, sock: Any, bounds: _Bounds) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._idle = sock.gettimeout()
        self._bounds = bounds
        self._bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._bounds.remaining()
        last = self._idle is None or remaining <= self._idle
        self._sock.settimeout(remaining if last else self._idle)
        try:
            count: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            if last:
                raise self._bounds.late() from None
            raise
        self._bytes += count or 0
        if self._bytes > self._bounds.size:
            raise self._bounds.too_large()
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """Reads through `_Watched`, from the status line on."""

    def __init__(self, bounds: _Bounds, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Watched(sock, bounds))


if TYPE_CHECKING:
    _Base = HTTPConnection
else:
    _Base = object


class _Bounded(_Base):
    """A connection whose responses are bounded: that of a proxy to CONNECT too."""

    def connect(self) -> None:
        """Within what is left."""
        remaining = self._begin().remaining()
        if not isinstance(self.timeout, int | float) or self.timeout > remaining:
            self.timeout = remaining
        super().connect()

    def request(self, *args: Any, **options: Any) -> None:
        """As the base does."""
        self._begin()
        super().request(*args, **options)

    def _begin(self) -> _Bounds:
        bounds = _current.get() or _default()
        bounds.remaining()
        self.response_class = partial(_Response, bounds)  # type: ignore[assignment] # http.client only calls it
        return bounds


class _HttpConnection(_Bounded, HTTPConnection):
    pass


class _HttpsConnection(_Bounded, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _HttpPool, "https": _HttpsPool}
"""For `pool_classes_by_scheme` of a pool manager of urllib3."""
