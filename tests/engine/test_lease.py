"""The lease before every write, and the budget of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.engine import Outcome
from reconciler.errors import LeaseHeld, Unavailable
from tests.engine.stage import (
    Stage,
    admins,
    converged,
    second_run_writes_nothing,
)


def test_a_pool_that_another_worker_holds_is_left_alone() -> None:
    stage = converged()
    stage.desk.held.add("pool-1")

    result = stage.run()

    assert (result.outcome, result.next_look, stage.shelf.saves) == (Outcome.FAILED, 15.0, [])
    assert [failure.error.reason for failure in result.failures] == ["LeaseHeld"]


def slow_writes(stage: Stage, seconds: float) -> None:
    def wait(name: str, args: tuple[object, ...]) -> None:
        if name == "open access":
            stage.clock.seconds += seconds

    stage.estate.before = wait


def test_the_lease_is_renewed_before_a_write_when_it_grows_old() -> None:
    """It lasts 60 seconds and is renewed from 20 on; it is checked before every write."""
    stage = converged(6)
    stage.estate.open.clear()
    slow_writes(stage, 11)

    stage.run()

    assert stage.desk.renewals == 3


@pytest.mark.parametrize("error", [LeaseHeld("pool-1: taken over"), Unavailable("storage: 503")])
def test_a_lost_lease_stops_the_run_at_once_and_nothing_is_stored_over_the_new_holder(error: Exception) -> None:
    stage = converged(6)
    stage.estate.open.clear()
    slow_writes(stage, 21)
    stage.desk.on_renew = error

    result = stage.run()

    assert len(stage.estate.writes) == 1
    assert [failure.error.reason for failure in result.failures] == ["LeaseHeld"]
    assert result.outcome is Outcome.FAILED
    assert stage.shelf.saves == ["pools/pool-1"]


def test_state_that_another_worker_wrote_is_not_overwritten() -> None:
    stage = converged()
    stage.run()
    stage.fail("queues", Unavailable("503"))
    saves = list(stage.shelf.saves)

    def take_over(name: str) -> None:
        stage.shelf.touch(name)

    stage.shelf.before = take_over
    result = stage.run()

    assert [failure.error.reason for failure in result.failures] == ["LeaseHeld"]
    assert stage.shelf.saves == saves


def test_a_lease_that_cannot_be_given_back_runs_out_by_itself() -> None:
    stage = converged()
    stage.desk.on_release = Unavailable("storage: 503")

    assert stage.run().outcome is Outcome.IN_SYNC


def test_a_run_stops_at_a_step_when_its_time_is_used_up_and_the_next_goes_on() -> None:
    stage = converged(6)
    stage.estate.open.clear()
    slow_writes(stage, 100)

    result = stage.run()

    assert (result.outcome, result.next_look) == (Outcome.PROGRESSING, 0.0)
    assert len(result.verified) == len(stage.estate.writes) == 3
    assert stage.settle().outcome is Outcome.APPLIED
    second_run_writes_nothing(stage)


def test_a_pool_that_is_slow_to_read_still_makes_one_step_a_run() -> None:
    """Or it would be planned for ever and never repaired."""
    stage = converged(2)
    stage.estate.open.clear()

    def crawl(name: str, args: tuple[object, ...]) -> None:
        if name == "projects":
            stage.clock.seconds += 300

    stage.estate.before = crawl

    assert len(stage.run().verified) == 1


def test_passes_are_bounded() -> None:
    stage = converged(0, limits=replace(converged().limits, passes=1))
    stage.hold("bob")

    result = stage.run(admins("ann"))

    assert (result.outcome, result.next_look) == (Outcome.PROGRESSING, 5.0)
    assert stage.holders() == {"ann", "bob"}
