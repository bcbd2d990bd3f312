"""The seam to Azure DevOps: what organizations hold, read and written one request at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.documents import Json


@dataclass(frozen=True, slots=True)
class AgentPool:
    """An agent pool of an organization."""

    id: int
    name: str
    auto_provision: bool | None = None
    """Whether new projects get a queue of it; None where the answer does not say."""
    facts: Mapping[str, Json] | None = None
    """The raw document; opaque, for `explain` alone."""


@dataclass(frozen=True, slots=True)
class Project:
    """A well-formed project that the identity can see."""

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


@dataclass(frozen=True, slots=True)
class PipelinePermissions:
    """Who in a project may use a queue."""

    all_pipelines: bool
    """Open access."""
    pipelines: frozenset[int] = frozenset()
    """Single pipelines that are authorized, whether or not open access is on."""
    authorized_by: str = ""
    """Display name of who opened it, where the service says."""
    authorized_on: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline of a project (a build definition)."""

    id: int
    path: str
    r"""From the top: ``\release\nightly``."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody or something that an organization knows."""

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
    """One line of a pool's or queue's security page."""

    identity: Identity
    role: str
    """``Administrator``, ``Reader``, … as the service names it."""
    inherited: bool


class DevOpsReader(Protocol):
    """Reads organizations, one request a call. `reconciler.survey` shares and parallelises these reads."""

    def me(self, organization: str) -> Identity:
        """The identity that we are in this organization."""

    def agent_pools(self, organization: str) -> Sequence[AgentPool]:
        """All automation pools that the identity can see; a pool without View right is simply missing."""

    def projects(self, organization: str) -> Sequence[Project]:
        """All well-formed projects that the identity can see, all pages."""

    def known_projects(self, organization: str) -> Sequence[Project]:
        """Projects by the groups of theirs that the organization's directory lists, hidden ones included."""

    def deleted_projects(self, organization: str) -> frozenset[str]:
        """Ids of projects that were deleted and can still be restored: their groups may be listed yet."""

    def queues(self, organization: str, project_id: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        """The project's queues of these pools."""

    def queues_everywhere(self, organization: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        """The queues of these pools in all projects, where the organization offers that; `Rejected` where not."""

    def authorized_queues(self, organization: str, project_id: str) -> frozenset[int]:
        """Ids of queues in the project's list of authorized resources.

        Being in it proves open access; missing from it proves nothing until the list was shown to be complete.
        """

    def pipeline_permissions(self, organization: str, project_id: str, queue_id: int) -> PipelinePermissions:
        """Open access and single authorizations of one queue. No existence test: an unknown id may look closed."""

    def pipelines(self, organization: str, project_id: str) -> Sequence[Pipeline]:
        """All pipelines of the project that the identity can see, all pages; a hidden folder is simply missing."""

    def role_assignments(self, organization: str, scope: str, resource: str) -> Sequence[RoleAssignment]:
        """Role assignments, for example scope ``distributedtask.agentpoolrole``, resource ``"7"``."""

    def inheritance(self, organization: str) -> Mapping[int, bool]:
        """Inheritance switch of agent pools by pool id, one ACL read. A pool that is missing inherits."""

    def identities(self, organization: str, principals: Sequence[str]) -> Mapping[str, Identity]:
        r"""Resolve addresses, ``[scope]\name``, or Entra object ids; a principal nobody knows is missing.

        An answer that fits several identities is `Rejected`, never a guess.
        """


class DevOpsWriter(Protocol):
    """Writes to organizations, one write a call, each safe to repeat."""

    def create_queue(self, organization: str, project_id: str, pool_id: int, name: str) -> Queue:
        """Add the pool to a project, without open access. Always by pool id: by name alone a pool would be made."""

    def set_open_access(self, organization: str, project_id: str, queue_id: int, allow: bool) -> None:
        """Let all pipelines of the project use the queue, or no longer."""

    def authorize_pipeline(
        self, organization: str, project_id: str, queue_id: int, pipeline_id: int, authorized: bool
    ) -> None:
        """Let one pipeline use the queue, or no longer; others and open access stay as they are."""

    def set_auto_provision(self, organization: str, pool_id: int, on: bool) -> None:
        """Whether a queue of the agent pool is made in every project that comes to be."""

    def assign_role(self, organization: str, scope: str, resource: str, identity_id: str, role: str) -> None:
        """Give one role; `NotEffective` where the service answers 200 and assigned nobody."""

    def remove_role(self, organization: str, scope: str, resource: str, identity_id: str) -> None:
        """Take an assigned role away."""

    def set_inheritance(self, organization: str, scope: str, resource: str, inherit: bool) -> None:
        """Switch inheritance of a resource of a role scope."""

    def materialise(self, organization: str, principal: str) -> Identity:
        """Make an Entra user, group or service principal known to the organization."""
