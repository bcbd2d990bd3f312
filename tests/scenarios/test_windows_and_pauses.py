"""Windows and pauses through queues, worker and both planes: with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from benchmarks import estates
from reconciler.engine import load_status
from reconciler.engine.status import Condition, ConditionKind
from reconciler.plan.policy import Window
from reconciler.plan.targets import Risk
from reconciler.safety import ModeScope
from tests.scenarios.counted import SWEEP, Counted, counted

SIZE = estates.Size(2, 4)
LENGTH = timedelta(hours=2)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Counted]:
    with counted(tmp_path, SIZE) as made:
        made.sweep()
        made.count_from_here()
        yield made


def windowed(place: Counted, hours: int) -> datetime:
    """From now on grants wait for a window; returns its next opening, which is some hours ahead."""
    opening = (place.clock.now() + timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    window = Window((Risk.WIDENS,), f"0 {opening.hour} * * *", "UTC", LENGTH, 7)
    planner = place.context.approvals.planner
    planner.policy = replace(planner.policy, windows=(window,))
    return opening


def ready(place: Counted, pool: int) -> Condition:
    found = load_status(place.context.state, place.pool(pool)).condition(ConditionKind.READY)
    assert found is not None
    return found


def work(place: Counted) -> None:
    """Handle what is visible now."""
    while place.turn():
        pass


def request(place: Counted, pool: int) -> None:
    spec = place.context.catalogue.specs().by_key[place.pool(pool)]
    place.context.outbox.request((spec,), "http")


def seconds_until(place: Counted, moment: datetime) -> float:
    return (moment - place.clock.now()).total_seconds()


def test_a_change_is_made_at_the_opening_without_any_sweep(place: Counted) -> None:
    opening = windowed(place, 5)
    place.close(0, 1)
    request(place, 0)
    work(place)

    held = ready(place, 0)
    assert (held.reason, place.writes) == ("OutsideWindow", 0)
    assert f"held until {opening:%Y-%m-%dT%H:%M:%SZ}: window" in held.message
    follows = place.context.outbox.follows(place.pool(0)).at
    assert follows is not None
    assert opening <= follows < opening + timedelta(seconds=5)
    place.later(seconds_until(place, opening) - 600)
    work(place)
    assert place.writes == 0
    place.later(605)
    place.drain()

    assert (place.is_open(0, 1), ready(place, 0).reason) == (True, "InSync")
    writes = place.writes
    assert writes > 0
    place.sweep()
    assert place.writes == writes


def test_sweeps_of_what_is_held_write_nothing_and_queue_no_second_follow_up(place: Counted) -> None:
    windowed(place, 6)
    place.close(0, 1)
    request(place, 0)
    work(place)
    waiting = sum(queue.length() for queue in place.queues)
    stored = load_status(place.context.state, place.pool(0)).to_json()

    for _ in range(3):
        place.later(SWEEP)
        place.context.outbox.sweep(place.context.catalogue.specs().by_key.values())
        work(place)

    assert sum(queue.length() for queue in place.queues) == waiting
    assert load_status(place.context.state, place.pool(0)).to_json()["conditions"] == stored["conditions"]
    assert place.writes == 0


def test_an_event_is_not_put_off_until_the_opening(place: Counted) -> None:
    """What may be done at once is done at once, though a follow-up is queued for later."""
    windowed(place, 8)
    place.close(0, 1)
    request(place, 0)
    work(place)
    place.by_hand("open-access", pool=place.pool(0), project=place.project(2))
    place.by_hand("close-access", pool=place.pool(0), project=place.project(3))
    seen = load_status(place.context.state, place.pool(0)).seen
    request(place, 0)
    work(place)

    after = load_status(place.context.state, place.pool(0))
    assert after.seen is not None
    assert seen is not None
    assert after.seen > seen
    assert "2 changes" in ready(place, 0).message


def test_a_pause_shows_drift_and_ends_by_itself_at_its_moment(place: Counted) -> None:
    end = place.clock.now().replace(microsecond=0) + timedelta(hours=3)
    place.context.safety.pause(ModeScope(pool=place.pool(0)), end, reason="moving", by="ann")
    place.close(0, 1)
    place.close(1, 1)
    for pool in (0, 1):
        request(place, pool)
    work(place)

    held = ready(place, 0)
    assert (held.reason, place.is_open(0, 1), place.is_open(1, 1)) == ("Suspended", False, True)
    assert held.message.startswith("drift: 1 change: 1 granting access; not applied: pool ")
    assert "by ann): moving" in held.message
    place.later(seconds_until(place, end) - 60)
    work(place)
    assert ready(place, 0).since == held.since
    assert not place.is_open(0, 1)
    place.later(65)
    place.drain()

    assert (place.is_open(0, 1), ready(place, 0).reason) == (True, "InSync")


def test_a_pause_of_weeks_is_asked_for_again_each_day(place: Counted) -> None:
    """No message lasts for so long."""
    end = place.clock.now().replace(microsecond=0) + timedelta(days=3)
    place.context.safety.pause(ModeScope(organization=estates.organization_name(0)), end, reason="moving", by="ann")
    place.close(0, 1)
    request(place, 0)
    work(place)
    for _ in range(2):
        due = place.context.outbox.follows(place.pool(0)).at
        assert due is not None
        assert timedelta(hours=23) < due - place.clock.now() <= timedelta(days=1)
        place.later(seconds_until(place, due) + 1)
        work(place)
        assert not place.is_open(0, 1)
    place.later(seconds_until(place, end) + 1)
    place.drain()

    assert place.is_open(0, 1)
