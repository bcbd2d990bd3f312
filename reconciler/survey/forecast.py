"""What a survey would read after planned changes took effect: so that what follows from them can be planned too.

What was created has no id yet. It gets a placeholder: 0 for an agent pool and a queue, `placeholder_identity` for a
member. It is otherwise empty: a new queue is closed and authorizes no pipeline, and on a new agent pool and a new
queue the roles are those that the plan assigns. The switches of a new agent pool (inheritance, auto-provisioning) are
assumed to be not as desired, so that the plan shows them: what ARM makes of them at creation is not documented.

Everything else is read from the survey below. Nothing of a forecast is ever written or stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from reconciler.documents import Json
from reconciler.errors import NotReady, ReconcilerError
from reconciler.plan import spec_allows
from reconciler.plan.following import UNASSIGNED, placeholder_identity
from reconciler.plan.model import Change
from reconciler.plan.targets import (
    CreatePool,
    DirectoryEntry,
    NewQueue,
    ReplacePool,
    RoleAssignmentChange,
    UpdatePool,
)
from reconciler.ports.azure_resources import AzureResourcesReader
from reconciler.ports.devops import AgentPool, Identity, Pipeline, PipelinePermissions, Project, Queue, RoleAssignment
from reconciler.spec import effective
from reconciler.spec.model import Spec
from reconciler.survey.moves import PoolElsewhere
from reconciler.survey.names import Excepted
from reconciler.survey.operators import Operators, People
from reconciler.survey.owed import Debts
from reconciler.survey.port import Survey
from reconciler.survey.queue_uses import QueueUses

_FINISHED = "succeeded"
_NEW_RESOURCES = {effective.POOL_SCOPE: str(UNASSIGNED), effective.QUEUE_SCOPE: f"_{UNASSIGNED}"}


class Forecast:
    """See `reconciler.survey.port.Survey` for what each method returns."""

    def __init__(self, survey: Survey, spec: Spec, changes: Iterable[Change]) -> None:
        """`changes`: of this spec's plan, allowed, in any order."""
        self._survey = survey
        self._spec = spec
        self._bodies: list[Mapping[str, Json]] = []
        self._deleted = self._created = False
        self._queues: dict[tuple[str, str, int], Queue] = {}
        self._members: set[tuple[str, str]] = set()
        self._roles: dict[tuple[str, str, str], dict[str, RoleAssignment]] = {}
        for change in changes:
            self._take(change)

    def _take(self, change: Change) -> None:
        match change.target:
            case ReplacePool():
                self._deleted = True
            case CreatePool(body=body):
                self._created = True
                self._bodies.append(body)
            case UpdatePool(body=body):
                self._bodies.append(body)
            case NewQueue(place=place, pool_id=pool, pool_name=name):
                key = (place.organization, place.project_id, pool)
                self._queues[key] = Queue(UNASSIGNED, name, place.project_id, pool)
            case DirectoryEntry(place=pool_place, principal=principal):
                self._members.add((pool_place.organization, principal.casefold()))
            case RoleAssignmentChange(place=where, identity_id=identity, principal=principal, after=str(role)):
                given = RoleAssignment(Identity(identity, principal), role, inherited=False)
                self._roles.setdefault((where.organization, *where.resource), {})[identity] = given
            case _:
                pass

    # --- what the changes create ------------------------------------------------------------------------

    def arm_pool(self, spec: Spec) -> Mapping[str, Json] | None:
        """None once the pool is deleted to be replaced."""
        return None if self._deleted else self._survey.arm_pool(spec)

    def elsewhere(self, spec: Spec) -> PoolElsewhere | None:
        """A pool that is deleted to be replaced is nowhere."""
        return None if self._deleted else self._survey.elsewhere(spec)

    def agent_pool(self, organization: str, name: str) -> AgentPool:
        """The placeholder where ARM is about to create the agent pool."""
        if not self._deleted:
            try:
                return self._survey.agent_pool(organization, name)
            except NotReady:
                if not self._uses(organization):
                    raise
        elif not self._created:
            raise NotReady(f"{organization}: agent pool {name} is deleted with its pool")
        wanted = spec_allows.organization(self._spec, organization)
        flag = wanted.auto_provision if wanted else None
        return AgentPool(UNASSIGNED, name, None if flag is None else not flag)

    def _uses(self, organization: str) -> bool:
        """Whether ARM is about to create the agent pool: by the plan, or by an operation that it is at work on.

        One that is missing beside a finished resource may be hidden; nothing then says that it will be there.
        """
        there: Mapping[str, Json] = {}
        with suppress(ReconcilerError):
            there = self._survey.arm_pool(self._spec) or {}
        if _lists(there, organization):
            state = (there.get("properties") or {}).get("provisioningState") or _FINISHED
            return str(state).casefold() != _FINISHED
        return any(_lists(body, organization) for body in self._bodies)

    def inheritance(self, organization: str, pool: AgentPool) -> bool:
        """Of a new agent pool: not as desired."""
        if pool.id != UNASSIGNED:
            return self._survey.inheritance(organization, pool)
        return effective.inheritance(self._spec, organization) is not True

    def queues(
        self, organization: str, projects: Sequence[Project], pool: AgentPool
    ) -> Mapping[str, Queue | ReconcilerError | None]:
        """Placeholders where a queue is about to be created."""
        read = {} if pool.id == UNASSIGNED else self._survey.queues(organization, projects, pool)
        return {
            project.id: read.get(project.id) or self._queues.get((organization, project.id, pool.id))
            for project in projects
        }

    def open_access(self, organization: str, desired: Mapping[Queue, bool]) -> Mapping[Queue, bool | ReconcilerError]:
        """A new queue is closed."""
        there = {queue: wanted for queue, wanted in desired.items() if queue.id != UNASSIGNED}
        read = self._survey.open_access(organization, there) if there else {}
        return {queue: read.get(queue, False) for queue in desired}

    def permissions(
        self, organization: str, queues: Sequence[Queue]
    ) -> Mapping[Queue, PipelinePermissions | ReconcilerError]:
        """A new queue authorizes no pipeline."""
        there = [queue for queue in queues if queue.id != UNASSIGNED]
        read = self._survey.permissions(organization, there) if there else {}
        return {queue: read.get(queue) or PipelinePermissions(all_pipelines=False) for queue in queues}

    def role_assignments(self, organization: str, scope: str, resource: str) -> Sequence[RoleAssignment]:
        """On a new agent pool or queue: what the plan assigns."""
        new = _NEW_RESOURCES.get(scope)
        if new is None or not (resource == new or (new.startswith("_") and resource.endswith(new))):
            return self._survey.role_assignments(organization, scope, resource)
        return tuple(self._roles.get((organization, scope, resource), {}).values())

    def identities(self, organization: str, principals: Sequence[str]) -> Mapping[str, Identity | ReconcilerError]:
        """With placeholders for members that are about to become known."""
        known = self._survey.identities(organization, principals)
        new = {
            name: Identity(placeholder_identity(name), name, name)
            for name in principals
            if name not in known and (organization, name.casefold()) in self._members
        }
        return {**known, **new}

    def people(self, organization: str) -> People:
        """A member that is about to become known is in no group, and is a person."""
        new = {placeholder_identity(name) for where, name in self._members if where == organization}
        return _NewPeople(self._survey.people(organization), frozenset(new))

    # --- what they leave as it is -----------------------------------------------------------------------

    def machines(self, spec: Spec) -> Sequence[str]:
        """As read."""
        return self._survey.machines(spec)

    def azure_resources(self) -> AzureResourcesReader | None:
        """As read."""
        return self._survey.azure_resources()

    def waiting_since(self, now: datetime) -> datetime:
        """As stored."""
        return self._survey.waiting_since(now)

    def projects(self, organization: str) -> Sequence[Project]:
        """As read."""
        return self._survey.projects(organization)

    def hidden_projects(self, organization: str) -> Sequence[Project]:
        """As read."""
        return self._survey.hidden_projects(organization)

    def excepted(self, organization: str, exceptions: Collection[str]) -> Excepted:
        """As read."""
        return self._survey.excepted(organization, exceptions)

    def me(self, organization: str) -> Identity:
        """As read."""
        return self._survey.me(organization)

    def pipelines(
        self, organization: str, projects: Sequence[Project]
    ) -> Mapping[str, Sequence[Pipeline] | ReconcilerError]:
        """As read."""
        return self._survey.pipelines(organization, projects)

    def queue_uses(self, organization: str, queue: Queue, *, only: str = "") -> QueueUses:
        """As read."""
        return self._survey.queue_uses(organization, queue, only=only)

    @property
    def debts(self) -> Debts:
        """As stored."""
        return self._survey.debts


@dataclass(frozen=True, slots=True)
class _NewPeople:
    """See `reconciler.survey.operators.People`."""

    known: People
    new: frozenset[str]
    """Placeholders."""

    def operators(self) -> Operators:
        return self.known.operators()

    def groups_of(self, identity: str) -> frozenset[str]:
        return frozenset() if identity in self.new else self.known.groups_of(identity)

    def administers_collection(self, identity: str) -> bool:
        return identity not in self.new and self.known.administers_collection(identity)

    def without_members(self, identities: Collection[str]) -> frozenset[str]:
        return self.known.without_members([one for one in identities if one not in self.new])


def _lists(body: Mapping[str, Json], organization: str) -> bool:
    names = map(spec_allows.name_in, spec_allows.listed_in(body))
    return any(spec_allows.same(organization, name) for name in names)
