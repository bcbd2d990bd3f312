"""Calls of one organization through the whole worker: triggers, queues, leases, state and the requests that follow."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import mean

from benchmarks import estates, waves
from benchmarks.duplicates import Runs
from benchmarks.laws import full_look, rotation
from benchmarks.measure import Emulated, Row, Table, apart, at_most, emulated, shown
from reconciler.adapters.clock import SystemClock
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting
from reconciler.documents import moment
from reconciler.safety import ModeScope, WriteMode
from reconciler.service.triggers import TriggerContext, composition, messages, timers

TITLE = "Calls through the worker"
SLOW = 0.06
"""Seconds of an answer where the time of a message runs out."""
BEGIN = 5.0
"""Seconds after which such a message begins no further run: a tenth of what it is, as the answers are."""
LONGEST = 300.0
"""Seconds after which what is still on a queue is left over."""
EXTRA = 4
"""Calls beyond a full look for what is new in an organization: it is read again where it was read before."""


def run(*, quick: bool = False) -> Table:
    """All figures."""
    rows = [row for measure in MEASURED for row in measure(quick)]
    how = (
        "A deployment with a SQLite file and an emulator; counts are the emulator's, and the same on every machine. "
        "Events and timers put messages on the queues, and the worker takes them one by one until none is left, "
        "follow-ups included. The law of a full look of P pools in N projects: "
        "2N⌈P/200⌉ + 2P + ⌈N/500⌉ + ⌈N/50⌉ + 20 reads."
    )
    return Table(TITLE, how, tuple(rows))


class MovedClock(SystemClock):
    """The machine's clock, and what was added."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> datetime:
        """The machine's time and more."""
        return super().now() + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        """Likewise."""
        return super().monotonic() + self.ahead


class StillClock(MovedClock):
    """Only what was added: what is counted does not depend on the speed of the machine."""

    def __init__(self) -> None:
        super().__init__()
        self._begin = SystemClock().now()

    def now(self) -> datetime:
        """The time at its making, and more."""
        return self._begin + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        """Likewise."""
        return self.ahead


@dataclass(frozen=True, slots=True)
class Desk:
    """The worker and what it works on."""

    cloud: Emulated
    context: TriggerContext
    runs: Runs
    clock: MovedClock

    def later(self, seconds: float) -> None:
        """Time passes, for the worker and for both planes."""
        self.clock.ahead += seconds
        self.cloud.do.advance(seconds)

    def settle(self) -> None:
        """Work until no message is left, then start counting: what comes now is later than all that was read."""
        self.drain()
        self.later(10)
        self.cloud.do.reset_log()
        self.runs.results.clear()

    def drain(self) -> None:
        """Take messages until none is left, those of events and of people first; time passes where none is due."""
        queues = (self.context.outbox.events, self.context.outbox.sweeps)
        end = time.monotonic() + LONGEST
        while any(queue.length() for queue in queues) and time.monotonic() < end:
            for queue in queues:
                if taken := queue.take(1, 300):
                    messages.work(self.context, taken[0].text, taken[0].inserted)
                    queue.ack(taken[0])
                    break
            else:
                self.later(5)

    def sweep(self) -> None:
        """A full resync of all pools at once."""
        known, body = self.context.state.load("sweep"), {"at": moment(self.clock.now())}
        self.context.state.save("sweep", body, None if known is None else known.etag)
        self.context.outbox.sweep(self.context.catalogue.specs().by_key.values())
        self.drain()

    def audit(self, published: dict[str, object]) -> None:
        """An entry of the audit log, as the stream delivers it."""
        for text in messages.devops_changed(self.context, json.dumps(published["event"])):
            self.context.outbox.events.put(text)

    def reads(self) -> int:
        """Since the last `settle`, of both planes; the poll of the audit log aside."""
        return sum(not one["write"] and "audit" not in one["path"] for one in self.cloud.do.requests())

    def writes(self) -> int:
        """Likewise."""
        return self.cloud.do.count(writes=True)

    def not_in_sync(self, pools: int) -> int:
        """Pools that were not found in sync since the last `settle`."""
        return pools - sum(one in ("in-sync", "applied") for one in self.runs.results)


def desk(cloud: Emulated, folder: str, clock: MovedClock | None = None, **more: str) -> Desk:
    """A new process of a deployment whose specs are in that folder. `clock`: None for the machine's."""
    given, runs, clock = (
        cloud.environment(str(Path(folder) / "state.db"), f"{folder}/specs", **more),
        Runs(),
        clock or MovedClock(),
    )
    context = composition.build(Settings.read(given), Hosting.read(given), runs, clock)
    context.safety.set_mode(ModeScope(), WriteMode.ENFORCE, reason="benchmark", by="benchmark")
    return Desk(cloud, context, runs, clock)


def _estate(size: estates.Size, work: Callable[[Emulated, str], tuple[Row, ...]]) -> tuple[Row, ...]:
    with tempfile.TemporaryDirectory() as folder, emulated(estates.estate(size)) as cloud:
        (Path(folder) / "specs").mkdir()
        estates.write(size, f"{folder}/specs")
        return work(cloud, folder)


def _full(quick: bool) -> tuple[Row, ...]:
    sizes = [estates.Size(5, 20)] if quick else [estates.Size(200, 500), estates.Size(20, 2_000)]

    def work(cloud: Emulated, folder: str, size: estates.Size) -> tuple[Row, ...]:
        one = desk(cloud, folder)
        one.sweep()
        left, what = one.not_in_sync(size.pools), f"{size.pools} × {size.projects:,}, first full look"
        return (
            at_most(f"{what}: reads", one.reads(), full_look(size), count=True),
            at_most(f"{what}: pools not in sync", left, 0, count=True),
        )

    return tuple(row for size in sizes for row in _estate(size, partial(work, size=size)))


def _slow(quick: bool) -> tuple[Row, ...]:
    size, begin = (estates.Size(4, 20), 0.5) if quick else (estates.Size(4, 200), BEGIN)

    def work(cloud: Emulated, folder: str) -> tuple[Row, ...]:
        cloud.do.latency(SLOW)
        one = desk(cloud, folder)
        one = replace(one, context=replace(one.context, worker=replace(one.context.worker, begin=begin)))
        one.sweep()
        what = f"{size.pools} × {size.projects}, the message's time runs out"
        return (
            at_most(f"{what}: reads", one.reads(), full_look(size), count=True),
            at_most(f"{what}: pools not in sync", one.not_in_sync(size.pools), 0, count=True),
        )

    return _estate(size, work)


def _throttled(quick: bool) -> tuple[Row, ...]:
    size = estates.Size(5, 20) if quick else estates.Size(20, 50)

    def work(cloud: Emulated, folder: str) -> tuple[Row, ...]:
        one = desk(cloud, folder)
        cloud.do.fault("429", plane="devops", count=1, skip=size.projects, seconds=1)
        one.sweep()
        what = f"{size.pools} × {size.projects}, one 429 inside"
        return (
            at_most(f"{what}: reads", one.reads(), full_look(size) + EXTRA, count=True),
            at_most(f"{what}: pools not in sync", one.not_in_sync(size.pools), 0, count=True),
        )

    return _estate(size, work)


def _rated(quick: bool) -> tuple[Row, ...]:
    """The rate budget of five minutes is less than one full look."""
    size, calls = (estates.Size(3, 24), 50) if quick else (estates.Size(6, 230), 400)

    def work(cloud: Emulated, folder: str) -> tuple[Row, ...]:
        cloud.do.switch("devops.tstu-budget", calls / 2)
        cloud.do.switch("devops.rate-limit", "on")
        one = desk(cloud, folder)
        begin = one.clock.now()
        one.sweep()
        reads, windows = one.reads(), (one.clock.now() - begin).total_seconds() / WINDOW
        what = f"{size.pools} × {size.projects}, {calls} calls in five minutes"
        return (
            at_most(f"{what}: reads", reads, full_look(size) + EXTRA, count=True),
            at_most(f"{what}: pools not in sync", one.not_in_sync(size.pools), 0, count=True),
            at_most(f"{what}: windows of five minutes", windows, 1.2 * reads / (0.8 * calls)),
        )

    return _estate(size, work)


WINDOW = 300.0
"""Seconds over which Azure DevOps counts what an identity uses."""


def _steady(quick: bool) -> tuple[Row, ...]:
    """Nothing happens, and the audit log says so."""
    size = estates.Size(3, 48) if quick else estates.Size(20, 500)

    def work(cloud: Emulated, folder: str) -> tuple[Row, ...]:
        one = desk(cloud, folder)
        found: list[int] = []
        for _ in range(4 + SLOTS):
            for _ in range(3):
                one.later(INTERVAL / 3)
                timers.watch_audit(one.context)
            one.settle()
            one.sweep()
            found.append(one.reads())
        what = f"{size.pools} × {size.projects}, converged, the audit log read"
        return (
            at_most(
                f"{what}: reads of a full resync, mean of {SLOTS}",
                mean(found[-SLOTS:]),
                rotation(size, SLOTS),
                count=True,
            ),
            at_most(f"{what}: the most of one", max(found[-SLOTS:]), full_look(size) // 2, count=True),
            at_most(f"{what}: writes", one.writes(), 0, count=True),
        )

    return _estate(size, work)


INTERVAL = 900.0
"""Seconds between two full resyncs."""
SLOTS = 16
"""Full resyncs within the maximum age of a fact."""


def _commit(quick: bool) -> tuple[Row, ...]:
    size = estates.Size(5, 20) if quick else estates.Size(20, 50)

    def work(cloud: Emulated, folder: str) -> tuple[Row, ...]:
        one = desk(cloud, folder)
        one.sweep()
        timers.watch_git(one.context)
        one.settle()
        for path in Path(folder, "specs").iterdir():
            path.write_bytes(path.read_bytes() + b"\n")
        timers.watch_git(one.context)
        one.drain()
        what = f"{size.pools} × {size.projects}, a commit to all files"
        return (
            at_most(f"{what}: reads", one.reads(), full_look(size) + EXTRA - 1, count=True),
            at_most(f"{what}: pools not in sync", one.not_in_sync(size.pools), 0, count=True),
        )

    return _estate(size, work)


def _created(quick: bool) -> tuple[Row, ...]:
    size = estates.Size(5, 10) if quick else estates.Size(25, 20)

    def work(cloud: Emulated, folder: str) -> tuple[Row, ...]:
        one = desk(cloud, folder)
        one.sweep()
        one.settle()
        cloud.do.edit("create-project", organization=estates.organization_name(0), name="new")
        one.audit(cloud.do.events("audit")[-1])
        one.drain()
        writes, what = one.writes(), f"{size.pools} × {size.projects}, a project is created"
        goal = full_look(size) + EXTRA - 1 + PROOFS * writes
        return (
            at_most(f"{what}: reads", one.reads(), goal, count=True),
            at_most(f"{what}: queues missing or closed", _closed_in(cloud, "new"), 0, count=True),
            shown(f"{what}: writes", writes),
        )

    return _estate(size, work)


PROOFS = 4
"""Reads of one write: what it rests on, and what it did."""


def _closed_in(cloud: Emulated, project: str) -> int:
    """Agent pools whose queue in the project is missing or closed."""
    (organization,) = cloud.do.state()["organizations"]
    queues = [queue for pool in organization["agentPools"] for queue in pool["queues"] if queue["project"] == project]
    return len(organization["agentPools"]) - sum(bool(queue.get("openAccess")) for queue in queues)


def _closed(quick: bool) -> tuple[Row, ...]:
    size = estates.Size(4, 20) if quick else estates.Size(20, 500)

    def work(cloud: Emulated, folder: str) -> tuple[Row, ...]:
        with waves.counted(cloud, waves.caller_in(folder)) as sequence:
            (calls, writes, echo), _ = apart(_repair, cloud, folder, size)
        what = f"{size.pools} × {size.projects}, a queue closed by hand"
        return (
            at_most(f"{what}: calls until it is verified", calls, 12, count=True),
            at_most(f"{what}: those in sequence", len(sequence), 8, count=True),
            at_most(f"{what}: writes", writes, 1, count=True),
            at_most(f"{what}: calls for the audit entry of the repair", echo, 0, count=True),
        )

    return _estate(size, work)


def _repair(cloud: Emulated, folder: str, size: estates.Size) -> tuple[int, int, int]:
    """Calls, writes, calls for the echo."""
    one = desk(cloud, folder)
    one.sweep()
    one.settle()
    place = {"organization": estates.organization_name(0), "project": "project-0003", "pool": size.names(0)[0]}
    cloud.do.edit("close-access", **place)
    with waves.held(cloud, folder):
        one.audit(cloud.do.events("audit")[-1])
        one.drain()
    calls, writes = one.reads() + one.writes(), one.writes()
    entries = cloud.do.events("audit")
    one.settle()
    one.audit(entries[-1])
    one.drain()
    return calls, writes, one.reads() + one.writes()


MEASURED = (_full, _slow, _throttled, _rated, _commit, _created, _closed, _steady)
