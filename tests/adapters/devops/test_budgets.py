"""The rate budget and the width as pure values, against a service with a sliding window; time is a number."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.devops.width import LEAST as NARROWEST
from reconciler.adapters.devops.width import START, Width
from reconciler.documents import Json
from reconciler.ports.budgets import (
    LEAST,
    STEADY,
    SWEEPS,
    WINDOW,
    Figures,
    Looks,
    Need,
    Rate,
    RateBudget,
    need_of,
    rates,
)
from reconciler.ports.pacing import Priority

T = 1_800_000_000.0
SLOWED = Figures(slowed=True, limit=200, remaining=0)


@dataclass
class Service:
    """Slows what is beyond its budget in any five minutes, and requests 30 s."""

    budget: int
    calls: deque[float] = field(default_factory=deque)
    slowed: int = 0

    def answer(self, at: float) -> Figures:
        self.calls.append(at)
        while self.calls[0] <= at - WINDOW:
            self.calls.popleft()
        if len(self.calls) <= self.budget:
            return Figures()
        self.slowed += 1
        return SLOWED


@dataclass
class Sweep:
    """Makes calls as fast as its share allows, 50 ms each."""

    service: Service
    now: float
    budget: RateBudget = field(default_factory=RateBudget)
    made: list[float] = field(default_factory=list)

    def until(self, count: int, people: Sequence[float] = ()) -> float:
        """Make so many calls, with these of people in between; the moment of the last."""
        others = deque(sorted(people))
        while len(self.made) < count:
            wait = self.budget.wait(Priority.SWEEP, self.now)
            while others and others[0] <= self.now + wait:
                at = others.popleft()
                assert self.budget.wait(Priority.PERSON, at) == 0, "people never wait for a budget"
                self._call(at)
            self.now += wait
            if wait:
                continue
            self.made.append(self.now)
            self.now += 30 if self._call(self.now).slowed else 0.05
        return self.made[-1]

    def _call(self, at: float) -> Figures:
        answer = self.service.answer(at)
        self.budget = self.budget.called(at).answered(at, at, answer)
        return answer

    def most_in_a_window(self, since: float) -> int:
        late = [one for one in self.made if one >= since]
        return max((sum(at <= other < at + WINDOW for other in late) for at in late), default=0)


@given(
    st.integers(40, 600), st.floats(0.1, 3.0), st.floats(0, 59), st.lists(st.floats(0, 1500), max_size=8)
)  # fmt: skip
def test_a_full_resync_below_its_budget_ends_in_time_and_leaves_the_reserve(
    budget: int, size: float, offset: float, people: list[float]
) -> None:
    """No call of it is slowed but the one that taught the budget; every later window keeps a part for others."""
    sweep = Sweep(Service(budget), T + offset)
    count = max(1, int(budget * size))
    end = sweep.until(count, [T + offset + one for one in people])

    windows = 1.2 * count / (SWEEPS * budget)
    assert end - T - offset <= (windows + 1) * WINDOW
    assert sweep.service.slowed <= 1 + len(people)
    assert sweep.most_in_a_window(T + offset + 2 * WINDOW) <= 1.2 * SWEEPS * max(budget + 8, LEAST) + 6


@given(st.integers(40, 600), st.floats(1.2, 3.0))
def test_a_budget_that_is_known_is_never_exceeded(budget: int, size: float) -> None:
    sweep = Sweep(Service(budget), T, RateBudget(float(budget), T))
    end = sweep.until(int(budget * size))

    assert sweep.service.slowed == 0
    assert end - T <= 1.2 * size / SWEEPS * WINDOW


def test_a_budget_that_was_learned_too_low_grows_again() -> None:
    """Something else used the window for a while; after an hour, a tenth for each window that was used up."""
    sweep = Sweep(Service(1000), T, RateBudget(LEAST, T, T))
    sweep.until(400)

    assert sweep.now - T > STEADY
    assert sweep.budget.calls == pytest.approx(LEAST * 1.1 ** round((sweep.now - T - STEADY) / WINDOW), rel=0.25)


def test_a_single_refusal_without_numbers_is_no_measure_and_a_second_one_is() -> None:
    bare, budget = Figures(slowed=True), RateBudget()
    for _ in range(90):
        budget = budget.called(T)
    budget = budget.answered(T, T + 1, bare)
    assert budget.answered(T, T + 1, bare).calls is None, "this call was on its way already"
    assert budget.calls is None

    assert budget.answered(T + 31, T + 32, bare).calls == 90
    assert budget.answered(T + 2 * WINDOW, T + 2 * WINDOW, bare).calls is None


@pytest.mark.parametrize(
    ("remaining", "calls"), [(190.0, None), (150.0, None), (100.0, 180.0), (50.0, 120.0), (0.0, 90.0)]
)
def test_what_remains_says_what_a_call_costs(remaining: float, calls: float | None) -> None:
    """The service announces it before it slows a call (Microsoft Learn: Azure DevOps rate and usage limits)."""
    budget = RateBudget().called(T, 90)

    assert budget.answered(T, T, Figures(limit=200, remaining=remaining)).calls == calls


def test_a_generous_remainder_raises_a_budget_and_never_lowers_it() -> None:
    budget = RateBudget(60.0, T).called(T, 48)

    assert budget.answered(T, T, Figures(limit=200, remaining=150)).calls == 192
    assert RateBudget(600.0, T).called(T, 48).answered(T, T, Figures(limit=200, remaining=150)).calls == 600


def test_an_event_may_use_what_a_full_resync_may_not_and_people_wait_for_nothing() -> None:
    budget = RateBudget(100.0, T).called(T - 120, 85)

    assert 0 < budget.wait(Priority.SWEEP, T) <= WINDOW
    assert budget.wait(Priority.EVENT, T) == 0
    full = budget.called(T, 15)
    assert 0 < full.wait(Priority.EVENT, T) <= WINDOW
    assert full.wait(Priority.PERSON, T) == 0


@given(st.floats(0, 400), st.integers(0, 500), st.sampled_from(list(Priority)))
def test_who_waits_as_long_as_was_said_may_call(later: float, made: int, priority: Priority) -> None:
    budget = RateBudget(100.0, T).called(T, made)
    now = T + later
    now += budget.wait(priority, now)

    assert budget.wait(priority, now) == 0


# --- width ---------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 16)), max_size=200), st.integers(1, 16))
def test_the_width_stays_within_its_bounds_whatever_comes_back(answers: list[tuple[bool, int]], upper: int) -> None:
    width = Width()
    for number, (slowed, in_flight) in enumerate(answers):
        before = width.at_most(upper)
        width = width.slowed(number, number + 1, upper) if slowed else width.answered(in_flight, upper)
        assert NARROWEST <= width.at_most(upper) <= upper
        assert width.at_most(upper) <= before if slowed else width.at_most(upper) - before in {0, 1}


def test_a_round_of_answers_adds_one_and_one_slow_round_halves_once() -> None:
    width = Width()
    for _ in range(5):
        width = width.answered(4, 16)
    assert width.at_most(16) == START + 1

    width = Width(12.0)
    for _ in range(12):
        width = width.slowed(10.0, 11.0, 16)  # twelve calls of one round
    assert width.at_most(16) == 6
    assert width.slowed(11.5, 12.0, 16).at_most(16) == 3


def test_a_width_that_is_not_used_does_not_grow() -> None:
    width = Width()
    for _ in range(100):
        width = width.answered(2, 16)
    assert width == Width()


# --- what a full resync needs --------------------------------------------------------------------------


def test_a_look_over_several_messages_counts_once() -> None:
    looks = Looks(part=240).ended(T + 300, 258, 900)

    assert looks.needs(T + 300, 900) == 498
    assert looks.needs(T + 9000, 900) == 498, "the last one, where none is recent"
    assert Looks().needs(T, 900) is None


def test_batches_of_one_interval_add_up() -> None:
    looks = Looks()
    for sweep in range(3):
        for batch in range(3):
            looks = looks.ended(T + 900 * sweep + 240 * batch, 100, 900)
    assert looks.needs(T + 900 * 2 + 480, 900) == 300
    assert looks.most[1] == 300


def test_the_line_names_both_figures() -> None:
    rate = Rate(budget=RateBudget(400.0, T), looks=Looks(((T, 1498),), 0, (T, 1498)))
    need = need_of("fabrikam", [Rate(), rate], T)

    assert str(need) == "fabrikam needs 1498 calls per sweep, has 960"
    assert need is not None
    assert (need.short, need.too_old, need.age_text()) == (True, False, "")
    assert need_of("fabrikam", [Rate()], T) is None


def test_where_the_maximum_age_is_not_allowed_both_figures_are_said() -> None:
    need = Need("fabrikam", 1000, 960, 20_000, 15_360)

    assert need.age_text() == (
        "fabrikam: verifying every fact within 4 h needs 20000 calls, and the rate budget allows 15360; evidence "
        "gets older"
    )
    assert str(Need("fabrikam", 64, None, 1034, None)) == "fabrikam needs 64 calls per sweep; no limit is known"


def test_what_is_stored_is_read_back() -> None:
    until = datetime.fromtimestamp(T + 30, UTC)
    rate = Rate(until, RateBudget(400.0, T, T, {int(T // 60): 7}), Looks(((T, 64),), 3, (T, 498)))

    assert rates({"managed": rate.body()}, T) == {"managed": rate}
    assert rates({"managed": until.isoformat()}, T) == {"managed": Rate(until)}, "as earlier releases stored it"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"managed": 7},
        {"managed": {"budget": 7, "spent": [], "looks": {}, "most": [1], "part": "x", "slowed": True, "until": 5}},
        {"managed": {"budget": {"calls": -5, "since": T}, "spent": {"x": 1, "-1": 2}, "looks": [[T, 0], [0, 5], "x"]}},
        {"managed": {"budget": {"calls": 400, "since": T + 86400}, "slowed": T + 5, "looks": [[T + 60, 5]]}},
        {"managed": {"spent": {str(int(T // 60) + 9): 5}, "most": [T + 9, 5]}},
    ],
)
def test_what_cannot_be_read_or_lies_ahead_is_unknown(body: Json) -> None:
    assert [one for one in rates(body, T).values() if one != Rate()] == []
