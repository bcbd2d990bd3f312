"""Full resyncs through the worker: project facts in turn where the audit log counts, everything where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.service.events.feed import FeedReader, after_read, document
from reconciler.service.events.sweeps import Sweeps
from reconciler.survey.demand import MAX_AGE
from tests.contract.families import Settable, Stores
from tests.estate import Estate
from tests.service.queue.hall import ORG, Hall

PROJECTS, QUARTER = 32, 900


class Resyncs:
    """Resyncs each quarter of an hour, with or without a word about the audit log."""

    def __init__(self, hall: Hall, clock: Settable) -> None:
        self.hall, self.clock = hall, clock

    def tag(self) -> str | None:
        known = self.hall.stores.state.load(document(ORG))
        return None if known is None else known.etag

    def hear(self) -> None:
        """The audit log is read to its end, and has no entries."""
        known, now = self.hall.stores.state.load(document(ORG)), self.clock.now()
        body = {} if known is None else known.body
        read = after_read(body, ORG, (), cursor="", now=now, kept=MAX_AGE, whole=True)
        self.hall.stores.state.save(document(ORG), read, self.tag())

    def run(self, *, audit: bool) -> int:
        """One resync; how many lists of projects it read."""
        self.clock.advance(QUARTER)
        if audit:
            self.hear()
        else:
            self.hall.stores.state.save(document(ORG), {}, self.tag())
        self.hall.outbox.sweep(self.hall.worker.catalogue.specs().by_key.values())
        self.hall.estate.calls.clear()
        assert self.hall.turn(self.hall.outbox.sweeps) == 1
        return self.hall.estate.calls["queues"] + self.hall.estate.calls["authorized"]


def opened(store: Stores, clock: Settable, estate: Estate) -> Hall:
    """A new process."""
    hall = Hall(store, clock, 3, estate=estate)
    assert hall.worker.evidence is not None
    feeds = FeedReader(store.state, hall.worker.evidence, clock)
    hall.worker = replace(hall.worker, sweeps=Sweeps(feeds, timedelta(seconds=QUARTER), MAX_AGE))
    return hall


@pytest.fixture
def resyncs(tmp_path: Path) -> Iterator[Resyncs]:
    clock, estate = Settable(), Estate()
    estate.add(ORG, 3, PROJECTS)
    store = Local(tmp_path / "state.db", clock)
    hall = opened(store, clock, estate)
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
    resyncs.hall.estate.deaf = True
    resyncs.hall.estate.open.clear()
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
    resyncs.hall = opened(before.stores, resyncs.clock, before.estate)

    assert resyncs.run(audit=True) < PROJECTS
