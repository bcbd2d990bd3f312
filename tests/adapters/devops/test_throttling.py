"""Two workers over one store: each honours the delay of the other; a store that fails stops no worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks import estates
from emulator import Running, start
from reconciler import bootstrap
from reconciler.adapters.devops.closings import READ_AGAIN, GateClosings
from reconciler.adapters.devops.throttling import LONGEST
from reconciler.adapters.sqlite.store import Local
from reconciler.config.settings import Settings
from reconciler.documents import Json
from reconciler.engine import Outcome
from reconciler.errors import Unavailable
from reconciler.ports.stores import StoredDocument
from reconciler.spec.loader import load
from tests.keeping import START, HandClock, Shelf

ORGANIZATION = estates.organization_name(0)
SIZE = estates.Size(pools=1, projects=2)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def workers(tmp_path: Path, clock: HandClock) -> Iterator[tuple[GateClosings, GateClosings]]:
    """Two processes' worth of gates over one file."""
    path = tmp_path / "state.db"
    with closing(Local(path, clock)) as one, closing(Local(path, clock)) as other:
        yield GateClosings(one.state, clock), GateClosings(other.state, clock)


def test_a_long_closing_is_honoured_by_another_worker(
    workers: tuple[GateClosings, GateClosings], clock: HandClock
) -> None:
    one, other = workers
    one.gates.close("Prime", "managed", 60)
    clock.seconds += 10
    other.join(["prime"])

    assert other.gates.remaining("prime", "managed") == pytest.approx(50)
    assert other.gates.remaining("prime", "another identity") == 0
    assert other.gates.remaining("tailspin", "managed") == 0


def test_a_short_closing_is_nobody_elses_business(workers: tuple[GateClosings, GateClosings], clock: HandClock) -> None:
    """It would be over before anybody read of it."""
    one, other = workers
    one.gates.close("prime", "managed", 5)
    other.join(["prime"])

    assert other.gates.remaining("prime", "managed") == 0


def test_what_others_were_told_is_not_told_again() -> None:
    """Two workers would otherwise write to each other for ever."""
    clock, shelf = HandClock(), Shelf()
    one, other = GateClosings(shelf, clock), GateClosings(shelf, clock)
    one.gates.close("prime", "managed", 60)
    other.join(["prime"])
    other.gates.close("prime", "managed", 60.5)

    assert shelf.saves == ["gates/prime"]


def test_identities_close_side_by_side_and_what_is_over_is_dropped() -> None:
    clock, shelf = HandClock(), Shelf()
    worker = GateClosings(shelf, clock)
    worker.gates.close("prime", "one", 20)
    worker.gates.close("prime", "two", 60)
    clock.seconds += 30
    worker.gates.close("prime", "three", 60)

    document = shelf.load("gates/prime")
    assert document is not None
    assert sorted(document.body) == ["three", "two"]


def test_a_batch_reads_once(clock: HandClock) -> None:
    """A hundred pools of one organization are one question."""
    asked: list[str] = []

    class Counted(Shelf):
        def load(self, name: str) -> StoredDocument | None:
            asked.append(name)
            return super().load(name)

    worker = GateClosings(Counted(), clock)
    for _ in range(100):
        worker.join(["prime"])
    assert asked == ["gates/prime"]

    clock.seconds += READ_AGAIN
    worker.join(["prime"])
    assert len(asked) == 2


@pytest.mark.parametrize(
    "body",
    [[], "soon", {"managed": "soon"}, {"managed": 7}, {"managed": (START + timedelta(1)).replace(tzinfo=None).isoformat()}],
)  # fmt: skip
def test_a_document_that_cannot_be_read_says_nothing(clock: HandClock, body: Json) -> None:
    shelf = Shelf()
    shelf.save("gates/prime", body, None)
    worker = GateClosings(shelf, clock)
    worker.join(["prime"])

    assert worker.gates.remaining("prime", "managed") == 0


def test_nobody_is_silenced_for_a_day(clock: HandClock) -> None:
    """A wrong clock elsewhere must not keep us from working."""
    shelf = Shelf()
    shelf.save("gates/prime", {"managed": (START + timedelta(days=9)).isoformat()}, None)
    worker = GateClosings(shelf, clock)
    worker.join(["prime"])

    assert worker.gates.remaining("prime", "managed") == LONGEST


def test_a_store_that_fails_leaves_everybody_his_own_answers(clock: HandClock) -> None:
    class Broken(Shelf):
        def load(self, name: str) -> StoredDocument | None:
            raise Unavailable(f"{name}: no response")

    worker = GateClosings(Broken(), clock)
    worker.gates.close("prime", "managed", 60)
    worker.join(["prime"])

    assert worker.gates.remaining("prime", "managed") == 60


def test_two_writers_at_once_lose_nothing(clock: HandClock) -> None:
    shelf = Shelf()
    worker = GateClosings(shelf, clock)
    shelf.save("gates/prime", {"another": (START + timedelta(seconds=90)).isoformat()}, None)
    between = iter([True])
    shelf.before = lambda name: shelf.touch(name) if next(between, False) else None
    worker.gates.close("prime", "managed", 60)

    document = shelf.load("gates/prime")
    assert document is not None
    assert sorted(document.body) == ["another", "managed"]


# --- over HTTP ----------------------------------------------------------------------------------------


@pytest.fixture
def cloud() -> Iterator[Running]:
    with start(estates.estate(SIZE)) as running:
        yield running


def worker_of(cloud: Running, state: Path) -> bootstrap.App:
    """A process's worth: sessions, gates and readers of its own, over that state."""
    given = {
        "STATE": str(state),
        "SPECS": str(state.parent),
        "ALLOW_LOOPBACK": "1",
        "CREDENTIAL": "static",
        "ARM_ENDPOINT": cloud.arm,
        "DEVOPS_ENDPOINT": cloud.devops,
        "ARM_TOKEN": cloud.tokens["arm"],
        "DEVOPS_TOKEN": cloud.tokens["devops"],
    }
    app = bootstrap.build(Settings.read({f"RECONCILER_{name}": text for name, text in given.items()}))
    app.safety.create()
    return app


@pytest.mark.parametrize("shared", [True, False])
def test_another_process_does_not_call_an_organization_that_asked_for_fewer_calls(
    cloud: Running, tmp_path: Path, shared: bool
) -> None:
    """With one store not a single call goes out; with a store each, the other has to learn by itself."""
    (spec,) = load(estates.specs(SIZE)).specs
    one = worker_of(cloud, tmp_path / "state.db")
    other = worker_of(cloud, tmp_path / ("state.db" if shared else "another.db"))
    cloud.do.fault("429", plane="devops", count=1, seconds=60)

    told = one.reconciler.reconcile(spec, "r")
    cloud.do.reset_log()
    heard = other.reconciler.reconcile(spec, "r")

    assert told.outcome is Outcome.FAILED
    assert told.next_look is not None
    assert (cloud.do.count(writes=False, plane="devops") == 0) is shared
    assert heard.outcome is (Outcome.FAILED if shared else Outcome.IN_SYNC)
    if shared:
        assert heard.next_look is not None
        assert 30 < heard.next_look <= 60
