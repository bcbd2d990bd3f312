"""Any order of steps, with clocks that are wrong: no request is lost, and a burst costs few runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine import Outcome
from tests.examples import crossed, tries, whole
from tests.service.queue.office import Office

skews = st.floats(-1.9, 1.9).map(lambda seconds: round(seconds, 1))
"""Any two clocks are then less than the margin apart, the store's rounding included."""

wait = st.tuples(st.just("wait"), st.sampled_from([0.1, 0.5, 1.0, 3.0, 6.0, 20.0, 45.0, 61.0]))
wish = st.tuples(st.just("wish"), st.sampled_from(["event", "http", "audit"]))
work = st.tuples(st.just("work"), st.integers(0, 30))
crowd = st.tuples(st.just("crowd"), st.integers(1, 30))
steps = st.lists(st.one_of(wait, wish, work, work, crowd), max_size=60)


@dataclass
class Story:
    """Steps, told one after the other; a run that begins goes on for the next few of them."""

    office: Office
    steps: list[tuple[str, object]]
    lengths: list[int]
    failures: list[bool]
    at: int = 0
    deep: list[int] = field(default_factory=list)

    def tell(self, most: int = 1000) -> None:
        for _ in range(most):
            if self.at >= len(self.steps):
                return
            self.at += 1
            self.step(*self.steps[self.at - 1])

    def step(self, what: str, much: object) -> None:
        if what == "wait":
            self.office.time.seconds += float(str(much))
        elif what == "work":
            number = int(str(much))
            self.office.work(number, number // 3)
        else:
            for _ in range(int(str(much)) if what == "crowd" else 1):
                self.office.wish(str(much) if what == "wish" else "event")

    def under_way(self) -> None:
        self.office.time.seconds += 0.4
        self.tell(self.lengths.pop() if self.lengths else 0)

    def outcome(self) -> Outcome:
        return Outcome.FAILED if self.failures and self.failures.pop() else Outcome.IN_SYNC


@settings(max_examples=tries(200), deadline=None)
@given(
    st.lists(skews, min_size=1, max_size=4),
    skews,
    steps,
    st.lists(st.integers(0, 8), max_size=20),
    st.lists(st.booleans(), max_size=10),
)
def test_after_every_wish_a_run_begins(
    workers: list[float], store: float, told: list[tuple[str, object]], lengths: list[int], failures: list[bool]
) -> None:  # fmt: skip
    office = Office(workers, store)
    story = Story(office, told, lengths, failures)
    office.during, office.outcome = story.under_way, story.outcome

    story.tell()
    office.drain()

    assert office.unanswered() == []


def test_a_follow_up_that_others_count_on_is_kept_although_another_run_covered_it() -> None:
    """Two are ahead; one request counts on the later one after the earlier one ran: its run answers nothing of that."""
    office = Office([0.0])
    office.wish()
    office.work(0)
    office.time.seconds = 10.0
    office.workers[0].outbox.follow_up("pool-1", 6.0)
    office.shelf.documents.pop("follow-ups/pool-1")
    office.workers[0].outbox.follow_up("pool-1", 12.0)
    office.time.seconds = 16.0
    assert office.work(0)
    office.time.seconds = 16.5
    office.wish()
    assert office.work(0)
    office.drain()

    assert office.unanswered() == []


def test_nobody_counts_on_a_follow_up_that_may_have_begun_by_another_clock() -> None:
    office = Office([1.9, -1.9])
    office.wish()
    office.work(0)
    office.time.seconds = 20.0
    office.workers[0].outbox.follow_up("pool-1", 8.0)
    office.time.seconds = 28.0
    assert office.work(0)
    office.time.seconds = 28.5
    office.wish()
    office.work(1)
    office.drain()

    assert office.unanswered() == []


def test_a_follow_up_that_comes_before_it_is_due_is_put_back() -> None:
    """A store's clock may be ahead: who counts on it counts on a run after it is due."""
    office = Office([-1.5])
    office.workers[0].outbox.follow_up("pool-1", 8.0)
    office.time.seconds = 8.0
    office.line.waiting = [(7.0, one) for _, one in office.line.waiting]

    office.time.seconds = 7.5
    assert office.work(0)
    assert (office.begun, office.line.length()) == ([], 1)
    office.drain()
    assert len(office.begun) == 1


@pytest.mark.soaked
@pytest.mark.parametrize(("workers", "rate"), crossed([1, 2, 4, 8], [180.0, 600.0, 2000.0], one_of=3))
def test_thousands_of_messages_cost_three_runs_whoever_works_them_off(workers: int, rate: float) -> None:
    """Messages come at a rate, and workers handle them as fast, also while one of them runs the pool for a second.

    Three is the bound for whatever is worked off within a minute: at once, when the workers that came too late have
    waited, and at the end of a pace.
    """
    office = Office([0.0] * workers)
    left = [whole(10_000, usual=3_000)]

    def some(seconds: float) -> None:
        for turn in range(int(seconds * rate)):
            office.time.seconds += 1.0 / rate
            if left[0]:
                left[0] -= 1
                office.line.put('{"keys":["pool-1"],"trigger":"event"}')
                if left[0] % 50 == 0:
                    office.wishes.append(office.time.seconds)
            if workers > 1 or not office._running:
                office.work(turn)

    office.during = lambda: some(1.0)
    for _ in range(100):
        office.line.put('{"keys":["pool-1"],"trigger":"event"}')
    while left[0]:
        some(1.0)
    office.drain()

    assert office.time.seconds > 10_000 / rate
    assert len(office.begun) <= 3
    assert office.unanswered() == []


def test_without_a_crowd_each_event_is_looked_at_at_once() -> None:
    office = Office([0.0])
    for _ in range(6):
        office.wish()
        office.work(0)
        office.time.seconds += 6.0

    assert len(office.begun) == 6


@pytest.mark.parametrize("steady", [0.25, 1.0])
def test_a_stream_that_never_ends_is_answered_again_and_again(steady: float) -> None:
    """No request pushes the look that others wait for further away."""
    office = Office([0.0, 0.5])
    for turn in range(600):
        office.wish()
        office.work(turn)
        office.time.seconds += steady
    gaps = [after - before for before, after in zip(office.begun, office.begun[1:], strict=False)]

    assert max(gaps) <= 80.0
    office.drain()
    assert office.unanswered() == []
