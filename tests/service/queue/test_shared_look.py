"""A look at an organization: one worker at a time, single pools beside it, and what of it is kept for the next one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.documents.packing import unpacked
from reconciler.engine import load_status
from reconciler.engine.packed import Statuses
from reconciler.engine.status import ConditionKind, PoolStatus, Truth
from reconciler.safety import ModeScope, Safety, WriteMode
from reconciler.safety.agent_pools import AgentPoolApproval
from reconciler.service.queue.messages import WorkMessage, read
from tests.contract.families import Settable
from tests.service.queue.hall import ORG, Hall
from tests.service.queue.test_evidence_age import once_at, queue_of


@dataclass
class Site:
    """Two workers on one store, over one organization of three pools."""

    clock: Settable
    one: Hall
    other: Hall
    safety: Safety

    def resync(self, worker: Hall | None = None) -> list[str]:
        """A resync, worked off by one worker; the reports' words."""
        hall = worker or self.one
        self.clock.advance(900)
        hall.told.clear()
        hall.outbox.sweep(hall.worker.catalogue.specs().by_key.values())
        while hall.turn(hall.outbox.sweeps) + hall.turn(hall.outbox.events):
            pass
        return [report.what for report in hall.told]

    def shown(self, pool: str = "pool-1") -> PoolStatus:
        """The status of a pool as people read it."""
        status = Statuses(self.one.stores.state).of(self.one.worker.catalogue.specs().by_key[pool])
        assert status is not None
        return status

    def tag(self, pool: str = "pool-1") -> str:
        """Which version of its status document is stored."""
        return self.one.stores.state.versions("pools/")[f"pools/{pool}"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    clock = Settable()
    stores = [Local(tmp_path / "state.db", clock) for _ in range(2)]
    safeties = [Safety(one.safety, clock, service=True) for one in stores]
    safeties[0].set_mode(ModeScope(), WriteMode.ENFORCE, reason="go live", by="ann")
    one = Hall(stores[0], clock, 3, safety=safeties[0])
    other = Hall(stores[1], clock, 3, safety=safeties[1], estate=one.estate, holder="host-2 (2)")
    yield Site(clock, one, other, safeties[0])
    for each in stores:
        each.close()


def ready(status: PoolStatus) -> tuple[Truth, str]:
    condition = status.condition(ConditionKind.READY)
    assert condition is not None
    return condition.status, condition.reason


def test_of_two_workers_one_looks_and_the_other_learns_by_whom_and_puts_its_message_back(site: Site) -> None:
    site.resync()
    began = site.clock.now()

    def meanwhile() -> None:
        site.other.worker.handle(WorkMessage(("pool-1", "pool-2", "pool-3"), "sweep"), site.clock.now())

    site.one.estate.before = once_at("projects", meanwhile)
    reads = site.one.estate.calls["projects"]
    site.resync()

    assert [report.what for report in site.other.told] == ["busy"] * 3
    assert site.one.estate.calls["projects"] == reads + 1
    assert site.one.outbox.sweeps.length() == 1
    assert (site.clock.now() - began).total_seconds() == 900
    site.clock.advance(60)  # the length of a lease: the message does not wait for longer
    assert site.other.turn(site.other.outbox.sweeps) == 1
    assert [report.what for report in site.other.told[3:]] == ["in-sync"] * 3


def test_a_request_for_one_pool_waits_for_no_look_and_repairs_what_it_finds(site: Site) -> None:
    """Its reads before the write and its write are made while the other worker holds the organization."""
    site.resync()

    def meanwhile() -> None:
        site.one.estate.open.discard(queue_of(site.one, "pool-2"))
        site.other.worker.handle(WorkMessage(("pool-2",), "event"), site.clock.now())

    site.one.estate.before = once_at("projects", meanwhile)
    site.resync()

    assert [report.what for report in site.other.told] == ["applied"]
    assert queue_of(site.one, "pool-2") in site.one.estate.open


def test_a_pool_that_is_as_it_was_keeps_its_document_and_shows_when_it_was_seen_last(site: Site) -> None:
    site.resync()
    tags = site.one.stores.state.versions("pools/")
    before = site.shown()

    for _ in range(3):
        assert site.resync() == ["in-sync"] * 3
    began = site.clock.now()

    assert site.one.stores.state.versions("pools/") == tags
    shown = site.shown()
    assert (shown.seen, ready(shown)) == (began, (Truth.TRUE, "InSync"))
    assert shown.run is not None
    assert shown.run.ended == began
    assert replace(shown, run=before.run, seen=before.seen, covered=before.covered) == before
    assert site.one.estate.writes == []


def test_what_a_run_stores_counts_from_then_on_and_not_what_looks_saw_before(site: Site) -> None:
    """Moments belong to one version of the status: no error is shown as seen later than it was."""
    site.resync()
    site.resync()
    site.clock.advance(60)
    site.one.estate.open.discard(queue_of(site.one, "pool-1"))
    site.one.estate.deaf = True
    found = site.clock.now()
    site.other.worker.handle(WorkMessage(("pool-1",), "event"), found)

    assert ready(site.shown())[0] is Truth.FALSE
    assert site.shown() == load_status(site.one.stores.state, "pool-1")
    site.one.estate.deaf = False
    assert "applied" in site.resync()
    assert site.shown().seen == site.clock.now()


def test_a_new_commit_that_changes_nothing_of_a_pool_is_shown_as_applied_without_a_write(site: Site) -> None:
    site.resync()
    tags = site.one.stores.state.versions("pools/")
    site.one.files.files = {**site.one.files.files, "note.txt": b"nothing of a pool"}
    site.one.files.revision = "beef"

    site.resync()

    assert (site.shown().attempted, site.shown().applied) == ("beef", "beef")
    assert site.one.stores.state.versions("pools/") == tags


def test_drift_of_one_pool_is_repaired_under_its_own_lease_and_the_others_stay_as_they_are(site: Site) -> None:
    site.resync()
    tags = dict(site.one.stores.state.versions("pools/"))
    site.one.estate.open.discard(queue_of(site.one, "pool-2"))

    assert site.resync() == ["in-sync", "applied", "in-sync"]

    assert {name for name, tag in site.one.stores.state.versions("pools/").items() if tags[name] != tag} == {
        "pools/pool-2"
    }


def test_what_the_owner_changes_in_the_safety_store_is_seen_by_the_next_look(site: Site) -> None:
    """Kept safety facts count only while their tags are current: here another pool was given the agent pool."""
    site.resync()
    site.resync()
    tag = site.tag("pool-2")
    pool = next(one for one in site.one.estate.pools[ORG] if one.name == "pool-1")
    site.safety.approve_agent_pool("pool-3", AgentPoolApproval(ORG, pool.id, None, "ann", site.clock.now()))

    assert site.resync() == ["stalled", "in-sync", "in-sync"]

    assert ready(site.shown("pool-1")) == (Truth.FALSE, "Degraded")
    assert site.tag("pool-2") == tag


def test_a_stop_holds_a_write_of_a_look_although_its_facts_were_read_before(site: Site) -> None:
    """The mode is read once for planning, and again before each write."""
    site.resync()
    site.one.estate.open.discard(queue_of(site.one, "pool-3"))

    def stopped() -> None:
        site.safety.set_mode(ModeScope(), WriteMode.REPORT, reason="stop", by="ann")

    site.one.estate.before = once_at("projects", stopped)
    site.resync()

    assert site.one.estate.writes == []
    assert ready(site.shown("pool-3")) == (Truth.FALSE, "OutOfSync")


def test_in_a_mode_that_reports_the_same_difference_is_written_once(site: Site) -> None:
    site.resync()
    site.safety.set_mode(ModeScope(), WriteMode.REPORT, reason="stop", by="ann")
    site.one.estate.open.discard(queue_of(site.one, "pool-1"))
    site.resync()
    tags = site.one.stores.state.versions("pools/")

    assert site.resync() == ["out-of-sync", "in-sync", "in-sync"]

    assert site.one.stores.state.versions("pools/") == tags
    assert ready(site.shown("pool-1")) == (Truth.FALSE, "OutOfSync")
    assert site.shown("pool-1").seen == site.clock.now()


@pytest.mark.parametrize("body", [{}, {"zlib": "%%%"}, {"zlib": "AAAA"}, [1], {"zlib": 7}])
def test_a_look_that_cannot_read_what_was_kept_reads_everything_again(site: Site, body: object) -> None:
    site.resync()
    site.resync()
    document = site.one.stores.state.load(f"looks/{ORG}")
    assert document is not None
    site.one.stores.state.save(f"looks/{ORG}", body, document.etag)

    assert site.shown().seen is not None
    assert site.resync() == ["in-sync"] * 3
    assert site.shown().seen == site.clock.now()


def test_the_url_of_an_operation_is_not_copied(site: Site) -> None:
    """It is signed, and stands in the pool's own document alone."""
    site.resync()
    document = site.one.stores.state.load("pools/pool-1")
    assert document is not None
    flying = {"url": "https://management.azure.com/canary", "since": "2026-11-01T12:00:00Z", "change": "a:b"}
    site.one.stores.state.save("pools/pool-1", {**document.body, "pending": flying}, document.etag)
    site.one.files.files = {name: text for name, text in site.one.files.files.items() if name != "pool-1.yaml"}
    site.resync()
    kept = site.one.stores.state.load(f"looks/{ORG}")

    assert kept is not None
    assert "canary" not in str(unpacked(kept.body))


def test_a_look_whose_time_is_over_leaves_the_rest_to_a_message_about_the_rest(site: Site) -> None:
    """What it saw until then is kept, and the lease is free for the next slice."""
    site.resync()
    site.resync()
    site.clock.advance(900)
    site.one.outbox.sweep(site.one.worker.catalogue.specs().by_key.values())
    (first,) = site.one.outbox.sweeps.take(1, 330)
    asked = read(first.text)
    assert asked is not None
    site.one.told.clear()
    site.one.beginning(0.0).handle(asked, first.inserted)
    site.one.outbox.sweeps.ack(first)

    assert [(one.key, one.what) for one in site.one.told] == [("pool-1", "in-sync"), ("pool-2", "later")]
    assert site.shown("pool-1").seen == site.clock.now()
    (rest,) = site.one.outbox.sweeps.take(1, 0)
    left = read(rest.text)
    assert left is not None
    assert (left.keys, left.organization, left.since) == (("pool-2",), ORG, first.inserted)
    site.clock.advance(1)
    site.other.turn(site.other.outbox.sweeps)
    assert [(one.key, one.what) for one in site.other.told] == [("pool-2", "in-sync"), ("pool-3", "in-sync")]
