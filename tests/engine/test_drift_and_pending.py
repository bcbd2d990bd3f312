"""Whether a run says drift or pending, from what earlier runs verified."""

from __future__ import annotations

from dataclasses import replace

from reconciler.engine import Outcome, Result, load_status
from reconciler.engine.status import ConditionKind
from reconciler.errors import Unavailable
from reconciler.plan.sync import SyncCause
from reconciler.spec.model import Mode, Spec
from tests.engine.stage import SPEC, Stage, condition, converged

TAGGED = replace(SPEC, body={"tags": {"a": "b"}})


def reported(stage: Stage, spec: Spec = SPEC) -> Result:
    return stage.run(replace(spec, mode=Mode.REPORT))


def tamper(stage: Stage) -> None:
    stage.estate.open.discard(1001)


def test_a_pool_that_was_never_verified_is_out_of_sync_and_no_more_is_known() -> None:
    stage = converged()
    tamper(stage)

    result = reported(stage)

    assert (result.status.cause, result.outcome) == (SyncCause.UNKNOWN, Outcome.OUT_OF_SYNC)
    assert condition(result, ConditionKind.READY).message.startswith("1 change: 1 granting access; not applied: ")


def test_what_changes_in_the_world_is_drift_whatever_is_pushed_beside_it() -> None:
    """Another commit, another file, another mode: this pool's spec desires the same."""
    stage = converged()
    stage.run(revision="c0ffee")
    tamper(stage)

    result = stage.run(replace(SPEC, mode=Mode.REPORT, path="moved.yaml"), revision="decade")

    assert result.status.cause is SyncCause.DRIFT
    assert condition(result, ConditionKind.READY).message.startswith(
        "drift: 1 change: 1 granting access; not applied: "
    )


def test_what_a_new_spec_wants_is_pending_with_drift_beside_it_too() -> None:
    stage = converged()
    stage.run()
    tamper(stage)

    result = reported(stage, TAGGED)

    assert result.status.cause is SyncCause.PENDING
    assert condition(result, ConditionKind.READY).message.startswith("pending: 2 changes")


def test_once_verified_nothing_is_drift_or_pending_and_the_new_content_counts() -> None:
    stage = converged()
    stage.run()
    applied = stage.settle(TAGGED)
    assert (applied.status.cause, applied.outcome) == (None, Outcome.APPLIED)
    tamper(stage)

    assert reported(stage, TAGGED).status.cause is SyncCause.DRIFT


def test_a_commit_that_is_reverted_half_way_leaves_pending_changes_and_no_drift() -> None:
    """What is left of it was written by the operator: the world did not change."""
    stage = converged()
    stage.run()
    tamper(stage)
    with stage.failing("open access", Unavailable("503")):
        stage.run(TAGGED)
    assert [name for name, *_ in stage.estate.writes] == ["put"]

    result = reported(stage)

    assert result.status.cause is SyncCause.PENDING


def test_report_mode_leaves_the_evidence_of_a_new_spec_as_it_is() -> None:
    """Nothing was written for it, so the old content is still the last that was true."""
    stage = converged()
    stage.run()
    reported(stage, TAGGED)
    tamper(stage)

    assert reported(stage).status.cause is SyncCause.DRIFT


def test_while_a_repair_is_in_motion_it_stays_drift() -> None:
    stage = converged()
    stage.run(TAGGED)
    stage.settle(TAGGED)
    stage.estate.arm[SPEC.pool_id.casefold()]["tags"] = {}
    stage.estate.pending = "https://management.azure.com/operation"

    first = stage.run(TAGGED)

    assert (first.outcome, first.status.cause) == (Outcome.PROGRESSING, SyncCause.DRIFT)
    assert load_status(stage.shelf, SPEC.key).cause is SyncCause.DRIFT


def test_what_cannot_be_read_is_neither() -> None:
    stage = converged()
    stage.run()
    with stage.failing("queues", Unavailable("503")):
        assert stage.run().status.cause is SyncCause.UNKNOWN
