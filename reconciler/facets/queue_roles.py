r"""Who has which role on the pool's queue in a project: Reader, User, Creator, Administrator.

A queue inherits the roles of its project; what is assigned on the queue itself is managed here, on the scope
`distributedtask.agentqueuerole` with the resource ``{project id}_{queue id}`` (Microsoft Learn: agent queue roles;
azsk/ADOScanner, agent pool checks). A role that the spec does not name is not managed.

- **Identities are compared by local id**, as for the agent pool: an Entra id in its place is answered with 200 and
  assigns no one (terraform-provider-azuredevops #1562).
- **At least the role**: an identity that inherits it, or a stronger one, needs nothing: a weaker assignment beside it
  would not even be listed. An assigned stronger role is left alone, too.
- **Only `exclusive: true` removes**, and only what is assigned: an identity that holds a named role and is not listed
  for it loses it, or gets the role for which the spec lists it. Never an operator, never the last administrator that
  was read, inherited ones included, and nothing through which alone an operator has its right. Named operators who
  would be left without one are assigned first (`reconciler.facets.support.lockout`).
- **A principal that the organization does not know** is made known first, where the policy allows it, as for the
  agent pool. An unknown Azure DevOps group or build service is a gap.
- **A principal that cannot be told** is a gap and a blind grant: removals on the queues that list it wait
  (`reconciler.plan.order`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.engine.facet import Facet, Observation
from reconciler.errors import NotReady, ReconcilerError
from reconciler.facets.support import principals
from reconciler.facets.support.lockout import Standing, against_loss, standing
from reconciler.facets.support.observing import each, gap, on_queues, pick, queue_place
from reconciler.facets.support.role_changes import (
    Objection,
    against_member,
    gainers,
    losers,
    member,
    refused,
    unknown_in_devops,
    write,
)
from reconciler.plan.model import Change, Refusal
from reconciler.plan.order import REMEDY
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
    standing: Standing
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

    def administrators(self, *, inherited: bool) -> set[str]:
        """Local ids of the assigned, or of the inherited, administrators."""
        return {identity for identity, one in self.held(inherited=inherited).items() if _top(one)}

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
    if not spec.access.queue_roles:
        return None
    found = [
        DesiredQueueRoles(
            one, tuple(roles for roles in spec.access.queue_roles if roles.organization.casefold() == one.name)
        )
        for one in spec.organizations
    ]
    return tuple(one for one in found if one.queues) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:
    """Assignments of each queue that is named, the operator's identity and those of the principals."""
    return each(NAME, (spec, survey), [(one.organization, one) for one in desired], lambda one: _read(one, survey))


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:
    """Directory entries to add, roles to assign, and where the list is exclusive, roles to remove or to lower."""
    ours = {one.organization.name for one in desired}
    changes = {change.id: change for state in observed if state.organization in ours for change in _diff(state)}
    return [changes[key] for key in sorted(changes)]


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:
    """Refuse unknown identities and queues, lock-outs, and directory entries that the policy does not allow."""
    queues: dict[Place, ObservedQueueRoles] = {state.place: state for state in observed}
    losing, gaining = losers(changes), gainers(changes)

    def object_to(change: Change) -> Objection | None:
        match change.target:
            case DirectoryEntry() as entry:
                return against_member(entry, _unknown(observed, entry.place), policy)
            case RoleAssignmentChange() as target:
                state = queues.get(target.place)
                if state is None:
                    return "unseen-queue", f"{target.place} was not read"
                return _objection(target, state, losing[target.place], gaining[target.place])
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
    people = survey.people(name)
    operators = people.operators()
    named = sorted({p for one in wanted.queues for names in one.roles.values() for p in names})
    answers = survey.identities(name, named) if named else {}
    known, blind = principals.identified(answers)
    gaps = list(found.gaps)
    states: list[ObservedQueueRoles] = []
    for project, queue in found.value:
        try:
            lines = survey.role_assignments(name, effective.QUEUE_SCOPE, f"{project.id}_{queue.id}")
        except ReconcilerError as error:
            gaps.append(gap(NAME, f"{name}/{project.name}", error))
            continue
        seen, desired = Standing(operators), by_project[project.name.casefold()]
        state = ObservedQueueRoles(name, project, queue, seen, desired, tuple(lines), known, frozenset(blind))
        if any(_surplus(state, state.held(inherited=False), state.listed())):
            holders = state.administrators(inherited=False) | state.administrators(inherited=True)
            counted = {*holders, *(who.id for who in known.values())}
            state = replace(state, standing=standing(people, operators, holders, counted))
        states.append(state)
        gaps += [gap(NAME, f"{state.subject} {one}", blind[one]) for one in sorted(state.blind())]
    gaps += unknown_in_devops(NAME, name, [principal for principal in named if principal not in answers])
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
    surplus = list(_surplus(state, assigned, listed))
    for operator in _operators_to_assign(state, surplus):
        yield _change(
            state, operator.id, principals.label(operator), before=None, after=effective.ADMINISTRATOR, itself=True
        )
    labels = principals.labels({identity: one.identity for identity, one in assigned.items()}, state.known)
    for identity in surplus:
        lower, principal = listed.get(identity, (None, labels[identity]))
        yield _change(state, identity, principal, before=assigned[identity].role, after=lower)


def _operators_to_assign(state: ObservedQueueRoles, surplus: Sequence[str]) -> Iterator[Identity]:
    """Named operators who would have no right after the removals."""
    granted = {identity for identity, (role, _) in state.listed().items() if effective.is_administrator(role)}
    kept = (state.administrators(inherited=False) - {*surplus}) | granted | state.administrators(inherited=True)
    for operator in state.standing.operators.identities if state.standing.operators.named and surplus else ():
        if not state.standing.enters(operator, kept):
            yield operator


def _surplus(
    state: ObservedQueueRoles, assigned: Mapping[str, RoleAssignment], listed: Mapping[str, tuple[str, str]]
) -> Iterator[str]:
    """Who holds a named role beyond the listed one; an identity whose name is an unresolved principal is kept."""
    if not state.wanted.exclusive:
        return
    named = {role.casefold() for role in state.wanted.roles}
    operators = state.standing.operators
    unknown = {folded(name) for name in (*state.unknown(), *operators.unknown)}
    for identity, one in assigned.items():
        allowed = role_rank(listed[identity][0]) if identity in listed else -1
        beyond = one.role.casefold() in named and role_rank(one.role) > allowed
        if beyond and identity not in operators.ids and not unknown & principals.names(one.identity):
            yield identity


def _change(
    state: ObservedQueueRoles,
    identity: str,
    principal: str,
    *,
    before: str | None,
    after: str | None,
    itself: bool = False,
) -> Change:
    return Change(
        facet=NAME,
        kind="queue role",
        subject=f"{state.subject} {principal}",
        before=before,
        after=after,
        target=RoleAssignmentChange(state.place, identity, principal, before, after, itself),
        note="the operator itself, before anything is taken away" if itself else "",
    )


# --- guard --------------------------------------------------------------------------------------------


def _objection(
    target: RoleAssignmentChange, state: ObservedQueueRoles, losing: set[str], gaining: set[str]
) -> Objection | None:
    """Rule and reason, or None where nothing speaks against it; `losing` and `gaining`: local ids, by the plan."""
    identity, role = target.identity_id, target.after
    if not target.widens or role is None:
        return _against_removal(target, state, losing - state.standing.protected, gaining)
    if target.itself:
        return _against_itself(identity, state, removing=bool(losing))
    if role_rank(role) < 0 or role not in state.wanted.roles:
        return "role-not-managed", f"role {role} is not managed here"
    if state.listed().get(identity, ("", ""))[0] != role:
        return "unknown-identity", f"no principal that the spec lists for the role {role} resolved to this identity"
    held = state.held(inherited=False).get(identity)
    if held is not None and role_rank(held.role) > role_rank(role):
        return "not-as-read", f"this identity holds {held.role}, so that {role} would be less"
    return None


def _against_itself(identity: str, state: ObservedQueueRoles, *, removing: bool) -> Objection | None:
    operators = state.standing.operators
    if not operators.named or identity not in operators.ids:
        return "operator-itself", f"this identity is not named as an operator; {REMEDY}"
    return None if removing else ("operator-itself", "an operator is assigned only before something is taken away")


def _against_removal(
    target: RoleAssignmentChange, state: ObservedQueueRoles, losing: set[str], gaining: set[str]
) -> Objection | None:
    """Grants of the plan count, since nothing is removed in a place before they are read back (`plan.order`)."""
    identity, assigned = target.identity_id, state.held(inherited=False)
    if (not state.wanted.exclusive or identity not in assigned) and identity not in state.standing.protected:
        return "not-assigned", "this identity was not read with a role that an exclusive list would remove"
    above = state.administrators(inherited=True)
    before = state.administrators(inherited=False) | above | gaining
    after = before - (losing - above)
    if objection := against_loss(identity, state.standing, before, after):
        return objection
    left = state.listed().get(identity)
    if target.after is not None and (left is None or left[0] != target.after):
        return "role-not-managed", f"the spec does not list this identity for the role {target.after}"
    if identity in before and not after - state.standing.empty:
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
    grants_on=QueuePlace,
)
