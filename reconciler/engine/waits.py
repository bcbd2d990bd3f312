"""Waits that are counted, so that each ends where an administrator sees it; rejected members; operations in flight.

An agent pool that was never created, one that is hidden from the identity, and one that will exist in a minute look the
same: the service does not tell them apart. So each is waited for, for no longer than `RunLimits.arrival` and
`RunLimits.arrival_runs` both allow. After that the pool is `Stalled` with the reason `Overdue`, and is read
again at the next event or resync; as soon as the thing is seen, or the spec desires something else, the count is
forgotten. Waits that have an end of their own are not counted, nor is what a change makes that is held back, and none
is while an operation is in flight.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from reconciler.engine.run_state import RunState
from reconciler.engine.status import InFlight
from reconciler.engine.stored import Awaited, Rest
from reconciler.engine.tenure import RunLimits
from reconciler.errors import Forbidden, ReconcilerError, Rejected, Terminal, Transient
from reconciler.plan import guards
from reconciler.plan.model import Change, GapKind, Plan, facet_of
from reconciler.plan.sync import spec_digest
from reconciler.plan.targets import CreatePool, DirectoryEntry, NewQueue, ReplacePool, RoleAssignmentChange, UpdatePool
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


def under_way(plan: Plan, held: Callable[[Change], object | None]) -> Plan:
    """The plan without the gaps of what is not made yet because a mode, a pause or a window holds it back.

    Azure is not late with those. `held`: None for a change that may be written.
    """
    making = [one for one in plan.changes if _makes(one) and held(one) is not None]
    places = {guards.organization_of(one) for one in making}
    gaps = [one for one in plan.gaps if None not in places and one.subject.partition("/")[0] not in places]
    return replace(plan, gaps=tuple(gaps)) if making else plan


def _makes(change: Change) -> bool:
    """Whether agent pools, queues or identities come to exist by a change."""
    making = isinstance(change.target, CreatePool | ReplacePool | NewQueue | DirectoryEntry)
    return making or (isinstance(change.target, UpdatePool) and reaches_devops(change))


def reaches_devops(change: Change) -> bool:
    """Whether an update of the ARM resource is about organizations, from which agent pools and queues follow.

    One without details does not say what it is about.
    """
    return not change.details or any("organizationprofile" in one.path.casefold() for one in change.details)


def overdue(awaited: Mapping[str, Awaited], now: datetime, limits: RunLimits) -> dict[str, str]:
    """Message of a gap → the message for an administrator, for what should exist by now."""
    patience = timedelta(seconds=limits.arrival)
    return {
        what: f"{what}; missing since {one.since.astimezone(UTC):%FT%RZ}, and no longer waited for"
        for what, one in awaited.items()
        if one.runs >= limits.arrival_runs and now - one.since >= patience
    }


_OPERATIONS = (CreatePool, UpdatePool)
FIRST = timedelta(hours=1)
LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RestRules:
    """What decides in one run whether a rejected write is sent again."""

    digest: str
    """Of the spec's content."""
    revision: str
    now: datetime
    requested: datetime | None = None
    """When a person or a program requested this run; None: an event, a follow-up or the resync did."""

    def basis(self, change: Change) -> str:
        """What a rejection is about: the spec's content and the exact write, agent pool included."""
        target = json.dumps(change.content(), sort_keys=True)
        return hashlib.sha256(f"{self.digest} {target}".encode()).hexdigest()[:12]

    def same(self, rest: Rest, change: Change) -> bool:
        """Whether the rest is about this very write; one of an older release knows only its commit."""
        return rest.basis == self.basis(change) if rest.basis else rest.revision == self.revision


def lifts(requested: datetime | None, rest: Rest) -> bool:
    """Whether an explicit request is newer than the attempt after which the change rests."""
    return requested is not None and rest.until - _pause(rest.attempts) < requested


def resting_changes(plan: Plan, rests: Mapping[str, Rest], rules: RestRules) -> dict[str, Rest]:
    """The changes, by id, that are not sent again yet.

    Where a member that was unknown is known now, the directory changed: others of that organization may be known too.
    """
    open_ids = {change.id for change in plan.changes} | {refusal.change.id for refusal in plan.refusals}
    unread = _unread(plan)
    cured = {rest.organization for name, rest in rests.items() if name not in open_ids and facet_of(name) not in unread}
    return {
        change.id: rest
        for change in plan.changes
        if (rest := rests.get(change.id)) is not None
        and rules.same(rest, change)
        and rules.now < rest.until
        and not lifts(rules.requested, rest)
        and rest.organization not in cured - {""}
    }


def rests_after(run: RunState, rules: RestRules) -> dict[str, Rest]:
    """What rests after a run: what was rejected in it, and what was not sent or not read, which goes on as it was.

    A pause grows only once it is over: a request does not lengthen it.
    """
    before, held, unread = run.basis.status.resting, run.basis.held, _unread(run.plan)
    not_sent = {change.id for change in run.plan.changes} - run.attempts.keys()
    found = {
        name: rest
        for name, rest in before.items()
        if (name in not_sent or facet_of(name) in unread) and rules.now < rest.until
    }
    if run.pending is not None and run.pending.change in before:
        found[run.pending.change] = before[run.pending.change]  # counts on, should this operation fail as well
    for change, error in _rejected(run):
        known = before.get(change.id)
        if change.id in held:
            found[change.id] = held[change.id]
            continue
        attempts = 0 if isinstance(change.target, _OPERATIONS) else 1  # those are tried once more before they rest
        if known is not None and rules.same(known, change):
            attempts = known.attempts + (rules.now >= known.until)
        until = rules.now + _pause(attempts)
        place = change.target.place.organization if isinstance(change.target, DirectoryEntry) else ""
        reason = "" if isinstance(error, Rejected) else error.reason
        found[change.id] = Rest(str(error), rules.revision, attempts, until, rules.basis(change), place, reason)
    return dict(sorted(found.items()))


def _rejected(run: RunState) -> Iterator[tuple[Change, ReconcilerError]]:
    """What was rejected in a way that waiting does not help, with why.

    A PUT whose operation failed twice is one: ARM reports the end of each by an event, which would send the same
    write again within minutes, without end.
    """
    for name, one in run.failures.items():
        if one.change is not None and (name in run.basis.held or _rests(one.change, one.error)):
            yield one.change, one.error
        elif one.change is None and isinstance(one.error, Rejected):
            puts = (change for change in run.plan.changes if isinstance(change.target, _OPERATIONS))
            yield from ((change, one.error) for change in puts if change.id == name)


def _rests(change: Change, error: ReconcilerError) -> bool:
    """A member whom the directory does not know, and an assignment of its own that the service refuses the operator."""
    if isinstance(change.target, RoleAssignmentChange):
        return change.target.itself and isinstance(error, Rejected | Forbidden)
    return isinstance(change.target, DirectoryEntry) and isinstance(error, Rejected)


def _unread(plan: Plan) -> set[str]:
    """Facets of which something could not be read: what they do not plan is not known to be done."""
    return {gap.facet for gap in plan.gaps if gap.kind is not GapKind.DEGRADED}


def _pause(attempts: int) -> timedelta:
    return min(LONGEST, FIRST * (1 << min(attempts - 1, 8))) if attempts else timedelta()


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
