"""What facets that assign roles have in common: directory entries, assignments to write, and objections.

Who gets a role and who loses it, each of them decides for itself. Here is what follows from that, and what is the same
on an agent pool and on a queue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from reconciler.errors import NotFound, Refused
from reconciler.facets.support.observing import gap
from reconciler.plan.model import Change, Gap, Refusal
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, DirectoryEntry, Place, RoleAssignmentChange
from reconciler.ports.devops import DevOpsWriter
from reconciler.spec import effective
from reconciler.spec.principals import BuildService, in_devops_alone, principal_in

MEMBER = "member"
"""Kind of the change that makes a principal known to an organization."""

Objection: TypeAlias = tuple[str, str]
"""Rule and reason, without the subject."""


def refused(changes: Sequence[Change], object_to: Callable[[Change], Objection | None]) -> list[Refusal]:
    """A refusal for each change to which there is an objection."""
    answers = ((change, object_to(change)) for change in changes)
    return [Refusal(change, answer[0], f"{change.subject}: {answer[1]}") for change, answer in answers if answer]


def losers(changes: Sequence[Change]) -> Mapping[Place, set[str]]:
    """Local ids of those who lose a role, by place; empty for every other place."""
    found: dict[Place, set[str]] = defaultdict(set)
    for change in changes:
        if isinstance(change.target, RoleAssignmentChange) and not change.target.widens:
            found[change.target.place].add(change.target.identity_id)
    return found


def gainers(changes: Sequence[Change]) -> Mapping[Place, set[str]]:
    """Local ids of those who are granted Administrator, by place; empty for every other place."""
    found: dict[Place, set[str]] = defaultdict(set)
    for change in changes:
        target = change.target
        if (
            isinstance(target, RoleAssignmentChange)
            and target.widens
            and effective.is_administrator(target.after or "")
        ):
            found[target.place].add(target.identity_id)
    return found


def member(facet: str, pool: AgentPoolPlace, principal: str) -> Change:
    """Make a principal known to the organization of the agent pool."""
    return Change(
        facet=facet,
        kind=MEMBER,
        subject=f"{pool.organization} {principal}",
        before=None,
        after="member of the organization",
        target=DirectoryEntry(pool, principal),
        note="the role follows once it is known",
    )


def against_member(entry: DirectoryEntry, unknown: Iterable[str], policy: Policy) -> Objection | None:
    """Only an unknown principal becomes a member, and only where the policy allows that."""
    if entry.principal not in unknown:
        return "unknown-identity", "nothing that was read requires this member"
    if policy.materialise:
        return None
    advice = "add the account there, correct the spelling, or let the policy materialise it"
    return "policy-materialise", f"the organization knows no one of this name; {advice}"


def unknown_in_devops(facet: str, organization: str, unknown: Iterable[str]) -> list[Gap]:
    """Unknown groups and build services: they live in Azure DevOps alone, so an administrator has to act."""
    return [
        gap(facet, f"{organization} {name}", NotFound(f"{organization} {name}: {_absent(name, organization)}"))
        for name in unknown
        if in_devops_alone(name)
    ]


def _absent(name: str, organization: str) -> str:
    if not isinstance(principal_in(name, organization), BuildService):
        return "no group of this name is known there"
    return "no build service of this project is known there; the first pipeline that runs creates it"


def write(change: Change, devops: DevOpsWriter) -> None:
    """Make a principal known, assign a role or remove it; safe to repeat."""
    match change.target:
        case DirectoryEntry(place=place, principal=principal):
            devops.materialise(place.organization, principal)
        case RoleAssignmentChange(place=place, identity_id=identity, after=role):
            if role is None:
                devops.remove_role(place.organization, *place.resource, identity)
            else:
                devops.assign_role(place.organization, *place.resource, identity, role)
        case other:
            raise Refused(f"{change.subject}: facet {change.facet} does not write a {type(other).__name__}")
