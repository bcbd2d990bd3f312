"""A small estate in memory: what facets read (a Survey) and what they write (both writers), over one state.

It keeps the rules that matter for facets: a queue needs its agent pool, a lower role is replaced, an id without an
identity is accepted and assigns no role, and a switched-off inheritance takes inherited roles away. It knows no HTTP
and no lag; scenarios on the emulator have those.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.documents import Json
from reconciler.errors import Forbidden, NotReady, ReconcilerError, Rejected
from reconciler.ports.azure import API_VERSION, Pending
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.ports.devops import (
    AgentPool,
    Identity,
    Pipeline,
    PipelinePermissions,
    Project,
    Queue,
    QueueCheck,
    RoleAssignment,
)
from reconciler.ports.readers_writers import Writers
from reconciler.spec.effective import POOL_SCOPE, QUEUE_SCOPE
from reconciler.spec.model import Spec
from reconciler.survey.moves import PoolElsewhere
from reconciler.survey.names import Excepted, RememberedNames, excepted
from reconciler.survey.operators import Operators
from reconciler.survey.owed import Debts
from reconciler.survey.queue_uses import QueueUses

COLLECTION = "id-collection-administrators"
"""Local id of the group that administers every agent pool and queue, whatever their roles say."""
RANKS = ("Reader", "User", "Creator", "Administrator")
OPERATOR = Identity("id-operator", "Operator", "operator@fabrikam.com")
POOL = AgentPool(7, "fabrikam-managed-pool", auto_provision=True)


def person(name: str) -> Identity:
    """An identity whose local id follows from the name."""
    return Identity(f"id-{name}", name.capitalize(), f"{name}@fabrikam.com", origin_id=f"origin-{name}")


@dataclass
class Org:
    """One organization."""

    projects: list[Project] = field(default_factory=list)
    hidden: list[Project] = field(default_factory=list)
    pools: list[AgentPool] = field(default_factory=lambda: [POOL])
    queues: dict[tuple[str, int], Queue] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    inherits: bool = True
    assigned: dict[str, str] = field(default_factory=dict)
    """Local id → role on the pool."""
    inherited: dict[str, str] = field(default_factory=dict)
    """Local id → role on all pools."""
    people: list[Identity] = field(default_factory=lambda: [OPERATOR])
    entra: dict[str, Identity] = field(default_factory=dict)
    """Principal → who that becomes once materialised."""
    pipelines: dict[str, list[Pipeline]] = field(default_factory=dict)
    """Project id → its pipelines."""
    authorized: dict[int, set[int]] = field(default_factory=dict)
    """Queue id → ids of single pipelines."""
    uses: dict[int, QueueUses] = field(default_factory=dict)
    """Queue id → its checks, and pipelines that name it."""
    on_queue: dict[int, dict[str, str]] = field(default_factory=dict)
    """Queue id → local id → assigned role there."""
    in_project: dict[str, dict[str, str]] = field(default_factory=dict)
    """Project id → local id → role on all its queues."""
    not_found: set[str] = field(default_factory=set)
    """Principals that no search finds, though they are here."""
    ambiguous: dict[str, ReconcilerError] = field(default_factory=dict)
    """Principal → why it cannot be told."""
    trouble: dict[str, ReconcilerError] = field(default_factory=dict)
    """Name of a read, or of a read and a project (``queues/web``) → what it raises."""

    members: dict[str, set[str]] = field(default_factory=dict)
    """Local id of a group → local ids of its direct members."""
    operators: Operators | None = None
    """None: the deployed service runs, and is the only operator."""

    @property
    def caller(self) -> str:
        """Local id of the identity that runs."""
        return self.operators.caller.id if self.operators else OPERATOR.id

    def person(self, identity: str) -> Identity:
        return next(who for who in self.people if who.id == identity)

    def administrators(self) -> set[str]:
        """Who administers the pool, in whatever way: a lower assigned role takes nothing of an inherited one."""
        held = [*self.assigned.items(), *(self.inherited.items() if self.inherits else ())]
        return self.standing_for({identity for identity, role in held if role == "Administrator"})

    def queue_administrators(self, project: str, queue: int) -> set[str]:
        """Who administers a queue, in whatever way."""
        held = [*self.on_queue.get(queue, {}).items(), *self.in_project.get(project, {}).items()]
        return self.standing_for({identity for identity, role in held if role == "Administrator"})

    def standing_for(self, identities: set[str]) -> set[str]:
        """These, and the members of each of them."""
        found = set(identities)
        while more := {one for group in found for one in self.members.get(group, ())} - found:
            found |= more
        return found

    def groups_of(self, identity: str) -> frozenset[str]:
        return frozenset(group for group in self.members if identity in self.standing_for({group}) - {group})


@dataclass(frozen=True)
class WorldPeople:
    """Who the operators are in one organization, and what groups mean there."""

    org: Org

    def operators(self) -> Operators:
        if "operators" in self.org.trouble:
            raise self.org.trouble["operators"]
        return self.org.operators or Operators(OPERATOR, (OPERATOR,))

    def groups_of(self, identity: str) -> frozenset[str]:
        return self.org.groups_of(identity)

    def administers_collection(self, identity: str) -> bool:
        return COLLECTION in self.org.groups_of(identity)

    def without_members(self, identities: Collection[str]) -> frozenset[str]:
        people = {who.id for who in self.org.people} - self.org.members.keys()
        return frozenset(one for one in identities if not self.org.standing_for({one}) & people)


class World:
    """The estate; it is a Survey, an ArmWriter and a DevOpsWriter."""

    def __init__(self, organizations: Mapping[str, Org] | None = None) -> None:
        self.organizations: dict[str, Org] = dict(organizations or {})
        self.documents: dict[str, dict[str, Json]] = {}
        self.writes: list[tuple[Json, ...]] = []
        self.refused_self_assignment = False
        self.at_work: list[str] = []
        self.blind: ReconcilerError | None = None
        self.since: datetime | None = None
        self.surroundings: AzureResourcesReader | None = None
        self.moved: PoolElsewhere | None = None
        self.remembered = RememberedNames()
        self.debts = Debts()

    @property
    def writers(self) -> Writers:
        return Writers(self, self)

    def _read(self, organization: str, what: str) -> Org:
        found = self.organizations[organization]
        if what in found.trouble:
            raise found.trouble[what]
        return found

    # --- Survey ---------------------------------------------------------------------------------------

    def arm_pool(self, spec: Spec) -> Mapping[str, Json] | None:
        return deepcopy(self.documents.get(spec.pool_id.casefold()))

    def elsewhere(self, spec: Spec) -> PoolElsewhere | None:  # noqa: ARG002 - there is one pool
        return self.moved

    def queue_uses(self, organization: str, queue: Queue, *, only: str = "") -> QueueUses:  # noqa: ARG002 - both are at hand
        org = self._read(organization, "queue_uses")
        if f"queue_uses/{queue.project_id}" in org.trouble:
            raise org.trouble[f"queue_uses/{queue.project_id}"]
        return org.uses.get(queue.id, QueueUses())

    def machines(self, spec: Spec) -> Sequence[str]:  # noqa: ARG002 - there is one pool
        if self.blind is not None:
            raise self.blind
        return list(self.at_work)

    def azure_resources(self) -> AzureResourcesReader | None:
        return self.surroundings

    def waiting_since(self, now: datetime) -> datetime:
        self.since = self.since or now
        return self.since

    def agent_pool(self, organization: str, name: str) -> AgentPool:
        for pool in self._read(organization, "agent_pool").pools:
            if pool.name.casefold() == name.casefold():
                return pool
        raise NotReady(f"{organization}: agent pool {name} does not exist yet")

    def projects(self, organization: str) -> Sequence[Project]:
        return sorted(self._read(organization, "projects").projects, key=lambda one: (one.name.casefold(), one.id))

    def hidden_projects(self, organization: str) -> Sequence[Project]:
        return list(self._read(organization, "hidden_projects").hidden)

    def excepted(self, organization: str, exceptions: Collection[str]) -> Excepted:
        visible = self.projects(organization)
        return excepted(
            self.remembered,
            organization,
            exceptions,
            named=(),
            visible=visible,
            hidden=lambda: self.hidden_projects(organization),
        )

    def me(self, organization: str) -> Identity:
        self._read(organization, "me")
        return OPERATOR

    def people(self, organization: str) -> WorldPeople:
        self._read(organization, "me")
        return WorldPeople(self.organizations[organization])

    def queues(
        self, organization: str, projects: Sequence[Project], pool: AgentPool
    ) -> Mapping[str, Queue | ReconcilerError | None]:
        org = self._read(organization, "queues")
        return {p.id: org.trouble.get(f"queues/{p.id}") or org.queues.get((p.id, pool.id)) for p in projects}

    def open_access(self, organization: str, desired: Mapping[Queue, bool]) -> Mapping[Queue, bool | ReconcilerError]:
        org = self._read(organization, "open_access")
        return {q: org.trouble.get(f"open_access/{q.project_id}") or q.id in org.open for q in desired}

    def permissions(
        self, organization: str, queues: Sequence[Queue]
    ) -> Mapping[Queue, PipelinePermissions | ReconcilerError]:
        org = self._read(organization, "permissions")
        return {
            queue: org.trouble.get(f"permissions/{queue.project_id}")
            or PipelinePermissions(queue.id in org.open, frozenset(org.authorized.get(queue.id, ())))
            for queue in queues
        }

    def pipelines(
        self, organization: str, projects: Sequence[Project]
    ) -> Mapping[str, Sequence[Pipeline] | ReconcilerError]:
        org = self._read(organization, "pipelines")
        return {p.id: org.trouble.get(f"pipelines/{p.id}") or org.pipelines.get(p.id, []) for p in projects}

    def role_assignments(self, organization: str, scope: str, resource: str) -> Sequence[RoleAssignment]:
        org = self._read(organization, "role_assignments")
        if scope == QUEUE_SCOPE:
            return self._on_queue(org, resource)
        assert (scope, int(resource)) in {(POOL_SCOPE, pool.id) for pool in org.pools}
        lines = [RoleAssignment(org.person(who), role, inherited=False) for who, role in org.assigned.items()]
        if org.inherits:
            lines += [RoleAssignment(org.person(who), role, inherited=True) for who, role in org.inherited.items()]
        return lines

    def _on_queue(self, org: Org, resource: str) -> list[RoleAssignment]:
        """One line a person: the assigned role, or the inherited one where that is stronger."""
        project, _, queue = resource.partition("_")
        if f"roles/{project}" in org.trouble:
            raise org.trouble[f"roles/{project}"]
        own, above = org.on_queue.get(int(queue), {}), org.in_project.get(project, {})
        lines = []
        for who in org.people:
            held = [(role, here) for role, here in ((own.get(who.id), True), (above.get(who.id), False)) if role]
            if held:
                role, here = max(held, key=lambda pair: (RANKS.index(pair[0]), pair[1]))
                lines.append(RoleAssignment(who, role, inherited=not here))
        return lines

    def inheritance(self, organization: str, pool: AgentPool) -> bool:
        org = self._read(organization, "inheritance")
        assert pool in org.pools
        return org.inherits

    def identities(self, organization: str, principals: Sequence[str]) -> Mapping[str, Identity | ReconcilerError]:
        org = self._read(organization, "identities")
        names: dict[str, Identity | ReconcilerError] = {
            name.casefold(): who for who in org.people for name in (who.unique_name, who.origin_id) if name
        }
        names = {name: who for name, who in names.items() if name not in org.not_found}
        names.update(org.ambiguous)
        return {name: names[name.casefold()] for name in principals if name.casefold() in names}

    # --- writers --------------------------------------------------------------------------------------

    def put(self, pool_id: str, body: Mapping[str, Json], api_version: str = API_VERSION) -> Pending | None:  # noqa: ARG002 - one version here
        self.writes.append(("put", pool_id, deepcopy(dict(body))))
        document = deepcopy(dict(body))
        document["properties"]["provisioningState"] = "Succeeded"
        self.documents[pool_id.casefold()] = document
        return Pending(f"https://management.azure.com{pool_id}/operation", 15, f"update of pool {pool_id}")

    def delete(self, pool_id: str) -> Pending | None:
        self.writes.append(("delete", pool_id))
        del self.documents[pool_id.casefold()]
        return Pending(f"https://management.azure.com{pool_id}/operation", 15, f"deletion of pool {pool_id}")

    def create_queue(self, organization: str, project_id: str, pool_id: int, name: str) -> Queue:
        org = self.organizations[organization]
        assert (pool_id, name) in {(pool.id, pool.name) for pool in org.pools}
        self.writes.append(("create_queue", organization, project_id))
        return org.queues.setdefault((project_id, pool_id), Queue(100 + len(org.queues), name, project_id, pool_id))

    def set_open_access(self, organization: str, project_id: str, queue_id: int, allow: bool) -> None:
        org = self.organizations[organization]
        assert queue_id in {queue.id for (project, _), queue in org.queues.items() if project == project_id}
        self.writes.append(("set_open_access", organization, project_id, allow))
        (org.open.add if allow else org.open.discard)(queue_id)

    def authorize_pipeline(
        self, organization: str, project_id: str, queue_id: int, pipeline_id: int, authorized: bool
    ) -> None:
        org = self.organizations[organization]
        assert queue_id in {queue.id for (project, _), queue in org.queues.items() if project == project_id}
        self.writes.append(("authorize_pipeline", organization, queue_id, pipeline_id, authorized))
        held = org.authorized.setdefault(queue_id, set())
        (held.add if authorized else held.discard)(pipeline_id)

    def add_check(self, organization: str, project_id: str, queue_id: int, queue: str, check: QueueCheck) -> None:
        org = self.organizations[organization]
        self.writes.append(("add_check", organization, project_id, queue_id, queue, check.kind))
        held = org.uses.get(queue_id, QueueUses())
        made = replace(check, id=100 + len(held.checks), changed_by=OPERATOR.id)
        org.uses[queue_id] = replace(held, checks=(*held.checks, made))

    def repoint_pipeline(
        self, organization: str, project_id: str, pipeline_id: int, old_queue: int, new_queue: int
    ) -> None:
        self.writes.append(("repoint_pipeline", organization, project_id, pipeline_id, old_queue, new_queue))
        uses = self.organizations[organization].uses
        old = uses.get(old_queue, QueueUses())
        uses[old_queue] = replace(old, pipelines=tuple(one for one in old.pipelines if one.id != pipeline_id))

    def set_auto_provision(self, organization: str, pool_id: int, on: bool) -> None:
        org = self.organizations[organization]
        self.writes.append(("set_auto_provision", organization, on))
        org.pools = [replace(pool, auto_provision=on) if pool.id == pool_id else pool for pool in org.pools]

    def assign_role(self, organization: str, scope: str, resource: str, identity_id: str, role: str) -> None:
        if scope == QUEUE_SCOPE:
            assert identity_id in {who.id for who in self.organizations[organization].people}
            self.writes.append(("assign_queue_role", organization, resource, identity_id, role))
            queue = int(resource.partition("_")[2])
            self.organizations[organization].on_queue.setdefault(queue, {})[identity_id] = role
            return
        assert (scope, resource) == (POOL_SCOPE, str(POOL.id))
        org = self.organizations[organization]
        if identity_id == org.caller and self.refused_self_assignment:
            raise Rejected(f"{organization}: the service refuses a change of one's own role")
        if org.caller not in org.administrators():
            raise Forbidden(f"{organization}: the operator does not administer agent pool {resource}")
        assert identity_id in {who.id for who in org.people}
        self.writes.append(("assign_role", organization, identity_id))
        org.assigned[identity_id] = role

    def remove_role(self, organization: str, scope: str, resource: str, identity_id: str) -> None:
        if scope == QUEUE_SCOPE:
            self.writes.append(("remove_queue_role", organization, resource, identity_id))
            self.organizations[organization].on_queue[int(resource.partition("_")[2])].pop(identity_id, None)
            return
        assert (scope, resource) == (POOL_SCOPE, str(POOL.id))
        org = self.organizations[organization]
        if org.caller not in org.administrators():
            raise Forbidden(f"{organization}: the operator does not administer agent pool {resource}")
        self.writes.append(("remove_role", organization, identity_id))
        org.assigned.pop(identity_id, None)

    def set_inheritance(self, organization: str, scope: str, resource: str, inherit: bool) -> None:
        assert (scope, resource) == (POOL_SCOPE, str(POOL.id))
        org = self.organizations[organization]
        if org.caller not in org.administrators():
            raise Forbidden(f"{organization}: the caller does not administer agent pool {resource}")
        self.writes.append(("set_inheritance", organization, inherit))
        org.inherits = inherit

    def materialise(self, organization: str, principal: str) -> Identity:
        org = self.organizations[organization]
        self.writes.append(("materialise", organization, principal))
        if principal not in org.entra:
            raise Rejected(f"{organization}: the directory knows no {principal}")
        who = org.entra.pop(principal)
        org.people.append(who)
        return who
