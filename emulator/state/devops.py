"""What one Azure DevOps organization consists of. Plain data with its indexes; no rules, no HTTP.

Roles are not stored: the access control lists are the truth, and roles are a way to read them (see `roles`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from emulator.documents import Json
from emulator.frame import ApiError
from emulator.visible import Visible


@dataclass(frozen=True, slots=True)
class Ace:
    """What one identity is allowed and denied at one token; bits of the namespace."""

    allow: int = 0
    deny: int = 0


@dataclass(frozen=True, slots=True)
class Acl:
    """The own entries of one token, by local id, and whether those above count too."""

    inherit: bool = True
    aces: Mapping[str, Ace] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PipelinePermit:
    """Who authorized, and when."""

    by: str
    """Local id."""
    on: str


@dataclass(frozen=True, slots=True)
class Authorization:
    """Which pipelines may use a resource."""

    everyone: PipelinePermit | None = None
    """Set where the resource is open to all pipelines of the project."""
    pipelines: Mapping[int, PipelinePermit] = field(default_factory=dict)


@dataclass(slots=True)
class Identity:
    """An identity in one organization; the same person has another local id in another one."""

    id: str
    """Local id, also called storage key."""
    descriptor: str
    """Subject descriptor, ``aad.…``, ``aadgp.…``, ``aadsp.…``, ``vssgp.…``."""
    name: str
    """The tenant principal's name, or ``[scope]\\name`` of a group that lives in Azure DevOps."""
    kind: str
    display_name: str
    unique_name: str
    mail: str = ""
    origin_id: str = ""
    application_id: str = ""
    scope: str = ""
    """Project id of a project's group, empty otherwise."""
    serves: str = ""
    """Id of the project, or of the organization, whose jobs run as this identity; of kind `service`."""
    license: str = "express"
    members: set[str] = field(default_factory=set)
    """Local ids; of groups."""

    @property
    def account(self) -> str:
        """What the service calls its account: the name of a group, the id behind a service identity."""
        return self.display_name if self.is_group else self.serves or self.unique_name

    @property
    def is_group(self) -> bool:
        """A group of either origin."""
        return self.kind == "group"

    @property
    def is_application(self) -> bool:
        """A service principal or a managed identity."""
        return self.kind in {"servicePrincipal", "managedIdentity"}

    @property
    def origin(self) -> str:
        """``aad`` or ``vsts``."""
        return "aad" if self.origin_id else "vsts"


@dataclass(slots=True)
class Pipeline:
    """A build definition."""

    id: int
    name: str
    path: str = "\\"
    queue: int | None = None
    """Id of its default agent queue; stays when the queue goes."""
    phases: list[int] = field(default_factory=list)
    """Ids of the queues that jobs of a classic definition name; without any, the definition is YAML."""
    revision: int = 1
    variables: dict[str, Json] = field(default_factory=dict)
    """As they were written; values of secret ones are kept, and never shown."""


@dataclass(slots=True)
class Project:
    """A team project."""

    id: str
    name: str
    state: str = "wellFormed"
    visibility: str = "private"
    description: str = ""
    revision: int = 1
    updated: str = ""
    hidden_from: set[str] = field(default_factory=set)
    """Names of principals who cannot see it, whatever else they are."""
    pipelines: dict[int, Pipeline] = field(default_factory=dict)


@dataclass(slots=True)
class AgentPool:
    """An agent pool of the organization."""

    id: int
    name: str
    pool_type: str = "automation"
    is_hosted: bool = False
    auto_provision: bool = False
    auto_update: bool = True
    agent_cloud: int | None = None
    options: str = "none"
    created_by: str = ""
    """Local id."""
    owner: str = ""
    """Local id; empty where it is who created it."""
    created_on: str = ""
    metadata: str = ""
    properties: dict[str, Json] = field(default_factory=dict)
    hidden_from: set[str] = field(default_factory=set)
    ready: bool = True
    """False while it is made but not seen yet."""
    managed: bool = False
    """Made for a managed pool."""
    all_projects: bool = False
    """The managed pool is for all projects."""


@dataclass(slots=True)
class Check:
    """An approval or another check on a queue."""

    id: int
    type_id: str
    type_name: str
    settings: dict[str, Json]
    timeout: int
    by: str
    """Local id of who added it."""
    on: str
    changed_by: str = ""
    """Local id of who changed it last; empty: not since."""
    changed_on: str = ""
    disabled: bool = False


@dataclass(slots=True)
class Queue:
    """An agent pool as one project sees it."""

    id: int
    name: str
    project: str
    """Project id."""
    pool: AgentPool
    authorization: Visible[Authorization]
    managed: bool = False
    lost: bool = False
    """A write of its open access was lost once already."""
    checks: dict[int, Check] = field(default_factory=dict)
    """By id; they go with the queue."""


@dataclass(slots=True)
class Organization:
    """One organization with everything in it, with indexes for the most frequent reads."""

    name: str
    id: str
    projects: dict[str, Project] = field(default_factory=dict)
    pools: dict[int, AgentPool] = field(default_factory=dict)
    queues: dict[int, Queue] = field(default_factory=dict)
    queues_of_project: dict[str, dict[int, Queue]] = field(default_factory=dict)
    """Project id → pool id → queue."""
    queues_of_pool: dict[int, dict[str, Queue]] = field(default_factory=dict)
    """Pool id → project id → queue."""
    identities: dict[str, Identity] = field(default_factory=dict)
    by_descriptor: dict[str, Identity] = field(default_factory=dict)
    by_name: dict[str, Identity] = field(default_factory=dict)
    """Lower-case name → identity."""
    acls: dict[str, Visible[Acl]] = field(default_factory=dict)
    """Token of the DistributedTask namespace → its list."""
    authorizations: dict[tuple[str, str, str], Visible[Authorization]] = field(default_factory=dict)
    """(project id, type, id) of resources other than queues."""
    audit: list[dict[str, Json]] = field(default_factory=list)
    hooks: dict[str, dict[str, Json]] = field(default_factory=dict)
    streams: dict[int, dict[str, Json]] = field(default_factory=dict)
    operations: dict[str, dict[str, Json]] = field(default_factory=dict)
    closures: dict[str, frozenset[str]] = field(default_factory=dict)
    """Local id → itself and every group it is in; emptied when memberships change."""
    counters: dict[str, int] = field(default_factory=dict)
    names: dict[str, Project] = field(default_factory=dict)
    """Lower-case name → project, as last found; looked at again at every use, since names and states change."""

    def next_id(self, kind: str) -> int:
        """The next whole number for pools, queues, pipelines, streams; never given twice."""
        self.counters[kind] = self.counters.get(kind, 0) + 1
        return self.counters[kind]

    def reserve(self, kind: str, number: int) -> int:
        """A number that the estate gives; later ones are higher."""
        self.counters[kind] = max(self.counters.get(kind, 0), number)
        return number

    def add_identity(self, identity: Identity) -> Identity:
        """Add an identity; memberships are read again."""
        self.identities[identity.id] = identity
        self.by_descriptor[identity.descriptor] = identity
        self.by_name[identity.name.lower()] = identity
        self.closures.clear()
        return identity

    def drop_identity(self, identity: Identity) -> None:
        """Remove an identity; entries of lists that name it stay, as in the service."""
        for index, key in (
            (self.identities, identity.id),
            (self.by_descriptor, identity.descriptor),
            (self.by_name, identity.name.lower()),
        ):
            index.pop(key, None)
        for group in self.groups():
            group.members.discard(identity.id)
        self.closures.clear()

    def group_of(self, project: str, title: str) -> Identity | None:
        """The group of a project (or of the organization, where it is empty) with this name."""
        found = (one for one in self.groups() if one.origin == "vsts" and one.scope == project)
        return next((one for one in found if one.display_name.lower() == title.lower()), None)

    def groups(self) -> Iterator[Identity]:
        """Every group, of either origin."""
        return (identity for identity in self.identities.values() if identity.is_group)

    def add_queue(self, queue: Queue) -> Queue:
        """Index a queue."""
        self.queues[queue.id] = queue
        self.queues_of_project.setdefault(queue.project, {})[queue.pool.id] = queue
        self.queues_of_pool.setdefault(queue.pool.id, {})[queue.project] = queue
        return queue

    def drop_queue(self, queue: Queue) -> None:
        """Take a queue out of every index, with its own access control list."""
        del self.queues[queue.id]
        del self.queues_of_project[queue.project][queue.pool.id]
        del self.queues_of_pool[queue.pool.id][queue.project]
        self.acls.pop(f"AgentQueues/{queue.project}/{queue.id}", None)

    def project_named(self, key: str) -> Project | None:
        """By id or name, whatever the case; a deleted project is found by id only."""
        wanted = key.lower()
        found = self.projects.get(wanted) or self.names.get(wanted)
        if found is None or not (found.id == wanted or _answers_to(found, wanted)):
            found = next((one for one in self.projects.values() if _answers_to(one, wanted)), None)
            if found is not None:
                self.names[wanted] = found
        return found

    def pool_named(self, name: str) -> AgentPool | None:
        """By name, whatever the case."""
        wanted = name.lower()
        return next((pool for pool in self.pools.values() if pool.name.lower() == wanted), None)


def _answers_to(project: Project, name: str) -> bool:
    return project.state != "deleted" and project.name.lower() == name


@dataclass(slots=True)
class DevOps:
    """All organizations of the estate, by lower-case name."""

    organizations: dict[str, Organization] = field(default_factory=dict)

    def organization(self, name: str) -> Organization:
        """The organization, or the service's answer to a name that it does not know."""
        found = self.organizations.get(name.lower())
        if found is None:
            raise ApiError(
                404,
                "ServiceHostDoesNotExistException",
                f"TF400898: The organization {name} does not exist, or you do not have permission to access it.",
            )
        return found
