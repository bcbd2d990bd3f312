"""What time was to bring, and has not: a wait that is counted, so that it ends where a person sees it.

An agent pool that nobody made, one that is hidden from the identity, and one that will be there in a minute all look
the same: the service cannot tell. So each is waited for, and for no longer than `RunLimits.arrival` and
`RunLimits.looks` both allow. After that the pool is `Stalled` with the reason `Overdue`, and the next event or sweep
looks again; as soon as the thing is seen, or the spec asks for something else, the count is forgotten. Waits that have
an end of their own are not counted, and none is while an operation is in flight.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from reconciler.engine.result import Failure
from reconciler.engine.status import InFlight
from reconciler.engine.stored import Awaited, Rest
from reconciler.engine.tenure import RunLimits
from reconciler.errors import ReconcilerError, Rejected, Terminal, Transient
from reconciler.plan.model import Change, GapKind, Plan
from reconciler.plan.targets import DirectoryEntry
from reconciler.ports.azure import ArmReader
from reconciler.spec.model import Spec


def counted(known: Mapping[str, Awaited], plan: Plan, spec: Spec, now: datetime) -> dict[str, Awaited]:
    """What is missing after this look, by the message of its gap, with this look in the count."""
    missing = {gap.message for gap in plan.gaps if gap.kind is GapKind.NOT_READY and not gap.bounded}
    if not missing:
        return {}
    digest = _digest(spec)
    fresh = Awaited(now, 0, digest)
    before = {what: one for what, one in known.items() if one.spec == digest}
    return {
        what: Awaited(before.get(what, fresh).since, before.get(what, fresh).looks + 1, digest)
        for what in sorted(missing)
    }


def overdue(awaited: Mapping[str, Awaited], now: datetime, limits: RunLimits) -> dict[str, str]:
    """Message of a gap → what a person is told, for what should have come by now."""
    patience = timedelta(seconds=limits.arrival)
    return {
        what: f"{what}; awaited since {one.since.astimezone(UTC):%FT%RZ}, and time alone will not bring it"
        for what, one in awaited.items()
        if one.looks >= limits.looks and now - one.since >= patience
    }


def _digest(spec: Spec) -> str:
    """Short, and the same in every process for equal specs."""
    text = json.dumps(asdict(spec), sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, frozenset) else str(value)


FIRST = timedelta(hours=1)
LONGEST = timedelta(days=1)


def held(changes: Iterable[Change], rests: Mapping[str, Rest], revision: str, now: datetime) -> dict[str, Rest]:
    """The changes, by id, that are not asked for now."""
    known = {change.id: rests[change.id] for change in changes if change.id in rests}
    return {name: rest for name, rest in known.items() if rest.revision == revision and now < rest.until}


def after(failed: Iterable[Failure], rests: Mapping[str, Rest], revision: str, now: datetime) -> dict[str, Rest]:
    """What rests after a run that ended so; what rested in it goes on as it was."""
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
class OperationAnswer:
    """What is known of an operation now."""

    over: bool
    retry_after: float = 0.0
    error: ReconcilerError | None = None
    """Over: it failed. Not over: it could not be asked about."""


def ask(arm: ArmReader, flying: InFlight, now: datetime, limits: RunLimits) -> OperationAnswer:
    """Ask once. An operation that is forgotten, or far too old, is over: the resource tells the rest."""
    if now - flying.since > timedelta(seconds=limits.operation):
        return OperationAnswer(over=True)
    try:
        operation = arm.operation(flying.url)
    except Terminal:
        return OperationAnswer(over=True)  # gone, or its signed URL is no longer valid
    except Transient as error:
        return OperationAnswer(over=False, retry_after=error.retry_after or flying.retry_after, error=error)
    if operation.state == "running":
        return OperationAnswer(over=False, retry_after=operation.retry_after or flying.retry_after)
    if operation.state in ("succeeded", "gone"):
        return OperationAnswer(over=True)  # gone: kept no longer, only the resource still tells how it ended
    said = ": ".join(part for part in (operation.code, operation.message) if part)
    return OperationAnswer(
        over=True, error=Rejected(f"{flying.description}: {said or 'failed, and no reason was given'}")
    )
