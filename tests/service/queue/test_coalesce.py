"""No wake-up is lost, and duplicates cost nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.service.queue.coalesce import PACE, Decision, Record, decide, due, kept, promised

T = datetime(2026, 11, 22, 12, tzinfo=UTC)
S = timedelta(seconds=1)

CASES = [
    ("never run", Record(), T, T, Decision.RUN),
    ("written after the last run began", Record(T, T), T + 10 * S, T + 11 * S, Decision.RUN),
    ("written long before a run that succeeded", Record(T, T), T - 10 * S, T + S, Decision.SUPERSEDED),
    ("written before a run that failed, and nothing ahead", Record(T), T - 10 * S, T + S, Decision.RUN),
    ("before a failed run, with a follow-up ahead", Record(T, follow_up=T + 60 * S), T - 10 * S, T + S, Decision.SUPERSEDED),
    ("within the margin: nobody can tell", Record(T, T), T - S, T + S, Decision.FOLLOW_UP),
    ("within the margin, after the start", Record(T, T), T + S, T + 2 * S, Decision.FOLLOW_UP),
    ("within the margin, follow-up ahead", Record(T, T, follow_up=T + 7 * S), T, T + S, Decision.SUPERSEDED),
    ("within the margin, follow-up about to be due", Record(T, T, follow_up=T + 6 * S), T, T + S, Decision.FOLLOW_UP),
    ("a follow-up in a moment answers all there is", Record(follow_up=T + 11 * S), T, T + S, Decision.SUPERSEDED),
    ("one far ahead is for trouble; news is looked at now", Record(T, follow_up=T + 600 * S), T + 10 * S, T + 11 * S, Decision.RUN),
    ("within the margin, follow-up passed", Record(T, T, follow_up=T), T, T + S, Decision.FOLLOW_UP),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "record", "inserted", "now", "decision"), CASES)
def test_what_a_message_asks_for(
    reason: str, record: Record, inserted: datetime, now: datetime, decision: Decision
) -> None:
    assert decide(record, inserted, now) == decision, reason


HOUR, MONTH = timedelta(hours=1), timedelta(days=30)
AHEAD = [
    (Record(T + 6 * S, T + 6 * S), Record()),
    (Record(T + MONTH, T), Record(covered=T)),
    (Record(T, T + HOUR, T + HOUR), Record(T, None, T + HOUR)),
    (Record(follow_up=T + MONTH), Record()),
    (Record(T + 5 * S, T + 5 * S, T + S), Record(T + 5 * S, T + 5 * S, T + S)),
]


@pytest.mark.parametrize(("record", "left"), AHEAD)
def test_what_a_clock_that_was_ahead_wrote_is_unknown(record: Record, left: Record) -> None:
    assert record.believed(T) == left


seconds = st.integers(0, 600).map(lambda n: T + n * S)


@given(seconds, st.lists(seconds, min_size=1, max_size=30), st.integers(0, 4))
def test_every_message_is_followed_by_a_run_that_began_after_it(
    first: datetime, messages: list[datetime], skew: int
) -> None:
    """A store's clock may differ by less than the margin; each request must still be met by a later run."""
    record, runs = Record(first, first), [first]
    follow_ups: list[datetime] = []
    now = max(first, *messages) + S
    for message in messages:
        stamped = message + skew * S
        decision = decide(record, stamped, now)
        if decision is Decision.RUN:
            runs.append(now)
            record = replace(record, seen=now, covered=now)
        elif decision is Decision.FOLLOW_UP:
            follow_ups.append(promised(record, now))
            record = replace(record, follow_up=follow_ups[-1])

    assert all(any(moment > message for moment in runs + follow_ups) for message in messages)


@given(st.integers(1, 500))
def test_duplicates_cost_one_run_and_one_follow_up(count: int) -> None:
    record, runs, follow_ups = Record(), 0, 0
    for _ in range(count):
        decision = decide(record, T, T + S)
        if decision is Decision.RUN:
            runs, record = runs + 1, replace(record, seen=T + S, covered=T + S)
        elif decision is Decision.FOLLOW_UP:
            follow_ups, record = follow_ups + 1, replace(record, follow_up=promised(record, T + S))

    assert runs == 1
    assert follow_ups <= 1


IN_BURST = [
    ("the first is looked at at once", Record(), Decision.RUN),
    ("a run began within the pace", Record(T - 10 * S), Decision.FOLLOW_UP),
    ("a run began before it", Record(T - PACE), Decision.RUN),
    ("a follow-up is due and its run is about to begin", Record(T - PACE, follow_up=T - S), Decision.FOLLOW_UP),
    ("a follow-up is about to be due", Record(T - PACE, follow_up=T + S), Decision.FOLLOW_UP),
    ("one is ahead", Record(T - 10 * S, follow_up=T + 50 * S), Decision.SUPERSEDED),
    ("one for trouble is far ahead", Record(T - 10 * S, follow_up=T + 600 * S), Decision.FOLLOW_UP),
]


@pytest.mark.parametrize(("reason", "record", "decision"), IN_BURST)
def test_in_a_burst_runs_keep_a_pace(reason: str, record: Record, decision: Decision) -> None:
    assert decide(record, T, T, in_burst=True) == decision, reason


DUE = [
    ("no run began since", Record(T - S), T, Decision.RUN),
    ("nothing ever ran", Record(), T, Decision.RUN),
    ("a run began since, whether or not it went well", Record(T), T, Decision.SUPERSEDED),
    ("a run that began before covered all there was then", Record(T - S, T - S), T, Decision.RUN),
    ("it is not due yet", Record(T - S), T + S, Decision.EARLY),
    ("another one is due within the same second", Record(T - S, follow_up=T + S / 2), T, Decision.SUPERSEDED),
    ("it is itself the one that is known", Record(T - S, follow_up=T), T, Decision.RUN),
    ("a later one is known", Record(T - S, follow_up=T + 2 * S), T, Decision.RUN),
]


@pytest.mark.parametrize(("reason", "record", "at", "decision"), DUE)
def test_a_follow_up_is_kept_unless_a_run_began_when_it_was_due(
    reason: str, record: Record, at: datetime, decision: Decision
) -> None:
    assert due(record, at, T) == decision, reason


def test_the_sooner_of_two_follow_ups_is_remembered_while_one_can_count_on_it() -> None:
    assert kept(T + 20 * S, T + 60 * S, T) == T + 20 * S
    assert kept(T + 60 * S, T + 20 * S, T) == T + 20 * S
    assert kept(T + 3 * S, T + 60 * S, T) == T + 60 * S
    assert kept(None, T, T) == T
