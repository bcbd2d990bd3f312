"""Two `serve` processes on one state, each event delivered to both, and one of them killed while they write."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks import estates
from benchmarks.deployments import ARM, AUDIT, DEAD, LONGEST, deliver, deployed, moved, written
from benchmarks.duplicates import RUNS
from benchmarks.measure import Emulated, Row, Table, at_least, at_most, shown
from reconciler.demo.serving import Serving
from reconciler.ports.clock import MARGIN

TITLE = "Two processes, one killed"


def run(*, quick: bool = False) -> Table:
    """All figures: both stores at the same time, since a lease that a killed process left is waited for.

    `quick`: the store whose leases another service keeps.
    """
    size = estates.Size(4, 2, 2) if quick else estates.Size(5, 2, 4)
    with azurite() as connection, ThreadPoolExecutor(2) as both:
        stores = {**({} if quick else {"SQLite": {}}), "Azurite": {"STORAGE": connection, "CONTAINER": "takeover"}}
        found = [both.submit(_two, store, size, more) for store, more in stores.items()]
        rows = tuple(row for one in found for row in one.result())
    how = (
        f"{size.pools * size.organizations} pools in {size.organizations} organizations. All are requested from "
        "one process, and each by an event from the other. Then a queue of every second pool is closed by hand, "
        "each entry of the audit log is delivered to both processes, and the first is killed after a quarter of "
        "the writes. When the other has worked off all queues, the first is started again, and all pools are "
        "requested."
    )
    return Table(TITLE, how, rows)


def _two(store: str, size: estates.Size, more: dict[str, str]) -> list[Row]:
    names = [(number, name) for number in range(size.organizations) for name in size.names(number)]
    with deployed(size, more) as (made, stack):
        first, second = made.start(stack), made.start(stack)
        deliver(first, ARM, [moved()])
        deliver(second, ARM, [written(name, number) for number, (_, name) in enumerate(names)])
        made.idle()
        early = [_runs(one) for one in (first, second)]
        made.cloud.do.reset_log()
        closed = names[::2]
        for number, name in closed:
            place = {"organization": estates.organization_name(number), "project": "project-0001", "pool": name}
            made.cloud.do.edit("close-access", **place)
        entries = [one["event"] for one in made.cloud.do.events("audit")[-len(closed) :]]
        for to in (first, second):
            deliver(to, AUDIT, entries)
        _until(lambda: made.writes() >= len(closed) // 4)
        os.kill(first.pid, signal.SIGKILL)
        made.idle()
        writes, left, late = made.writes(), made.left() + made.left(DEAD), _runs(second) - early[1]
        third = made.start(stack)
        time.sleep(MARGIN.total_seconds() + 1)  # what is read from now on is later than what was read before
        made.cloud.do.reset_log()
        deliver(third, ARM, [moved(1)])
        made.idle()
        return [
            at_most(f"{store}: queues that stay closed", _closed(made.cloud), 0, count=True),
            at_most(f"{store}: writes beyond one for each queue", writes - len(closed), 0, count=True),
            at_most(f"{store}: messages left, dead letters too", left + made.left() + made.left(DEAD), 0, count=True),
            at_least(f"{store}: runs of the process with fewer, before", min(early), 1, count=True),
            at_least(f"{store}: runs of the process that is left", late, 1, count=True),
            at_most(f"{store}: writes after that", made.writes(), 0, count=True),
            shown(f"{store}: runs of the process with more, before", max(early)),
        ]


def _runs(serving: Serving) -> int:
    return sum(line["outcome"] in RUNS for line in serving.runs())


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST
    while not done() and time.monotonic() < end:
        time.sleep(0.05)


def _closed(cloud: Emulated) -> int:
    return sum(
        not queue.get("openAccess")
        for organization in cloud.do.state()["organizations"]
        for pool in organization["agentPools"]
        for queue in pool["queues"]
    )


@contextmanager
def azurite() -> Iterator[str]:
    """Its connection string."""
    from tests.contract.azurite import running  # noqa: PLC0415 - needs pytest, which no other benchmark does

    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as made:
        yield made.connection
