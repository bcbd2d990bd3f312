"""How fast an organization is called: as wide as it bears, a full resync at its budget's pace, people first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.adapters.devops.closings import GateClosings
from reconciler.adapters.devops.exchange import CallLimits, OutgoingRequest
from reconciler.adapters.devops.session import Session
from reconciler.adapters.devops.throttling import ThrottlingGates
from reconciler.adapters.devops.width import DELAYED, START
from reconciler.errors import Throttled, Unavailable
from reconciler.ports import pacing
from reconciler.ports.budgets import SLICE, WINDOW, Figures, Looks, RateBudget, document_name, need_of, rates
from reconciler.ports.pacing import Priority
from reconciler.ports.stores import StoredDocument
from tests.adapters.devops.conftest import Open
from tests.adapters.devops.scripted import FakeTime, Reply, Scripted, wrapped
from tests.keeping import HandClock, Shelf

UPPER = 16
ORG, ME = "prime", "static"
"""The identity is the one of the session's credential."""
SLOWED = {"Retry-After": "30", "X-RateLimit-Delay": "1.5", "X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0"}
INTERVAL = 900.0


def call(session: Session, organization: str = ORG, method: str = "GET") -> OutgoingRequest:
    return OutgoingRequest(organization, method, session.endpoints.url(organization, "_apis/thing"), "thing", "thing")


def gates_at(time: FakeTime) -> ThrottlingGates:
    return ThrottlingGates(time.clock, wall=time.clock)


def widened(gates: ThrottlingGates, upper: int) -> None:
    """As after many rounds of answers in time."""

    def fill(room: int) -> None:
        if room == 0:
            gates.measured(ORG, ME, gates.monotonic(), Figures(), upper=upper)
            return
        with gates.slot(ORG, ME, upper, 0) as free:
            assert free
            fill(room - 1)

    for _ in range(200):
        fill(gates.width(ORG, ME, upper))
    assert gates.width(ORG, ME, upper) == upper


@contextmanager
def hanging(session: Session, service: Scripted, count: int) -> Iterator[None]:
    """Calls that are sent and not answered until the block ends."""
    threads = [threading.Thread(target=session.send, args=(call(session),)) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        service.release.set()
        for thread in threads:
            thread.join(10)


# --- width ---------------------------------------------------------------------------------------------


def test_sixteen_reads_are_in_flight_where_the_organization_bears_them(
    opened: Open, service: Scripted, time: FakeTime
) -> None:
    gates = gates_at(time)
    session = opened(limits=CallLimits(connect=2, read=30, answer=30, parallel=UPPER), gates=gates)
    widened(gates, UPPER)
    service.reply("GET", "/prime/_apis/thing", Reply(wrapped(), fault="hold"))

    with hanging(session, service, UPPER + 4):
        for _ in range(UPPER):
            assert service.arrived.acquire(timeout=10)
        assert service.holding == UPPER
    assert len(service.seen) == UPPER + 4


@pytest.mark.parametrize(
    ("reply", "width"),
    [
        (Reply(wrapped()), START),
        (Reply(wrapped(), headers={"Retry-After": "3"}), START / 2),
        (Reply(wrapped(), headers={"X-RateLimit-Delay": "0.25"}), START / 2),
        (Reply(wrapped(), headers={"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "150"}), START),
    ],
)
def test_a_response_that_was_delayed_or_asks_for_less_halves_the_width(
    opened: Open, service: Scripted, time: FakeTime, reply: Reply, width: float
) -> None:
    gates = gates_at(time)
    session = opened(limits=CallLimits(connect=2, read=2, answer=5, parallel=UPPER), gates=gates)
    service.reply("GET", "/prime/_apis/thing", reply)
    session.send(call(session))

    assert gates.width(ORG, ME, UPPER) == width
    assert gates.width("calm", ME, UPPER) == START
    assert gates.width(ORG, "another", UPPER) == START


def test_a_slow_response_halves_the_width_whatever_it_says() -> None:
    clock = HandClock()
    gates = ThrottlingGates(clock.monotonic, wall=lambda: clock.now().timestamp())
    began = clock.monotonic()
    clock.seconds += DELAYED + 0.1
    gates.measured(ORG, ME, began, Figures(), upper=UPPER)

    assert gates.width(ORG, ME, UPPER) == START / 2
    assert gates.known(ORG, ME).budget.calls is None


def test_where_the_slots_are_taken_a_person_goes_before_a_full_resync() -> None:
    gates, order, queued = ThrottlingGates(), list[str](), threading.Semaphore(0)

    def wait(level: Priority) -> None:
        with pacing.priority(level):
            queued.release()
            with gates.slot(ORG, ME, 1, 10) as free:
                assert free
                order.append(level.name)

    with gates.slot(ORG, ME, 1, 0) as free:
        assert free
        threads = []
        for level in (Priority.SWEEP, Priority.EVENT, Priority.PERSON):
            threads.append(threading.Thread(target=wait, args=(level,)))
            threads[-1].start()
            assert queued.acquire(timeout=10)
            while gates.queued(ORG, ME, level) == 0:
                pass
    for thread in threads:
        thread.join(10)
    assert order == ["PERSON", "EVENT", "SWEEP"]


# --- the budget ----------------------------------------------------------------------------------------


def learned(session: Session, service: Scripted, time: FakeTime, calls: int) -> None:
    """So many calls in a window, and a budget of so many: the last response says so."""
    service.reply("GET", "/prime/_apis/thing", *[wrapped()] * (calls - 1), Reply(wrapped(), headers=SLOWED), wrapped())
    for _ in range(calls):
        session.send(call(session))
    time.sleep(31)
    time.slept.clear()


def test_a_full_resync_waits_for_its_share_and_events_and_people_do_not(
    opened: Open, service: Scripted, time: FakeTime
) -> None:
    session = opened(gates=gates_at(time))
    learned(session, service, time, 100)

    with pacing.priority(Priority.SWEEP) as work, pytest.raises(Throttled, match="kept for more urgent calls") as held:
        session.send(call(session))
    assert not work.complete(ORG)
    assert held.value.retry_after is not None
    assert WINDOW - 31 - SLICE <= held.value.retry_after <= WINDOW
    assert session.send(call(session)).status == 200
    with pacing.priority(Priority.SWEEP):
        assert session.send(call(session, "calm"), accept_rejection=True).status == 418

    time.sleep(held.value.retry_after)
    sent = len(service.seen)
    with pacing.priority(Priority.SWEEP):
        for _ in range(16):
            session.send(call(session))
        with pytest.raises(Throttled):
            session.send(call(session))
    assert len(service.seen) - sent == 16, "a fifth of 80 % of the window's calls in a minute"


def test_a_part_of_a_full_resync_that_is_urgent_does_not_wait(opened: Open, service: Scripted, time: FakeTime) -> None:
    """What a full resync found, it repairs and verifies."""
    session = opened(gates=gates_at(time))
    learned(session, service, time, 100)
    service.reply("PUT", "/prime/_apis/thing", wrapped())
    time.sleep(WINDOW)

    with pacing.priority(Priority.SWEEP):
        for _ in range(16):
            session.send(call(session))
        session.send(call(session, method="PUT"))
        with pacing.at_least(Priority.EVENT):
            session.send(call(session))
        with pytest.raises(Throttled):
            session.send(call(session))


def test_a_wait_that_ends_within_five_seconds_is_waited_for(opened: Open, service: Scripted, time: FakeTime) -> None:
    session = opened(gates=gates_at(time))
    learned(session, service, time, 100)
    time.sleep(WINDOW + SLICE - time.clock() % SLICE - 4)
    time.slept.clear()

    with pacing.priority(Priority.SWEEP):
        for _ in range(17):
            session.send(call(session))
    assert time.slept == [pytest.approx(4, abs=0.1)]


# --- several processes ---------------------------------------------------------------------------------


class Counted(Shelf):
    """Counts what is read."""

    loads: int = 0

    def load(self, name: str) -> StoredDocument | None:
        self.loads += 1
        return super().load(name)


def message(worker: GateClosings, calls: int, level: Priority = Priority.SWEEP, *, left: bool = False) -> None:
    """A message that reads one organization."""
    with pacing.priority(level) as work:
        worker.join([ORG])
        for _ in range(calls):
            assert worker.gates.take(ORG, ME) is None
        if left:
            work.unfinished()


def stored(shelf: Shelf, clock: HandClock) -> tuple[RateBudget, Looks]:
    document = shelf.load(document_name(ORG))
    assert document is not None
    rate = rates(document.body, clock.now().timestamp())[ME]
    return rate.budget, rate.looks


def slow(worker: GateClosings, clock: HandClock) -> None:
    worker.gates.measured(ORG, ME, clock.monotonic(), Figures(slowed=True, limit=200, remaining=0), upper=4)


def test_a_budget_and_its_use_are_shared() -> None:
    clock, shelf = HandClock(), Shelf()
    one, other = GateClosings(shelf, clock), GateClosings(shelf, clock)
    with pacing.priority(Priority.SWEEP):
        one.join([ORG])
        for _ in range(100):
            assert one.gates.take(ORG, ME) is None
        slow(one, clock)
    clock.seconds += WINDOW + SLICE
    message(one, 16)
    message(other, 0)

    assert other.gates.known(ORG, ME).budget.calls == 100
    with pacing.priority(Priority.SWEEP):
        refused = other.gates.take(ORG, ME)
    assert isinstance(refused, Throttled)
    message(other, 4, Priority.EVENT)
    assert stored(shelf, clock)[0].made(clock.now().timestamp()) == 20


def test_a_message_costs_one_read_and_at_most_one_write() -> None:
    clock, shelf = HandClock(), Counted()
    worker = GateClosings(shelf, clock)
    message(worker, 50)
    assert (shelf.loads, len(shelf.saves)) == (1, 1), "the need is new"
    for _ in range(10):
        clock.seconds += INTERVAL
        message(worker, 52)
    assert (shelf.loads, len(shelf.saves)) == (11, 1), "nothing that is worth it changed"

    clock.seconds += INTERVAL
    with pacing.priority(Priority.SWEEP):
        worker.join([ORG])
        for _ in range(40):
            assert worker.gates.take(ORG, ME) is None
        slow(worker, clock)
        worker.gates.close(ORG, ME, 30)
    assert (shelf.loads, len(shelf.saves)) == (12, 2)
    for _ in range(3):
        clock.seconds += INTERVAL
        message(worker, 5)
    assert (shelf.loads, len(shelf.saves)) == (15, 5)


def test_events_of_an_organization_without_a_known_budget_are_not_stored() -> None:
    clock, shelf = HandClock(), Shelf()
    worker = GateClosings(shelf, clock)
    message(worker, 12, Priority.EVENT)

    assert shelf.saves == []


def test_what_a_full_resync_needs_is_measured_over_its_messages() -> None:
    clock, shelf = HandClock(), Shelf()
    one, other = GateClosings(shelf, clock), GateClosings(shelf, clock)
    with pacing.priority(Priority.SWEEP) as work:
        for _ in range(100):
            assert one.gates.take(ORG, ME) is None
        slow(one, clock)
        one.gates.close(ORG, ME, 30)
        work.cut(ORG)
    clock.seconds += WINDOW + SLICE
    message(one, 10, left=True)
    clock.seconds += SLICE
    message(other, 8)
    budget, looks = stored(shelf, clock)
    now = clock.now().timestamp()

    assert looks.needs(now, INTERVAL) == 118
    need = need_of(ORG, rates(shelf.load(document_name(ORG)).body, now).values(), now)  # type: ignore[union-attr] # stored above
    assert str(need) == "prime needs 118 calls per sweep, has 240"
    assert budget.calls == 100


def test_a_store_that_fails_ends_no_message() -> None:
    clock, shelf = HandClock(), Shelf()
    worker = GateClosings(shelf, clock)
    shelf.fail = Unavailable("no response")
    message(worker, 30)

    assert worker.gates.known(ORG, ME).looks.needs(clock.now().timestamp(), INTERVAL) == 30
