"""Long operations: stored, read once by each run, never waited for, and never in the way of the rest."""

from __future__ import annotations

from dataclasses import replace

from reconciler.engine import Outcome
from reconciler.engine.status import ConditionKind, Truth
from reconciler.errors import Unavailable
from reconciler.ports.azure import Operation
from tests.engine.stage import (
    SPEC,
    Stage,
    condition,
    converged,
    second_run_writes_nothing,
)
from tests.small_facets import BODY, DOORS

TAGGED = replace(SPEC, body={"tags": {"team": "build"}})
URL = "https://management.azure.com/operations/1?sig=secret"


def updating() -> Stage:
    stage = converged(facets=(BODY, DOORS))
    stage.estate.open.discard(1001)
    stage.estate.pending = URL
    return stage


def test_a_long_operation_is_noted_and_not_waited_for() -> None:
    stage = updating()

    result = stage.run(TAGGED)

    assert (result.outcome, result.next_look) == (Outcome.PROGRESSING, 7.0)
    assert result.pending is not None
    assert result.pending.url == URL
    assert [write[0] for write in stage.estate.writes] == ["put"]


def test_a_running_operation_is_asked_about_and_nothing_else_is_done() -> None:
    stage = updating()
    stage.run(TAGGED)
    stage.estate.calls.clear()
    stage.estate.operations[URL] = Operation("running", retry_after=20.0)

    result = stage.run(TAGGED)

    assert (result.outcome, result.next_look, result.plan) == (Outcome.PROGRESSING, 20.0, None)
    assert stage.estate.calls == {"operation": 1}


def test_a_finished_operation_is_believed_only_as_far_as_the_resource_shows_it() -> None:
    stage = updating()
    stage.run(TAGGED)
    stage.estate.operations[URL] = Operation("succeeded")

    result = stage.run(TAGGED)

    assert result.outcome is Outcome.APPLIED
    assert result.status.pending is None
    second_run_writes_nothing(stage, TAGGED)


def test_a_failed_operation_is_told_and_does_not_hold_up_the_rest() -> None:
    """Rule 10: a quota that is missing must not keep doors open; and what just failed is not begun again at once."""
    stage = updating()
    stage.run(TAGGED)
    stage.estate.arm[SPEC.pool_id.casefold()]["tags"] = {}
    stage.estate.operations[URL] = Operation("failed", "QuotaExceeded", "4 cores needed, 2 left")

    result = stage.run(TAGGED)

    assert result.outcome is Outcome.STALLED
    assert [str(failure.error) for failure in result.failures] == [
        "update of pool pool-1: QuotaExceeded: 4 cores needed, 2 left"
    ]
    assert [write[0] for write in stage.estate.writes] == ["put", "open access"]
    stalled = condition(result, ConditionKind.STALLED)
    assert (stalled.status, stalled.reason) == (Truth.TRUE, "Rejected")
    stage.run(TAGGED)
    assert [write[0] for write in stage.estate.writes] == ["put", "open access", "put"]


def test_an_update_whose_operation_fails_again_and_again_is_sent_less_and_less_often() -> None:
    stage = updating()
    stage.estate.operations[URL] = Operation("failed", "QuotaExceeded", "4 cores needed, 2 left")
    hours: list[int] = []
    for hour in range(1, 60):
        before = len(stage.estate.writes)
        stage.estate.pending = URL
        for _ in range(2):
            stage.run(TAGGED)
            stage.estate.arm[SPEC.pool_id.casefold()]["tags"] = {}
        stage.clock.seconds += 3600
        if any(write[0] == "put" for write in stage.estate.writes[before:]):
            hours.append(hour)
    assert hours == [1, 2, 3, 5, 9, 17, 33, 57]


def test_an_operation_that_is_forgotten_is_read_from_the_resource() -> None:
    stage = updating()
    stage.run(TAGGED)

    assert stage.run(TAGGED).outcome is Outcome.APPLIED


def test_an_operation_that_arm_says_is_gone_is_read_from_the_resource() -> None:
    """Kept no longer is not failed: only the resource still tells how it ended."""
    stage = updating()
    stage.run(TAGGED)
    stage.estate.operations[URL] = Operation("gone", "ResourceNotFound", "kept no longer")

    assert stage.run(TAGGED).outcome is Outcome.APPLIED


def test_an_operation_that_is_far_too_old_is_not_asked_about_any_more() -> None:
    stage = updating()
    stage.run(TAGGED)
    stage.estate.operations[URL] = Operation("running")
    stage.clock.seconds += 7201

    assert stage.run(TAGGED).outcome is Outcome.APPLIED


def test_an_operation_that_cannot_be_asked_about_backs_off() -> None:
    stage = updating()
    stage.run(TAGGED)
    stage.estate.operations[URL] = Unavailable("operation: 503")

    first, second = stage.run(TAGGED), stage.run(TAGGED)

    assert (first.outcome, second.status.attempts, second.status.error) == (Outcome.FAILED, 2, "Unavailable")
    assert second.status.pending is not None
    assert second.next_look is not None


def test_a_failed_operation_without_a_reason_says_so() -> None:
    stage = updating()
    stage.run(TAGGED)
    stage.estate.operations[URL] = Operation("failed")

    assert str(stage.run(TAGGED).failures[0].error).endswith("failed without a reason")


def test_a_signed_url_is_in_no_text_of_a_result() -> None:
    """It may grant: it is stored, because nothing else leads back to the operation, and never shown."""
    result = updating().run(TAGGED)

    assert "secret" not in repr(result)
    assert "secret" not in str(result.status.public())


def test_an_update_that_is_done_at_once_is_proven_at_once() -> None:
    stage = updating()
    stage.estate.pending = ""

    assert stage.run(TAGGED).outcome is Outcome.APPLIED
    second_run_writes_nothing(stage, TAGGED)
