"""Many messages, few runs; every message ends; and what one pool suffers, no other pool feels."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from reconciler.adapters.azure_storage.account import Account, Names, Storage
from reconciler.adapters.clock import SystemClock
from reconciler.documents import Json
from reconciler.engine import load_status
from reconciler.engine.status import PoolStatus
from reconciler.engine.stored import Rest
from reconciler.errors import Forbidden, NotFound, ReconcilerError, Rejected, Unavailable
from reconciler.ports.azure import Operation
from reconciler.service.queue.messages import WorkMessage, read
from reconciler.service.queue.outbox import FollowUp
from reconciler.survey import scopes
from tests.contract.azurite import Azurite
from tests.contract.families import Settable
from tests.examples import whole
from tests.service.queue.hall import ORG, Hall, failing, hall

TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@pytest.mark.soaked
def test_thousands_of_duplicates_are_at_most_three_runs_and_leave_nothing(one: tuple[Hall, Settable]) -> None:
    place, clock = one
    place.estate.open.clear()
    text = WorkMessage(("pool-1",), "event").text()
    count = whole(10_000, usual=2_000)
    for _ in range(count):
        place.outbox.events.put(text)

    while place.left:
        if not place.turn(place.outbox.events):
            clock.advance(1)
        clock.advance(0.05)

    assert place.estate.writes
    assert 1 <= place.runs <= 3
    assert place.left == 0
    assert len(place.told) >= count


def test_duplicates_that_keep_coming_while_the_pool_is_looked_at_lose_no_wish(one: tuple[Hall, Settable]) -> None:
    """The last of them is followed by a run that began after it."""
    place, clock = one
    last = clock.now()
    for _ in range(60):
        place.outbox.events.put("pool-1")
        last = clock.now()
        place.turn(place.outbox.events)
        clock.advance(0.5)
    while place.left:
        place.turn(place.outbox.events)
        clock.advance(1)

    covered = load_status(place.stores.state, "pool-1").covered
    assert covered is not None
    assert covered > last
    assert place.runs <= 8


def test_duplicates_coalesce_by_the_clock_of_a_storage_account_too(azurite: Azurite) -> None:
    """The store's own clock stamps the messages, and rounds to seconds. Fewer than a crowd, which would wait a minute.

    An answer that is lost hides its messages: they come back within the test's time.
    """
    fresh = f"t{uuid4().hex}"
    stores = Storage(Account(azurite.connection), Names(container=fresh), allow_loopback=True)
    place = Hall(stores, SystemClock(), names=(f"{fresh}-work", f"{fresh}-sweep"), hide=20)
    for _ in range(12):
        place.outbox.events.put(WorkMessage(("pool-1",), "event").text())

    end = time.monotonic() + 300
    while place.left and time.monotonic() < end:
        if not place.turn(place.outbox.events):
            time.sleep(0.1)

    assert place.left == 0
    assert 1 <= place.runs <= 3
    stores.close()


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=1), timedelta(days=30)])
def test_a_run_under_a_clock_that_was_ahead_answers_no_later_request(
    one: tuple[Hall, Settable], ahead: timedelta
) -> None:
    """Lease, run, follow-up and message of that time: all of them end, and the pool is read again."""
    place, clock = one
    clock.advance(ahead.total_seconds())
    place.stores.leases.acquire("pool-1", 60)
    place.outbox.events.put("pool-1", delay=30)
    place.outbox.follow_up("pool-1", 40)
    clock.advance(-ahead.total_seconds())
    assert place.turn(place.outbox.events) == 0
    before = len(place.told)
    while place.turn(place.outbox.events):
        pass
    assert place.told[before].what == "in-sync"
    assert place.left == 0

    place.estate.open.clear()
    clock.advance(10)
    place.outbox.events.put("pool-1")
    place.turn(place.outbox.events)

    assert place.told[-1].result is not None
    assert place.estate.writes


@pytest.mark.parametrize("ahead", [timedelta(minutes=1), timedelta(days=30)])
def test_a_stored_run_that_lies_ahead_is_unknown_logged_once_and_written_over(
    one: tuple[Hall, Settable], ahead: timedelta
) -> None:
    place, clock = one
    clock.advance(ahead.total_seconds())
    place.outbox.events.put("pool-1")
    place.turn(place.outbox.events)
    clock.advance(-ahead.total_seconds())

    for _ in range(3):
        clock.advance(10)
        place.outbox.events.put("pool-1")
        place.turn(place.outbox.events)

    assert [report.what for report in place.told[1:]] == ["in-sync"] * 3
    assert [report.ahead for report in place.told] == [False, True, False, False]


def test_a_converged_pool_leaves_no_message(one: tuple[Hall, Settable]) -> None:
    place, _ = one
    place.outbox.events.put("pool-1")

    place.turn(place.outbox.events)

    assert [report.what for report in place.told] == ["in-sync"]
    assert place.left == 0


def test_a_pool_that_another_worker_holds_is_looked_at_when_that_one_is_done(one: tuple[Hall, Settable]) -> None:
    place, clock = one
    lease = place.stores.leases.acquire("pool-1", 60)
    for _ in range(5):
        place.outbox.events.put("pool-1")
    place.turn(place.outbox.events)

    assert [report.what for report in place.told] == ["busy", *["superseded"] * 4]
    assert place.left == 1
    lease.release()
    clock.advance(16)
    place.turn(place.outbox.events)
    assert (place.told[-1].what, place.left) == ("in-sync", 0)


def test_a_long_operation_is_a_message_for_later_and_each_look_is_one_run(one: tuple[Hall, Settable]) -> None:
    """Even where the service wants to be asked again within the margin of the clocks."""
    place, clock = one
    (pool_id,) = place.estate.arm
    place.files.files = {"pool-1.yaml": place.files.files["pool-1.yaml"].replace(b"pool: {", b"pool: {tags: {a: b}, ")}
    url = "https://management.azure.com/operation"
    place.estate.pending, place.estate.operations[url] = url, Operation("running", retry_after=2.0)
    place.outbox.events.put("pool-1")
    place.turn(place.outbox.events)

    assert (place.told[-1].what, place.runs, place.left) == ("progressing", 1, 1)
    assert place.turn(place.outbox.events) == 0
    for _ in range(7):
        clock.advance(1)
        place.turn(place.outbox.events)
    assert place.runs == 2
    place.estate.operations[url] = Operation("succeeded")
    while place.left:
        clock.advance(1)
        place.turn(place.outbox.events)

    assert (place.told[-1].what, pool_id in place.estate.arm) == ("in-sync", True)
    assert place.runs <= 4


def test_a_follow_up_is_on_the_queue_before_the_message_is_acknowledged_and_carries_the_trace(
    one: tuple[Hall, Settable],
) -> None:
    place, clock = one
    place.estate.before = failing("projects", Unavailable("projects: 503"))
    place.worker.handle(WorkMessage(("pool-1",), "event", TRACE), clock.now())

    assert (place.told[0].what, place.left) == ("failed", 1)
    clock.advance(3600)
    (message,) = place.outbox.events.take(5, 60)
    again = read(message.text)
    assert again is not None
    (span,) = place.telemetry.named("pool")
    assert (again.trigger, again.trace) == ("follow-up", span.traceparent)
    assert FollowUp(again.due) == place.outbox.follows("pool-1")


def test_an_event_is_looked_at_now_also_while_a_retry_is_far_ahead(one: tuple[Hall, Settable]) -> None:
    place, clock = one
    place.estate.before = failing("projects", Unavailable("projects: 503"))
    for _ in range(6):
        place.worker.handle(WorkMessage(("pool-1",), "event"), clock.now())
        clock.advance(30)
    place.estate.before = failing("nothing", Unavailable(""))

    place.worker.handle(WorkMessage(("pool-1",), "event"), clock.now())

    assert place.told[-1].what == "in-sync"
    while place.left:
        clock.advance(600)
        place.turn(place.outbox.events)
    assert place.left == 0


def test_what_a_batch_has_no_time_for_goes_back_before_it_is_acknowledged(three: tuple[Hall, Settable]) -> None:
    place, clock = three
    worker = place.beginning(0.0)

    worker.handle(WorkMessage(("pool-1", "pool-2", "pool-3"), "sweep", TRACE), clock.now())

    assert [report.what for report in place.told] == ["in-sync", "later"]
    (rest,) = place.outbox.sweeps.take(5, 60)
    assert read(rest.text) == WorkMessage(("pool-2", "pool-3"), "sweep", TRACE, since=clock.now())


def test_a_pool_that_only_a_person_can_mend_takes_no_other_pool_of_its_batch_with_it(
    three: tuple[Hall, Settable],
) -> None:
    """A bug with one pool: the others are done, that one fails alone, and its message becomes poison alone."""
    place, clock = three

    closed = next(queue for queue in place.estate.queues[ORG] if queue.name == "pool-2")
    place.estate.open.discard(closed.id)
    place.estate.before = failing("open access", ZeroDivisionError())
    place.worker.handle(WorkMessage(("pool-1", "pool-2", "pool-3"), "sweep"), clock.now())

    assert [report.what for report in place.told] == ["in-sync", "apart", "in-sync"]
    (alone,) = place.outbox.sweeps.take(5, 60)
    assert read(alone.text) == WorkMessage(("pool-2",), "sweep", since=clock.now())
    with pytest.raises(ZeroDivisionError):
        place.worker.handle(WorkMessage(("pool-2",), "sweep"), clock.now())


def test_a_redelivered_batch_goes_on_where_it_stopped(three: tuple[Hall, Settable]) -> None:
    place, clock = three
    inserted = clock.now()
    clock.advance(10)
    place.worker.handle(WorkMessage(("pool-1",), "event"), inserted)

    clock.advance(10)
    place.worker.handle(WorkMessage(("pool-1", "pool-2", "pool-3"), "sweep"), inserted)

    assert [report.what for report in place.told] == ["in-sync", "superseded", "in-sync", "in-sync"]


def test_pools_of_a_batch_share_what_they_read(three: tuple[Hall, Settable]) -> None:
    place, clock = three

    place.worker.handle(WorkMessage(("pool-1", "pool-2", "pool-3"), "sweep"), clock.now())

    assert place.estate.calls["projects"] == 1
    assert len(place.told) == 3


@pytest.mark.parametrize(
    "trouble", [Unavailable("git: 503"), Forbidden("git: 403"), NotFound("git: no main"), Rejected("too large")]
)
def test_while_no_specs_can_be_read_a_message_waits_and_is_no_attempt(
    one: tuple[Hall, Settable], trouble: ReconcilerError
) -> None:
    """A branch may be renamed, a token expire: no message becomes a dead letter because of it."""
    place, clock = one
    place.files.trouble = trouble
    place.outbox.events.put(WorkMessage(("pool-1",), "http", TRACE).text())
    for _ in range(20):
        place.turn(place.outbox.events)
        clock.advance(30)

    assert (place.left, place.told) == (1, [])
    assert place.telemetry.total("reconciler.specs.failed", reason=trouble.reason) == 10
    place.files.trouble = None
    clock.advance(61)
    place.turn(place.outbox.events)
    assert [(work.trigger, work.trace) for work in place.works] == [("http", TRACE)]
    assert place.left == 0


def test_what_somebody_asks_for_is_one_message_and_never_behind_the_resync(tmp_path: Path) -> None:
    with hall(tmp_path, pools=21) as (place, _):
        place.outbox.request(tuple(place.worker.catalogue.specs().by_key.values()), "http", TRACE)

        assert (place.outbox.events.length(), place.outbox.sweeps.length()) == (1, 0)
        (batch,) = place.outbox.events.take(1, 60)
        assert json.loads(batch.text)["trace"] == TRACE
        assert len(json.loads(batch.text)["keys"]) == 21


def test_a_wait_counts_from_the_event_and_from_the_first_message(one: tuple[Hall, Settable]) -> None:
    place, clock = one
    now = clock.now()
    place.worker.handle(WorkMessage(("pool-1",), "event", at=now - timedelta(minutes=30)), now)
    place.worker.handle(WorkMessage(("pool-1",), "git", since=now - timedelta(minutes=2)), now)
    place.worker.handle(WorkMessage(("pool-1",), "audit", at=now + timedelta(hours=1)), now)

    assert place.telemetry.all("reconciler.queue.wait") == [1800.0, 120.0, 0.0]


def test_a_follow_up_that_is_ahead_and_soon_enough_is_not_asked_for_twice(one: tuple[Hall, Settable]) -> None:
    place, clock = one

    assert place.outbox.follow_up("pool-1", 60)
    assert not place.outbox.follow_up("pool-1", 60)
    assert place.outbox.follow_up("pool-1", 10)
    clock.advance(61)
    assert place.outbox.follow_up("pool-1", 60)


@pytest.mark.parametrize("body", [{"at": "soon"}, {}, {"at": None}, {"at": "2026-11-01T12:00:00Z", "scopes": [7]}, {"at": "2026-11-01T12:00:00Z", "scopes": "arm"}])  # fmt: skip
def test_a_memory_of_follow_ups_that_makes_no_sense_is_none(one: tuple[Hall, Settable], body: Json) -> None:
    place, _ = one
    place.stores.state.save("follow-ups/pool-1", body, None)

    assert place.outbox.follows("pool-1") == FollowUp()


def test_no_request_relies_on_a_follow_up_that_is_about_another_place(one: tuple[Hall, Settable]) -> None:
    place, _ = one
    here, there = (scopes.project(ORG, name).text() for name in ("a", "b"))

    assert place.outbox.follow_up("pool-1", 60, scopes=(here,))
    assert not place.outbox.follow_up("pool-1", 90, scopes=(here,))
    assert place.outbox.follow_up("pool-1", 90, scopes=(there,))
    assert place.outbox.follow_up("pool-1", 90)
    assert place.outbox.follows("pool-1").scopes == (here,)


@pytest.mark.parametrize(("rests", "trigger"), [(True, "http"), (False, "follow-up")])
def test_a_callers_request_that_lifts_a_rest_waits_for_another_worker_as_one(
    one: tuple[Hall, Settable], rests: bool, trigger: str
) -> None:
    """A follow-up in its place would lift nothing."""
    place, clock = one
    rest = Rest("no", "c0ffee", 1, clock.now() + timedelta(minutes=30))
    status = PoolStatus("pool-1", resting={"roles:member:o zoe": rest} if rests else {})
    place.stores.state.save("pools/pool-1", status.to_json(), None)
    held = place.stores.leases.acquire("pool-1", 60.0)
    place.outbox.request(tuple(place.worker.catalogue.specs().by_key.values()), "http")

    place.turn(place.outbox.events)
    clock.advance(20)

    (left,) = place.outbox.events.take(1, 330)
    asked = read(left.text)
    assert asked is not None
    assert (asked.keys, asked.trigger) == (("pool-1",), trigger)
    held.release()
