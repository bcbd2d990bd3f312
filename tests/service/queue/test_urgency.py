"""The priority of a message reaches every read that it makes, whichever thread makes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import Throttled
from reconciler.ports import pacing
from reconciler.ports.pacing import Priority, Work
from reconciler.service.queue.messages import WorkMessage
from tests.service.queue.hall import ORG, hall


@pytest.mark.parametrize(
    ("trigger", "priority"),
    [
        ("sweep", Priority.SWEEP),
        ("event", Priority.EVENT),
        ("audit", Priority.EVENT),
        ("git", Priority.EVENT),
        ("follow-up", Priority.EVENT),
        ("http", Priority.PERSON),
    ],
)
def test_every_read_of_a_message_has_its_priority(tmp_path: Path, trigger: str, priority: Priority) -> None:
    seen: set[tuple[str, Priority, bool]] = set()
    with hall(tmp_path, pools=3) as (room, _):

        def note(name: str, _: tuple[object, ...]) -> None:
            level, work = pacing.current()
            seen.add((name, level, work is not None))

        room.estate.before = note
        specs = room.worker.catalogue.specs().by_key.values()
        room.outbox.sweeps.put(WorkMessage(tuple(one.key for one in specs), trigger).text())
        assert room.turn(room.outbox.sweeps) == 1

    assert len(seen) > 3
    assert {(level, inside) for _, level, inside in seen} == {(priority, True)}
    assert pacing.current() == (Priority.PERSON, None)


def works_of(folder: Path, *, trouble: bool, begin: float = 50.0) -> Work:
    """The piece of work that a message of a full resync was, after it ended."""
    found: list[Work] = []
    with hall(folder, pools=2) as (room, clock):

        def note(name: str, _: tuple[object, ...]) -> None:
            work = pacing.current()[1]
            assert work is not None
            found.append(work)
            if trouble and name == "queues":
                work.cut(ORG)  # as a session does where a call is refused
                raise Throttled("fewer calls", retry_after=30)
            clock.advance(1)

        room.estate.before = note
        room.outbox.sweep(room.worker.catalogue.specs().by_key.values())
        room.worker = room.beginning(begin)
        room.turn(room.outbox.sweeps)
    return found[0]


def test_a_message_that_did_all_its_pools_is_complete(tmp_path: Path) -> None:
    assert works_of(tmp_path, trouble=False, begin=5000).complete(ORG)


def test_a_message_that_puts_pools_back_is_not(tmp_path: Path) -> None:
    assert not works_of(tmp_path, trouble=False, begin=1).complete(ORG)


def test_nor_is_one_that_an_organization_refused_a_call(tmp_path: Path) -> None:
    assert not works_of(tmp_path, trouble=True, begin=5000).complete(ORG)


def test_a_refusal_of_one_organization_leaves_the_work_in_others_complete() -> None:
    work = Work(Priority.SWEEP)
    work.cut("Fabrikam")

    assert not work.complete("fabrikam")
    assert work.complete("contoso")


def test_work_that_ends_with_an_error_is_unfinished_and_says_so_once() -> None:
    ended: list[bool] = []

    def fail() -> None:
        with pacing.priority(Priority.SWEEP) as work:
            for _ in range(2):
                work.at_end("once", lambda one: ended.append(one.complete(ORG)))
            raise KeyError("a bug")

    with pytest.raises(KeyError):
        fail()
    assert ended == [False]
    assert pacing.current() == (Priority.PERSON, None)
