"""What the operator's identity must have in Azure DevOps: one list, by mode and facet.

`doctor` evaluates the list as the identity itself; `onboard` evaluates it about the identity and plans what is missing.
Both name a requirement in the same words, so what one reports is what the other grants. Pure values; nothing is read
here.

Roles: Microsoft Learn, Create and manage agent pools (agent pool roles, agent queue roles) and Managed DevOps Pools,
prerequisites and configure security; membership of service principals: Use service principals and managed identities;
who may add whom: Add users or groups to a team or project. Bits: security namespace DistributedTask,
vsts-rest-api-specs security 7.2. Access levels: `accountLicenseType` of memberEntitlementManagement 7.2; ``express`` is
Basic, and ``earlyAdopter`` is shown in its place at times (terraform-provider-azuredevops treats the two as one).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from reconciler.plan.targets import OrganizationPlace, ProjectPlace
from reconciler.spec.model import Mode

VIEW, ADMINISTER, USE, CREATE = 1, 8, 16, 32
"""Bits of the security namespace DistributedTask."""

ADMINISTRATOR, CREATOR, READER = "Administrator", "Creator", "Reader"
READERS = "Readers"
BASIC = "express"
"""What the service calls the access level Basic."""
COLLECTION_ADMINISTRATORS = "Project Collection Administrators"
PROJECT_ADMINISTRATORS = "Project Administrators"


@dataclass(frozen=True, slots=True)
class Grant:
    """What an administrator has to grant."""

    role: str
    """As the service names it."""
    where: str
    whom: str
    remedy: str
    """Where to click, or which command."""


class RequirementKind(StrEnum):
    """What is required, in the order of granting: what only reads comes before what may change something."""

    ACCESS_LEVEL = "access level"
    """Without it Azure DevOps rejects the identity."""
    PROJECT_READER = "project reader"
    """Membership in a group of the project."""
    POOL_ROLE = "role on all agent pools"
    """Of the organization."""
    QUEUE_ROLE = "role on project agent pools"
    """On all queues of one project."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One right that the operator's identity must have."""

    kind: RequirementKind
    place: OrganizationPlace | ProjectPlace
    mode: Mode
    """The least mode that requires it."""
    role: str
    """As the service names it."""
    bits: int
    """What the role has to allow at `token`; 0 where it is no role on agent pools."""
    why: str

    @property
    def subject(self) -> str:
        """``fabrikam-prime`` or ``fabrikam-prime/Web``."""
        project = f"/{self.place.project}" if isinstance(self.place, ProjectPlace) else ""
        return f"{self.place.organization}{project}"

    @property
    def id(self) -> str:
        """The same requirement in another list."""
        return f"{self.kind}:{self.subject}"

    @property
    def what(self) -> str:
        """One line for people: ``Administrator on all agent pools``."""
        match self.kind:
            case RequirementKind.ACCESS_LEVEL:
                return "access level Basic"
            case RequirementKind.PROJECT_READER:
                return "reader of the project"
            case RequirementKind.POOL_ROLE:
                return f"{self.role} on all agent pools"
            case RequirementKind.QUEUE_ROLE:
                return f"{self.role} on all agent pools of the project"

    @property
    def token(self) -> str:
        """Where in the security namespace DistributedTask `bits` are needed, and where a role is administered."""
        return f"AgentQueues/{self.place.project_id}" if isinstance(self.place, ProjectPlace) else "AgentPools"

    @property
    def granted_by(self) -> str:
        """Who may grant it."""
        match self.kind:
            case RequirementKind.ACCESS_LEVEL:
                return f"{COLLECTION_ADMINISTRATORS} of {self.subject}"
            case RequirementKind.PROJECT_READER:
                return f"{PROJECT_ADMINISTRATORS} of {self.subject} or {COLLECTION_ADMINISTRATORS}"
            case RequirementKind.POOL_ROLE:
                return f"administrators of all agent pools of {self.subject} or {COLLECTION_ADMINISTRATORS}"
            case RequirementKind.QUEUE_ROLE:
                return f"Project, Build or Release Administrators of {self.subject} or {COLLECTION_ADMINISTRATORS}"

    def grant(self, whom: str) -> Grant:
        """How to grant it by hand."""
        project = self.place.project if isinstance(self.place, ProjectPlace) else ""
        settings = f"{site(self.place.organization, project)}/_settings"
        match self.kind:
            case RequirementKind.ACCESS_LEVEL:
                steps = "users, Add users: the service principal itself, not a group"
                return Grant("user with access level Basic", self.subject, whom, f"{settings}/{steps}")
            case RequirementKind.PROJECT_READER:
                return Grant(self.role, self.subject, whom, f"{settings}/permissions, {READERS}, Members, Add")
            case RequirementKind.POOL_ROLE | RequirementKind.QUEUE_ROLE:
                page = "agentqueues" if project else "agentpools"
                steps = f"{page}, Security, Add: role {self.role}"
                return Grant(self.role, f"all agent pools of {self.subject}", whom, f"{settings}/{steps}")


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the list."""

    kind: RequirementKind
    mode: Mode
    facets: frozenset[str]
    """Facets that need it; empty: all, and the reads that identify the pool."""
    role: str
    bits: int
    why: str


_ALL: frozenset[str] = frozenset()
LIST = (
    _Row(
        RequirementKind.ACCESS_LEVEL,
        Mode.REPORT,
        _ALL,
        BASIC,
        0,
        "Azure DevOps rejects non-members",
    ),
    _Row(
        RequirementKind.PROJECT_READER,
        Mode.REPORT,
        _ALL,
        READERS,
        0,
        "a hidden project appears as missing",
    ),
    _Row(
        RequirementKind.POOL_ROLE,
        Mode.REPORT,
        _ALL,
        READER,
        VIEW,
        "an agent pool without the View right appears as missing",
    ),
    _Row(
        RequirementKind.POOL_ROLE,
        Mode.ENFORCE,
        frozenset({"queues"}),
        ADMINISTRATOR,
        USE,
        "adds agent pools to projects",
    ),
    _Row(
        RequirementKind.POOL_ROLE,
        Mode.ENFORCE,
        frozenset({"agent_pool", "inheritance", "roles"}),
        ADMINISTRATOR,
        ADMINISTER,
        "assigns roles and switches inheritance",
    ),
    _Row(
        RequirementKind.QUEUE_ROLE,
        Mode.REPORT,
        _ALL,
        READER,
        VIEW,
        "a queue without the View right appears as missing",
    ),
    _Row(
        RequirementKind.QUEUE_ROLE,
        Mode.ENFORCE,
        frozenset({"queues"}),
        CREATOR,
        CREATE,
        "adds queues",
    ),
    _Row(
        RequirementKind.QUEUE_ROLE,
        Mode.ENFORCE,
        frozenset({"open_access", "pipelines", "queue_roles", "restoration"}),
        ADMINISTRATOR,
        ADMINISTER,
        "opens and closes queues, authorizes pipelines, adds checks again after a replacement",
    ),
)
"""The list. Of one kind the weaker role stands first."""


def in_organization(organization: str, mode: Mode, facets: Iterable[str] | None = None) -> tuple[Requirement, ...]:
    """What is required once in an organization: the access level, then the role on all agent pools.

    `facets`: names of the facets that are managed; None: all of them.
    """
    kinds = (RequirementKind.ACCESS_LEVEL, RequirementKind.POOL_ROLE)
    return tuple(_merged(kind, OrganizationPlace(organization), mode, facets) for kind in kinds)


def in_project(place: ProjectPlace, mode: Mode, facets: Iterable[str] | None = None) -> tuple[Requirement, ...]:
    """What is required in each project: to be its reader, then the role on its agent pools."""
    kinds = (RequirementKind.PROJECT_READER, RequirementKind.QUEUE_ROLE)
    return tuple(_merged(kind, place, mode, facets) for kind in kinds)


def _merged(
    kind: RequirementKind, place: OrganizationPlace | ProjectPlace, mode: Mode, facets: Iterable[str] | None
) -> Requirement:
    """The rows of one kind as one requirement: the strongest role, all its bits, the reasons of the strongest mode."""
    managed = None if facets is None else frozenset(facets)
    rows = [
        row
        for row in LIST
        if row.kind is kind
        and (row.mode is Mode.REPORT or mode is Mode.ENFORCE)
        and (not row.facets or managed is None or row.facets & managed)
    ]
    last = rows[-1]
    bits = 0
    for row in rows:
        bits |= row.bits
    why = "; ".join(row.why for row in rows if row.mode is last.mode)
    return Requirement(kind, place, last.mode, last.role, bits, why)


def allows(role: str, requirement: Requirement) -> bool:
    """Whether the role is enough. Every role includes what a Reader may do."""
    return requirement.role == READER or role.casefold() in {requirement.role.casefold(), ADMINISTRATOR.casefold()}


def site(organization: str, project: str = "") -> str:
    """Address of the web pages of an organization or a project."""
    base = f"https://dev.azure.com/{organization}"
    return f"{base}/{quote(project)}" if project else base


# --- access levels ------------------------------------------------------------------------------------------

_ENOUGH = frozenset({"express", "earlyadopter", "professional", "advanced"})
_NONE = frozenset({"", "none"})
_TOO_LOW = frozenset({"stakeholder"})
_LOCKED_OUT = frozenset({"disabled", "deleted", "expired", "pendingdisabled"})


@dataclass(frozen=True, slots=True)
class LevelVerdict:
    """Whether an access level is enough."""

    enough: bool | None
    """None: the level is unknown here."""
    member: bool
    """Whether the identity has any access level: to add it again might lower that."""
    detail: str = ""
    locked_out: bool = False
    """Whether an administrator has to enable it by hand."""


NO_LEVEL = LevelVerdict(False, False)


def level_verdict(license_type: str, source: str, status: str) -> LevelVerdict:
    """`license_type`, `source` and `status` are `accountLicenseType`, `licensingSource` and `status` of the service."""
    word, subscriber = license_type.casefold(), source.casefold() == "msdn"
    said = f"access level {license_type or 'none'}"
    if status.casefold() in _LOCKED_OUT:
        return LevelVerdict(False, True, f"{said}, status {status}: an administrator has to enable it by hand", True)
    if word in _NONE and not subscriber:
        return LevelVerdict(False, False, said)
    if word in _ENOUGH or subscriber:
        return LevelVerdict(True, True, said)
    if word in _TOO_LOW:
        return LevelVerdict(False, True, f"{said} is too low")
    return LevelVerdict(None, True, f"{said} is unknown to this program")
