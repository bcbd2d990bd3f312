"""No wake-up is lost, and duplicates cost nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.work.coalesce import MARGIN, Decision, Record, decide, from_json

T = datetime(2026, 11, 22, 12, tzinfo=UTC)
S = timedelta(seconds=1)

CASES = [
    ("never run", Record(), T, T, Decision.RUN),
    ("written after the last run began", Record(T, succeeded=True), T + 10 * S, T + 11 * S, Decision.RUN),
    ("written long before a run that succeeded", Record(T, succeeded=True), T - 10 * S, T + S, Decision.SUPERSEDED),
    ("written before a run that failed, and nothing ahead", Record(T), T - 10 * S, T + S, Decision.RUN),
    ("before a failed run, with a follow-up ahead", Record(T, follow_up=T + 60 * S), T - 10 * S, T + S, Decision.SUPERSEDED),
    ("within the margin: nobody can tell", Record(T, succeeded=True), T - S, T + S, Decision.FOLLOW_UP),
    ("within the margin, after the start", Record(T, succeeded=True), T + S, T + 2 * S, Decision.FOLLOW_UP),
    ("within the margin, follow-up ahead", Record(T, succeeded=True, follow_up=T + 6 * S), T, T + S, Decision.SUPERSEDED),
    ("within the margin, follow-up passed", Record(T, succeeded=True, follow_up=T), T, T + S, Decision.FOLLOW_UP),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "record", "inserted", "now", "decision"), CASES)
def test_what_a_message_asks_for(
    reason: str, record: Record, inserted: datetime, now: datetime, decision: Decision
) -> None:
    assert decide(record, inserted, now) == decision, reason


seconds = st.integers(0, 600).map(lambda n: T + n * S)


@given(seconds, st.lists(seconds, min_size=1, max_size=30), st.integers(0, 4))
def test_every_message_is_followed_by_a_run_that_began_after_it(
    first: datetime, messages: list[datetime], skew: int
) -> None:
    """A store's clock may differ by less than the margin; each wish must still be met by a later run."""
    record, runs = Record(first, succeeded=True), [first]
    follow_ups: list[datetime] = []
    now = max(first, *messages) + S
    for message in messages:
        stamped = message + skew * S
        decision = decide(record, stamped, now)
        if decision is Decision.RUN:
            runs.append(now)
            record = record.ended(now, succeeded=True, follow_up=None)
        elif decision is Decision.FOLLOW_UP:
            follow_ups.append(now + MARGIN)
            record = record.asked(now + MARGIN)

    assert all(any(moment > message for moment in runs + follow_ups) for message in messages)


@given(st.integers(1, 500))
def test_duplicates_cost_one_run_and_one_follow_up(count: int) -> None:
    record, runs, follow_ups = Record(), 0, 0
    for _ in range(count):
        decision = decide(record, T, T + S)
        if decision is Decision.RUN:
            runs, record = runs + 1, record.ended(T + S, succeeded=True, follow_up=None)
        elif decision is Decision.FOLLOW_UP:
            follow_ups, record = follow_ups + 1, record.asked(T + S + MARGIN)

    assert runs == 1
    assert follow_ups <= 1


def test_a_failed_run_keeps_the_follow_up_that_is_further_ahead() -> None:
    record = Record(follow_up=T + 60 * S)

    assert record.ended(T, succeeded=False, follow_up=T + 30 * S).follow_up == T + 60 * S
    assert record.ended(T, succeeded=True, follow_up=None).follow_up is None


@given(st.none() | seconds, st.booleans(), st.none() | seconds)
def test_a_record_is_stored_and_read_again(
    started: datetime | None, succeeded: bool, follow_up: datetime | None
) -> None:
    record = Record(started, succeeded, follow_up)

    assert from_json(record.to_json()) == record


@pytest.mark.parametrize(
    "body", [None, [], {}, {"started": "yesterday"}, {"started": "2026-11-22T12:00:00"}, {"started": 7}]
)
def test_what_cannot_be_read_costs_a_run_and_nothing_else(body: object) -> None:
    assert from_json(body) == Record()
