"""A sweep of many organizations: calls, time and memory of one worker, and what a second worker brings."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks import estates
from benchmarks.measure import (
    LATENCY,
    Emulated,
    Row,
    Table,
    all_ready,
    apart,
    at_least,
    at_most,
    emulated,
    shown,
    timed,
    together,
)
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting
from reconciler.safety import ModeScope, WriteMode
from reconciler.service.triggers import TriggerContext, composition, messages
from reconciler.telemetry import MemoryTelemetry

TITLE = "Sweep of a fleet"


def run(*, quick: bool = False) -> Table:
    """All figures."""
    fleet = estates.Size(4, 3, 3) if quick else estates.Size(100, 5, 10)
    two = estates.Size(3, 4, 2) if quick else estates.Size(20, 100, 2)
    latency = 0.0 if quick else LATENCY
    with tempfile.TemporaryDirectory() as folder, emulated(estates.estate(fleet), latency) as cloud:
        specs = _written(Path(folder) / "specs", fleet)
        (runs, seconds), peak = apart(_swept, cloud, _state(folder, "one"), specs)
        total = cloud.do.counters()["total"]
    rows: tuple[Row, ...] = (
        at_most("pools not in sync", fleet.pools * fleet.organizations - runs, 0, count=True),
        at_most("reads", total["reads"], goal_of(fleet), count=True),
        at_most("writes", total["writes"], 0, count=True),
        at_most("peak memory", peak, 200.0, "MiB"),
    )
    if not quick:
        rows += (shown("wall, one worker", seconds, "s"),)
        rows += _workers(two)
    how = (
        f"{fleet.pools * fleet.organizations:,} pools in {fleet.organizations} organizations of {fleet.projects} "
        f"projects, every answer {latency * 1000:.0f} ms: the sweep's batches from a SQLite queue, one by one, in "
        f"one worker process. Two against one: {two.organizations} organizations of {two.pools} pools × "
        f"{two.projects} projects, each worker a process, wall from the first message to the last acknowledgement."
    )
    return Table(TITLE, how, rows)


def goal_of(size: estates.Size) -> int:
    """Reads for projects plus pools, a batch of a hundred pools at a time; and the first trials of each list."""
    return size.organizations * (2 * size.projects + 2 * size.pools + 20)


def _workers(size: estates.Size) -> tuple[Row, ...]:
    with tempfile.TemporaryDirectory() as folder, emulated(estates.estate(size), LATENCY) as cloud:
        specs = _written(Path(folder) / "specs", size)
        walls = []
        for count in (1, 2):
            state = _state(folder, f"workers-{count}")
            _request_all(cloud, state, specs)
            spans = together(_drained, [(cloud, state, specs)] * count)
            walls.append(max(end for _, end, _ in spans) - min(begin for begin, _, _ in spans))
    return (
        shown("two organizations, one worker", walls[0], "s"),
        shown("two organizations, two workers", walls[1], "s"),
        at_least("two workers against one", walls[0] / walls[1], 1.7, "×"),
    )


def _swept(cloud: Emulated, state: str, specs: str) -> tuple[int, float]:
    _request_all(cloud, state, specs)
    with timed() as wall:
        _, _, runs = _drained(cloud, state, specs)
    return runs, wall()


def _request_all(cloud: Emulated, state: str, specs: str) -> None:
    context, _ = _context(cloud, state, specs)
    context.outbox.sweep(context.catalogue.specs().by_key.values())


def _drained(cloud: Emulated, state: str, specs: str) -> tuple[float, float, int]:
    """Take batches until there is none: begin, end, pools found in sync."""
    context, telemetry = _context(cloud, state, specs)
    context.catalogue.specs()
    all_ready()
    begin = time.time()
    while taken := context.outbox.sweeps.take(1, 300):
        for message in taken:
            messages.work(context, message.text, message.inserted)
            context.outbox.sweeps.ack(message)
    done = [
        value for (name, labels), value in telemetry.counters.items() if name == "reconciler.runs" and IN_SYNC in labels
    ]
    return begin, time.time(), int(sum(done))


IN_SYNC = ("result", "in-sync")


def _context(cloud: Emulated, state: str, specs: str) -> tuple[TriggerContext, MemoryTelemetry]:
    given, telemetry = cloud.environment(state, specs), MemoryTelemetry()
    context = composition.build(Settings.read(given), Hosting.read(given), telemetry)
    context.safety.set_mode(ModeScope(), WriteMode.ENFORCE, reason="benchmark", by="benchmark")
    return context, telemetry


def _written(folder: Path, size: estates.Size) -> str:
    folder.mkdir()
    for name, content in estates.specs(size).items():
        (folder / name).write_bytes(content)
    return str(folder)


def _state(folder: str, name: str) -> str:
    return str(Path(folder) / f"{name}.db")
