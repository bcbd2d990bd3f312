"""A tiny estate in memory that implements the ports: real values, plain dicts, every call counted.

It is a world of its own and not the emulator: no HTTP, no latency, no lag but the one that a test sets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock

from reconciler.documents import Json, moment
from reconciler.errors import NotFound, ReconcilerError, Rejected
from reconciler.ports.azure import API_VERSION, Operation, Pending
from reconciler.ports.devops import (
    AgentPool,
    Group,
    Identity,
    Pipeline,
    PipelinePermissions,
    Project,
    Queue,
    QueueCheck,
    RoleAssignment,
)
from reconciler.ports.readers_writers import Readers, Writers

CREATED = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
"""When pools and their agent pools were created."""
Before = Callable[[str, tuple[object, ...]], None]


def _nothing(name: str, args: tuple[object, ...]) -> None:
    """The world as it is."""


@dataclass
class Estate:
    """One organization's worth of state by name, and what was asked and done."""

    arm: dict[str, dict[str, Json]] = field(default_factory=dict)
    machines: list[str] = field(default_factory=list)
    """Status of each machine, whichever pool is asked for."""
    pools: dict[str, list[AgentPool]] = field(default_factory=dict)
    projects: dict[str, list[Project]] = field(default_factory=dict)
    hidden: dict[str, list[Project]] = field(default_factory=dict)
    """Projects that exist and that the operator may not see."""
    deleted: set[str] = field(default_factory=set)
    queues: dict[str, list[Queue]] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    """Queue ids with open access."""
    unlisted: set[int] = field(default_factory=set)
    """Queue ids that the list of authorized resources leaves out."""
    cut: int | None = None
    """Entries after which each such list ends; None: nowhere."""
    everywhere: set[int] | None = None
    """Queue ids that the list without a project leaves out; None: there is no such list."""
    pipelines: dict[str, list[Pipeline]] = field(default_factory=dict)
    """Project id → its pipelines."""
    checks: dict[int, list[QueueCheck]] = field(default_factory=dict)
    """Queue id → its checks."""
    queue_users: dict[str, dict[int, list[Pipeline]]] = field(default_factory=dict)
    """Project id → queue id → pipelines that name it by id."""
    administers: bool = True
    roles: dict[tuple[str, str, str], dict[str, str]] = field(default_factory=dict)
    """(organization, scope, resource) → identity id → role."""
    inherits: dict[tuple[str, int], bool] = field(default_factory=dict)
    people: dict[str, Identity] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Local id of a group → local ids of its members."""
    operations: dict[str, Operation | ReconcilerError] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    writes: list[tuple[object, ...]] = field(default_factory=list)
    before: Before = _nothing
    """Called with every call's name and arguments; raises what the service would answer."""
    deaf: bool = False
    """Writes are answered with yes and do nothing."""
    pending: str = ""
    """URL of the operation that the next PUT starts."""
    parallel: int = 4
    """The most reads of an organization at a time."""
    _lock: Lock = field(default_factory=Lock)

    @property
    def readers(self) -> Readers:
        return Readers(ArmReads(self), DevOpsReads(self), parallel=self.parallel)

    @property
    def writers(self) -> Writers:
        return Writers(ArmWrites(self), DevOpsWrites(self))

    @property
    def reads(self) -> int:
        return sum(self.calls.values())

    def called(self, name: str, *args: object) -> None:
        with self._lock:
            self.calls[name] += 1
        self.before(name, args)

    def wrote(self, name: str, *args: object) -> bool:
        self.before(name, args)
        self.writes.append((name, *args))
        return not self.deaf

    def add(self, organization: str, pools: int, projects: int, *, opened: bool = True) -> None:
        """Pools `pool-1`, `pool-2`… with a queue in each of the projects `project-1`, `project-2`… of it."""
        self.pools[organization] = [
            AgentPool(n + 1, f"pool-{n + 1}", auto_provision=True, hosted=False, created_on=CREATED)
            for n in range(pools)
        ]
        self.projects[organization] = [
            Project(f"{organization}-{n + 1:04}", f"project-{n + 1}") for n in range(projects)
        ]
        first = 1_000_000 * len(self.queues)
        self.queues[organization] = [
            Queue(first + 1000 * (at + 1) + pool.id, pool.name, project.id, pool.id)
            for at, project in enumerate(self.projects[organization])
            for pool in self.pools[organization]
        ]
        if opened:
            self.open |= {queue.id for queue in self.queues[organization]}


class ArmReads:
    def __init__(self, estate: Estate) -> None:
        self.estate = estate

    def pool(self, pool_id: str, api_version: str = API_VERSION) -> dict[str, Json] | None:  # noqa: ARG002 - one version here
        self.estate.called("arm pool", pool_id)
        found = self.estate.arm.get(pool_id.casefold())
        return None if found is None else self._shown(found)

    def _shown(self, body: dict[str, Json]) -> dict[str, Json]:
        """What a test did not put is as ARM has it: created, in use by every organization that has agent pools."""
        organizations = [{"url": f"https://dev.azure.com/{name}"} for name in self.estate.pools]
        profile = {"kind": "AzureDevOps", "organizations": organizations}
        return {
            "systemData": {"createdAt": moment(CREATED)},
            "properties": {"provisioningState": "Succeeded", "organizationProfile": profile},
            **body,
        }

    def machines(self, pool_id: str) -> Sequence[str]:
        self.estate.called("machines", pool_id)
        return list(self.estate.machines)

    def subscriptions(self) -> Sequence[str]:
        self.estate.called("subscriptions")
        return sorted({key.split("/")[2] for key in self.estate.arm})

    def pools(self, subscription: str) -> Sequence[dict[str, Json]]:
        self.estate.called("arm pools", subscription)
        return [self._shown(body) for key, body in self.estate.arm.items() if f"/subscriptions/{subscription}/" in key]

    def operation(self, url: str) -> Operation:
        self.estate.called("operation", url)
        found = self.estate.operations.get(url, NotFound("operation: gone"))
        if isinstance(found, ReconcilerError):
            raise found
        return found


class ArmWrites:
    def __init__(self, estate: Estate) -> None:
        self.estate = estate

    def put(self, pool_id: str, body: Mapping[str, Json], api_version: str = API_VERSION) -> Pending | None:  # noqa: ARG002 - one version here
        if self.estate.wrote("put", pool_id, dict(body)):
            self.estate.arm[pool_id.casefold()] = {"id": pool_id, **body}
        url, self.estate.pending = self.estate.pending, ""
        return Pending(url, 7.0, f"update of pool {pool_id.rpartition('/')[2]}") if url else None

    def delete(self, pool_id: str) -> Pending | None:
        if self.estate.wrote("delete", pool_id):
            self.estate.arm.pop(pool_id.casefold(), None)
        url, self.estate.pending = self.estate.pending, ""
        return Pending(url, 7.0, f"deletion of pool {pool_id.rpartition('/')[2]}") if url else None


class DevOpsReads:
    def __init__(self, estate: Estate) -> None:
        self.estate = estate

    def me(self, organization: str) -> Identity:
        self.estate.called("me", organization)
        return Identity("me", "operator")

    def agent_pools(self, organization: str) -> Sequence[AgentPool]:
        self.estate.called("agent pools", organization)
        return list(self.estate.pools.get(organization, []))

    def projects(self, organization: str) -> Sequence[Project]:
        self.estate.called("projects", organization)
        return list(self.estate.projects.get(organization, []))

    def queues(self, organization: str, project_id: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        self.estate.called("queues", organization, project_id, tuple(pool_ids))
        queues = self.estate.queues.get(organization, [])
        return [queue for queue in queues if queue.project_id == project_id and queue.pool_id in pool_ids]

    def organization_queues(self, organization: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        self.estate.called("queues everywhere", organization, tuple(pool_ids))
        if self.estate.everywhere is None:
            raise Rejected(f"{organization}: no such route")
        return [
            queue
            for queue in self.estate.queues.get(organization, [])
            if queue.pool_id in pool_ids and queue.id not in self.estate.everywhere
        ]

    def authorized_queues(self, organization: str, project_id: str) -> frozenset[int]:
        self.estate.called("authorized", organization, project_id)
        own = {queue.id for queue in self.estate.queues.get(organization, []) if queue.project_id == project_id}
        listed = sorted(own & self.estate.open - self.estate.unlisted)
        return frozenset(listed[: self.estate.cut])

    def pipeline_permissions(self, organization: str, project_id: str, queue_id: int) -> PipelinePermissions:
        self.estate.called("permissions", organization, project_id, queue_id)
        return PipelinePermissions(queue_id in self.estate.open)

    def groups(self, organization: str) -> Sequence[Group]:
        self.estate.called("groups", organization)
        known = [*self.estate.projects.get(organization, []), *self.estate.hidden.get(organization, [])]
        return [Group(f"[{project.name}]\\Readers", project=project.id) for project in known]

    def may(self, organization: str, token: str, bits: int) -> bool:
        self.estate.called("may", organization, token, bits)
        return self.estate.administers

    def deleted_projects(self, organization: str) -> frozenset[str]:
        self.estate.called("deleted projects", organization)
        return frozenset(self.estate.deleted)

    def pipelines(self, organization: str, project_id: str) -> Sequence[Pipeline]:
        self.estate.called("pipelines", organization, project_id)
        return self.estate.pipelines.get(project_id, [])

    def checks(self, organization: str, project_id: str, queue_id: int) -> Sequence[QueueCheck]:
        self.estate.called("checks", organization, project_id, queue_id)
        return self.estate.checks.get(queue_id, [])

    def pipelines_of_queues(self, organization: str, project_id: str) -> Mapping[int, Sequence[Pipeline]]:
        self.estate.called("pipelines of queues", organization, project_id)
        return self.estate.queue_users.get(project_id, {})

    def role_assignments(self, organization: str, scope: str, resource: str) -> Sequence[RoleAssignment]:
        self.estate.called("roles", organization, scope, resource)
        held = self.estate.roles.get((organization, scope, resource), {})
        return [RoleAssignment(Identity(who, who), role, inherited=False) for who, role in sorted(held.items())]

    def inheritance(self, organization: str) -> Mapping[int, bool]:
        self.estate.called("inheritance", organization)
        return {pool: on for (name, pool), on in self.estate.inherits.items() if name == organization}

    def identities(self, organization: str, principals: Mapping[str, str]) -> Mapping[str, Identity | ReconcilerError]:
        self.estate.called("identities", organization, tuple(principals))
        return {name: self.estate.people[name] for name in principals if name in self.estate.people}

    def names_of(self, organization: str, ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        self.estate.called("names of", organization, tuple(ids))
        known = {one.id: name for name, one in self.estate.people.items()}
        return {one: (known[one],) for one in ids if one in known}

    def memberships(self, organization: str, identity_id: str) -> Sequence[Group]:
        self.estate.called("memberships", organization, identity_id)
        return [Group(name, id=name) for name, members in self.estate.members.items() if identity_id in members]

    def members(self, organization: str, identity_ids: Sequence[str]) -> Mapping[str, tuple[str, ...] | None]:
        self.estate.called("members", organization, tuple(identity_ids))
        return {one: self.estate.members.get(one) for one in identity_ids}


class DevOpsWrites:
    def __init__(self, estate: Estate) -> None:
        self.estate = estate

    def create_queue(self, organization: str, project_id: str, pool_id: int, name: str) -> Queue:
        queue = Queue(9000 + len(self.estate.writes), name, project_id, pool_id)
        if self.estate.wrote("create queue", organization, project_id, pool_id, name):
            self.estate.queues.setdefault(organization, []).append(queue)
        return queue

    def set_open_access(self, organization: str, project_id: str, queue_id: int, allow: bool) -> None:
        if self.estate.wrote("open access", organization, project_id, queue_id, allow):
            (self.estate.open.add if allow else self.estate.open.discard)(queue_id)

    def authorize_pipeline(
        self, organization: str, project_id: str, queue_id: int, pipeline_id: int, authorized: bool
    ) -> None:
        self.estate.wrote("authorize", organization, project_id, queue_id, pipeline_id, authorized)

    def add_check(self, organization: str, project_id: str, queue_id: int, queue: str, check: QueueCheck) -> None:
        if self.estate.wrote("add check", organization, project_id, queue_id, queue, check.kind):
            self.estate.checks.setdefault(queue_id, []).append(check)

    def repoint_pipeline(
        self, organization: str, project_id: str, pipeline_id: int, old_queue: int, new_queue: int
    ) -> None:
        users = self.estate.queue_users.setdefault(project_id, {})
        if self.estate.wrote("repoint", organization, project_id, pipeline_id, old_queue, new_queue):
            moved = [one for one in users.get(old_queue, []) if one.id == pipeline_id]
            users[old_queue] = [one for one in users.get(old_queue, []) if one.id != pipeline_id]
            users[new_queue] = [*users.get(new_queue, []), *moved]

    def set_auto_provision(self, organization: str, pool_id: int, on: bool) -> None:
        if self.estate.wrote("auto-provision", organization, pool_id, on):
            pools = self.estate.pools[organization]
            self.estate.pools[organization] = [replace(p, auto_provision=on) if p.id == pool_id else p for p in pools]

    def assign_role(self, organization: str, scope: str, resource: str, identity_id: str, role: str) -> None:
        if self.estate.wrote("assign", organization, scope, resource, identity_id, role):
            self.estate.roles.setdefault((organization, scope, resource), {})[identity_id] = role

    def remove_role(self, organization: str, scope: str, resource: str, identity_id: str) -> None:
        if self.estate.wrote("remove", organization, scope, resource, identity_id):
            self.estate.roles[organization, scope, resource].pop(identity_id, None)

    def set_inheritance(self, organization: str, scope: str, resource: str, inherit: bool) -> None:
        if self.estate.wrote("inheritance", organization, scope, resource, inherit):
            self.estate.inherits[organization, int(resource)] = inherit

    def materialise(self, organization: str, principal: str) -> Identity:
        self.estate.wrote("materialise", organization, principal)
        return self.estate.people.setdefault(principal, Identity(principal, principal))
