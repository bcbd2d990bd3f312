"""How many calls of a process had to wait for one another.

The emulator holds every request until no thread of the process does anything else, and then lets all through that wait:
one wave. A call is in a later wave only where something before it had to be answered first, so the number of waves
is that of the calls in sequence, whatever else the machine does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from benchmarks.measure import Emulated

LOOK = 0.01
"""Seconds between two looks at the process."""
STILL = 3
"""Looks in a row that find nothing running and the same requests: one that is on its way has arrived by then."""
_PID = "caller.pid"


@contextmanager
def counted(cloud: Emulated, process: Callable[[], int | None]) -> Iterator[list[int]]:
    """The sizes of the waves of what is held in the block. `process`: the id of the one that calls, once known."""
    waves: list[int] = []
    end = Event()
    thread = Thread(target=_let_through, args=(cloud, process, waves, end))
    thread.start()
    try:
        yield waves
    finally:
        end.set()
        thread.join()
        cloud.do.hold(on=False)


@contextmanager
def held(cloud: Emulated, folder: str) -> Iterator[None]:
    """Hold what this process calls in the block; another one counts it, with `caller_in`."""
    (Path(folder) / _PID).write_text(str(os.getpid()))
    cloud.do.hold(on=True)
    yield
    cloud.do.hold(on=False)


def caller_in(folder: str) -> Callable[[], int | None]:
    """The id of the process that used `held` with this folder."""

    def read() -> int | None:
        path = Path(folder) / _PID
        return int(path.read_text() or 0) or None if path.exists() else None

    return read


def _let_through(cloud: Emulated, process: Callable[[], int | None], waves: list[int], end: Event) -> None:
    before, still = 0, 0
    while not end.wait(LOOK):
        waiting, number = cloud.do.held(), process()
        quiet = waiting > 0 and waiting == before and number is not None and not _runs(number)
        before, still = waiting, still + 1 if quiet else 0
        if still >= STILL:
            waves.append(cloud.do.release())
            before, still = 0, 0


def _runs(process: int) -> bool:
    """Whether a thread of the process runs, or would if it had a core. Linux tells; elsewhere only time does."""
    try:
        return any(_state(task) in "RD" for task in Path(f"/proc/{process}/task").iterdir())
    except FileNotFoundError:
        time.sleep(0.1)
        return False


def _state(task: Path) -> str:
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return "R"
