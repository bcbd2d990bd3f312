"""What failed for now is tried again: once for each cause, and with nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.errors import ReconcilerError, Throttled, Unavailable
from reconciler.service.queue.messages import WorkMessage
from tests.contract.families import Settable
from tests.service.queue.hall import Hall, hall


@pytest.fixture
def one(tmp_path: Path) -> Iterator[tuple[Hall, Settable]]:
    with hall(tmp_path) as made:
        yield made


@pytest.fixture
def three(tmp_path: Path) -> Iterator[tuple[Hall, Settable]]:
    with hall(tmp_path, pools=3) as made:
        yield made


def failing(call: str, error: Exception) -> Callable[[str, tuple[object, ...]], None]:
    """What the estate does before each call: one of them fails."""

    def before(name: str, _args: tuple[object, ...]) -> None:
        if name == call:
            raise error

    return before


def test_a_follow_up_whose_run_is_throttled_runs_again_and_ends(one: tuple[Hall, Settable]) -> None:
    """The run that failed has read, but ended nothing."""
    place, clock = one
    place.outbox.follow_up("pool-1", 20)
    clock.advance(21)
    place.estate.before = failing("projects", Throttled("fabrikam-prime: fewer calls", retry_after=30))
    place.turn(place.outbox.events)
    assert (place.told[-1].what, place.left) == ("failed", 1)
    assert place.turn(place.outbox.events) == 0

    place.estate.before = failing("nothing", Unavailable(""))
    clock.advance(31)
    place.turn(place.outbox.events)

    assert (place.told[-1].what, place.left) == ("in-sync", 0)


@pytest.mark.parametrize(
    ("error", "failed"), [(Throttled("fewer calls", retry_after=30), 1), (Unavailable("projects: 503"), 3)]
)
@pytest.mark.parametrize("trigger", ["git", "sweep", "follow-up"])
def test_what_fails_all_pools_of_a_message_is_one_later_message_for_them(
    three: tuple[Hall, Settable], error: ReconcilerError, failed: int, trigger: str
) -> None:
    place, clock = three
    queue = place.outbox.sweeps if trigger == "sweep" else place.outbox.events
    due = clock.now() if trigger == "follow-up" else None
    queue.put(WorkMessage(("pool-1", "pool-2", "pool-3"), trigger, due=due).text())
    place.estate.before = failing("projects", error)
    place.turn(queue)
    assert ([report.what for report in place.told], place.left) == (["failed"] * failed, 1)

    place.estate.before = failing("nothing", Unavailable(""))
    clock.advance(60)
    place.turn(queue)

    assert ([report.what for report in place.told[failed:]], place.left) == (["in-sync"] * 3, 0)
