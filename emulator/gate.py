"""Holds requests back, so that a test lets them through wave by wave.

Those that wait at the same time do not depend on each other, so the number of waves does not depend on how fast the
client or the machine is.
"""

from __future__ import annotations

import asyncio


class Gate:
    """Open at first. While it is closed, requests of both planes wait before anything of them happens."""

    def __init__(self) -> None:
        self._closed = False
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def waiting(self) -> int:
        """Requests that wait now."""
        return sum(not one.done() for one in self._waiting)

    async def passed(self) -> None:
        """Wait where the gate is closed."""
        if self._closed:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future

    def close(self) -> None:
        """From now on requests wait."""
        self._closed = True

    def release(self) -> int:
        """Let all through that wait now; how many those are."""
        waiting, self._waiting = [one for one in self._waiting if not one.done()], []
        for one in waiting:
            one.set_result(None)
        return len(waiting)

    def open(self) -> None:
        """Nothing waits any more."""
        self._closed = False
        self.release()
