"""Requests that arrive while a batch is under way are answered by reads of their own, over HTTP and the real worker."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from reconciler.engine import load_status
from reconciler.engine.events import Applied, Event
from reconciler.engine.packed import Statuses
from reconciler.engine.status import ConditionKind
from reconciler.ports.specs import Snapshot
from reconciler.service.catalogue import Catalogue
from reconciler.service.queue import messages
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.outbox import Outbox
from reconciler.service.queue.worker import Worker
from reconciler.telemetry import MemoryTelemetry
from tests.scenarios.drafts import POOL, PRIME, RELEASE, Json, organization, spec
from tests.scenarios.world import World

PROJECT = "fabrikam-dev"


def document(name: str, *, opened: bool = True) -> dict[str, Json]:
    return spec(name, [organization(PRIME, open_access=opened, parallelism=1)], permission={"kind": "Inherit"})


@dataclass
class Files:
    """The documents of a world as a branch."""

    world: World
    documents: dict[str, Json]

    def snapshot(self) -> Snapshot:
        files = {f"{name}.json": json.dumps(one).encode() for name, one in self.documents.items()}
        return Snapshot(self.world.revision, files)


class Service:
    """Worker and queues over the parts of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.files = Files(world, {name: document(name) for name in (POOL, RELEASE)})
        self.told: list[tuple[str, str, str]] = []
        store, clock = world.parts.store, world.clock
        self.outbox = Outbox(store.named("work"), store.named("sweep"), store.state, clock)
        self.worker = Worker(
            Catalogue(self.files, clock), world.parts.reconciler, store.state, self.outbox, clock, MemoryTelemetry(),
            lambda work, report, _specs: self.told.append((work.trigger, report.key, report.what)),
        )  # fmt: skip

    def put(self, trigger: str, *keys: str) -> None:
        self.outbox.events.put(WorkMessage(keys, trigger).text())

    def work(self) -> bool:
        taken = self.outbox.events.take(1, 330)
        for one in taken:
            work = messages.read(one.text)
            assert work is not None
            self.worker.handle(work, one.inserted)
            self.outbox.events.ack(one)
        return bool(taken)

    def drain(self) -> None:
        for _ in range(100):
            if not self.outbox.events.length():
                return
            if not self.work():
                self.world.later(5)
        raise AssertionError("messages are left")


@pytest.mark.parametrize("what", ["closed by hand", "commit"])
def test_while_one_pool_of_a_batch_is_repaired_requests_for_another_are_not_lost(nothing: World, what: str) -> None:
    world = nothing
    world.only_these([document(POOL), document(RELEASE)])
    world.settle()
    world.later(3600)
    service = Service(world)
    world.by_hand("close-access", organization=PRIME, pool=POOL, project=PROJECT)

    def meanwhile(event: Event) -> None:
        if isinstance(event, Applied) and not service.told:
            world.listen = lambda _: None
            world.later(10)
            if what == "commit":
                service.files.documents[RELEASE] = document(RELEASE, opened=False)
                service.put("push", RELEASE)
            else:
                world.by_hand("close-access", organization=PRIME, pool=RELEASE, project=PROJECT)
                service.put("audit", RELEASE)
                service.put("http", RELEASE)
            world.later(10)

    world.listen = meanwhile
    service.put("sweep", POOL, RELEASE)
    assert service.work()
    assert [report[2] for report in service.told] == ["applied", "in-sync"]
    stale = Statuses(world.parts.store.state).of(service.worker.catalogue.specs().by_key[RELEASE])
    assert stale is not None
    assert stale.run is not None
    assert stale.seen is not None
    assert (stale.run.started - stale.seen).total_seconds() >= 20

    service.drain()

    assert world.truth.opened(PRIME, RELEASE)[PROJECT] is (what != "commit")
    assert world.truth.opened(PRIME, POOL)[PROJECT]
    assert "applied" in {report[2] for report in service.told[2:]}
    status = load_status(world.parts.store.state, RELEASE)
    ready = status.condition(ConditionKind.READY)
    assert ready is not None
    assert ready.reason == "InSync"
    if what == "commit":
        world.spec(document(RELEASE, opened=False))
