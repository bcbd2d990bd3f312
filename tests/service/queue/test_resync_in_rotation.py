"""Full resyncs through the worker: project facts in turn where the audit log counts, everything where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.service.events import feed
from tests.contract.families import Settable
from tests.estate import Estate
from tests.service.queue.hall import ORG, Hall

PROJECTS, QUARTER = 32, 900


class Resyncs:
    """Resyncs each quarter of an hour, with or without a word about the audit log."""

    def __init__(self, hall: Hall, clock: Settable) -> None:
        self.hall, self.clock = hall, clock

    def read_audit_log(self) -> None:
        """There is nothing in it."""
        state, now, name = self.hall.stores.state, self.clock.now(), feed.document(ORG)
        known = state.load(name)
        body = {} if known is None else known.body
        body = feed.after_read(body, ORG, (), cursor="c", now=now, kept=timedelta(hours=4), whole=True)
        state.save(name, body, None if known is None else known.etag)

    def run(self, *, audit: bool, trusted: bool = True) -> int:
        """One resync; how many lists of projects it read."""
        self.clock.advance(QUARTER - 120)
        if audit:
            for _ in range(2):
                self.read_audit_log()
                self.clock.advance(60)
        self.hall.outbox.sweep(self.hall.worker.catalogue.specs().by_key.values())
        self.hall.estate.calls.clear()
        assert self.hall.turn(self.hall.outbox.sweeps) == 1
        assert trusted or ORG in (self.hall.worker.evidence.distrusted() if self.hall.worker.evidence else {})
        return self.hall.estate.calls["queues"] + self.hall.estate.calls["authorized"]


@pytest.fixture
def resyncs(tmp_path: Path) -> Iterator[Resyncs]:
    clock, estate = Settable(), Estate()
    estate.add(ORG, 3, PROJECTS)
    store = Local(tmp_path / "state.db", clock)
    hall = Hall(store, clock, 3, estate=estate)
    found = Resyncs(hall, clock)
    found.run(audit=True)
    found.run(audit=True)  # the pools came to be in sync within the interval before it: they are read whole
    yield found
    store.close()


def test_with_an_audit_log_that_counts_a_resync_reads_a_part_of_the_projects(resyncs: Resyncs) -> None:
    counts = [resyncs.run(audit=True) for _ in range(16)]

    assert sum(counts) <= 2 * PROJECTS + PROJECTS // 4
    assert max(counts) < PROJECTS
    assert resyncs.hall.estate.writes == []


def test_without_one_it_reads_all_of_them(resyncs: Resyncs) -> None:
    assert resyncs.run(audit=False) == 2 * PROJECTS


def test_a_pool_that_is_not_in_sync_is_read_whole(resyncs: Resyncs) -> None:
    estate = resyncs.hall.estate
    estate.deaf = True
    for pool in {queue.pool_id for queue in estate.queues[ORG]}:
        estate.open.discard(next(queue.id for queue in estate.queues[ORG] if queue.pool_id == pool))
    for _ in range(17):
        resyncs.run(audit=True)
    assert resyncs.run(audit=True) >= 2 * PROJECTS


def test_drift_that_no_entry_announces_is_repaired_within_the_maximum_age(resyncs: Resyncs) -> None:
    estate = resyncs.hall.estate
    closed = {queue.id for queue in estate.queues[ORG] if queue.pool_id == 2}
    estate.open -= closed
    for _ in range(16):
        resyncs.run(audit=True)

    assert closed <= estate.open


def test_a_restart_goes_on_where_the_process_stopped(resyncs: Resyncs) -> None:
    before = resyncs.hall
    resyncs.hall = Hall(before.stores, resyncs.clock, 3, estate=before.estate)

    assert resyncs.run(audit=True) < PROJECTS
