"""Ten thousand events about one pool: how many runs they cost, and whether any message is left."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import estates, remote
from benchmarks.measure import Emulated, Row, Table, apart, at_least, at_most, emulated, shown, timed
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting
from reconciler.ports.clock import MARGIN
from reconciler.safety import ModeScope, WriteMode
from reconciler.service.queue.coalesce import PACE
from reconciler.telemetry import NoTelemetry

TITLE = "Duplicate events on one pool"
SIZE = estates.Size(1, 3)
ANSWER = 0.3
"""Seconds of each request of the Git remote."""
REQUESTS = 5 + int(MARGIN.total_seconds() / ANSWER)
"""A read serves what was put before it, by two clocks that may differ: in the first seconds one follows the other."""
LONGEST = 600.0
"""Seconds after which what is still on a queue is left over."""


def run(*, quick: bool = False) -> Table:
    """All figures."""
    count = 200 if quick else 10_000
    with tempfile.TemporaryDirectory() as folder, emulated(estates.estate(SIZE)) as cloud:
        estates.write(SIZE, folder)
        with remote.served(folder, ANSWER) as git:
            (outcomes, left, seconds), _ = apart(_drained, cloud, f"{folder}/.git", git.url, count)
    runs = [outcome for outcome in outcomes if outcome in RUNS]
    rows: tuple[Row, ...] = (
        at_least("runs", len(runs), 1, count=True),
        at_most("runs", len(runs), 3 + int(seconds / PACE.total_seconds()), count=True),
        at_most("messages left on all queues", left, 0, count=True),
        at_most("requests of the Git remote", len(git.requests), REQUESTS, count=True),
        shown("superseded or postponed", len(outcomes) - len(runs)),
    )
    if not quick:
        rows += (
            shown("until the queues were empty", seconds, "s"),
            at_least("messages a second", len(outcomes) / seconds, 100.0),
        )
    how = (
        f"{count:,} Event Grid bodies of one pool on the queue `pool-events` at once, then `serve` with two workers "
        "over one SQLite file until every queue is empty, follow-ups included; a burst may have one more run for each "
        f"{PACE.total_seconds():.0f} s that it lasts. The specs are in a Git remote that "
        f"takes {ANSWER * 1000:.0f} ms for each request."
    )
    return Table(TITLE, how, rows)


RUNS = frozenset({"in-sync", "applied", "out-of-sync", "progressing", "failed", "stalled", "suspended"})


def _drained(cloud: Emulated, folder: str, specs: str, count: int) -> tuple[Sequence[str], int, float]:
    from reconciler.service.host import run as serving  # noqa: PLC0415 - in the measured process
    from reconciler.service.host.host import ServeOptions  # noqa: PLC0415
    from reconciler.service.triggers import composition  # noqa: PLC0415

    given = cloud.environment(str(Path(folder) / "state.db"), specs)
    hosting, runs = Hosting.read(given), Runs()
    context = composition.build(Settings.read(given), hosting, runs)
    context.safety.set_mode(ModeScope(), WriteMode.ENFORCE, reason="benchmark", by="benchmark")
    composition.use(context)
    queues = [
        context.queues.named(name) for name in ("pool-events", "work", "sweep", "work-poison", "pool-events-poison")
    ]
    for number in range(count):
        queues[0].put(json.dumps(event(number)))
    host = serving.host(hosting, context.queues, ServeOptions(port=0, workers=2, timers=False))

    async def serve() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().create_task(until(stop))
        await host.serve(lambda _: None, stop)

    async def until(stop: asyncio.Event) -> None:
        end = time.monotonic() + LONGEST
        while time.monotonic() < end and any(queue.length() for queue in queues):  # noqa: ASYNC110 - a queue gives no event when it is empty
            await asyncio.sleep(0.2)
        stop.set()

    with timed() as wall:
        asyncio.run(serve())
    return runs.results, sum(queue.length() for queue in queues), wall()


class Runs(NoTelemetry):
    """Telemetry that keeps what became of each message."""

    def __init__(self) -> None:
        self.results: list[str] = []

    def count(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Runs alone matter."""
        if name == "reconciler.runs":
            self.results += [labels["result"]] * int(value)


def event(number: int) -> dict[str, object]:
    """What Event Grid delivers when ARM wrote the pool."""
    (name,) = SIZE.names(0)
    pool = (
        f"/subscriptions/{estates.SUBSCRIPTION}/resourceGroups/{estates.GROUP}"
        f"/providers/Microsoft.DevOpsInfrastructure/pools/{name}"
    )
    return {
        "id": f"{number:032x}",
        "topic": f"/subscriptions/{estates.SUBSCRIPTION}",
        "subject": pool,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-06-01T12:00:00Z",
        "data": {"resourceUri": pool, "operationName": "Microsoft.DevOpsInfrastructure/pools/write"},
        "dataVersion": "2",
        "metadataVersion": "1",
    }
