"""What a change is about: one type for each kind of write, and one for each kind of place.

Guards decide by these types and writers write from them; every other field of a change is for people. So a misspelt
field is a type error, and a kind of write that no rule knows is one too: each `match` below and in
`reconciler.plan.guards` ends in a function that takes `Never`. At run time the same functions fail closed: a target of
an unknown type counts as destructive, and the guards refuse it. A change's `risk`, `action` and `route` follow from the
target and are written nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Never, TypeAlias

from reconciler.documents import Json
from reconciler.spec import effective


class Action(StrEnum):
    """What happens to the subject.

    ======  ===========  ==========
    action  before       after
    ======  ===========  ==========
    create  nothing      the value
    update  a value      the value
    remove  a value      nothing
    ======  ===========  ==========
    """

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"


class Risk(StrEnum):
    """What a change does to people and machines, from harmless to harmful."""

    NEUTRAL = "neutral"
    WIDENS = "widens"
    """More people or pipelines may do something afterwards."""
    NARROWS = "narrows"
    """Fewer people or pipelines may do something afterwards."""
    RESTARTS = "restarts"
    """Agents are recycled; a running job may be lost."""
    DESTROYS = "destroys"
    """Something is deleted that nothing can bring back."""


class Route(StrEnum):
    """Over which API a change goes."""

    ARM = "ARM"
    DEVOPS = "Azure DevOps"


# --- places -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrganizationPlace:
    """All of one organization; as the place of a role: all agent pools of the organization."""

    organization: str
    """Bare name, lower case."""

    @property
    def resource(self) -> tuple[str, str]:
        """Scope and resource of its role assignments."""
        return effective.ALL_POOLS_SCOPE, "0"


@dataclass(frozen=True, slots=True)
class ProjectPlace:
    """One project; as the place of a role: all queues of the project."""

    organization: str
    project_id: str
    project: str
    """Name, as the spec writes it where it does."""

    @property
    def resource(self) -> tuple[str, str]:
        """Scope and resource of its role assignments."""
        return effective.ALL_QUEUES_SCOPE, self.project_id


@dataclass(frozen=True, slots=True)
class AgentPoolPlace:
    """The agent pool of one organization."""

    organization: str
    pool_id: int

    @property
    def resource(self) -> tuple[str, str]:
        """Scope and resource of its role assignments."""
        return effective.POOL_SCOPE, str(self.pool_id)


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """The queue of the agent pool in one project."""

    organization: str
    project_id: str
    project: str
    """Name, as the spec writes it where it does."""
    queue_id: int
    pool_id: int

    @property
    def resource(self) -> tuple[str, str]:
        """Scope and resource of its role assignments."""
        return effective.QUEUE_SCOPE, f"{self.project_id}_{self.queue_id}"


Place: TypeAlias = OrganizationPlace | ProjectPlace | AgentPoolPlace | QueuePlace


# --- what is written to Azure DevOps --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenAccess:
    """Whether all pipelines of the project may use the queue."""

    place: QueuePlace
    allow: bool


@dataclass(frozen=True, slots=True)
class PipelineAuthorization:
    """Whether one pipeline may use the queue."""

    place: QueuePlace
    pipeline_id: int
    pipeline: str | int
    """As the spec writes it; where the spec does not, its path or id."""
    authorized: bool


@dataclass(frozen=True, slots=True)
class RoleAssignmentChange:
    """Which role one identity holds on the place."""

    place: Place
    identity_id: str
    """Local id in the organization; empty only in onboarding, where the organization does not know the identity yet."""
    principal: str
    """As the spec writes it; where the spec does not, a name for people."""
    before: str | None
    """The role that the identity holds there, assigned or inherited; None where it holds none."""
    after: str | None
    """The role that is assigned; None: the assignment is removed."""
    itself: bool = False
    """Whether the operator assigns the role to its own identity, which no spec names."""

    @property
    def widens(self) -> bool:
        """False where the identity may do less afterwards, or would hold a role that is not known here."""
        if self.after is None:
            return False
        return self.before is None or role_rank(self.after) >= role_rank(self.before)


@dataclass(frozen=True, slots=True)
class Inheritance:
    """Whether the agent pool inherits the roles of all agent pools."""

    place: AgentPoolPlace
    on: bool


@dataclass(frozen=True, slots=True)
class AutoProvision:
    """Whether Azure DevOps creates a queue of the agent pool in every new project."""

    place: AgentPoolPlace
    on: bool


@dataclass(frozen=True, slots=True)
class NewQueue:
    """A queue of the agent pool in a project that has none."""

    place: ProjectPlace
    pool_id: int
    pool_name: str


@dataclass(frozen=True, slots=True)
class RestoredCheck:
    """An approval or another check that a queue had before its pool was replaced, added to the new queue."""

    place: QueuePlace
    queue: str
    check: Mapping[str, Json]
    """Type, settings and timeout, as the service has them."""


@dataclass(frozen=True, slots=True)
class RepairedPipeline:
    """A pipeline whose definition names the queue of a replaced pool, changed to the new queue."""

    place: QueuePlace
    """The new queue."""
    pipeline_id: int
    pipeline: str
    """Path."""
    old_queue_id: int


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A user, group or application of Entra ID that becomes known to the organization, so that it can get a role."""

    place: AgentPoolPlace
    """The agent pool for which it becomes known."""
    principal: str
    """As the spec writes it."""


@dataclass(frozen=True, slots=True)
class AccessLevel:
    """The access level of a service principal. Only onboarding plans it, for a person who may."""

    place: OrganizationPlace
    object_id: str
    """Of the enterprise application in Entra ID, lower case."""
    identity_id: str
    """Local id; empty where the organization does not know it."""
    before: str | None
    """`accountLicenseType` now; None where it is not a member."""
    after: str


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A service principal that joins a group. Only onboarding plans it, for a person who may."""

    place: OrganizationPlace | ProjectPlace
    object_id: str
    member: str
    """Subject descriptor; empty where the organization does not know it yet."""
    group: str
    group_descriptor: str


GrantTarget: TypeAlias = (
    OpenAccess
    | PipelineAuthorization
    | RoleAssignmentChange
    | Inheritance
    | AutoProvision
    | NewQueue
    | DirectoryEntry
    | AccessLevel
    | GroupMember
)
DevOpsTarget: TypeAlias = GrantTarget | RestoredCheck | RepairedPipeline

# --- what is written to ARM -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CreatePool:
    """A PUT of a pool that does not exist."""

    resource_id: str
    body: Mapping[str, Json]
    api_version: str = ""
    """A newer one than this release's own; empty: its own."""


@dataclass(frozen=True, slots=True)
class UpdatePool:
    """A PUT of a pool that exists."""

    resource_id: str
    body: Mapping[str, Json]
    """The whole document: as it was read, with the fields of the spec put in."""
    api_version: str = ""
    """A newer one than this release's own; empty: its own."""


@dataclass(frozen=True, slots=True)
class ReplacePool:
    """A DELETE of a pool that a later run creates again."""

    resource_id: str
    body: Mapping[str, Json]
    """What is put after the deletion."""
    replaces: tuple[str, ...]
    """Paths of the properties that only a new pool can have."""
    restores: tuple[Mapping[str, Json], ...] = ()
    """Checks that are added to the new queues, and pipelines that are changed to them."""


@dataclass(frozen=True, slots=True)
class MovePool:
    """A property that only a new pool can have, where no replacement is allowed. It is always refused."""

    resource_id: str
    path: str


ArmTarget: TypeAlias = CreatePool | UpdatePool | ReplacePool | MovePool
Target: TypeAlias = DevOpsTarget | ArmTarget

PLACES = (OrganizationPlace, ProjectPlace, AgentPoolPlace, QueuePlace)
_ROLES = ("reader", "user", "creator", "administrator")


def role_rank(role: str) -> int:
    """From 0, the weakest role, to 3; -1 for a role that is not known here."""
    return _ROLES.index(role.casefold()) if role.casefold() in _ROLES else -1


# --- what follows from a target -------------------------------------------------------------------------------


def risk_of(target: Target) -> Risk:
    """What the write does; of an `UpdatePool` its details say more."""
    match target:
        case (
            OpenAccess(allow=widens)
            | PipelineAuthorization(authorized=widens)
            | RoleAssignmentChange(widens=widens)
            | Inheritance(on=widens)
            | AutoProvision(on=widens)
        ):
            return Risk.WIDENS if widens else Risk.NARROWS
        case NewQueue() | DirectoryEntry() | AccessLevel() | GroupMember():
            return Risk.WIDENS
        case CreatePool():
            return Risk.WIDENS if target.api_version or _grants(target.body) else Risk.NEUTRAL
        case UpdatePool() | RestoredCheck() | RepairedPipeline():
            return Risk.NEUTRAL
        case ReplacePool() | MovePool():
            return Risk.DESTROYS
        case _:
            return _unknown_risk(target)


def action_of(target: Target) -> Action:
    """What happens to the subject, for people."""
    match target:
        case OpenAccess(allow=grants) | PipelineAuthorization(authorized=grants):
            return Action.CREATE if grants else Action.REMOVE
        case RoleAssignmentChange(after=None) | ReplacePool():
            return Action.REMOVE
        case RoleAssignmentChange(before=before) | AccessLevel(before=before):
            return Action.CREATE if before is None else Action.UPDATE
        case NewQueue() | RestoredCheck() | DirectoryEntry() | GroupMember() | CreatePool():
            return Action.CREATE
        case Inheritance() | AutoProvision() | RepairedPipeline() | UpdatePool() | MovePool():
            return Action.UPDATE
        case _:
            return _unknown_action(target)


def route_of(target: Target) -> Route:
    """Over which API it is written."""
    return Route.ARM if isinstance(target, ArmTarget) else Route.DEVOPS


def place_of(target: Target) -> Place | None:
    """Where in Azure DevOps it is written; None for ARM, and for a target of an unknown type."""
    place = getattr(target, "place", None)
    return place if isinstance(place, PLACES) else None


def _unknown_risk(target: Never) -> Risk:  # noqa: ARG001 - its type is the point: mypy wants a case for each target
    return Risk.DESTROYS


def _unknown_action(target: Never) -> Action:  # noqa: ARG001 - as above
    return Action.REMOVE


def _grants(body: Mapping[str, Json]) -> bool:
    """Whether creating this pool grants a right: open access, administrators or inherited roles."""
    profile = (body.get("properties") or {}).get("organizationProfile") or {}
    permissions = profile.get("permissionProfile") or {}
    given = permissions.get("users") or permissions.get("groups") or permissions.get("kind") == "Inherit"
    return bool(given) or any(one.get("openAccess") for one in profile.get("organizations") or ())
