r"""Who has which role on the pool's queue in a project: Reader, User, Creator, Administrator.

A queue inherits the roles of its project; what is assigned on the queue itself is managed here, on the scope
`distributedtask.agentqueuerole` with the resource ``{project id}_{queue id}`` (Microsoft Learn: agent queue roles;
azsk/ADOScanner, agent pool checks). A role that the spec does not name is not managed.

- **Identities are compared by local id**, as for the agent pool: an Entra id in its place is answered with 200 and
  assigns no one (terraform-provider-azuredevops #1562).
- **At least the role**: an identity that inherits it, or a stronger one, needs nothing: a weaker assignment beside it
  would not even be listed. An assigned stronger role is left alone, too.
- **Only `exclusive: true` removes**, and only what is assigned: an identity that holds a named role and is not listed
  for it loses it, or gets the role for which the spec lists it. Never the operator, and never the last administrator
  that was read, inherited ones included: the queue keeps an administrator.
- **A principal that the organization does not know** is made known first, where the policy allows it, as for the
  agent pool. An unknown Azure DevOps group or build service is a gap.
- **A principal that cannot be told** is a gap and a blind grant: nothing is removed from the queues that list it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.engine.facet import Facet, Observation
from reconciler.errors import NotReady, ReconcilerError
from reconciler.facets.support import principals as people
from reconciler.facets.support.observing import each, gap, on_queues, pick, queue_place
from reconciler.facets.support.role_changes import (
    Objection,
    against_blind,
    against_member,
    losers,
    member,
    refused,
    unknown_in_devops,
    write,
)
from reconciler.plan.model import Change, Refusal
from reconciler.plan.policy import Policy
from reconciler.plan.targets import (
    AgentPoolPlace,
    DirectoryEntry,
    Place,
    QueuePlace,
    RoleAssignmentChange,
    role_rank,
)
from reconciler.ports.devops import Identity, Project, Queue, RoleAssignment
from reconciler.ports.readers_writers import Writers
from reconciler.spec import effective
from reconciler.spec.model import Organization, QueueRoles, Spec
from reconciler.spec.principals import folded, in_devops_alone
from reconciler.survey import Survey

NAME = "queue_roles"


@dataclass(frozen=True, slots=True)
class DesiredQueueRoles:
    """Desired state of one organization."""

    organization: Organization
    queues: tuple[QueueRoles, ...]


Desired = tuple[DesiredQueueRoles, ...]


@dataclass(frozen=True, slots=True)
class ObservedQueueRoles:
    """The role assignments of one queue, the desired ones, and the identities behind the principals of the spec."""

    organization: str
    project: Project
    queue: Queue
    me: str
    """Local id of the operator."""
    wanted: QueueRoles
    assignments: tuple[RoleAssignment, ...] = ()
    known: Mapping[str, Identity] = field(default_factory=dict)
    """Principal as the spec writes it → its identity."""
    not_told: frozenset[str] = frozenset()
    """Principals of the spec that several identities match, or whose search failed."""

    @property
    def subject(self) -> str:
        """``organization/project``."""
        return f"{self.organization}/{self.project.name}"

    @property
    def place(self) -> QueuePlace:
        """The queue as changes name it."""
        return queue_place(self.organization, self.project, self.queue)

    @property
    def pool(self) -> AgentPoolPlace:
        """The agent pool of the queue as changes name it."""
        return AgentPoolPlace(self.organization, self.queue.pool_id)

    def held(self, *, inherited: bool) -> dict[str, RoleAssignment]:
        """Assignments by local id."""
        return {a.identity.id: a for a in self.assignments if a.inherited is inherited}

    def listed(self) -> dict[str, tuple[str, str]]:
        """Local id → role and principal; of two spellings of one identity the stronger role counts."""
        found: dict[str, tuple[str, str]] = {}
        for role, name in sorted(self._entries(), key=lambda entry: (role_rank(entry[0]), entry[1])):
            if name in self.known:
                found[self.known[name].id] = (role, name)
        return found

    def unknown(self) -> tuple[str, ...]:
        """Principals that the organization does not know."""
        named = {name for _, name in self._entries()}
        return tuple(sorted(named - set(self.known) - self.not_told))

    def blind(self) -> set[str]:
        """Principals of this queue whose grants are blind."""
        return {name for _, name in self._entries()} & self.not_told

    def _entries(self) -> Iterator[tuple[str, str]]:
        return ((role, name) for role, names in self.wanted.roles.items() for name in names)


Observed = tuple[ObservedQueueRoles, ...]


def parse(spec: Spec, now: datetime) -> Desired | None:  # noqa: ARG001 - roles have no dates
    """Organizations with roles on queues; None where there are none."""
    found = [
        DesiredQueueRoles(
            one, tuple(roles for roles in spec.access.queue_roles if roles.organization.casefold() == one.name)
        )
        for one in spec.organizations
    ]
    return tuple(one for one in found if one.queues) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:
    """Assignments of each queue that is named, the operator's identity and those of the principals."""
    wanted = {one.organization.name: one for one in desired}
    return each(
        NAME, (spec, survey), [one.organization for one in desired], lambda one: _read(wanted[one.name], survey)
    )


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:
    """Directory entries to add, roles to assign, and where the list is exclusive, roles to remove or to lower."""
    ours = {one.organization.name for one in desired}
    changes = {change.id: change for state in observed if state.organization in ours for change in _diff(state)}
    return [changes[key] for key in sorted(changes)]


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:
    """Refuse unknown identities and queues, lock-outs, and directory entries that the policy does not allow."""
    queues: dict[Place, ObservedQueueRoles] = {state.place: state for state in observed}
    losing = losers(changes)

    def object_to(change: Change) -> Objection | None:
        match change.target:
            case DirectoryEntry() as entry:
                return against_member(entry, _unknown(observed, entry.place), policy)
            case RoleAssignmentChange() as target:
                state = queues.get(target.place)
                if state is None:
                    return "unseen-queue", f"{target.place} was not read"
                return _objection(target, state, losing[target.place])
            case other:
                return "unrecognised", f"a {type(other).__name__} is not written here"

    return refused(changes, object_to)


def apply(change: Change, writers: Writers) -> None:
    """Add a directory entry, assign a role or remove the assignment; each may be repeated."""
    write(change, writers.devops)


def _unknown(observed: Observed, pool: AgentPoolPlace) -> set[str]:
    return {name for state in observed if state.pool == pool for name in state.unknown()}


# --- observe ------------------------------------------------------------------------------------------


def _read(wanted: DesiredQueueRoles, survey: Survey) -> Observation[Observed]:
    name = wanted.organization.name
    by_project = {one.project.casefold(): one for one in wanted.queues}
    projects = pick(NAME, name, [one.project for one in wanted.queues], survey.projects(name))
    found = on_queues(NAME, wanted.organization, projects, survey, _no_queue)
    me = survey.me(name).id
    principals = sorted({p for one in wanted.queues for names in one.roles.values() for p in names})
    answers = survey.identities(name, principals) if principals else {}
    known, blind = people.identified(NAME, name, answers)
    gaps = [*found.gaps, *blind.values()]
    states: list[ObservedQueueRoles] = []
    for project, queue in found.value:
        try:
            lines = survey.role_assignments(name, effective.QUEUE_SCOPE, f"{project.id}_{queue.id}")
        except ReconcilerError as error:
            gaps.append(gap(NAME, f"{name}/{project.name}", error))
            continue
        states.append(
            ObservedQueueRoles(
                name,
                project,
                queue,
                me,
                by_project[project.name.casefold()],
                tuple(lines),
                known,
                frozenset(blind),
            )
        )
    gaps += unknown_in_devops(NAME, name, [principal for principal in principals if principal not in answers])
    return Observation(tuple(states), tuple(gaps))


def _no_queue(subject: str, _project: Project) -> ReconcilerError:
    return NotReady(f"{subject}: roles are assigned after its queue exists")


# --- diff ---------------------------------------------------------------------------------------------


def _diff(state: ObservedQueueRoles) -> Iterator[Change]:
    listed = state.listed()
    assigned, inherited = state.held(inherited=False), state.held(inherited=True)
    for name in state.unknown():
        if not in_devops_alone(name):
            yield member(NAME, state.pool, name)
    for identity, (role, name) in listed.items():
        holds = [held[identity].role for held in (assigned, inherited) if identity in held]
        if max(map(role_rank, holds), default=-1) < role_rank(role):
            yield _change(state, identity, name, before=next(iter(holds), None), after=role)
    labels = people.labels({identity: one.identity for identity, one in assigned.items()}, state.known)
    for identity in _surplus(state, assigned, listed):
        lower, principal = listed.get(identity, (None, labels[identity]))
        yield _change(state, identity, principal, before=assigned[identity].role, after=lower)


def _surplus(
    state: ObservedQueueRoles, assigned: Mapping[str, RoleAssignment], listed: Mapping[str, tuple[str, str]]
) -> Iterator[str]:
    """Who holds a named role beyond the listed one; an identity whose name is an unresolved principal is kept."""
    if not state.wanted.exclusive or state.blind():
        return
    named = {role.casefold() for role in state.wanted.roles}
    unknown = {folded(name) for name in state.unknown()}
    for identity, one in assigned.items():
        allowed = role_rank(listed[identity][0]) if identity in listed else -1
        beyond = one.role.casefold() in named and role_rank(one.role) > allowed
        if beyond and identity != state.me and not unknown & people.names(one.identity):
            yield identity


def _change(
    state: ObservedQueueRoles, identity: str, principal: str, *, before: str | None, after: str | None
) -> Change:
    return Change(
        facet=NAME,
        kind="queue role",
        subject=f"{state.subject} {principal}",
        before=before,
        after=after,
        target=RoleAssignmentChange(state.place, identity, principal, before, after),
    )


# --- guard --------------------------------------------------------------------------------------------


def _objection(target: RoleAssignmentChange, state: ObservedQueueRoles, losing: set[str]) -> Objection | None:
    """Rule and reason, or None where nothing speaks against it."""
    identity, role = target.identity_id, target.after
    if not target.widens or role is None:
        return _against_removal(target, state, losing - {state.me})
    if role_rank(role) < 0 or role not in state.wanted.roles:
        return "role-not-managed", f"role {role} is not managed here"
    if state.listed().get(identity, ("", ""))[0] != role:
        return "unknown-identity", f"no principal that the spec lists for the role {role} resolved to this identity"
    held = state.held(inherited=False).get(identity)
    if held is not None and role_rank(held.role) > role_rank(role):
        return "not-as-read", f"this identity holds {held.role}, so that {role} would be less"
    return None


def _against_removal(target: RoleAssignmentChange, state: ObservedQueueRoles, losing: set[str]) -> Objection | None:
    identity, assigned = target.identity_id, state.held(inherited=False)
    if identity == state.me:
        return "operator-itself", "the operator never removes a role of its own"
    if not state.wanted.exclusive or identity not in assigned:
        return "not-assigned", "this identity was not read with a role that an exclusive list would remove"
    if (blind := against_blind(state.blind())) is not None:
        return blind
    left = state.listed().get(identity)
    if target.after is not None and (left is None or left[0] != target.after):
        return "role-not-managed", f"the spec does not list this identity for the role {target.after}"
    holders = {who for inherited in (True, False) for who, one in state.held(inherited=inherited).items() if _top(one)}
    if identity in holders and not holders - losing:
        return "last-administrator", "no administrator of the queue would remain of those that were read"
    return None


def _top(assignment: RoleAssignment) -> bool:
    return effective.is_administrator(assignment.role)


FACET: Facet[Desired, Observed] = Facet(
    name=NAME,
    title="roles on the queues of projects",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
)
