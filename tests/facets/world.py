"""A small estate in memory: what facets read (a Survey) and what they write (both writers), over one state.

It keeps the rules that matter for facets: a queue needs its agent pool, a lower role is replaced, an id that nobody
has assigns nobody, and a switched-off inheritance takes inherited roles away. It knows no HTTP and no lag; scenarios on
the emulator have those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from reconciler.errors import Forbidden, NotReady, ReconcilerError, Rejected
from reconciler.intent import POOL_SCOPE
from reconciler.plan import Json
from reconciler.ports import (
    AgentPool,
    Identity,
    Pending,
    PipelinePermissions,
    Project,
    Queue,
    RoleAssignment,
    Writers,
)
from reconciler.spec.model import Spec

OPERATOR = Identity("id-operator", "Operator", "operator@fabrikam.com")
POOL = AgentPool(7, "fabrikam-managed-pool")


def person(name: str) -> Identity:
    """Somebody whose local id follows from the name."""
    return Identity(f"id-{name}", name.capitalize(), f"{name}@fabrikam.com", origin_id=f"origin-{name}")


@dataclass
class Org:
    """One organization."""

    projects: list[Project] = field(default_factory=list)
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
    trouble: dict[str, ReconcilerError] = field(default_factory=dict)
    """Name of a read, or of a read and a project (``queues/web``) → what it raises."""

    def person(self, identity: str) -> Identity:
        return next(who for who in self.people if who.id == identity)

    def administrators(self) -> set[str]:
        """Who administers the pool, in whatever way: a lower assigned role takes nothing of an inherited one."""
        held = [*self.assigned.items(), *(self.inherited.items() if self.inherits else ())]
        return {identity for identity, role in held if role == "Administrator"}


class World:
    """The estate; it is a Survey, an ArmWriter and a DevOpsWriter."""

    def __init__(self, organizations: Mapping[str, Org] | None = None) -> None:
        self.organizations: dict[str, Org] = dict(organizations or {})
        self.documents: dict[str, dict[str, Json]] = {}
        self.writes: list[tuple[Json, ...]] = []
        self.refused_self_assignment = False

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

    def agent_pool(self, organization: str, name: str) -> AgentPool:
        for pool in self._read(organization, "agent_pool").pools:
            if pool.name.casefold() == name.casefold():
                return pool
        raise NotReady(f"{organization}: agent pool {name} does not exist yet")

    def projects(self, organization: str) -> Sequence[Project]:
        return list(self._read(organization, "projects").projects)

    def me(self, organization: str) -> Identity:
        self._read(organization, "me")
        return OPERATOR

    def queues(
        self, organization: str, projects: Sequence[Project], pool: AgentPool
    ) -> Mapping[str, Queue | ReconcilerError | None]:
        org = self._read(organization, "queues")
        return {p.id: org.trouble.get(f"queues/{p.id}") or org.queues.get((p.id, pool.id)) for p in projects}

    def open_access(self, organization: str, wanted: Mapping[Queue, bool]) -> Mapping[Queue, bool | ReconcilerError]:
        org = self._read(organization, "open_access")
        return {q: org.trouble.get(f"open_access/{q.project_id}") or q.id in org.open for q in wanted}

    def permissions(
        self, organization: str, queues: Sequence[Queue]
    ) -> Mapping[Queue, PipelinePermissions | ReconcilerError]:
        org = self._read(organization, "permissions")
        return {queue: PipelinePermissions(queue.id in org.open) for queue in queues}

    def role_assignments(self, organization: str, scope: str, resource: str) -> Sequence[RoleAssignment]:
        org = self._read(organization, "role_assignments")
        assert (scope, int(resource)) in {(POOL_SCOPE, pool.id) for pool in org.pools}
        lines = [RoleAssignment(org.person(who), role, inherited=False) for who, role in org.assigned.items()]
        if org.inherits:
            lines += [RoleAssignment(org.person(who), role, inherited=True) for who, role in org.inherited.items()]
        return lines

    def inheritance(self, organization: str, pool: AgentPool) -> bool:
        org = self._read(organization, "inheritance")
        assert pool in org.pools
        return org.inherits

    def identities(self, organization: str, principals: Sequence[str]) -> Mapping[str, Identity]:
        people = self._read(organization, "identities").people
        names = {name.casefold(): who for who in people for name in (who.unique_name, who.origin_id) if name}
        return {name: names[name.casefold()] for name in principals if name.casefold() in names}

    # --- writers --------------------------------------------------------------------------------------

    def put(self, pool_id: str, body: Mapping[str, Json]) -> Pending | None:
        self.writes.append(("put", pool_id, deepcopy(dict(body))))
        document = deepcopy(dict(body))
        document["properties"]["provisioningState"] = "Succeeded"
        self.documents[pool_id.casefold()] = document
        return Pending(f"https://management.azure.com{pool_id}/operation", 15, f"update of pool {pool_id}")

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

    def assign_role(self, organization: str, scope: str, resource: str, identity_id: str, role: str) -> None:
        assert (scope, resource) == (POOL_SCOPE, str(POOL.id))
        org = self.organizations[organization]
        if identity_id == OPERATOR.id and self.refused_self_assignment:
            raise Rejected(f"{organization}: the service refuses a change of one's own role")
        if OPERATOR.id not in org.administrators():
            raise Forbidden(f"{organization}: the operator does not administer agent pool {resource}")
        assert identity_id in {who.id for who in org.people}
        self.writes.append(("assign_role", organization, identity_id))
        org.assigned[identity_id] = role

    def remove_role(self, organization: str, scope: str, resource: str, identity_id: str) -> None:
        assert (scope, resource) == (POOL_SCOPE, str(POOL.id))
        org = self.organizations[organization]
        if OPERATOR.id not in org.administrators():
            raise Forbidden(f"{organization}: the operator does not administer agent pool {resource}")
        self.writes.append(("remove_role", organization, identity_id))
        org.assigned.pop(identity_id, None)

    def set_inheritance(self, organization: str, scope: str, resource: str, inherit: bool) -> None:
        assert (scope, resource) == (POOL_SCOPE, str(POOL.id))
        self.writes.append(("set_inheritance", organization, inherit))
        self.organizations[organization].inherits = inherit

    def materialise(self, organization: str, principal: str) -> Identity:
        org = self.organizations[organization]
        self.writes.append(("materialise", organization, principal))
        if principal not in org.entra:
            raise Rejected(f"{organization}: the directory knows no {principal}")
        who = org.entra.pop(principal)
        org.people.append(who)
        return who
