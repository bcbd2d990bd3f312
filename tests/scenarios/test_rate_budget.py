"""A rate budget below one full resync, through the real worker: in sync in time, and nothing is read twice for it.

The worker's clock is the test's: it moves where the program sleeps, and to the next visible message. The planes' clock
is moved by as much and runs with the machine's beside, so that a slow machine only frees more of the budget.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from threading import Lock

import pytest

from benchmarks import estates
from emulator import Running, start
from reconciler import bootstrap
from reconciler.adapters import credentials
from reconciler.adapters.arm.pools import Arm, ArmWrites
from reconciler.adapters.devops.closings import GateClosings
from reconciler.adapters.devops.endpoints import Endpoints
from reconciler.adapters.devops.exchange import CallLimits
from reconciler.adapters.devops.reads import DevOps, DevOpsWrites
from reconciler.adapters.devops.session import Session
from reconciler.adapters.devops.throttling import Timing
from reconciler.config.settings import Settings
from reconciler.engine import Outcome, Planner, Reconciler, RunLimits
from reconciler.engine.rate_needs import needs_of
from reconciler.facets.registry import FACETS
from reconciler.plan.policy import Policy
from reconciler.ports.budgets import SWEEPS, WINDOW
from reconciler.ports.readers_writers import Readers, Writers
from reconciler.ports.specs import Snapshot
from reconciler.ports.stores import MessageQueue
from reconciler.safety import ModeScope, Safety, WriteMode
from reconciler.service.catalogue import Catalogue, Specs
from reconciler.service.events.feed import FeedReader
from reconciler.service.events.sweeps import Sweeps
from reconciler.service.queue import messages
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.outbox import Outbox
from reconciler.service.queue.worker import Report, Worker
from reconciler.survey.evidence import Evidence
from reconciler.survey.operators import OperatorNames
from reconciler.telemetry import MemoryTelemetry

ORG = estates.organization_name(0)
BUDGET = 400
"""Calls in five minutes."""
INTERVAL = 900.0


def law(size: estates.Size) -> int:
    """Calls that one full look may cost."""
    batches = ceil(size.pools / 200)
    return 2 * size.projects * batches + 2 * size.pools + ceil(size.projects / 500) + ceil(size.projects / 50) + 20


class PushedClock:
    """Stands still but where a sleep is requested; pushes the planes' clock along."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._now = datetime.now(UTC).replace(microsecond=0)
        self._lock = Lock()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    def sleep(self, seconds: float) -> None:
        """Threads that sleep side by side sleep at the same time."""
        until = self._now + timedelta(seconds=seconds)
        with self._lock:
            if until > self._now:
                self._running.do.advance((until - self._now).total_seconds())
                self._now = until


@dataclass(frozen=True)
class Files:
    size: estates.Size

    def snapshot(self) -> Snapshot:
        return Snapshot("c0ffee", estates.specs(self.size))


class Deployment:
    """One worker, its queues, and what it reported."""

    def __init__(self, running: Running, folder: Path, size: estates.Size) -> None:
        self.clock, self.running = PushedClock(running), running
        given = {
            "ALLOW_LOOPBACK": "1",
            "CREDENTIAL": "static",
            "ARM_ENDPOINT": running.arm,
            "DEVOPS_ENDPOINT": running.devops,
            "ARM_TOKEN": running.tokens["arm"],
            "DEVOPS_TOKEN": running.tokens["devops"],
            "STATE": str(folder / "state.db"),
        }
        settings = Settings.read({f"RECONCILER_{name}": text for name, text in given.items()})
        ends = (settings.arm_endpoint, settings.devops_endpoint, settings.identity_endpoint)
        credential = credentials.static(settings.arm_token.reveal(), settings.devops_token.reveal(), ends)
        self.store = bootstrap.store(settings, self.clock)
        self.metrics = MemoryTelemetry()
        closings = GateClosings(self.store.state, self.clock, self.metrics)
        self.session = Session(
            credential,
            Endpoints(*ends[1:], allow_loopback=True),
            gates=closings.gates,
            timing=Timing(self.clock.sleep, self.clock.monotonic, self.clock.monotonic, lambda: 0.5),
            limits=CallLimits(parallel=settings.parallel),
        )
        self.arm = Arm(ends[0], credential.for_azure(), allow_loopback=True, clock=self.clock)
        readers = Readers(self.arm, DevOps(self.session), parallel=settings.parallel)
        planner = Planner(FACETS, readers, Policy(), self.clock, operators=OperatorNames(deployed=True))
        planner.evidence = Evidence(self.clock.now)
        safety = Safety(self.store.safety, self.clock)
        safety.create()
        safety.set_mode(ModeScope(), WriteMode.ENFORCE, by="test", reason="a test")
        writers = Writers(ArmWrites(self.arm), DevOpsWrites(self.session))
        reconciler = Reconciler(
            planner, writers, self.store.state, self.store.leases, RunLimits(), gates=closings,
            record=self.store.record, safety=safety,
        )  # fmt: skip
        self.outbox = Outbox(self.store.named("work"), self.store.named("sweep"), self.store.state, self.clock)
        feeds = FeedReader(self.store.state, planner.evidence, self.clock)
        turns = Sweeps(feeds, timedelta(seconds=INTERVAL), planner.evidence.max_age)
        self.worker = Worker(
            Catalogue(Files(size), self.clock), reconciler, self.store.state, self.outbox, self.clock, self.metrics,
            self._listen, evidence=planner.evidence, sweeps=turns,
        )  # fmt: skip
        self.in_sync: set[str] = set()
        self.turns = 0

    def _listen(self, _work: WorkMessage, report: Report, _specs: Specs) -> None:
        good = report.result is not None and report.result.outcome is Outcome.IN_SYNC
        (self.in_sync.add if good else self.in_sync.discard)(report.key)

    def turn(self, queue: MessageQueue) -> bool:
        """Handle what is visible."""
        taken = queue.take(8, 330)
        for one in taken:
            asked = messages.read(one.text)
            assert asked is not None
            self.worker.handle(asked, one.inserted)
            queue.ack(one)
            self.turns += 1
        return bool(taken)

    def resync(self) -> float:
        """One full resync until nothing is left to do; seconds."""
        began = self.clock.monotonic()
        self.outbox.sweep(self.worker.catalogue.specs().by_key.values())
        while self.outbox.sweeps.length() or self.outbox.events.length():
            assert self.clock.monotonic() - began < 20 * WINDOW, f"still {self.in_sync}"
            if not (self.turn(self.outbox.events) or self.turn(self.outbox.sweeps)):
                self.clock.sleep(1)
        return self.clock.monotonic() - began

    def calls(self) -> list[str]:
        """Reads of Azure DevOps since the log was emptied; discovery left out."""
        return [
            f"{entry['method']} {entry['path']}?{entry.get('query', '')}"
            for entry in self.running.do.requests()
            if entry["plane"] == "devops" and not entry["write"] and entry["method"] != "OPTIONS"
        ]

    def close(self) -> None:
        self.session.close()
        self.arm.close()
        self.store.close()


@contextmanager
def deployment(folder: Path, size: estates.Size, **switches: float) -> Iterator[Deployment]:
    with start(estates.estate(size)) as running:
        for name, value in switches.items():
            running.do.switch(f"devops.{name.replace('_', '-')}", value)
        made = Deployment(running, folder, size)
        try:
            yield made
        finally:
            made.close()


def test_a_budget_below_one_full_resync_is_enough_in_time(tmp_path: Path) -> None:
    size = estates.Size(pools=6, projects=230)
    with deployment(tmp_path, size, rate_limit=True, tstu_budget=BUDGET, tstu_per_call=1) as one:
        seconds = one.resync()
        calls = one.calls()

        assert one.in_sync == set(size.names(0))
        assert [call for call, count in Counter(calls).items() if count > 1] == [], "read twice"
        assert BUDGET < len(calls) <= law(size)
        assert seconds <= 1.2 * len(calls) / (SWEEPS * BUDGET) * WINDOW
        (need,) = needs_of(one.store.state, one.clock.now())
        assert len(calls) <= need.needs <= len(calls) + 4, "discovery counts as well"
        assert need.has == pytest.approx(SWEEPS * BUDGET * INTERVAL / WINDOW, rel=0.05)

        slowed = len(one.metrics.all("reconciler.gate.seconds"))
        one.clock.sleep(INTERVAL)
        one.running.do.reset_log()
        one.resync()
        assert one.in_sync == set(size.names(0))
        assert len(one.metrics.all("reconciler.gate.seconds")) == slowed, "the budget is known now"
        assert one.running.do.count(writes=True) == 0


@pytest.mark.parametrize("pause", [3, 10, 60])
def test_one_refusal_inside_a_full_resync_costs_no_fact_a_second_read(tmp_path: Path, pause: int) -> None:
    size = estates.Size(pools=20, projects=50)
    with deployment(tmp_path, size) as one:
        one.running.do.fault("429", plane="devops", count=1, skip=60, seconds=pause)
        seconds = one.resync()

        assert [entry["status"] for entry in one.running.do.requests()].count(429) == 1
        assert one.in_sync == set(size.names(0))
        assert len(one.calls()) <= law(size)
        assert seconds <= WINDOW
