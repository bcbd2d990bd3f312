"""One read of Git at a time serves all that wait for it, and only new files are parsed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from reconciler.errors import Forbidden, Unavailable
from reconciler.ports.specs import Snapshot
from reconciler.service.catalogue import Catalogue
from reconciler.spec.loader import Loader, load
from tests.contract.families import Settable
from tests.deployment import spec

S = timedelta(seconds=1)


@dataclass
class Source:
    """Specs in memory; each read waits for `gate`."""

    files: dict[str, bytes]
    reads: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    during: Callable[[], None] = lambda: None
    most: int = 0
    _inside: int = 0

    def snapshot(self) -> Snapshot:
        self.reads += 1
        self._inside += 1
        self.most = max(self.most, self._inside)
        files = dict(self.files)
        self.gate.wait(300)
        self.during()
        self._inside -= 1
        return Snapshot(f"commit-{self.reads}", files)


def files(*names: str) -> dict[str, bytes]:
    return {f"{name}.yaml": spec(name, "fabrikam-prime").encode() for name in names}


@pytest.fixture
def source() -> Source:
    made = Source(files("pool-1"))
    made.gate.set()
    return made


def test_a_read_serves_messages_that_were_put_before_it_and_no_later_ones(source: Source) -> None:
    clock = Settable()
    catalogue = Catalogue(source, clock)
    put = clock.now()

    clock.advance(6)
    for _ in range(1000):
        catalogue.specs(put)
    assert source.reads == 1
    for later in (put + S, clock.now(), clock.now() + 10 * S):
        catalogue.specs(later)
    catalogue.specs()
    assert source.reads == 5


def test_a_read_under_a_clock_that_was_ahead_serves_nothing(source: Source) -> None:
    clock = Settable()
    catalogue = Catalogue(source, clock)
    clock.advance(3600)
    catalogue.specs()
    clock.advance(-3600)

    catalogue.specs(clock.now())

    assert source.reads == 2


def test_threads_that_wait_share_the_next_read_and_never_the_one_under_way(source: Source) -> None:
    """A commit may come while a read is under way: who asks then must see it."""
    source.gate.clear()
    catalogue = Catalogue(source, Settable())
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(catalogue.specs)
        while not source.reads:
            pass
        source.files |= files("pool-2")
        others = [threads.submit(catalogue.specs) for _ in range(8)]
        while len(catalogue._turn._waiters) < 8:  # type: ignore[attr-defined] # all of them wait
            pass
        source.gate.set()

        assert list(first.result().by_key) == ["pool-1"]
        assert [list(other.result().by_key) for other in others] == [["pool-1", "pool-2"]] * 8
    assert (source.reads, source.most) == (2, 1)


def test_a_message_that_the_last_read_serves_waits_for_no_other(source: Source) -> None:
    clock = Settable()
    catalogue = Catalogue(source, clock)
    put = clock.now()
    clock.advance(6)
    catalogue.specs()
    source.gate.clear()
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(catalogue.specs)
        while source.reads < 2:
            pass
        assert list(catalogue.specs(put).by_key) == ["pool-1"]
        assert not slow.done()
        source.gate.set()


def test_an_error_is_shared_and_kept_for_no_later_caller(source: Source) -> None:
    clock = Settable()
    catalogue = Catalogue(source, clock)

    def refuse() -> None:
        raise Forbidden("git: 403")

    source.during = refuse
    put = clock.now()
    clock.advance(6)
    for _ in range(2):
        with pytest.raises(Forbidden):
            catalogue.specs(put)
    source.during = lambda: None

    assert list(catalogue.specs(put).by_key) == ["pool-1"]
    assert source.reads == 3


def test_a_bug_in_a_read_leaves_no_thread_waiting(source: Source) -> None:
    source.gate.clear()
    catalogue = Catalogue(source, Settable())

    def fail() -> None:
        raise ZeroDivisionError

    source.during = fail
    with ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(catalogue.specs) for _ in range(3)]
        while len(catalogue._turn._waiters) < 2:  # type: ignore[attr-defined] # both others wait
            pass
        source.gate.set()
        errors = {type(call.exception(20)) for call in calls}

    assert errors == {ZeroDivisionError, Unavailable}


def test_a_commit_of_one_file_parses_one_file() -> None:
    loader, many = Loader(), files(*(f"pool-{number}" for number in range(50)))
    loader.load(many)
    assert loader.parsed == 50

    changed = {**many, "pool-7.yaml": spec("pool-7", "fabrikam-prime", mode="report").encode(), "broken.yaml": b"a: ["}
    del changed["pool-9.yaml"]
    again = loader.load(changed)

    assert loader.parsed == 52
    assert again == load(changed)
    assert loader.load(dict(changed)) == again
    assert loader.parsed == 52


def test_a_name_that_a_second_file_takes_is_found_although_the_first_is_not_parsed_again() -> None:
    loader = Loader()
    loader.load(files("pool-1"))
    twice = {**files("pool-1"), "copy.yaml": spec("pool-1", "fabrikam-prime").encode()}

    found = loader.load(twice)

    assert found == load(twice)
    assert found.specs == ()
    assert len(found.problems) == 2
    assert len(loader.load(files("pool-1")).specs) == 1
