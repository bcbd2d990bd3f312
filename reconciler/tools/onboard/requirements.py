"""What each mode needs, and whether what is there is enough. Pure.

Access levels: `accountLicenseType` of vsts-rest-api-specs memberEntitlementManagement 7.2; ``express`` is Basic, and
``earlyAdopter`` is shown in its place at times (terraform-provider-azuredevops treats the two as one). Roles: Microsoft
Learn, agent pool roles and agent queue roles; which groups have which by default: default role assignments.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from reconciler.errors import ReconcilerError
from reconciler.ports.devops import Entitlement, Group, Project, RoleAssignment, ServicePrincipal
from reconciler.rights.required import ADMINISTRATOR, READER
from reconciler.spec import effective
from reconciler.spec.model import Mode

LICENSE = "express"
"""Basic."""
_ENOUGH = frozenset({"express", "earlyadopter", "professional", "advanced"})
_TOO_LITTLE = frozenset({"stakeholder"})
_NOTHING = frozenset({"", "none"})
_SHUT_OUT = frozenset({"disabled", "deleted", "expired", "pendingdisabled"})

POOL_SCOPE, ALL_POOLS = effective.ALL_POOLS_SCOPE, "0"
QUEUE_SCOPE = effective.ALL_QUEUES_SCOPE


@dataclass(frozen=True, slots=True)
class OnboardRequest:
    """What somebody asked for."""

    object_id: str
    """Of the service principal (enterprise application), lower case."""
    mode: Mode
    projects: tuple[str, ...] = ()
    """Names or ids, each perhaps with its organization before a slash; none: all that the caller can see."""


def role(mode: Mode) -> str:
    """The role that the mode needs on agent pools, of organizations and of projects alike."""
    return ADMINISTRATOR if mode is Mode.ENFORCE else READER


def why_pools(mode: Mode) -> str:
    """What the role on all agent pools is for."""
    if mode is Mode.ENFORCE:
        return "gives roles, switches inheritance, adds pools to projects; covers pools that it makes itself"
    return "an agent pool without View right is missing from every list"


def why_queues(mode: Mode) -> str:
    """What the role on a project's agent pools is for."""
    if mode is Mode.ENFORCE:
        return "adds queues, opens and closes them to pipelines"
    return "a queue without View right looks as if it did not exist"


def licensed(found: Entitlement | None) -> bool | None:
    """Whether an access level is enough; None where it is one that this program does not know."""
    if found is None:
        return False
    word = found.license.casefold()
    if word in _ENOUGH or found.source.casefold() == "msdn":
        return True
    return False if word in _NOTHING | _TOO_LITTLE else None


def member(found: Entitlement | None) -> bool:
    """Whether somebody has any access level at all: adding them again might lower it."""
    return found is not None and (found.license.casefold() not in _NOTHING or found.source.casefold() == "msdn")


def shut_out(found: Entitlement | None) -> bool:
    """Whether somebody has an access level and is not let in all the same."""
    return found is not None and found.status.casefold() in _SHUT_OUT


def holder(assignments: Sequence[RoleAssignment], needed: str, ids: Collection[str], names: Collection[str]) -> str:
    """Who of them holds the role, by name; empty where nobody does.

    `ids` are local ids of the identity and its groups, `names` those of groups that it is about to be in, lower case.
    Every role includes what a Reader may do.
    """
    for one in assignments:
        mine = one.identity.id in ids or _name(one).casefold() in names
        if mine and needed in {one.role, READER}:
            return _name(one)
    return ""


def _name(one: RoleAssignment) -> str:
    """A group shows its full name in either field."""
    shown = one.identity.display_name
    return shown if "]\\" in shown else one.identity.unique_name or shown


T = TypeVar("T")
Answer: TypeAlias = T | ReconcilerError


@dataclass(frozen=True, slots=True)
class OrganizationState:
    """One organization, one identity."""

    organization: str
    principal: ServicePrincipal | None = None
    """None where the organization does not know it."""
    identity_id: str = ""
    """Local id; empty where the organization does not know it."""
    entitlement: Answer[Entitlement | None] = None
    groups: Answer[Sequence[Group]] = ()
    """Every group that the identity is in."""
    projects: Sequence[Project] = ()
    """Those that were asked for."""
    directory: Answer[Sequence[Group]] = ()
    """Every group of Azure DevOps in the organization."""
    pools: Answer[Sequence[RoleAssignment]] = ()
    """Roles on all agent pools."""
    queues: Mapping[str, Answer[Sequence[RoleAssignment]]] = field(default_factory=dict)
    """Project id → roles on all agent pools of the project."""
