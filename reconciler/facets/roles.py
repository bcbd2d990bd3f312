r"""Who administers the agent pool in each organization.

ARM takes `permissionProfile` while a pool is created and ignores it afterwards (Microsoft Learn: managed-devops-pools/
configure-security); effective are the role assignments in Azure DevOps. Desired are the users and groups of
SpecificAccounts in every organization, and what `access.roles` adds for its own.

- **People are compared by local id**, after resolving: two spellings of one person are one, and an Entra id in its
  place would be answered with 200 and assign no one (terraform-provider-azuredevops #1562).
- **An inherited role suffices**, unless inheritance has to be off: then an assigned one is needed, and assigned
  before the switch.
- **Only `exclusive: true` removes**, and only assigned administrators: inherited roles cannot be removed, other roles
  are not listed. Never an operator, never the last assigned administrator that was read, and nothing at all through
  which alone an operator has its right (`reconciler.facets.support.lockout`). CreatorOnly without a list removes no
  one: the service does not say who the creator was.
- **Named operators are assigned first**, all of them, in a run of any identity: where inheritance is off or about to go
  off, and where a removal would leave one of them without a right. Otherwise their right belongs at the level of all
  pools. A caller that only stands in for them is assigned nothing for it. A service that refuses a change of one's
  own role (terraform-provider-azuredevops #1592) leaves everything as it is.
- **A principal that the organization does not know** is made known first, a change of its own of kind `member`;
  the role follows on the next pass, when it resolves. `diff` does not see the policy, so the change is always
  planned, and `guard` refuses it where the policy does not allow it, saying what to do instead. An unknown group
  (``[scope]\name``) or build service is a gap: no directory holds it.
- **A principal that cannot be told** (several identities match, or its search failed) is a gap and a blind grant: other
  grants go on, and removals from this agent pool wait (`reconciler.plan.order`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from reconciler.engine.facet import Facet, Observation
from reconciler.facets.support import principals
from reconciler.facets.support.lockout import Standing, against_loss, standing
from reconciler.facets.support.observing import each, gap
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
from reconciler.plan.order import GRANTS, REMEDY
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, DirectoryEntry, Place, RoleAssignmentChange
from reconciler.ports.devops import AgentPool, Identity, RoleAssignment
from reconciler.ports.readers_writers import Writers
from reconciler.spec import effective
from reconciler.spec.model import Organization, Spec
from reconciler.spec.principals import folded, in_devops_alone
from reconciler.survey import Survey

NAME = "roles"


class DesiredRoles(NamedTuple):
    """Desired state of one organization."""

    organization: Organization
    administrators: tuple[str, ...] = ()
    """Principals as the spec writes them."""
    exclusive: bool = False
    inherit: bool | None = None


Desired = tuple[DesiredRoles, ...]


class ObservedRoles(NamedTuple):
    """The role assignments of one agent pool, and the identities behind the principals of the spec."""

    organization: str
    pool: AgentPool
    standing: Standing
    inherits: bool
    assignments: tuple[RoleAssignment, ...]
    known: Mapping[str, Identity] = MappingProxyType({})
    """Principal as the spec writes it → its identity."""
    unknown: tuple[str, ...] = ()
    """Principals that the organization does not know."""
    detaching: bool = False
    """Whether inheritance is on and has to go off, so that the operators need assignments of their own."""

    @property
    def place(self) -> AgentPoolPlace:
        """The agent pool as changes name it."""
        return AgentPoolPlace(self.organization, self.pool.id)

    def own(self) -> list[RoleAssignment]:
        """What is assigned on the agent pool itself."""
        return [one for one in self.assignments if not one.inherited]

    def assigned(self) -> dict[str, Identity]:
        """Assigned administrators by local id."""
        return {
            one.identity.id: one.identity
            for one in self.assignments
            if not one.inherited and effective.is_administrator(one.role)
        }

    def held(self, identity: str) -> str | None:
        """The role of an identity: the assigned one, else Administrator where it inherits that."""
        assigned = sorted(one.role for one in self.own() if one.identity.id == identity)
        return assigned[0] if assigned else effective.ADMINISTRATOR if identity in self.inheriting() else None

    def inheriting(self) -> frozenset[str]:
        """Local ids of inherited administrators."""
        return frozenset(a.identity.id for a in self.assignments if a.inherited and effective.is_administrator(a.role))


Observed = tuple[ObservedRoles, ...]


def parse(spec: Spec, now: datetime) -> Desired | None:  # noqa: ARG001 - administrators have no dates
    """Organizations with administrators, an exclusive list, or inheritance that has to be off."""
    all_of_them = [DesiredRoles(one, *effective.administration(spec, one.name)) for one in spec.organizations]
    return tuple([w for w in all_of_them if w.administrators or w.exclusive or w.inherit is False]) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:
    """Role assignments, inheritance, the operator's identity and those of the principals, for each organization."""
    return each(NAME, (spec, survey), [(one.organization, one) for one in desired], lambda one: _read(one, survey))


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:
    """Directory entries to add, roles to assign, and where the list is exclusive, assignments to remove."""
    wanted = {one.organization.name: one for one in desired}
    changes: list[Change] = []
    for state in observed:
        if state.organization in wanted:
            changes += _diff(wanted[state.organization], state)
    return sorted(changes, key=lambda change: change.id)


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:
    """Refuse unknown identities and pools, lock-outs, and directory entries that the policy does not allow."""
    pools: dict[Place | None, ObservedRoles] = {state.place: state for state in observed}
    losing, gaining = losers(changes), gainers(changes)
    joining = {change.place for change in changes if isinstance(change.target, DirectoryEntry)}

    def object_to(change: Change) -> Objection | None:
        state = pools.get(change.place)
        if state is None:
            return "unseen-pool", f"{change.place} was not read"
        if change.awaits and change.place not in joining:
            change = replace(change, awaits="")
        return _objection(change, state, (losing[state.place], gaining[state.place]), policy)

    return refused(changes, object_to)


def apply(change: Change, writers: Writers) -> None:
    """Add a directory entry, assign a role or remove the assignment; each may be repeated."""
    write(change, writers.devops)


# --- observe ------------------------------------------------------------------------------------------


def _read(wanted: DesiredRoles, survey: Survey) -> Observation[Observed]:
    organization = wanted.organization.name
    pool = survey.agent_pool(organization, wanted.organization.agent_pool)
    inherits = survey.inheritance(organization, pool)
    answers = survey.identities(organization, wanted.administrators) if wanted.administrators else {}
    known, blind = principals.identified(answers)
    people = survey.people(organization)
    operators = people.operators()
    state = ObservedRoles(
        organization,
        pool,
        Standing(operators),
        inherits,
        tuple(survey.role_assignments(organization, effective.POOL_SCOPE, str(pool.id))),
        known,
        tuple([name for name in wanted.administrators if name not in answers]),
        inherits and wanted.inherit is False,
    )
    if _takes_away(wanted, state):
        counted = {*state.assigned(), *(who.id for who in known.values())}
        state = state._replace(standing=standing(people, operators, state.assigned(), counted))
    if not blind and not state.unknown:
        return Observation((state,))
    gaps = [gap(NAME, f"{organization} {name}", error) for name, error in sorted(blind.items())]
    return Observation((state,), (*gaps, *unknown_in_devops(NAME, organization, state.unknown)))


def _takes_away(wanted: DesiredRoles, state: ObservedRoles) -> bool:
    """Whether rights are taken away, or an operator may have none: then groups are read as well."""
    if wanted.exclusive and _surplus(state, _listed(wanted, state)):
        return True
    return wanted.inherit is False and not state.standing.operators.ids <= state.assigned().keys()


# --- diff ---------------------------------------------------------------------------------------------


def _diff(wanted: DesiredRoles, state: ObservedRoles) -> Iterator[Change]:
    listed = _listed(wanted, state)
    for name in state.unknown:
        if not in_devops_alone(name):
            yield member(NAME, state.place, name)
    surplus = _surplus(state, listed) if wanted.exclusive else set()
    for identity, name in _lacking(wanted, state, listed).items():
        yield _grant(state, identity, name)
    for operator in _operators_to_assign(wanted, state, listed, surplus):
        yield _grant(state, operator.id, principals.label(operator), itself=True)
    labels = principals.labels(state.assigned(), state.known) if surplus else {}
    for identity in sorted(surplus):
        yield _removal(state, identity, labels[identity])


def _listed(wanted: DesiredRoles, state: ObservedRoles) -> dict[str, str]:
    """Local id → name as the spec writes it."""
    return {state.known[name].id: name for name in sorted(wanted.administrators, reverse=True) if name in state.known}


def _lacking(wanted: DesiredRoles, state: ObservedRoles, listed: Mapping[str, str]) -> dict[str, str]:
    """Local id → name of the listed identities that need an assignment."""
    enough = set(state.assigned())
    if wanted.inherit is not False:
        enough |= state.inheriting()
    return {identity: name for identity, name in listed.items() if identity not in enough}


def _operators_to_assign(
    wanted: DesiredRoles, state: ObservedRoles, listed: Mapping[str, str], surplus: set[str]
) -> Iterator[Identity]:
    """Named operators that need an assignment of their own before anything is taken away.

    All of them where inheritance goes off; else those who would have no right.
    """
    if not state.standing.operators.named or not (surplus or wanted.inherit is False):
        return
    kept = (state.assigned().keys() - surplus) | listed.keys()
    for operator in state.standing.operators.identities:
        if operator.id in kept:
            continue
        if state.detaching or not state.standing.enters(operator, kept | state.inheriting()):
            yield operator


def _surplus(state: ObservedRoles, listed: Mapping[str, str]) -> set[str]:
    """Assigned administrators that are not listed; one whose name is an unresolved principal of the spec is kept."""
    operators = state.standing.operators
    unknown = {folded(name) for name in (*state.unknown, *operators.unknown)}
    return {
        identity
        for identity, who in state.assigned().items()
        if identity not in listed and identity not in operators.ids and not unknown & principals.names(who)
    }


def _grant(state: ObservedRoles, identity: str, principal: str, *, itself: bool = False) -> Change:
    """Assign the role; `itself`: to an operator, which the spec does not name."""
    held = state.held(identity)
    inherits = identity in state.inheriting() and not any(one.identity.id == identity for one in state.own())
    return Change(
        facet=NAME,
        kind="administrator",
        subject=f"{state.organization} {principal}",
        before="inherited" if inherits else held,
        after=effective.ADMINISTRATOR,
        target=RoleAssignmentChange(state.place, identity, principal, held, effective.ADMINISTRATOR, itself),
        note="the operator itself, before anything is taken away" if itself else "",
    )


def _removal(state: ObservedRoles, identity: str, label: str) -> Change:
    follows = _waits_for_members(state)
    return Change(
        facet=NAME,
        kind="administrator",
        subject=f"{state.organization} {label}",
        before=effective.ADMINISTRATOR,
        after=None,
        target=RoleAssignmentChange(state.place, identity, label, state.held(identity), None),
        awaits=GRANTS if follows else "",
    )


def _waits_for_members(state: ObservedRoles) -> bool:
    """Whether none of the listed administrators has the role, and one of them may become known in this run."""
    none_there = not state.assigned().keys() & {who.id for who in state.known.values()}
    return none_there and any(not in_devops_alone(name) for name in state.unknown)


# --- guard --------------------------------------------------------------------------------------------


def _objection(
    change: Change, state: ObservedRoles, plan: tuple[set[str], set[str]], policy: Policy
) -> Objection | None:
    """Rule and reason, or None where nothing speaks against it; `plan`: local ids that lose and that gain the role."""
    losing, gaining = plan
    match change.target:
        case DirectoryEntry() as entry:
            return against_member(entry, state.unknown, policy)
        case RoleAssignmentChange(after=None):
            return _against_removal(change, state, losing - state.standing.protected, gaining)
        case RoleAssignmentChange(itself=True, identity_id=identity):
            return _against_itself(identity, state, removing=bool(losing))
        case RoleAssignmentChange() as target:
            return _against_grant(target, state)
        case other:
            return "unrecognised", f"a {type(other).__name__} is not written here"


def _against_itself(identity: str, state: ObservedRoles, *, removing: bool) -> Objection | None:
    operators = state.standing.operators
    if not operators.named or identity not in operators.ids:
        return "operator-itself", f"this identity is not named as an operator; {REMEDY}"
    if state.detaching or removing or not state.inherits:
        return None
    return "operator-itself", "an operator is assigned only before something is taken away"


def _against_grant(target: RoleAssignmentChange, state: ObservedRoles) -> Objection | None:
    if not effective.is_administrator(target.after or ""):
        return "role-not-managed", f"role {target.after} is not managed here"
    if target.identity_id not in {who.id for who in state.known.values()}:
        return "unknown-identity", "this identity is none of those that the spec's principals resolved to"
    return None


def _against_removal(change: Change, state: ObservedRoles, losing: set[str], gaining: set[str]) -> Objection | None:
    """Grants of the plan count, since nothing is removed in a place before they are read back (`plan.order`).

    An inherited right does not, where the spec switches inheritance off: that guard counts on what is assigned.
    """
    identity = change.target.identity_id if isinstance(change.target, RoleAssignmentChange) else ""
    assigned, there = set(state.assigned()), set(state.assigned()) | gaining
    if identity not in assigned and identity not in state.standing.protected:
        return "not-assigned", "this identity was not read as an assigned administrator"
    staying = frozenset() if state.detaching else state.inheriting()
    if objection := against_loss(identity, state.standing, there | state.inheriting(), (there - losing) | staying):
        return objection
    if not there - losing - state.standing.empty:
        return "last-administrator", "no assigned administrator would remain of those that were read"
    first = there & {who.id for who in state.known.values()}
    if state.unknown and not first and not change.awaits:
        return "wanted-first", f"none of the listed administrators is assigned yet, and {state.unknown[0]} is unknown"
    return None


FACET: Facet[Desired, Observed] = Facet(
    name=NAME,
    title="administrators of the agent pool",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
    grants_on=AgentPoolPlace,
)
