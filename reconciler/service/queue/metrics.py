"""The metrics of a run: results, changes, refusals, time out of sync, and time to converge."""

from __future__ import annotations

from datetime import datetime

from reconciler.engine import Result
from reconciler.engine.status import ConditionKind, PoolStatus
from reconciler.plan.sync import SyncCause
from reconciler.telemetry import Metrics


def record_run(metrics: Metrics, result: Result, before: PoolStatus, trigger: str, inserted: datetime) -> None:
    """Record one run; `before` is the status that it began with, `inserted` the time of its request."""
    outcome = result.outcome.value
    planned = result.planned.all_changes if result.planned is not None else ()
    for change in planned:
        metrics.count("reconciler.changes.planned", facet=change.facet, action=change.action.value)
    for change in result.written:
        metrics.count("reconciler.changes.written", facet=change.facet, action=change.action.value)
    for change in result.verified:
        metrics.count("reconciler.changes.verified", facet=change.facet, action=change.action.value)
    for refusal in result.plan.refusals if result.plan is not None else ():
        metrics.count("reconciler.refusals", facet=refusal.change.facet)
    run, since = result.status.run, result.status.unready
    if run is None:
        return
    if since is not None:
        cause = (result.status.cause or SyncCause.UNKNOWN).value
        metrics.record("reconciler.out_of_sync.age", _seconds(since, run.ended), result=outcome, cause=cause)
    elif result.status.condition_true(ConditionKind.READY) and (result.verified or before.unready is not None):
        begun = min(inserted, before.unready or inserted)
        metrics.record("reconciler.converge.seconds", _seconds(begun, run.ended), trigger=trigger)


def _seconds(begun: datetime, ended: datetime) -> float:
    return max(0.0, (ended - begun).total_seconds())
