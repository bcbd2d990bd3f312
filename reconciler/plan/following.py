"""Changes that are planned before what they need exists: their placeholders, their words, and when a change is one.

A plan shows what follows from a creation (`Plan.following`). The ids that the services will assign are not known then;
a placeholder stands in each place. A later run plans the same change with the real ids: `covers` says whether a
change is one that a plan showed. Whatever a plan did not show is not covered, so no approval reaches further than it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.documents import Json
from reconciler.plan import target_form, targets
from reconciler.plan.model import AFTER_APPROVAL, QUEUE_EXISTS, Change, Detail, Plan, Refusal, in_order
from reconciler.plan.targets import (
    AgentPoolPlace,
    CreatePool,
    NewQueue,
    QueuePlace,
    RoleAssignmentChange,
    UpdatePool,
)

UNASSIGNED = 0
"""Id of an agent pool or a queue that a planned change creates; the services number from 1."""

_NEW_MEMBER = "new member "

POOL_EXISTS = "the pool exists"
MEMBER_KNOWN = "the member is known"
POOL_DELETED = "the old pool is deleted"
OTHERS_MADE = "what comes before it"


def placeholder_identity(principal: str) -> str:
    """Local id of a member that a planned change makes known; no service issues such an id."""
    return f"{_NEW_MEMBER}{principal.casefold()}"


def awaited_by(change: Change) -> str:
    """What has to exist before this change can be written, for people: ``the pool exists``."""
    match change.target:
        case CreatePool():
            return POOL_DELETED
        case NewQueue(pool_id=pool):
            return POOL_EXISTS if pool == UNASSIGNED else OTHERS_MADE
        case target:
            place = targets.place_of(target)
    if isinstance(place, AgentPoolPlace | QueuePlace) and place.pool_id == UNASSIGNED:
        return POOL_EXISTS
    if isinstance(place, QueuePlace) and place.queue_id == UNASSIGNED:
        return QUEUE_EXISTS
    if isinstance(target, RoleAssignmentChange) and target.identity_id.startswith(_NEW_MEMBER):
        return MEMBER_KNOWN
    return OTHERS_MADE


def covers(plan: Plan, change: Change) -> bool:
    """Whether the plan showed this change: to the letter, as what follows, or as lines of the same pool."""
    return (
        any(replace(one, awaits="") == replace(change, awaits="") for one in plan.changes if one.id == change.id)
        or any(_foresaw(one, change) for one in plan.following if one.id == change.id)
        or _lines_shown(plan, change)
    )


def _foresaw(planned: Change, change: Change) -> bool:
    """Whether the change is the planned one, with real ids in the place of placeholders.

    What was there before is not compared: nothing was there when it was planned.
    """
    if type(planned.target) is not type(change.target) or planned.after != change.after:
        return False
    one, other = target_form.to_json(planned.target), target_form.to_json(change.target)
    return one.keys() == other.keys() and all(_stands_for(name, one[name], other[name]) for name in one)


def _stands_for(name: str, planned: Json, real: Json) -> bool:
    if name in ("queueId", "poolId") and planned == UNASSIGNED:
        return True
    if name == "identityId" and str(planned).startswith(_NEW_MEMBER):
        return True
    return name == "before" or bool(planned == real)


def _lines_shown(plan: Plan, change: Change) -> bool:
    """Whether each line of an update was shown: it writes nothing that no line lists, whatever else it carries on."""
    if not isinstance(change.target, UpdatePool) or not change.details:
        return False
    shown = set(_shown(plan, change.target.resource_id))
    return all(_line(one, created=False) in shown or _line(one, created=True) in shown for one in change.details)


def _shown(plan: Plan, resource_id: str) -> Iterator[tuple[str, str, str]]:
    for change in plan.all_changes:
        target = change.target
        if isinstance(target, CreatePool | UpdatePool) and target.resource_id.casefold() == resource_id.casefold():
            for one in change.details:
                yield _line(one, created=isinstance(target, CreatePool))


def _line(one: Detail, *, created: bool) -> tuple[str, str, str]:
    """Path and values; of a created field whatever the service made of it first does not count."""
    return one.path, "" if created else f"from {one.before!r}", f"to {one.after!r}"


def with_what_follows(plan: Plan, whole: Plan, names: Sequence[str]) -> Plan:
    """The plan with all that an approval of it allows: what `whole` does, where no cap holds anything back.

    A cap on a creation holds back what follows from it, and one on a grant the removals that come after it. People
    have to read of them before they approve, and the hash has to stay the same once they did.
    """
    known = {change.id for change in (*plan.all_changes, *plan.approvable)}
    further = {change.id: change for change in whole.all_changes if change.id not in known}
    text = "waits for an approval of this plan, as what it follows from"
    refusals = [refusal for refusal in plan.refusals if refusal.change.id not in further]
    refusals += [Refusal(one, AFTER_APPROVAL, f"{one.kind} {one.subject}: {text}") for one in further.values()]
    by_change = {id(refusal.change): refusal for refusal in refusals}
    ordered = in_order([refusal.change for refusal in refusals], names)
    return replace(plan, refusals=tuple(by_change[id(change)] for change in ordered))
