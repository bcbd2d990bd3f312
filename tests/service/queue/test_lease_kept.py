"""A run that reads for minutes keeps its lease: two messages do not take it from each other for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.engine import load_status
from reconciler.engine.status import ConditionKind
from reconciler.errors import LeaseHeld
from reconciler.service.queue.messages import WorkMessage
from tests.contract.families import Settable
from tests.service.queue.hall import ORG, Hall

ANSWER = 1.0
"""Seconds that the answer to one read takes: a throttled organization."""
PROJECTS = 150
LONG = 3600.0
"""Seconds: no limit of reading ends these runs, so that the lease alone decides."""


@dataclass
class Pace:
    """Waits by a test's own time; who moves it on waits until what was due then was done."""

    clock: Settable
    news: threading.Condition = field(default_factory=threading.Condition)
    until: float = float("inf")
    waits: int = 0

    def wait(self, over: threading.Event, seconds: float) -> bool:
        with self.news:
            self.until = self.clock.monotonic() + seconds
            self.waits += 1
            self.news.notify_all()
            while not over.is_set() and self.clock.monotonic() < self.until:
                self.news.wait(0.01)
            if over.is_set():
                self.until = float("inf")
        return over.is_set()

    def advance(self, seconds: float) -> None:
        with self.news:
            self.clock.advance(seconds)
            self.news.notify_all()
            self.news.wait_for(lambda: self.clock.monotonic() < self.until)


@dataclass
class Two:
    """Two processes over one store; each has its own way to the same estate."""

    one: Hall
    other: Hall
    clock: Settable
    pace: Pace


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    clock = Settable()
    pace = Pace(clock)
    stores = [Local(tmp_path / "state.db", clock) for _ in range(2)]
    one = Hall(stores[0], clock, wait=pace.wait, reading=LONG)
    other = Hall(stores[1], clock)
    one.estate.add(ORG, 1, PROJECTS)
    yield Two(one, other, clock, pace)
    for each in stores:
        each.close()


def test_a_second_message_waits_for_a_run_that_reads_for_minutes(two: Two) -> None:
    """Each took the lease from the other after 60 seconds, paid a full look, and lost it before it could store."""
    began, turn = two.clock.monotonic(), threading.Lock()
    tries: list[str] = []

    def slow(_name: str, _args: tuple[object, ...]) -> None:
        with turn:
            two.pace.advance(ANSWER)
            passed = two.clock.monotonic() - began
            if len(tries) < 3 and passed > 70 * (len(tries) + 1):
                tries.append("second message")
                two.other.worker.handle(WorkMessage(("pool-1",), "http"), two.clock.now())

    two.one.estate.before = slow
    two.one.worker.handle(WorkMessage(("pool-1",), "event"), two.clock.now())

    assert two.clock.monotonic() - began > 4 * 60
    assert len(tries) == 3
    assert {report.what for report in two.other.told} <= {"busy", "superseded"}
    assert two.other.told[0].what == "busy"
    assert [report.what for report in two.one.told] == ["in-sync"]
    assert two.one.estate.calls["projects"] == 1
    assert two.other.estate.reads == 0
    ready = load_status(two.one.stores.state, "pool-1").condition(ConditionKind.READY)
    assert ready is not None
    assert ready.reason == "InSync"


@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_the_renewal_ends_with_the_run(two: Two, error: type[Exception] | None) -> None:
    def before(name: str, _args: tuple[object, ...]) -> None:
        if name == "projects" and error is not None:
            raise error
        assert any(thread.name == "lease" for thread in threading.enumerate())

    two.one.estate.before = before
    try:
        two.one.worker.handle(WorkMessage(("pool-1",), "event"), two.clock.now())
    except ZeroDivisionError:
        assert error is ZeroDivisionError

    assert two.pace.waits == 1
    assert not any(thread.name == "lease" for thread in threading.enumerate())
    two.other.stores.leases.acquire("pool-1", 60).release()


def test_a_lease_that_was_lost_while_the_process_stood_still_is_noticed_before_the_next_write(two: Two) -> None:
    """No renewal ran: the check before the write requests the store, since the last one is older than a third."""
    taken: list[object] = []

    def before(name: str, _args: tuple[object, ...]) -> None:
        if name == "authorized" and not taken:
            two.clock.advance(61)
            taken.append(two.other.stores.leases.acquire("pool-1", 60))

    two.one.wait = threading.Event.wait
    still = Hall(two.one.stores, two.clock, estate=two.one.estate, reading=LONG)
    still.estate.add(ORG, 1, 2)
    still.estate.open.clear()
    still.estate.before = before
    still.worker.handle(WorkMessage(("pool-1",), "event"), two.clock.now())

    assert [report.what for report in still.told] == ["busy"]
    assert still.estate.writes == []


def test_a_loss_that_the_renewal_found_is_raised_by_the_next_check_whatever_its_age(two: Two) -> None:
    """The other process has ended by then: only the renewal saw it."""
    done: list[int] = []

    def before(name: str, _args: tuple[object, ...]) -> None:
        if name == "authorized" and not done:
            done.append(1)
            with two.pace.news:  # the renewal is held up
                two.clock.advance(61)
                two.other.stores.leases.acquire("pool-1", 60)
            two.pace.advance(0)

    two.one.estate.add(ORG, 1, 2)
    two.one.estate.open.clear()
    two.one.estate.before = before
    two.one.worker.handle(WorkMessage(("pool-1",), "event"), two.clock.now())

    result = two.one.told[0].result
    assert result is not None
    assert [type(failure.error) for failure in result.failures] == [LeaseHeld]
    assert two.one.estate.writes == []
