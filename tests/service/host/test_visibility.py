"""A message is hidden for as long as a lease, renewed while its function runs: after a kill both are free soon."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.errors import Unavailable
from reconciler.ports.stores import Message, MessageQueue
from reconciler.service.host.workers import HIDE, RENEW, RENEWALS, Lane, Workers
from tests.contract.families import Settable


@dataclass
class Ticks:
    """Renewals happen when a test says so, one at a time."""

    due: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    waiting: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def wait(self, over: threading.Event, seconds: float) -> bool:
        assert seconds == RENEW
        self.waiting.release()
        while not over.is_set():
            if self.due.acquire(timeout=0.01):
                return over.is_set()
        return True

    def tick(self) -> None:
        """One renewal; returns when it was done."""
        self.due.release()
        assert self.waiting.acquire(timeout=300)


@dataclass
class Shop:
    """One worker over one queue of a real store, in a test's own time."""

    stores: Local
    clock: Settable
    ticks: Ticks = field(default_factory=Ticks)

    @property
    def queue(self) -> MessageQueue:
        return self.stores.named("work")

    def worked(self, run: Callable[[Message], None], retry: float = 10.0, queue: MessageQueue | None = None) -> None:
        """Work until the function has run once, and its message is settled."""
        done = threading.Event()

        def once(message: Message) -> None:
            assert self.ticks.waiting.acquire(timeout=300)
            try:
                run(message)
            finally:
                done.set()

        workers = Workers([Lane("work", queue or self.queue, once)], 1, retry, self.ticks.wait)
        workers.start()
        assert done.wait(300)
        workers.stop()
        assert workers.join(300)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    clock = Settable()
    stores = Local(tmp_path / "state.db", clock)
    stores.named("work").put("one")
    yield Shop(stores, clock)
    stores.close()


def test_a_message_of_a_process_that_was_killed_comes_again_when_its_lease_is_free(shop: Shop) -> None:
    """It waited 328 seconds, while the lease was free after 60."""
    shop.stores.leases.acquire("pool-1", HIDE)
    shop.queue.take(1, HIDE)
    shop.clock.advance(HIDE + 1)

    assert [message.text for message in shop.queue.take(1, HIDE)] == ["one"]
    shop.stores.leases.acquire("pool-1", HIDE).release()


def test_a_message_stays_hidden_while_its_function_runs_and_is_acknowledged_by_its_newest_receipt(shop: Shop) -> None:
    taken: list[int] = []

    def run(_message: Message) -> None:
        for _ in range(10):
            shop.clock.advance(RENEW)
            shop.ticks.tick()
            taken.append(len(shop.queue.take(1, 1)))

    shop.worked(run)

    assert taken == [0] * 10
    assert shop.queue.length() == 0


def test_a_function_that_hangs_does_not_hold_its_message_for_ever(shop: Shop) -> None:
    again: list[str] = []

    def run(_message: Message) -> None:
        for _ in range(RENEWALS + 5):
            shop.clock.advance(RENEW)
            shop.ticks.tick()
            again.extend(message.text for message in shop.queue.take(1, 600))

    shop.worked(run)

    assert again == ["one"]


def test_a_function_that_fails_hides_its_message_by_its_newest_receipt(shop: Shop) -> None:
    def run(_message: Message) -> None:
        shop.clock.advance(RENEW)
        shop.ticks.tick()
        raise ZeroDivisionError

    shop.worked(run, retry=300)
    shop.clock.advance(HIDE + 1)

    assert list(shop.queue.take(1, 1)) == []
    shop.clock.advance(300)
    assert len(shop.queue.take(1, 1)) == 1


def test_what_another_took_meanwhile_is_not_taken_back(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """The process stood still for longer than the message was hidden."""
    other: list[Message] = []

    def run(_message: Message) -> None:
        shop.clock.advance(HIDE + 1)
        other.extend(shop.queue.take(1, HIDE))
        shop.ticks.tick()
        shop.ticks.tick()

    shop.worked(run)

    assert shop.queue.length() == 1
    shop.queue.hide(other[0], 0)
    assert caplog.text == ""


def test_a_queue_that_is_away_is_logged_and_tried_again(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    real = shop.queue
    fails = [Unavailable("queue: 503")]

    class Away:
        """The queue, behind a store that fails once."""

        def __getattr__(self, name: str) -> object:
            if name == "hide" and fails:
                raise fails.pop()
            return getattr(real, name)

    def run(_message: Message) -> None:
        shop.ticks.tick()
        for _ in range(3):
            shop.clock.advance(RENEW)
            shop.ticks.tick()

    shop.worked(run, queue=cast("MessageQueue", Away()))

    assert "503" in caplog.text
    assert real.length() == 0
    assert not any(thread.name.startswith("message of") for thread in threading.enumerate())
