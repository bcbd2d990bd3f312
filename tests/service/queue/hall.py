"""A worker with real stores, real engine and real specs, on an estate in memory, in a test's own time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Event

from reconciler.adapters.sqlite.store import Local
from reconciler.engine import Planner, Reconciler, RunLimits
from reconciler.engine.renewal import Wait
from reconciler.errors import ReconcilerError
from reconciler.plan.policy import Policy
from reconciler.ports.clock import Clock
from reconciler.ports.specs import Snapshot
from reconciler.ports.stores import MessageQueue
from reconciler.safety import Safety
from reconciler.service.catalogue import Catalogue, Specs
from reconciler.service.events.feed import FeedReader
from reconciler.service.events.sweeps import Sweeps
from reconciler.service.queue import messages
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.outbox import Outbox
from reconciler.service.queue.worker import Report, Worker
from reconciler.survey.evidence import Evidence
from reconciler.telemetry import MemoryTelemetry
from tests.contract.families import Settable, Stores
from tests.deployment import spec
from tests.estate import Estate
from tests.small_facets import FACETS

ORG = "fabrikam-prime"


@dataclass
class Files:
    """Specs in memory, or the trouble that git has."""

    files: dict[str, bytes]
    trouble: ReconcilerError | None = None
    stale: str = ""
    revision: str = "c0ffee"

    def snapshot(self) -> Snapshot:
        if self.trouble is not None:
            raise self.trouble
        return Snapshot(self.revision, self.files, self.stale)


@dataclass
class Hall:
    """One worker and what it works with."""

    stores: Stores
    clock: Clock
    pools: int = 1
    names: tuple[str, str] = ("work", "sweep")
    """Of both queues."""
    wait: Wait = Event.wait
    """Between two renewals of a lease."""
    hide: float = 330
    """Seconds for which a taken message is hidden."""
    reading: float = 60
    """Seconds for which a message reads."""
    estate: Estate = field(default_factory=Estate)
    safety: Safety | None = None
    """What the deployment's owner allows; None: the runs belong to no deployment."""
    holder: str = "host-1 (1)"
    """How other workers name this one."""
    telemetry: MemoryTelemetry = field(default_factory=MemoryTelemetry)
    told: list[Report] = field(default_factory=list)
    works: list[WorkMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = [f"pool-{number + 1}" for number in range(self.pools)]
        self.files = Files({f"{name}.yaml": spec(name, ORG).encode() for name in names})
        if ORG not in self.estate.pools:  # an estate that several workers share is as they left it
            self.estate.add(ORG, self.pools, 2)
        events, sweeps = map(self.stores.named, self.names)
        self.outbox = Outbox(events, sweeps, self.stores.state, self.clock)
        known = Evidence(self.clock.now)
        planner = Planner(FACETS, self.estate.readers, Policy(), self.clock, telemetry=self.telemetry, evidence=known)
        reconciler = Reconciler(
            planner, self.estate.writers, self.stores.state, self.stores.leases, RunLimits(),
            record=self.stores.record, safety=self.safety, wait=self.wait, holder=self.holder,
        )  # fmt: skip
        self.worker = Worker(
            Catalogue(self.files, self.clock),
            reconciler,
            self.stores.state,
            self.outbox,
            self.clock,
            self.telemetry,
            self._listen,
            reading=self.reading,
            evidence=known,
            sweeps=Sweeps(FeedReader(self.stores.state, known, self.clock), timedelta(minutes=15), known.max_age),
        )
        for one in self.worker.catalogue.specs().by_key.values():
            self.estate.arm[one.pool_id.casefold()] = {"id": one.pool_id}

    def _listen(self, work: WorkMessage, report: Report, _specs: Specs) -> None:
        self.works.append(work)
        self.told.append(report)

    def beginning(self, seconds: float) -> Worker:
        """The worker, with another bound for the begin of runs."""
        return replace(self.worker, begin=seconds)

    def turn(self, queue: MessageQueue, count: int = 32) -> int:
        """Handle the visible messages of a queue once; how many there were."""
        taken = queue.take(count, self.hide)
        for one in taken:
            asked = messages.read(one.text)
            assert asked is not None
            self.worker.handle(asked, one.inserted)
            queue.ack(one)
        return len(taken)

    @property
    def runs(self) -> int:
        """Runs that planned."""
        return sum(1 for report in self.told if report.result is not None)

    @property
    def left(self) -> int:
        """Messages on both queues, hidden ones included."""
        return self.outbox.events.length() + self.outbox.sweeps.length()


@contextmanager
def hall(folder: Path, pools: int = 1) -> Iterator[tuple[Hall, Settable]]:
    """A hall on SQLite whose time stands still until a test moves it."""
    clock = Settable()
    stores = Local(folder / "state.db", clock)
    yield Hall(stores, clock, pools), clock
    stores.close()


def failing(call: str, error: Exception) -> Callable[[str, tuple[object, ...]], None]:
    """What the estate does before each call: one of them fails."""

    def before(name: str, _args: tuple[object, ...]) -> None:
        if name == call:
            raise error

    return before
