"""When many messages are many: by pool, within a pace."""

from __future__ import annotations

from datetime import timedelta

from reconciler.service.queue.burst import Burst
from reconciler.service.queue.coalesce import BURST, PACE
from tests.keeping import START


def test_more_than_a_few_within_a_pace_are_a_burst() -> None:
    burst = Burst()

    assert [burst.joined("pool-1", START) for _ in range(BURST + 2)] == [False] * BURST + [True] * 2
    assert not burst.joined("pool-2", START)


def test_a_steady_trickle_is_none() -> None:
    burst = Burst()
    steps = PACE / BURST

    assert not any(burst.joined("pool-1", START + turn * steps) for turn in range(5 * BURST))


def test_messages_without_a_line_are_counted_until_the_next_line_of_their_pool() -> None:
    burst = Burst()

    assert [burst.unsaid("pool-1", silent=True) for _ in range(3)] == [0, 0, 0]
    assert burst.unsaid("pool-2", silent=False) == 0
    assert [burst.unsaid("pool-1", silent=False) for _ in range(2)] == [3, 0]


def test_a_burst_that_is_over_is_forgotten() -> None:
    burst = Burst()
    for _ in range(3 * BURST):
        burst.joined("pool-1", START)

    assert not burst.joined("pool-1", START + PACE + timedelta(seconds=1))


def test_the_newest_messages_decide_whatever_came_before_them() -> None:
    """One old message, or a burst of yesterday, neither makes nor hides one of now."""
    burst = Burst()
    burst.joined("pool-1", START)
    later = START + PACE

    assert [burst.joined("pool-1", later) for _ in range(BURST + 1)] == [False] * BURST + [True]
    tomorrow = START + timedelta(days=1)
    assert [burst.joined("pool-1", tomorrow) for _ in range(BURST + 1)] == [False] * BURST + [True]
