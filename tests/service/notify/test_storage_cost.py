"""With receivers set, an unchanged resync costs the same transactions as without: none for notices."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.safety import ModeScope, Safety, WriteMode
from reconciler.service.notify.waiting import FLUSH, NoticeOutbox
from tests.contract.counting import CountedStores
from tests.contract.families import Settable
from tests.service.queue.hall import ORG, Hall


class Resyncs:
    """Resyncs of one estate, each by a process of its own."""

    def __init__(self, folder: Path, pools: int, *, told: bool) -> None:
        self.clock, self.told, self.pools = Settable(), told, pools
        self.stores = CountedStores(Local(folder / "state.db", self.clock))
        Safety(self.stores.safety, self.clock).set_mode(ModeScope(), WriteMode.ENFORCE, reason="go live", by="ann")
        self.estate = Hall(self.stores, self.clock, pools).estate

    def resync(self) -> Counter[str]:
        self.clock.advance(900)
        safety = Safety(self.stores.safety, self.clock, service=True)
        hall = Hall(self.stores, self.clock, self.pools, safety=safety, estate=self.estate)
        if self.told:
            outbox = NoticeOutbox(self.stores.state, hall.outbox.events, self.clock, hall.telemetry)
            hall.worker = replace(hall.worker, notices=outbox)
        self.stores.calls.clear()
        hall.outbox.sweep(hall.worker.catalogue.specs().by_key.values())
        while hall.outbox.sweeps.length():
            hall.turn(hall.outbox.sweeps)
        self.results = Counter(report.what for report in hall.told)
        self.stores.calls[:] = [call for call in self.stores.calls if call != "queue.length"]
        return self.stores.counted()


@pytest.mark.parametrize("pools", [1, 12])
def test_notices_cost_a_converged_estate_nothing(tmp_path: Path, pools: int) -> None:
    costs = {}
    for told in (False, True):
        folder = tmp_path / str(told)
        folder.mkdir()
        resyncs = Resyncs(folder, pools, told=told)
        costs[told] = [resyncs.resync() for _ in range(5)]
        assert resyncs.results == {"in-sync": pools}
        assert resyncs.stores.state.names("notices/") == []
    assert costs[True] == costs[False]


def test_what_was_told_costs_one_read_for_an_hour_and_then_nothing(tmp_path: Path) -> None:
    resyncs = Resyncs(tmp_path, 12, told=True)
    for _ in range(3):
        quiet = resyncs.resync()
    queue = next(queue.id for queue in resyncs.estate.queues[ORG] if queue.name == "pool-7")
    resyncs.estate.open.discard(queue)
    resyncs.resync()
    assert resyncs.results["applied"] == 1
    events = resyncs.stores.named("work")
    resyncs.clock.advance(31)
    assert [one.text for one in events.take(5, 330)] == [FLUSH]

    resyncs.resync()
    within = resyncs.resync()
    assert (within - quiet).total() <= 2
    for _ in range(4):
        later = resyncs.resync()
    assert later.total() <= quiet.total()
