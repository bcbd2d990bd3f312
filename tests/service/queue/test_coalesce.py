"""No wake-up is lost, and duplicates cost nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.ports.clock import MARGIN
from reconciler.service.queue.coalesce import PACE, RETRY, SOON, Decision, Record, decide, due, kept, promised
from reconciler.service.queue.messages import LATEST

T = datetime(2026, 11, 22, 12, tzinfo=UTC)
S = timedelta(seconds=1)
MOMENT = timedelta(microseconds=1)

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


EDGES = [
    ("at the margin before the read: not covered, and a run now covers it", Record(T, T), T - MARGIN, T + S, False, Decision.RUN),
    ("a moment earlier it is covered", Record(T, T), T - MARGIN - MOMENT, T + S, False, Decision.SUPERSEDED),
    ("at the margin after the read: it cannot be told", Record(T, T), T + MARGIN, T + 2 * MARGIN, False, Decision.FOLLOW_UP),
    ("a moment later it is news", Record(T, T), T + MARGIN + MOMENT, T + MARGIN, False, Decision.RUN),
    ("older than the margin: a run that reads now covers it", Record(T), T, T + MARGIN + MOMENT, False, Decision.RUN),
    ("not older: it may be written after the read", Record(T), T, T + MARGIN, False, Decision.FOLLOW_UP),
    ("a follow-up at the margin may have begun", Record(follow_up=T + MARGIN), T, T, False, Decision.RUN),
    ("a moment later it will do", Record(follow_up=T + MARGIN + MOMENT), T, T, False, Decision.SUPERSEDED),
    ("the last that is soon", Record(follow_up=T + SOON), T, T, False, Decision.SUPERSEDED),
    ("no longer soon", Record(follow_up=T + SOON + MOMENT), T, T, False, Decision.RUN),
    ("a retry covers what a failed run had", Record(T, follow_up=T + RETRY), T - MARGIN, T, False, Decision.SUPERSEDED),
    ("and what came while it began", Record(T, follow_up=T + RETRY), T, T, False, Decision.SUPERSEDED),
    ("to the margin", Record(T, follow_up=T + RETRY), T + MARGIN, T, False, Decision.SUPERSEDED),
    ("what is due later is no retry", Record(T, follow_up=T + RETRY + MOMENT), T - MARGIN, T, False, Decision.FOLLOW_UP),
    ("a retry covers nothing newer", Record(T, follow_up=T + RETRY), T + MARGIN + MOMENT, T, False, Decision.RUN),
    ("in a burst, the last within the pace", Record(follow_up=T + PACE + 2 * MARGIN), T, T, True, Decision.SUPERSEDED),
    ("in a burst, beyond it", Record(follow_up=T + PACE + 2 * MARGIN + MOMENT), T, T, True, Decision.RUN),
    ("a pace after the start of the last run", Record(T, T, started=T), T + PACE, T + PACE, True, Decision.RUN),
    ("a moment before", Record(T, T, started=T), T + PACE, T + PACE - MOMENT, True, Decision.FOLLOW_UP),
    ("the start counts for the pace, not what it read", Record(T, T, started=T + 9 * S), T + PACE, T + PACE, True, Decision.FOLLOW_UP),
    ("nothing ran, and a run is about to begin", Record(follow_up=T + MARGIN), T, T, True, Decision.FOLLOW_UP),
]  # fmt: skip


@pytest.mark.parametrize("case", EDGES, ids=lambda case: case[0])
def test_decisions_at_the_edge(case: tuple[str, Record, datetime, datetime, bool, Decision]) -> None:
    reason, record, inserted, now, in_burst, decision = case

    assert decide(record, inserted, now, in_burst=in_burst) == decision, reason


def test_a_record_is_believed_to_the_last_moment() -> None:
    edge = Record(T + MARGIN, T + MARGIN, T + LATEST, T + MARGIN)
    beyond = Record(T + MARGIN + MOMENT, T + MARGIN + MOMENT, T + LATEST + MOMENT, T + MARGIN + MOMENT)

    assert edge.believed(T) == edge
    assert beyond.believed(T) == Record()


def test_two_follow_ups_a_second_apart_are_one() -> None:
    record = Record(T - S, follow_up=T + S)

    assert due(record, T, T) is Decision.SUPERSEDED
    assert due(replace(record, follow_up=T - S), T, T) is Decision.SUPERSEDED
    assert due(replace(record, follow_up=T + S + MOMENT), T, T) is Decision.RUN


def test_a_follow_up_is_due_after_the_margin_and_after_the_one_that_is_about_to_run() -> None:
    assert promised(Record(), T) == T + MARGIN + S
    assert promised(Record(T, T), T) == T + MARGIN + S
    assert promised(Record(follow_up=T), T) == T + MARGIN + S
    assert promised(Record(follow_up=T + 3 * S), T) == T + 3 * S + MARGIN + S


def test_in_a_burst_a_follow_up_is_due_a_pace_after_the_last_run() -> None:
    def after(record: Record) -> timedelta:
        return promised(record, T, in_burst=True) - T - S

    assert after(Record()) == MARGIN
    assert after(Record(T - 9 * S)) == PACE - 9 * S
    assert after(Record(T - 9 * S, started=T - 4 * S)) == PACE - 4 * S
    assert after(Record(T - HOUR)) == MARGIN
    assert after(Record(T - HOUR, follow_up=T + MARGIN)) == PACE + MARGIN
    assert after(Record(T - HOUR, follow_up=T + MARGIN + S)) == 2 * MARGIN + S
    assert after(Record(T - 9 * S, follow_up=T - HOUR)) == PACE - 9 * S


def test_a_follow_up_that_is_about_to_be_due_is_not_relied_on() -> None:
    assert kept(T + MARGIN, T + HOUR, T) == T + HOUR
    assert kept(T + MARGIN + MOMENT, T + HOUR, T) == T + MARGIN + MOMENT
