"""A deployment whose calls are counted: queues, leases, state and the worker as they are, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import estates
from benchmarks.laws import full_look as law
from benchmarks.worker import MovedClock
from emulator import Running, start
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting, state
from reconciler.documents import moment
from reconciler.ports.stores import MessageQueue
from reconciler.safety import ModeScope, WriteMode
from reconciler.service.queue.messages import read
from reconciler.service.triggers import TriggerContext, composition, messages, timers
from reconciler.telemetry import MemoryTelemetry

ORG = estates.organization_name(0)
SWEEP = 900.0
__all__ = ["ORG", "SWEEP", "Counted", "MovedClock", "counted", "law"]


@dataclass
class Counted:
    """One process of a deployment, and both planes."""

    cloud: Running
    folder: Path
    size: estates.Size
    clock: MovedClock = field(default_factory=MovedClock)
    metrics: MemoryTelemetry = field(default_factory=MemoryTelemetry)

    def __post_init__(self) -> None:
        self.context = self.started()

    def started(self) -> TriggerContext:
        """A new process over the same state."""
        given = {
            "RECONCILER_SPECS": str(self.folder / "specs"),
            "RECONCILER_STATE": str(self.folder / "state.db"),
            "RECONCILER_ALLOW_LOOPBACK": "1",
            "RECONCILER_CREDENTIAL": "static",
            "RECONCILER_ARM_ENDPOINT": self.cloud.arm,
            "RECONCILER_DEVOPS_ENDPOINT": self.cloud.devops,
            "RECONCILER_AUDIT_ENDPOINT": self.cloud.devops,
            "RECONCILER_ARM_TOKEN": self.cloud.tokens["arm"],
            "RECONCILER_DEVOPS_TOKEN": self.cloud.tokens["devops"],
        }
        settings = Settings.read(given, beneath=state(given))
        context = composition.build(settings, Hosting.read(given), self.metrics, self.clock)
        if context.safety.documents.index().new:
            context.safety.set_mode(ModeScope(), WriteMode.ENFORCE, reason="go live", by="ann")
        return context

    def restart(self) -> None:
        """The process ends, and another begins."""
        self.context = self.started()

    # --- what happens -----------------------------------------------------------------------------------

    def later(self, seconds: float) -> None:
        """Time passes, for the program and for both planes."""
        self.clock.ahead += seconds
        self.cloud.do.advance(seconds)

    def by_hand(self, what: str, **arguments: Any) -> None:
        """A person does something in a web page, well after all that was read."""
        self.later(10)
        self.cloud.do.edit(what, organization=ORG, **arguments)
        self.later(10)

    def close(self, pool: int, project: int) -> None:
        """A queue is closed by hand."""
        self.by_hand("close-access", pool=self.pool(pool), project=self.project(project))

    def pool(self, number: int) -> str:
        return self.size.names(0)[number]

    def project(self, number: int) -> str:
        return f"project-{number:04d}"

    def is_open(self, pool: int, project: int) -> bool:
        """Whether the queue is there, and open."""
        (organization,) = self.cloud.do.state()["organizations"]
        (found,) = [one for one in organization["agentPools"] if one["name"] == self.pool(pool)]
        name = self.project(project)
        return any(queue["project"] == name and queue.get("openAccess", False) for queue in found["queues"])

    # --- what is done -----------------------------------------------------------------------------------

    def audit(self) -> None:
        """The poll of the audit log."""
        timers.watch_audit(self.context)

    def sweep(self) -> None:
        """A full resync, all its batches at once, until nothing is left to do."""
        known, body = self.context.state.load("sweep"), {"at": moment(self.clock.now())}
        self.context.state.save("sweep", body, None if known is None else known.etag)
        self.context.outbox.sweep(self.context.catalogue.specs().by_key.values())
        self.drain()

    def turn(self) -> bool:
        """Handle one message; whether there was a visible one."""
        for queue in self.queues:
            for message in queue.take(1, 330):
                messages.work(self.context, message.text, message.inserted)
                queue.ack(message)
                return True
        return False

    def drain(self) -> None:
        """Handle messages until none is left; time passes where none is visible."""
        for _ in range(2000):
            if not any(queue.length() for queue in self.queues):
                return
            if not self.turn():
                self.later(5)
        raise AssertionError([message.text for queue in self.queues for message in queue.take(5, 1)])

    @property
    def queues(self) -> tuple[MessageQueue, MessageQueue]:
        return self.context.outbox.events, self.context.outbox.sweeps

    def waiting(self) -> list[Any]:
        """The visible messages, which stay."""
        found = [(queue, message) for queue in self.queues for message in queue.take(32, 30)]
        for queue, message in found:
            queue.hide(message, 0)
        return [read(message.text) for _, message in found]

    # --- what is seen -----------------------------------------------------------------------------------

    def count_from_here(self) -> None:
        """Nothing that was done so far counts; what comes is later than all that was read."""
        self.drain()
        self.later(10)
        self.cloud.do.reset_log()
        self.metrics.counters.clear()

    @property
    def reads(self) -> int:
        """Of both planes, the audit log aside."""
        return sum(not one["write"] and "audit" not in one["path"] for one in self.cloud.do.requests())

    @property
    def writes(self) -> int:
        return self.cloud.do.count(writes=True)

    def runs(self, *results: str) -> int:
        """Pools of messages that ended so."""
        return int(sum(self.metrics.total("reconciler.runs", result=one) for one in results))


@contextmanager
def counted(folder: Path, size: estates.Size) -> Iterator[Counted]:
    """A converged organization of that size, not yet seen by anybody."""
    (folder / "specs").mkdir()
    for name, content in estates.specs(size).items():
        (folder / "specs" / name).write_bytes(content)
    with start(estates.estate(size), switches={"arm.budget-reads": 10**9, "arm.budget-writes": 10**9}) as cloud:
        yield Counted(cloud, folder, size)
