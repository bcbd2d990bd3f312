"""What a benchmark reports, and how it is measured: rows with goals, and processes of their own."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import emulator
from emulator.control import Control
from reconciler.config.settings import Settings

T = TypeVar("T")
_IMPORTED = (
    "azure.mgmt.devopsinfrastructure",
    "emulator",
    "reconciler.adapters.arm.wire",
    "reconciler.adapters.devops.package",
    "reconciler.service.triggers.composition",
)
_START = ["spawn"]
LATENCY = 0.05
"""Seconds that each answer takes: what an organization in another region answers in."""
PARALLEL = 4
"""Calls in flight for one organization."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    what: str
    value: str
    goal: str = ""
    met: bool = True
    count: bool = False
    """Whether the goal is one of counts: the same on every machine, so a miss is an error."""


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of one benchmark."""

    title: str
    how: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Emulated:
    """Where the emulator answers; it is a process of its own, so that its work is not counted as ours."""

    arm: str
    devops: str
    control: str
    tokens: Mapping[str, str]

    @property
    def do(self) -> Control:
        """What can be done to the emulated world."""
        return Control(self.control)

    def settings(self, state: str, specs: str = ".", **more: str) -> Settings:
        """The settings of a reconciler that works on it."""
        return Settings.read(self.environment(state, specs, **more))

    def environment(self, state: str, specs: str = ".", **more: str) -> dict[str, str]:
        """The same as variables."""
        given = {
            "STATE": state,
            "SPECS": specs,
            "ALLOW_LOOPBACK": "1",
            "CREDENTIAL": "static",
            "ARM_ENDPOINT": self.arm,
            "DEVOPS_ENDPOINT": self.devops,
            "AUDIT_ENDPOINT": self.devops,
            "ARM_TOKEN": self.tokens["arm"],
            "DEVOPS_TOKEN": self.tokens["devops"],
            **more,
        }
        return {f"RECONCILER_{name}": text for name, text in given.items()}


def imported_once() -> None:
    """From now on processes begin with everything imported. For counts alone: seconds and memory differ then."""
    multiprocessing.set_forkserver_preload(list(_IMPORTED))
    _START[:] = ["forkserver"]


def _context() -> Any:
    """How processes begin: by themselves, so that what is measured is theirs alone."""
    return multiprocessing.get_context(_START[0])


@contextmanager
def emulated(estate: Mapping[str, Any], latency: float = 0.0) -> Iterator[Emulated]:
    """An emulator in a process of its own, with that estate."""
    context = _context()
    ours, theirs = context.Pipe()
    process = context.Process(target=_emulate, args=(theirs, estate), daemon=True)
    process.start()
    try:
        found = Emulated(*ours.recv())
        if latency:
            found.do.latency(latency)
        yield found
    finally:
        ours.send("end")
        process.join(10)
        process.kill()


def _emulate(pipe: Any, estate: Mapping[str, Any]) -> None:
    # No budget of calls: what is measured is how many are made, not what a service would let through.
    with emulator.start(estate, switches=UNLIMITED) as running:
        pipe.send((running.arm, running.devops, running.control, running.tokens))
        pipe.recv()


UNLIMITED = {"arm.budget-reads": 10**9, "arm.budget-writes": 10**9}


def apart(work: Callable[..., T], *arguments: Any) -> tuple[T, float]:
    """Run in a fresh process; what it returns, and its peak memory in MiB."""
    with ProcessPoolExecutor(1, mp_context=_context()) as pool:
        return pool.submit(_with_peak, work, arguments).result()


def together(work: Callable[..., T], each: Sequence[tuple[Any, ...]]) -> list[T]:
    """Run in as many fresh processes at the same time; `work` calls `all_ready` where it begins."""
    context = _context()
    barrier = context.Barrier(len(each))
    with ProcessPoolExecutor(len(each), mp_context=context, initializer=_BARRIER.append, initargs=(barrier,)) as pool:
        return [future.result() for future in [pool.submit(work, *arguments) for arguments in each]]


def all_ready() -> None:
    """Wait until every process of `together` is here; nothing elsewhere."""
    for barrier in _BARRIER:
        barrier.wait(60)


_BARRIER: list[Any] = []


def _with_peak(work: Callable[..., T], arguments: tuple[Any, ...]) -> tuple[T, float]:
    done = work(*arguments)
    return done, _peak()


def _peak() -> float:
    """Largest resident size of this process in MiB.

    On Linux not by `getrusage`: its figure survives `exec`, so a process is never smaller there than the one that
    started it was at that moment.
    """
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Seconds of wall time that the block took."""
    yield from _ticking(time.perf_counter)


@contextmanager
def worked() -> Iterator[Callable[[], float]]:
    """Seconds of CPU that this process spent in the block, all its threads together."""
    yield from _ticking(time.process_time)


def _ticking(clock: Callable[[], float]) -> Iterator[Callable[[], float]]:
    begun = clock()
    ended: list[float] = []
    yield lambda: (ended[0] if ended else clock()) - begun
    ended.append(clock())


def at_most(what: str, value: float, goal: float, unit: str = "", *, count: bool = False) -> Row:
    """A figure that should not be larger than its goal."""
    return Row(what, _shown(value, unit), f"≤ {_shown(goal, unit)}", value <= goal, count)


def at_least(what: str, value: float, goal: float, unit: str = "", *, count: bool = False) -> Row:
    """A figure that should not be smaller than its goal."""
    return Row(what, _shown(value, unit), f"≥ {_shown(goal, unit)}", value >= goal, count)


def shown(what: str, value: float, unit: str = "") -> Row:
    """A figure without a goal."""
    return Row(what, _shown(value, unit))


def _shown(value: float, unit: str) -> str:
    text = f"{value:,d}" if isinstance(value, int) else f"{value:,.2f}" if value < 10 else f"{value:,.0f}"  # noqa: PLR2004 - two digits of a small figure
    return f"{text}{'' if unit in ('', '×') else ' '}{unit}"
