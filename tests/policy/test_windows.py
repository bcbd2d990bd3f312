"""Windows: when they open and close, in zones whose clocks move; and what several of them mean together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.plan.policy import Window, closed
from reconciler.plan.targets import Risk
from tests.examples import tries

BERLIN, HOUR = "Europe/Berlin", timedelta(hours=1)


def window(cron: str, zone: str = BERLIN, length: timedelta = HOUR, *risks: Risk) -> Window:
    return Window(risks or (Risk.RESTARTS,), cron, zone, length)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "moment", "since", "following"),
    [
        # In Berlin the clocks go from 2 to 3 on 2026-03-29 at 01:00 UTC: half past two does not exist.
        ("30 2 * * *", BERLIN, "2026-03-29T00:59:59", None, "2026-03-29T01:00:00"),
        ("30 2 * * *", BERLIN, "2026-03-29T01:00:00", "2026-03-29T01:00:00", "2026-03-30T00:30:00"),
        ("30 2 * * *", BERLIN, "2026-03-29T01:59:59", "2026-03-29T01:00:00", "2026-03-30T00:30:00"),
        ("30 2 * * *", BERLIN, "2026-03-29T02:00:00", None, "2026-03-30T00:30:00"),
        # They go from 3 back to 2 on 2026-10-25 at 01:00 UTC: half past two comes twice, and counts once.
        ("30 2 * * *", BERLIN, "2026-10-25T00:29:59", None, "2026-10-25T00:30:00"),
        ("30 2 * * *", BERLIN, "2026-10-25T01:29:59", "2026-10-25T00:30:00", "2026-10-26T01:30:00"),
        ("30 2 * * *", BERLIN, "2026-10-25T01:30:00", None, "2026-10-26T01:30:00"),
        # Half an hour in Lord Howe.
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T15:29:59", None, "2026-10-03T15:30:00"),
        # Where the clock is half a day away from UTC.
        ("0 9 * * *", "Pacific/Auckland", "2026-06-01T21:30:00", "2026-06-01T21:00:00", "2026-06-02T21:00:00"),
        ("0 9 * * *", "Pacific/Honolulu", "2026-06-01T19:30:00", "2026-06-01T19:00:00", "2026-06-02T19:00:00"),
        # Over midnight, and over the end of the year.
        ("30 23 * * *", "UTC", "2026-06-02T00:29:59", "2026-06-01T23:30:00", "2026-06-02T23:30:00"),
        ("30 23 31 12 *", "UTC", "2027-01-01T00:10:00", "2026-12-31T23:30:00", "2027-12-31T23:30:00"),
        # A day of the month and a day of the week: either is enough, as cron has it.
        ("0 0 13 * 5", "UTC", "2026-06-12T00:30:00", "2026-06-12T00:00:00", "2026-06-13T00:00:00"),
        ("0 0 13 * 5", "UTC", "2026-06-14T00:30:00", None, "2026-06-19T00:00:00"),
        ("0 0 * * 7", "UTC", "2026-06-07T00:30:00", "2026-06-07T00:00:00", "2026-06-14T00:00:00"),
        ("0 0 29 2 *", "UTC", "2026-06-14T00:30:00", None, "2028-02-29T00:00:00"),
        ("0 22 * * 6#1", "UTC", "2026-06-01T00:00:00", None, "2026-06-06T22:00:00"),
    ],
)  # fmt: skip
def test_when_a_window_is_open(cron: str, zone: str, moment: str, since: str | None, following: str) -> None:
    one = window(cron, zone)

    assert one.opened(at(moment)) == (at(since) if since else None)
    assert one.opens_next(at(moment)) == at(following)


@settings(max_examples=tries(80), deadline=None)
@given(
    st.builds("{} {} * * *".format, st.integers(0, 59), st.integers(0, 23)),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"]),
    st.integers(0, 400 * 24 * 60).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
)
def test_every_day_has_one_opening_and_the_next_one_is_an_opening(cron: str, zone: str, now: datetime) -> None:
    one = window(cron, zone)
    following = one.opens_next(now)

    assert timedelta(0) < following - now <= timedelta(hours=26)
    assert one.opened(following) == following
    assert (one.opened(following - timedelta(seconds=1)) or now) != following
    assert timedelta(hours=22) <= one.opens_next(following) - following <= timedelta(hours=26)


def test_of_several_windows_for_one_risk_any_is_enough() -> None:
    both = [window("0 22 * * 6", "UTC"), window("0 4 * * *", "UTC")]

    assert closed(both, {Risk.RESTARTS}, at("2026-06-01T04:30:00")) is None
    shut = closed(both, {Risk.RESTARTS}, at("2026-06-01T05:00:00"))
    assert shut is not None
    assert shut.until == at("2026-06-02T04:00:00")
    assert closed(both, {Risk.NARROWS, Risk.NEUTRAL}, at("2026-06-01T05:00:00")) is None


def test_a_change_of_two_risks_waits_until_windows_of_both_are_open() -> None:
    early = window("0 1 * * *", "UTC", 3 * HOUR, Risk.RESTARTS)
    late = window("0 2 * * 3", "UTC", HOUR, Risk.WIDENS)

    shut = closed([early, late], {Risk.RESTARTS, Risk.WIDENS}, at("2026-06-01T01:30:00"))

    assert shut is not None
    assert (shut.until, shut.windows) == (at("2026-06-03T02:00:00"), (late,))


def test_windows_that_are_never_open_together_promise_no_moment() -> None:
    one, other = window("0 1 * * *", "UTC"), window("0 5 * * *", "UTC", HOUR, Risk.WIDENS)

    shut = closed([one, other], {Risk.RESTARTS, Risk.WIDENS}, at("2026-06-01T01:30:00"))

    assert shut is not None
    assert (shut.until, shut.windows) == (None, (other,))


def test_a_window_says_its_own_line_whatever_equal_one_was_asked_before() -> None:
    """Lines do not count in comparisons; a policy that was edited has others."""
    for line in (3, 9):
        shut = closed(
            [Window((Risk.RESTARTS,), "0 1 * * *", "UTC", HOUR, line)], {Risk.RESTARTS}, at("2026-06-01T05:00:00")
        )
        assert shut is not None
        assert str(shut.windows[0]) == f"window 0 1 * * * UTC (policy:{line})"
