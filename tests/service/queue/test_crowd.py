"""When many messages are many: by pool, within a pace."""

from __future__ import annotations

from datetime import timedelta

from reconciler.service.queue.burst import Crowd
from reconciler.service.queue.coalesce import CROWD, PACE
from tests.keeping import START


def test_more_than_a_few_within_a_pace_are_a_crowd() -> None:
    crowd = Crowd()

    assert [crowd.joined("pool-1", START) for _ in range(CROWD + 2)] == [False] * CROWD + [True] * 2
    assert not crowd.joined("pool-2", START)


def test_a_steady_trickle_is_none() -> None:
    crowd = Crowd()
    steps = PACE / CROWD

    assert not any(crowd.joined("pool-1", START + turn * steps) for turn in range(5 * CROWD))


def test_a_crowd_that_is_over_is_forgotten() -> None:
    crowd = Crowd()
    for _ in range(3 * CROWD):
        crowd.joined("pool-1", START)

    assert not crowd.joined("pool-1", START + PACE + timedelta(seconds=1))
