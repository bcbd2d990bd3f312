"""A request ends when everything that its pool's run used was read after it was put: facts and specs alike.

The pools of a batch share reads, and a batch takes its time: what was read when it began answers no later request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reconciler.engine import load_status
from reconciler.engine.status import ConditionKind, PoolStatus
from reconciler.errors import Unavailable
from reconciler.service.catalogue import Catalogue
from reconciler.service.queue.messages import WorkMessage
from tests.contract.families import Settable
from tests.service.queue.hall import ORG, Hall, hall

REPAIR, ANSWER = 20.0, 0.15
"""Seconds that a repair, and the answer to one read, take."""
LATER = ("pool-1", "pool-2")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Hall, Settable]]:
    with hall(tmp_path, pools=2) as made:
        yield made


def queue_of(place: Hall, pool: str, project: int = 0) -> int:
    return [one.id for one in place.estate.queues[ORG] if one.name == pool][project]


def closed(place: Hall) -> None:
    """A commit that closes the second pool's queues."""
    text = place.files.files["pool-2.yaml"]
    assert b"'openAccess': true" in text
    place.files.files = {
        **place.files.files,
        "pool-2.yaml": text.replace(b"'openAccess': true", b"'openAccess': false"),
    }


def once_at(call: str, then: Callable[[], None]) -> Callable[[str, tuple[object, ...]], None]:
    """What the estate does before each call: something happens once, at the first call of this name."""
    left = [then]

    def before(name: str, _args: tuple[object, ...]) -> None:
        if name == call and left:
            left.pop()()

    return before


def drained(place: Hall, clock: Settable) -> None:
    for _ in range(1000):
        if not place.left:
            return
        if not place.turn(place.outbox.events) + place.turn(place.outbox.sweeps):
            clock.advance(1)
    raise AssertionError("messages are left")


def sweep(place: Hall, clock: Settable, meanwhile: Callable[[], None]) -> None:
    """A batch of both pools; while the first is repaired, 20 seconds pass in which something happens."""

    def repaired() -> None:
        clock.advance(REPAIR / 2)
        meanwhile()
        clock.advance(REPAIR / 2)

    place.estate.open.discard(queue_of(place, "pool-1"))
    place.estate.before = once_at("open access", repaired)
    place.outbox.sweeps.put(WorkMessage(LATER, "sweep").text())
    place.turn(place.outbox.sweeps)


@pytest.mark.parametrize("trigger", ["event", "audit", "http", "push"])
def test_a_request_for_a_pool_whose_batch_repairs_another_is_answered_by_new_reads(
    two: tuple[Hall, Settable], trigger: str
) -> None:
    place, clock = two

    def closed_by_hand() -> None:
        place.estate.open.discard(queue_of(place, "pool-2"))
        place.outbox.events.put(WorkMessage(("pool-2",), trigger).text())

    sweep(place, clock, closed_by_hand)
    assert queue_of(place, "pool-2") not in place.estate.open
    drained(place, clock)

    assert queue_of(place, "pool-2") in place.estate.open
    assert place.told[-1].what == "applied"


def test_a_commit_that_closes_access_is_applied_although_its_pool_was_read_after_it(
    two: tuple[Hall, Settable],
) -> None:
    """The batch goes by the specs that it began with; the message of the push came later."""
    place, clock = two

    def pushed() -> None:
        closed(place)
        place.outbox.events.put(WorkMessage(("pool-2",), "push").text())

    sweep(place, clock, pushed)
    drained(place, clock)

    assert queue_of(place, "pool-2") not in place.estate.open


def test_a_promised_follow_up_is_kept_although_its_pool_ran_on_older_reads(two: tuple[Hall, Settable]) -> None:
    place, clock = two

    def promised() -> None:
        place.outbox.follow_up("pool-2", 6.0)
        place.estate.open.discard(queue_of(place, "pool-2"))

    sweep(place, clock, promised)
    drained(place, clock)

    assert queue_of(place, "pool-2") in place.estate.open


def test_it_takes_no_repair_but_only_slow_answers(tmp_path: Path) -> None:
    with hall(tmp_path, pools=2) as (place, clock):
        place.estate.add(ORG, 2, 120)
        seen: list[str] = []

        def slow(name: str, _args: tuple[object, ...]) -> None:
            clock.advance(ANSWER)
            seen.append(name)
            if len(seen) == 200:
                place.estate.open.discard(queue_of(place, "pool-2", 60))
                place.outbox.events.put("pool-2")

        place.estate.before = slow
        place.outbox.sweeps.put(WorkMessage(LATER, "sweep").text())
        place.turn(place.outbox.sweeps)
        assert place.outbox.events.length() == 1
        assert queue_of(place, "pool-2", 60) not in place.estate.open
        drained(place, clock)

        assert queue_of(place, "pool-2", 60) in place.estate.open


def test_in_sync_carries_the_moment_of_its_oldest_fact(two: tuple[Hall, Settable]) -> None:
    place, clock = two
    began = clock.now()
    sweep(place, clock, lambda: None)

    first, second = (load_status(place.stores.state, key) for key in LATER)
    assert second.seen == second.covered == began
    assert second.run is not None
    assert (second.run.started, second.run.facts_read) == (began + timedelta(seconds=REPAIR), began)
    assert first.seen == began
    assert second.public()["seen"] == "2026-11-01T12:00:00Z"
    assert PoolStatus.from_json("pool-2", second.to_json()) == second


def test_a_batch_writes_no_verdict_over_one_that_rests_on_later_reads(two: tuple[Hall, Settable]) -> None:
    """Another worker read the pool while the batch was at another one, and could not finish: its truth stays."""
    place, clock = two
    trouble: list[datetime] = []

    def read_by_another() -> None:
        place.estate.deaf = True
        place.estate.open.discard(queue_of(place, "pool-2"))
        place.worker.handle(WorkMessage(("pool-2",), "event"), clock.now())
        place.estate.deaf = False
        trouble.append(clock.now())

    sweep(place, clock, read_by_another)

    assert [report.what for report in place.told] == ["progressing", "applied", "applied"]
    status = load_status(place.stores.state, "pool-2")
    assert status.seen is not None
    assert status.seen >= trouble[0]
    assert queue_of(place, "pool-2") in place.estate.open


def test_a_batch_goes_by_no_specs_that_are_older_than_those_of_the_pools_last_run(two: tuple[Hall, Settable]) -> None:
    """Otherwise it would open what the newer commit closed."""
    place, clock = two

    def applied_by_another() -> None:
        closed(place)
        clock.advance(10)
        place.worker.handle(WorkMessage(("pool-2",), "push"), clock.now())
        document = place.stores.state.load("pools/pool-2")
        assert document is not None
        body = replace(load_status(place.stores.state, "pool-2"), covered=None).to_json()  # as if it had not settled
        place.stores.state.save("pools/pool-2", body, document.etag)

    place.estate.open.discard(queue_of(place, "pool-2", 1))
    sweep(place, clock, applied_by_another)
    drained(place, clock)

    assert queue_of(place, "pool-2") not in place.estate.open
    assert [write[-1] for write in place.estate.writes if queue_of(place, "pool-2") in write] == [False]


def test_a_run_whose_specs_were_read_at_an_unknown_time_ends_no_request(two: tuple[Hall, Settable]) -> None:
    """Such is a run of the command line: what it read may be no commit of the branch."""
    place, clock = two
    clock.advance(60)
    put = clock.now()
    clock.advance(60)
    spec = place.worker.catalogue.specs().by_key["pool-1"]
    with place.worker.reconciler.look([spec], shared=False) as look:
        look.reconcile(spec, "c0ffee")
    status = load_status(place.stores.state, "pool-1")
    assert (status.covered, status.seen) == (None, clock.now())

    place.worker.handle(WorkMessage(("pool-1",), "push"), put)

    assert place.told[-1].what == "in-sync"


def test_what_a_follow_up_stands_for_is_not_answered_by_specs_that_were_read_before_it(
    two: tuple[Hall, Settable],
) -> None:
    """A push that relied on a follow-up ahead: the follow-up's own message is older than the push."""
    place, clock = two
    place.outbox.follow_up("pool-2", 12.0)
    clock.advance(5.5)
    place.worker.handle(WorkMessage(("pool-1",), "event"), clock.now() - timedelta(seconds=5.4))
    clock.advance(0.2)
    closed(place)
    another = replace(place.worker, catalogue=Catalogue(place.files, clock))
    another.handle(WorkMessage(("pool-2",), "push"), clock.now())
    assert place.told[-1].what == "superseded"
    drained(place, clock)

    assert queue_of(place, "pool-2") not in place.estate.open


def test_a_run_that_failed_keeps_the_moment_of_what_the_conditions_rest_on(two: tuple[Hall, Settable]) -> None:
    place, clock = two
    place.worker.handle(WorkMessage(("pool-1",), "event"), clock.now())
    good = load_status(place.stores.state, "pool-1")
    clock.advance(60)

    def away(name: str, _args: tuple[object, ...]) -> None:
        if name == "projects":
            raise Unavailable("projects: 503")

    place.estate.before = away
    place.worker.handle(WorkMessage(("pool-1",), "event"), clock.now())

    status = load_status(place.stores.state, "pool-1")
    assert (status.covered, status.seen) == (good.covered, clock.now())
    ready = status.condition(ConditionKind.READY)
    assert ready is not None
    assert ready.reason == "Unavailable"


def test_while_git_cannot_be_read_a_commit_that_nobody_read_is_not_covered(two: tuple[Hall, Settable]) -> None:
    """A process that began meanwhile has the last good commit, of an unknown time."""
    place, clock = two
    place.files.stale = "503"
    place.worker = replace(place.worker, catalogue=Catalogue(place.files, clock))
    clock.advance(60)
    place.worker.handle(WorkMessage(("pool-2",), "event"), clock.now())
    put = clock.now()
    clock.advance(60)
    place.worker.handle(WorkMessage(("pool-2",), "event"), clock.now())
    assert load_status(place.stores.state, "pool-2").covered is None
    clock.advance(10)
    place.files.stale = ""
    closed(place)

    place.worker.handle(WorkMessage(("pool-2",), "push"), put)

    assert queue_of(place, "pool-2") not in place.estate.open


def test_a_burst_keeps_its_pace_while_no_run_covers_anything(two: tuple[Hall, Settable]) -> None:
    place, clock = two
    place.files.stale = "503"
    place.worker = replace(place.worker, catalogue=Catalogue(place.files, clock))
    for _ in range(300):
        place.outbox.events.put(WorkMessage(("pool-1",), "event").text())
    while place.left:
        if not place.turn(place.outbox.events):
            clock.advance(1)
        clock.advance(0.05)

    assert 1 <= place.runs <= 25


def test_a_later_read_that_fails_leaves_the_moment_of_the_last_good_commit(two: tuple[Hall, Settable]) -> None:
    place, clock = two
    first = place.worker.catalogue.specs()
    clock.advance(60)
    place.files.stale = "503"

    assert place.worker.catalogue.specs().read == first.read


def test_a_request_uses_no_fact_beyond_the_maximum_age_that_is_set(two: tuple[Hall, Settable]) -> None:
    """Found by the simulation: requests went by the default of four hours, whatever `RECONCILER_MAX_AGE` said."""
    place, clock = two
    assert place.worker.evidence is not None
    place.worker.evidence.max_age = timedelta(minutes=5)
    place.worker.handle(WorkMessage(("pool-1",), "http"), clock.now())
    clock.advance(400)

    place.worker.handle(WorkMessage(("pool-1",), "audit", scopes=(f"projects?organization={ORG}",)), clock.now())

    seen = load_status(place.stores.state, "pool-1").seen
    assert seen is not None
    assert clock.now() - seen <= timedelta(minutes=5)
