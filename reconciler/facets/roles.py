r"""Who administers the agent pool in each organization.

ARM takes `permissionProfile` while a pool is created and ignores it afterwards (Microsoft Learn: managed-devops-pools/
configure-security); effective are the role assignments in Azure DevOps. Desired are the users and groups of
SpecificAccounts in every organization, and what `access.roles` adds for its own.

- **People are compared by local id**, after resolving: two spellings of one person are one, and an Entra id in its
  place would be answered with 200 and assign no one (terraform-provider-azuredevops #1562).
- **An inherited role suffices**, unless inheritance has to be off: then an assigned one is needed, and assigned
  before the switch.
- **Only `exclusive: true` removes**, and only assigned administrators: inherited roles cannot be removed, other roles
  are not listed. Never the operator, never the last assigned administrator that was read. CreatorOnly without a list
  removes no one: the service does not say who the creator was.
- **The operator assigns itself only where inheritance is about to go off** and it has no assignment of its own.
  Otherwise its right belongs at the level of all pools. A service that refuses this
  (terraform-provider-azuredevops #1592) leaves inheritance on.
- **A principal that the organization does not know** is made known first, a change of its own of kind `member`;
  the role follows on the next pass, when it resolves. `diff` does not see the policy, so the change is always
  planned, and `guard` refuses it where the policy does not allow it, saying what to do instead. An unknown group
  (``[scope]\name``) or build service is a gap: no directory holds it.
- **A principal that cannot be told** (several identities match, or its search failed) is a gap and a blind grant: other
  grants go on, and nothing is removed from this agent pool.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.engine.facet import Facet, Observation
from reconciler.facets.support import principals
from reconciler.facets.support.observing import each
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
from reconciler.plan.targets import AgentPoolPlace, DirectoryEntry, Place, RoleAssignmentChange
from reconciler.ports.devops import AgentPool, Identity, RoleAssignment
from reconciler.ports.readers_writers import Writers
from reconciler.spec import effective
from reconciler.spec.model import Organization, Spec
from reconciler.spec.principals import folded, in_devops_alone
from reconciler.survey import Survey

NAME = "roles"


@dataclass(frozen=True, slots=True)
class DesiredRoles:
    """Desired state of one organization."""

    organization: Organization
    administrators: tuple[str, ...] = ()
    """Principals as the spec writes them."""
    exclusive: bool = False
    inherit: bool | None = None


Desired = tuple[DesiredRoles, ...]


@dataclass(frozen=True, slots=True)
class ObservedRoles:
    """The role assignments of one agent pool, and the identities behind the principals of the spec."""

    organization: str
    pool: AgentPool
    me: Identity
    inherits: bool
    assignments: tuple[RoleAssignment, ...]
    known: Mapping[str, Identity] = field(default_factory=dict)
    """Principal as the spec writes it → its identity."""
    unknown: tuple[str, ...] = ()
    """Principals that the organization does not know."""
    detaching: bool = False
    """Whether inheritance is on and has to go off, so that the operator needs an assignment of its own."""
    blind: frozenset[str] = frozenset()
    """Principals that several identities match, or whose search failed: their grants are blind."""

    @property
    def place(self) -> AgentPoolPlace:
        """The agent pool as changes name it."""
        return AgentPoolPlace(self.organization, self.pool.id)

    def own(self) -> list[RoleAssignment]:
        """What is assigned on the agent pool itself."""
        return [one for one in self.assignments if not one.inherited]

    def assigned(self) -> dict[str, Identity]:
        """Assigned administrators by local id."""
        return {one.identity.id: one.identity for one in self.own() if effective.is_administrator(one.role)}

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
    all_of_them = [
        DesiredRoles(
            one,
            effective.administrators(spec, one.name),
            effective.exclusive(spec, one.name),
            effective.inheritance(spec, one.name),
        )
        for one in spec.organizations
    ]
    return tuple(w for w in all_of_them if w.administrators or w.exclusive or w.inherit is False) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:
    """Role assignments, inheritance, the operator's identity and those of the principals, for each organization."""
    wanted = {one.organization.name: one for one in desired}
    return each(
        NAME, (spec, survey), [one.organization for one in desired], lambda one: _read(wanted[one.name], survey)
    )


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
    losing = losers(changes)

    def object_to(change: Change) -> Objection | None:
        state = pools.get(change.place)
        if state is None:
            return "unseen-pool", f"{change.place} was not read"
        return _objection(change, state, losing[state.place], policy)

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
    known, blind = principals.identified(NAME, organization, answers)
    state = ObservedRoles(
        organization,
        pool,
        survey.me(organization),
        inherits,
        tuple(survey.role_assignments(organization, effective.POOL_SCOPE, str(pool.id))),
        known,
        tuple(name for name in wanted.administrators if name not in answers),
        inherits and wanted.inherit is False,
        frozenset(blind),
    )
    gaps = (*blind.values(), *unknown_in_devops(NAME, organization, state.unknown))
    return Observation((state,), gaps)


# --- diff ---------------------------------------------------------------------------------------------


def _diff(wanted: DesiredRoles, state: ObservedRoles) -> Iterator[Change]:
    listed = {state.known[name].id: name for name in sorted(wanted.administrators, reverse=True) if name in state.known}
    for name in state.unknown:
        if not in_devops_alone(name):
            yield member(NAME, state.place, name)
    for identity, name in _lacking(wanted, state, listed).items():
        yield _grant(state, identity, name, itself=identity not in listed)
    if wanted.exclusive and not state.blind:
        labels = principals.labels(state.assigned(), state.known)
        for identity in sorted(_surplus(state, listed)):
            yield _removal(state, identity, labels[identity])


def _lacking(wanted: DesiredRoles, state: ObservedRoles, listed: Mapping[str, str]) -> dict[str, str]:
    """Local id → name of the identities that need an assignment."""
    enough = set(state.assigned())
    if wanted.inherit is not False:
        enough |= state.inheriting()
    needed = dict(listed)
    if state.detaching:
        needed.setdefault(state.me.id, principals.label(state.me))
    return {identity: name for identity, name in needed.items() if identity not in enough}


def _surplus(state: ObservedRoles, listed: Mapping[str, str]) -> set[str]:
    """Assigned administrators that are not listed; one whose name is an unresolved principal of the spec is kept."""
    unknown = {folded(name) for name in state.unknown}
    return {
        identity
        for identity, who in state.assigned().items()
        if identity not in listed and identity != state.me.id and not unknown & principals.names(who)
    }


def _grant(state: ObservedRoles, identity: str, principal: str, *, itself: bool) -> Change:
    """Assign the role; `itself`: to the operator, which the spec does not name."""
    held = state.held(identity)
    inherits = identity in state.inheriting() and not any(one.identity.id == identity for one in state.own())
    return Change(
        facet=NAME,
        kind="administrator",
        subject=f"{state.organization} {principal}",
        before="inherited" if inherits else held,
        after=effective.ADMINISTRATOR,
        target=RoleAssignmentChange(state.place, identity, principal, held, effective.ADMINISTRATOR, itself),
        note="the operator itself, before inheritance goes off" if itself else "",
    )


def _removal(state: ObservedRoles, identity: str, label: str) -> Change:
    return Change(
        facet=NAME,
        kind="administrator",
        subject=f"{state.organization} {label}",
        before=effective.ADMINISTRATOR,
        after=None,
        target=RoleAssignmentChange(state.place, identity, label, state.held(identity), None),
    )


# --- guard --------------------------------------------------------------------------------------------


def _objection(change: Change, state: ObservedRoles, losing: set[str], policy: Policy) -> Objection | None:
    """Rule and reason, or None where nothing speaks against it."""
    match change.target:
        case DirectoryEntry() as entry:
            return against_member(entry, state.unknown, policy)
        case RoleAssignmentChange(after=None, identity_id=identity):
            return _against_removal(identity, state, losing - {state.me.id})
        case RoleAssignmentChange(itself=True, identity_id=identity):
            return _against_itself(identity, state)
        case RoleAssignmentChange() as target:
            return _against_grant(target, state)
        case other:
            return "unrecognised", f"a {type(other).__name__} is not written here"


def _against_itself(identity: str, state: ObservedRoles) -> Objection | None:
    if state.detaching and identity == state.me.id:
        return None
    return "operator-itself", "the operator assigns itself only before inheritance goes off"


def _against_grant(target: RoleAssignmentChange, state: ObservedRoles) -> Objection | None:
    if not effective.is_administrator(target.after or ""):
        return "role-not-managed", f"role {target.after} is not managed here"
    if target.identity_id not in {who.id for who in state.known.values()}:
        return "unknown-identity", "this identity is none of those that the spec's principals resolved to"
    return None


def _against_removal(identity: str, state: ObservedRoles, removed: set[str]) -> Objection | None:
    assigned = set(state.assigned())
    if identity == state.me.id:
        return "operator-itself", "the operator never removes itself"
    if identity not in assigned:
        return "not-assigned", "this identity was not read as an assigned administrator"
    if (blind := against_blind(state.blind)) is not None:
        return blind
    if not assigned - removed:
        return "last-administrator", "no assigned administrator would remain of those that were read"
    if state.unknown and not assigned & {who.id for who in state.known.values()}:
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
)
