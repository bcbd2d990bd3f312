"""Azure DevOps: what is read from organizations, and what is written to them.

Each method is one request, or the pages of one list. It raises only errors of `reconciler.errors`, and never waits
longer than a short retry. An organization is given by its bare, lower-case name, a project by its id (projects are
renamed), a person or group by the local id of that organization: the service takes an Entra id, responds 200, and
assigns no one.

`DevOpsReader` is what planning holds. `MembershipReader` and `RawDevOpsReader` serve single commands (`onboard`,
`probe`), and no run holds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from reconciler.documents import Json
from reconciler.errors import ReconcilerError

DISTRIBUTED_TASK = "101eae8c-1709-47f9-b228-0e476c35b3ba"
"""Id of the security namespace DistributedTask: permissions on agent pools and queues (azsk ADOScanner)."""
AGENT_POOLS_TOKEN = "AgentPools"  # noqa: S105 - the name of what has an access control list
"""Token of all agent pools in this namespace; that of one is ``AgentPools/{id}``."""


@dataclass(frozen=True, slots=True)
class AgentPool:
    """An agent pool of an organization."""

    id: int
    name: str
    auto_provision: bool | None = None
    """Whether new projects get a queue of it; None where the answer does not say."""
    facts: Mapping[str, Json] | None = None
    """The raw document."""
    hosted: bool | None = None
    """Whether the service itself runs its agents; None where the answer does not say."""
    created_on: datetime | None = None
    """In UTC; None where the answer does not say."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project of an organization."""

    id: str
    name: str
    now: str = ""
    """Its new name, where it was renamed since the spec named it; `name` is then the one that the spec has."""


@dataclass(frozen=True, slots=True)
class Queue:
    """An agent pool as one project has it."""

    id: int
    name: str
    project_id: str
    pool_id: int

    def __hash__(self) -> int:
        """Of its id alone: queues are keys of everything that is asked of several."""
        return self.id


@dataclass(frozen=True, slots=True)
class Authorization:
    """One entry of a queue's pipeline permissions."""

    pipeline: int | None
    """None: all pipelines of the project, which is open access."""
    by: str = ""
    """Display name of the user who authorized it; empty where the service does not say."""
    on: str = ""
    """When, in UTC."""
    by_id: str = field(default="", compare=False)
    """Local id of that user, lower case; empty where the service does not say."""


@dataclass(frozen=True, slots=True)
class PipelinePermissions:
    """Which pipelines of a project may use a queue."""

    all_pipelines: bool
    """Open access."""
    pipelines: frozenset[int] = frozenset()
    """Single pipelines that are authorized, whether or not open access is on."""
    authorizations: tuple[Authorization, ...] = ()
    """The same with author and time: open access first, then pipelines by id."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline of a project (a build definition)."""

    id: int
    path: str
    r"""From the top: ``\release\nightly``."""
    secret: bool = False
    """Whether its full definition has secret variables, which no read returns; False in a short form."""


@dataclass(frozen=True, slots=True)
class QueueCheck:
    """An approval or another check on a queue."""

    id: int
    kind: str
    """Name of its type: ``Approval``, ``Task Check``, ``ExclusiveLock``."""
    settings: Mapping[str, Json] = field(repr=False)
    """As the service stores them. Inputs of task checks may hold secrets: never printed as they are."""
    timeout: int | None = None
    """Minutes."""
    type_id: str = ""
    """Id of its type, lower case."""
    disabled: bool = False
    changed_by: str = ""
    """Local id of who last changed it, lower case; empty where the service does not say."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A user, group or service principal that an organization knows."""

    id: str
    """Local id (storage key) in this organization, lower case."""
    display_name: str
    unique_name: str = ""
    """Address, or ``[scope]\\name`` of a group."""
    descriptor: str = ""
    """Subject descriptor (``aad.…``); opaque."""
    origin_id: str = ""
    """Entra object id, lower case, where there is one."""


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """One entry on the security page of an agent pool or queue."""

    identity: Identity
    role: str
    """``Administrator``, ``Reader``, … as the service names it."""
    inherited: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A group of Azure DevOps."""

    name: str
    r"""``[scope]\name``."""
    id: str = ""
    """Local id, lower case; empty in a list of groups."""
    descriptor: str = ""
    """Subject descriptor."""
    project: str = ""
    """Id of the project that it belongs to, lower case; empty for a group of the organization."""

    @property
    def scope(self) -> str:
        """The name in brackets: of the project, or of the organization. No such name has a bracket in it."""
        return self.name.removeprefix("[").partition("]\\")[0]

    @property
    def title(self) -> str:
        """The name without its scope, as the creator of the group chose it."""
        return self.name.partition("]\\")[2]


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """A service principal or managed identity that an organization knows, with or without an access level."""

    object_id: str
    """Of the enterprise application in Entra ID, lower case."""
    application_id: str
    """Client id, lower case; empty where the organization does not say."""
    display_name: str
    descriptor: str
    """Subject descriptor; opaque."""


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The access level of one member."""

    license: str
    """`accountLicenseType` as the service spells it: ``express`` (Basic), ``stakeholder``, ``none`` …"""
    source: str
    """`licensingSource`: ``account``, ``msdn`` …"""
    status: str
    """``active``, ``pending`` (has not signed in yet), ``disabled`` …"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One result of the directory search."""

    object_id: str
    """Lower case."""
    display_name: str
    kind: str
    """``user``, ``group`` or ``serviceprincipal``."""


@dataclass(frozen=True, slots=True)
class RawResponse:
    """Status and document of one GET; a rejected request (400, 404) is a result here."""

    status: int
    rates: Mapping[str, str]
    """Headers about the rate limit, names in lower case."""
    document: Json = field(default=None, repr=False)

    @property
    def refused(self) -> bool:
        """Whether the service rejected the request."""
        return self.status >= 400  # noqa: PLR2004 - the bound of the class of status codes


class DevOpsReader(Protocol):
    """Reads organizations, one request a call. `reconciler.survey` shares and parallelises these reads."""

    def me(self, organization: str) -> Identity:
        """The identity that the credential has in this organization."""

    def agent_pools(self, organization: str) -> Sequence[AgentPool]:
        """All automation pools that the identity can see; a pool without View right is simply missing."""

    def projects(self, organization: str) -> Sequence[Project]:
        """All well-formed projects that the identity can see, all pages."""

    def groups(self, organization: str) -> Sequence[Group]:
        """All groups of Azure DevOps, all pages, with descriptor and project; those of hidden projects included."""

    def deleted_projects(self, organization: str) -> frozenset[str]:
        """Ids of deleted projects that can still be restored: their groups may still be listed."""

    def queues(self, organization: str, project_id: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        """The project's queues of these pools."""

    def organization_queues(self, organization: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        """The queues of these pools in all projects, where the organization offers that; `Rejected` where not."""

    def authorized_queues(self, organization: str, project_id: str) -> frozenset[int]:
        """Ids of queues in the project's list of authorized resources.

        Being in it proves open access; missing from it proves nothing until the list was shown to be complete.
        """

    def pipeline_permissions(self, organization: str, project_id: str, queue_id: int) -> PipelinePermissions:
        """Open access and single authorizations of one queue. Proves no queue: an unknown id may look closed."""

    def pipelines(self, organization: str, project_id: str) -> Sequence[Pipeline]:
        """All pipelines of the project that the identity can see, all pages; a hidden folder is simply missing."""

    def checks(self, organization: str, project_id: str, queue_id: int) -> Sequence[QueueCheck]:
        """Approvals and checks on one queue, with their settings; a caller without rights may get none."""

    def pipelines_of_queues(self, organization: str, project_id: str) -> Mapping[int, Sequence[Pipeline]]:
        """Queue id → pipelines of the project whose definition names that id, all pages of full definitions."""

    def role_assignments(self, organization: str, scope: str, resource: str) -> Sequence[RoleAssignment]:
        """Role assignments, for example scope ``distributedtask.agentpoolrole``, resource ``"7"``."""

    def inheritance(self, organization: str) -> Mapping[int, bool]:
        """Inheritance switch of agent pools by pool id, one ACL read. A pool that is missing inherits."""

    def identities(self, organization: str, principals: Mapping[str, str]) -> Mapping[str, Identity | ReconcilerError]:
        """Resolve principals as a spec writes them (`reconciler.spec.principals`); an unknown one is missing.

        `principals`: as written → id of the project whose group or build service is meant, empty for all others.
        A value is the identity, or why this principal alone cannot be told: `Rejected` where several identities
        match. `Throttled` is raised.
        """

    def names_of(self, organization: str, ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Local id → names by which a spec may mean this identity, the most readable first; unknown ids are missing.

        Only names that no other user can choose; each still has to be resolved, since an organization may have two.
        """

    def memberships(self, organization: str, identity_id: str) -> Sequence[Group]:
        """Every group of an identity, directly or through other groups, with local id, name and descriptor."""

    def members(self, organization: str, identity_ids: Sequence[str]) -> Mapping[str, tuple[str, ...] | None]:
        """Local id → ids of the direct members; None where it is no group, or one whose members are not shown.

        An unknown id is missing.
        """

    def may(self, organization: str, token: str, bits: int) -> bool:
        """Whether the caller has all these permission bits at a token of the namespace DistributedTask."""


class MembershipReader(Protocol):
    """Members of an organization, their access levels and groups; for `onboard` alone."""

    def service_principals(self, organization: str) -> Sequence[ServicePrincipal]:
        """All that the organization knows, all pages; those without an access level included."""

    def local_id(self, organization: str, descriptor: str) -> str:
        """Local id of a subject, lower case; role assignments need it."""

    def entitlement(self, organization: str, identity_id: str) -> Entitlement | None:
        """The access level of a service principal, None where it has none."""

    def groups_of(self, organization: str, identity_id: str) -> Sequence[Group]:
        """Every group of an identity, directly or through other groups, with local id and name."""

    def search(self, organization: str, text: str) -> Sequence[Entry]:
        """The search of the web pages, in the organization and its directory; an empty result proves nothing."""


class RawDevOpsReader(Protocol):
    """Sends GET requests and returns status and document; for `probe` alone."""

    def get(self, organization: str, path: str, parameters: Mapping[str, str | int]) -> RawResponse:
        """GET a path below the organization. Raises where the response says nothing: 401, 403, 429, 5xx, none."""


class DevOpsWriter(Protocol):
    """Writes to organizations, one write a call, each safe to repeat."""

    def create_queue(self, organization: str, project_id: str, pool_id: int, name: str) -> Queue:
        """Add the pool to a project, without open access. Always by pool id: a name alone would create a pool."""

    def set_open_access(self, organization: str, project_id: str, queue_id: int, allow: bool) -> None:
        """Open the queue to all pipelines of the project, or close it."""

    def authorize_pipeline(
        self, organization: str, project_id: str, queue_id: int, pipeline_id: int, authorized: bool
    ) -> None:
        """Authorize one pipeline for the queue, or revoke it; others and open access stay as they are."""

    def add_check(self, organization: str, project_id: str, queue_id: int, queue: str, check: QueueCheck) -> None:
        """Add an approval or another check to a queue; `queue`: its name. Its id is the service's to give.

        Repeated, it adds a second one: what is there has to be read before.
        """

    def repoint_pipeline(
        self, organization: str, project_id: str, pipeline_id: int, old_queue: int, new_queue: int
    ) -> None:
        """Change the id of a queue in the full definition of a pipeline, wherever it names it; nothing else of it.

        Reads the definition for that: `Rejected` where it has secret variables, which no read returns.
        """

    def set_auto_provision(self, organization: str, pool_id: int, on: bool) -> None:
        """Whether each new project gets a queue of the agent pool."""

    def assign_role(self, organization: str, scope: str, resource: str, identity_id: str, role: str) -> None:
        """Assign one role; `NotEffective` where the service responds 200 without assigning it."""

    def remove_role(self, organization: str, scope: str, resource: str, identity_id: str) -> None:
        """Remove an assigned role."""

    def set_inheritance(self, organization: str, scope: str, resource: str, inherit: bool) -> None:
        """Switch inheritance of a resource of a role scope."""

    def materialise(self, organization: str, principal: str) -> Identity:
        """Add an Entra user, group or service principal to the organization's identities."""


class MembershipWriter(Protocol):
    """Grants membership; for `onboard` alone. It cannot revoke anything."""

    def add(self, organization: str, object_id: str, license_type: str) -> None:
        """Make a service principal a member. Only where it has no access level: this may replace a higher one.

        `Rejected` with the service's message where the directory has no such service principal.
        """

    def set_license(self, organization: str, identity_id: str, license_type: str) -> None:
        """Replace the access level of a member."""

    def join(self, organization: str, member: str, group: str) -> None:
        """Add a subject to a group, both by descriptor."""
