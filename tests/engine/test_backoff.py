"""Delay arithmetic: it grows, it is capped, it is spread, and it forgets."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.backoff import CAP, Backoff, chance, delay


def test_the_longest_waits_double_from_15_seconds_to_30_minutes() -> None:
    assert [delay(n, 1.0) for n in range(1, 10)] == [15, 30, 60, 120, 240, 480, 960, 1800, 1800]


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_jitter_is_full_and_the_cap_holds(attempts: int, share: float) -> None:
    assert 0 <= delay(attempts, share) <= CAP
    assert delay(attempts, 0.0) == 0


def test_pools_that_fail_together_do_not_come_back_together() -> None:
    """A service that comes back is not met by a thousand pools in the same second."""
    shares = sorted(chance(f"pool-{n}", 1) for n in range(1000))

    assert shares[0] >= 0
    assert shares[-1] < 1
    assert max(b - a for a, b in pairwise(shares)) < 0.02


def test_a_share_is_the_same_in_every_process() -> None:
    assert chance("pool-1", 1) == chance("pool-1", 1) != chance("pool-1", 2)


def test_failures_that_are_alike_add_up() -> None:
    backoff = Backoff().after("Unavailable", "c0ffee").after("Unavailable", "c0ffee")

    assert backoff == Backoff(2, "Unavailable", "c0ffee")


def test_another_class_of_error_begins_anew() -> None:
    assert Backoff(5, "Unavailable", "c0ffee").after("Throttled", "c0ffee").attempts == 1


def test_a_new_spec_begins_anew() -> None:
    assert Backoff(5, "Unavailable", "c0ffee").after("Unavailable", "decade").attempts == 1
