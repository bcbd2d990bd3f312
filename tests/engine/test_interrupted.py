"""A run that is ended while it writes: what it stores is what was written, and what was not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.engine import Outcome
from reconciler.engine.events import Applying, Event
from reconciler.engine.memory import load_status
from reconciler.engine.status import ConditionKind, PoolStatus
from tests.engine.stage import SPEC, Stage, condition, converged, second_run_writes_nothing


def three_closed() -> Stage:
    """Three changes, one for each project."""
    stage = converged()
    stage.estate.open.clear()
    return stage


def stored(stage: Stage) -> PoolStatus:
    return load_status(stage.shelf, SPEC.key)


def raises_at(stage: Stage, number: int, error: BaseException) -> Callable[[Event], None]:
    """A listener that ends the run before its write of this number."""

    def listen(event: Event) -> None:
        stage.events.append(event)
        if isinstance(event, Applying) and event.index == number:
            raise error

    return listen


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a bug"), SystemExit(1)])
def test_a_run_that_is_stopped_between_two_writes_says_what_was_written(error: BaseException) -> None:
    stage = three_closed()
    reconciler = stage.reconciler
    reconciler._listen = raises_at(stage, 3, error)

    with pytest.raises(type(error)):
        reconciler.reconcile(SPEC, "c0ffee")

    run = stored(stage).run
    assert run is not None
    assert (run.planned, run.written, run.verified, run.outcome) == (3, 2, 0, "failed")
    assert len(stage.estate.writes) == 2
    ready = next(one for one in stored(stage).conditions if one.kind is ConditionKind.READY)
    assert ready.reason == "Interrupted"
    assert "2 of 3 planned changes are written, 0 verified" in ready.message
    assert "written and not verified: " in ready.message
    assert ready.message.endswith("project-3")
    assert "not begun: " in ready.message


def test_a_crash_within_a_write_says_that_its_result_is_not_known() -> None:
    """Whether it was sent is not known: the next run reads it."""
    stage = three_closed()
    stage.fail("open access", RuntimeError("a bug in an adapter"), about="2001")

    with pytest.raises(RuntimeError):
        stage.run()

    run = stored(stage).run
    assert run is not None
    assert (run.planned, run.written, run.verified) == (3, 1, 0)
    ready = next(one for one in stored(stage).conditions if one.kind is ConditionKind.READY)
    assert "result not known: " in ready.message


def test_the_run_after_an_interrupted_one_finishes_it() -> None:
    stage = three_closed()
    stage.fail("open access", RuntimeError("a bug in an adapter"), about="2001")
    with pytest.raises(RuntimeError):
        stage.run()
    stage.estate.before = lambda _name, _args: None

    result = stage.run()

    assert result.outcome is Outcome.APPLIED
    assert (len(result.written), len(result.verified)) == (2, 2)
    assert condition(result, ConditionKind.READY).reason == "InSync"
    second_run_writes_nothing(stage)


def test_a_write_that_is_never_seen_is_written_and_not_verified() -> None:
    """Three numbers with three names: planned, written, verified."""
    stage = three_closed()
    stage.estate.deaf = True

    run = stage.run().status.run

    assert run is not None
    assert (run.planned, run.written, run.verified) == (3, 3, 0)


def test_a_status_of_an_older_release_keeps_its_number() -> None:
    stage = three_closed()
    stage.run()
    body = dict(stored(stage).to_json())
    body["lastRun"] = {"started": body["lastRun"]["started"], "ended": body["lastRun"]["ended"], "applied": 3}

    run = PoolStatus.from_json(SPEC.key, body).run

    assert run is not None
    assert (run.planned, run.written, run.verified) == (3, 3, 3)
