"""Waits that are counted, so that each ends where an administrator sees it; rejected members; operations in flight.

An agent pool that was never created, one that is hidden from the identity, and one that will exist in a minute look the
same: the service does not tell them apart. So each is waited for, for no longer than `RunLimits.arrival` and
`RunLimits.arrival_runs` both allow. After that the pool is `Stalled` with the reason `Overdue`, and is read
again at the next event or resync; as soon as the thing is seen, or the spec desires something else, the count is
forgotten. Waits that have an end of their own are not counted, and none is while an operation is in flight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler.engine.result import Failure
from reconciler.engine.status import InFlight
from reconciler.engine.stored import Awaited, Rest
from reconciler.engine.tenure import RunLimits
from reconciler.errors import ReconcilerError, Rejected, Terminal, Transient
from reconciler.plan.model import Change, GapKind, Plan
from reconciler.plan.sync import spec_digest
from reconciler.plan.targets import DirectoryEntry
from reconciler.ports.azure import ArmReader
from reconciler.spec.model import Spec


def count_waits(known: Mapping[str, Awaited], plan: Plan, spec: Spec, now: datetime) -> dict[str, Awaited]:
    """What is missing after this read, by the message of its gap, with this read in the count."""
    missing = {gap.message for gap in plan.gaps if gap.kind is GapKind.NOT_READY and not gap.bounded}
    if not missing:
        return {}
    digest = spec_digest(spec, now.date())
    fresh = Awaited(now, 0, digest)
    before = {what: one for what, one in known.items() if one.spec == digest}
    return {
        what: Awaited(before.get(what, fresh).since, before.get(what, fresh).runs + 1, digest)
        for what in sorted(missing)
    }


def overdue(awaited: Mapping[str, Awaited], now: datetime, limits: RunLimits) -> dict[str, str]:
    """Message of a gap → the message for an administrator, for what should exist by now."""
    patience = timedelta(seconds=limits.arrival)
    return {
        what: f"{what}; missing since {one.since.astimezone(UTC):%FT%RZ}, and no longer waited for"
        for what, one in awaited.items()
        if one.runs >= limits.arrival_runs and now - one.since >= patience
    }


FIRST = timedelta(hours=1)
LONGEST = timedelta(days=1)


def resting_changes(
    changes: Iterable[Change], rests: Mapping[str, Rest], revision: str, now: datetime
) -> dict[str, Rest]:
    """The changes, by id, that are not sent again yet."""
    known = {change.id: rests[change.id] for change in changes if change.id in rests}
    return {name: rest for name, rest in known.items() if rest.revision == revision and now < rest.until}


def rests_after(failed: Iterable[Failure], rests: Mapping[str, Rest], revision: str, now: datetime) -> dict[str, Rest]:
    """What rests after a run with these failures; what rested in it goes on as it was."""
    found: dict[str, Rest] = {}
    for one in failed:
        change = one.change
        if change is None or not isinstance(one.error, Rejected) or not isinstance(change.target, DirectoryEntry):
            continue
        known = rests.get(change.id)
        if known is not None and known.revision == revision and now < known.until:
            found[change.id] = known
        else:
            attempts = known.attempts + 1 if known is not None and known.revision == revision else 1
            found[change.id] = Rest(str(one.error), revision, attempts, now + _pause(attempts))
    return dict(sorted(found.items()))


def _pause(attempts: int) -> timedelta:
    return min(LONGEST, FIRST * (1 << min(attempts - 1, 8)))


@dataclass(frozen=True, slots=True)
class OperationState:
    """What is known of an operation now."""

    over: bool
    retry_after: float = 0.0
    error: ReconcilerError | None = None
    """Over: it failed. Not over: its state could not be read."""


def read_operation(arm: ArmReader, flying: InFlight, now: datetime, limits: RunLimits) -> OperationState:
    """Read the state once. An operation that is unknown, or far too old, is over: the resource shows how it ended."""
    if now - flying.since > timedelta(seconds=limits.operation):
        return OperationState(over=True)
    try:
        operation = arm.operation(flying.url)
    except Terminal:
        return OperationState(over=True)  # gone, or its signed URL is no longer valid
    except Transient as error:
        return OperationState(over=False, retry_after=error.retry_after or flying.retry_after, error=error)
    if operation.state == "running":
        return OperationState(over=False, retry_after=operation.retry_after or flying.retry_after)
    if operation.state in ("succeeded", "gone"):
        return OperationState(over=True)  # gone: kept no longer, only the resource still shows how it ended
    detail = ": ".join(part for part in (operation.code, operation.message) if part)
    return OperationState(over=True, error=Rejected(f"{flying.description}: {detail or 'failed without a reason'}"))
