"""What waits for what across facets: rights are taken away last, and not beside grants that are missing.

A place is an agent pool, or a queue in one project. In a place where a role grant of the plan is refused, or could not
be decided because something was not read, no role is removed and inheritance is not switched off; where grants are
planned, that waits until they are read back. A member whom the organization plainly does not know keeps inheritance on,
and nothing else: one departed employee must not protect an intruder (decision 0011). Open access and authorizations of
single pipelines are no part of this: they hold back only each other (`lane_of`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from reconciler.errors import NotFound
from reconciler.plan import guards
from reconciler.plan.model import Change, Gap, Refusal
from reconciler.plan.targets import (
    AgentPoolPlace,
    DirectoryEntry,
    Inheritance,
    OpenAccess,
    PipelineAuthorization,
    Place,
    ProjectPlace,
    QueuePlace,
    RoleAssignmentChange,
)

GRANTS = "grants are verified"
"""What a removal awaits where the plan grants roles in its place."""
REMEDY = (
    "an administrator has to assign it, or the deployment's identities are named in RECONCILER_OPERATORS or in the "
    "policy's operators"
)
READS = "the roles to grant there are read"
"""What a removal awaits where it is not known which roles are granted."""

PlaceKind: TypeAlias = type[AgentPoolPlace | QueuePlace]
Lane: TypeAlias = tuple[str, Place | None]


def lane_of(change: Change) -> Lane:
    """What a failed grant holds back: narrowing changes of the same lane in this run, and nothing else."""
    place = guards.place_of(change)
    match change.target:
        case RoleAssignmentChange() | Inheritance():
            return "roles", place
        case OpenAccess() | PipelineAuthorization():
            return "pipelines", place
        case other:
            return type(other).__name__, place


def takes_roles(change: Change) -> bool:
    """Whether it takes roles away: one assignment, or all that are inherited."""
    return isinstance(change.target, RoleAssignmentChange | Inheritance) and change.narrows


def grants_role(change: Change) -> bool:
    """Whether it assigns a role."""
    return isinstance(change.target, RoleAssignmentChange) and not change.narrows


@dataclass(frozen=True, slots=True)
class RoleGrants:
    """What one plan knows of grants of roles."""

    kinds: Mapping[str, PlaceKind]
    """Name of a facet that grants roles → the kind of places on which it does."""
    allowed: Sequence[Change]
    refused: Sequence[Refusal]
    gaps: Sequence[Gap]

    def ordered(self, change: Change) -> Change | Refusal:
        """The change with what it awaits, or why it is refused."""
        if not takes_roles(change):
            return change
        for refusal in self.refused:
            if grants_role(refusal.change) and guards.place_of(refusal.change) == guards.place_of(change):
                return _refused(change, "refused-grant", refusal.message)
        if any(True for _ in self._blind(change)):
            return replace(change, awaits=READS)
        comes_first = any(self._comes_first(one, change) for one in self.allowed)
        if isinstance(change.target, Inheritance):
            for rule, message in self._against_switch(change.target.place, change, comes_first=comes_first):
                return _refused(change, rule, message)
        return replace(change, awaits=GRANTS) if comes_first else change

    def _against_switch(self, place: AgentPoolPlace, change: Change, *, comes_first: bool) -> Iterator[tuple[str, str]]:
        for message in self._unknown(place):
            yield "unknown-member", message
        granted = {
            one.target.identity_id
            for one in self.allowed
            if comes_first and grants_role(one) and isinstance(one.target, RoleAssignmentChange) and one.place == place
        }
        if not all(granted & {*ids} for ids in change.needs):
            yield "operator-itself", f"the operator's own assignment is not part of this plan; {REMEDY}"

    def _comes_first(self, grant: Change, change: Change) -> bool:
        if isinstance(grant.target, DirectoryEntry):
            return isinstance(change.target, Inheritance) and self._on_pool(grant, change.target.place)
        return grants_role(grant) and guards.place_of(grant) == guards.place_of(change)

    def _blind(self, change: Change) -> Iterator[Gap]:
        """Gaps that leave open which roles are to be granted in the place of the change."""
        for gap in self.gaps:
            kind = self.kinds.get(gap.facet)
            if kind is not None and isinstance(change.place, kind) and _covers(gap, change.place) and not _plain(gap):
                yield gap

    def _unknown(self, place: AgentPoolPlace) -> Iterator[str]:
        """Members who are plainly unknown and will not become known by this plan."""
        for gap in self.gaps:
            if self.kinds.get(gap.facet) is AgentPoolPlace and _covers(gap, place) and _plain(gap):
                yield gap.message
        for refusal in self.refused:
            if isinstance(refusal.change.target, DirectoryEntry) and self._on_pool(refusal.change, place):
                yield refusal.message

    def _on_pool(self, entry: Change, place: AgentPoolPlace) -> bool:
        return entry.place == place and self.kinds.get(entry.facet) is AgentPoolPlace


def _refused(change: Change, rule: str, why: str) -> Refusal:
    return Refusal(change, rule, f"{change.kind} {change.subject}: nothing is taken away before its grants: {why}")


def _plain(gap: Gap) -> bool:
    """Whether the gap is a member whom the organization does not know: its subject is ``organization principal``."""
    return gap.reason == NotFound.__name__ and " " in gap.subject.partition("/")[0]


def _covers(gap: Gap, place: Place) -> bool:
    """Whether what is not known may be a grant in this place; a subject without a project means all of its kind."""
    if not gap.subject:
        return True
    head, slash, project = gap.subject.partition("/")
    organization, space, _ = head.partition(" ")
    if organization.casefold() != place.organization.casefold():
        return False
    if space or not slash or not isinstance(place, QueuePlace | ProjectPlace):
        return True
    name = place.project.casefold()
    return project.casefold() == name or project.casefold().startswith(f"{name} ")
