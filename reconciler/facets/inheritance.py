"""The inheritance switch of an agent pool: whether administrators of all pools administer this one as well.

ARM sets it once, by `permissionProfile`, while a pool is created (Microsoft Learn: managed-devops-pools/
configure-security); with a service principal as creator the result differed (azure-rest-api-specs #41786,
terraform-provider-azurerm #32630). Afterwards it lives in Azure DevOps alone.

Switching it off takes every inherited role away, and nothing documents that any is copied. Most likely the operator
itself administers by inheritance. So it is switched off only where every operator has a right that stays: an
assignment of its own, one of a group of it, or that of the organization's administrators. Then the pool keeps an
administrator, and the operator can switch inheritance on again. `roles` assigns named operators first, and the switch
waits until that is read back; where the service refuses it (terraform-provider-azuredevops #1592), inheritance stays
on until an administrator has assigned them. A caller that only stands in for the operators is assigned nothing, so
the switch is refused where it has no such right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from reconciler.engine.facet import Facet, Observation
from reconciler.facets.support import principals
from reconciler.facets.support.lockout import Standing, against_operators, standing
from reconciler.facets.support.observing import each, target_of
from reconciler.plan.model import Change, Refusal
from reconciler.plan.order import GRANTS, REMEDY
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, Inheritance, Target
from reconciler.ports.devops import AgentPool, Identity
from reconciler.ports.readers_writers import Writers
from reconciler.spec import effective
from reconciler.spec.model import Organization, Spec
from reconciler.survey import Survey

NAME = "inheritance"


class DesiredInheritance(NamedTuple):
    """Desired state of one organization."""

    organization: Organization
    inherit: bool


Desired = tuple[DesiredInheritance, ...]


class ObservedInheritance(NamedTuple):
    """The switch of one agent pool, and who would still administer it with inheritance off."""

    organization: str
    pool: AgentPool
    inherits: bool
    wanted: bool
    """Written down when it was read: `guard` checks `diff` against it."""
    standing: Standing | None = None
    """The operators; read only where the switch is on and has to go off, like `assigned`."""
    assigned: frozenset[str] = frozenset()
    """Local ids of the assigned administrators."""

    def outside(self) -> list[Identity]:
        """The operators without a right that stays; where they are named, it has to be an assignment of their own.

        They have to be granted one by the same plan, and that is read back first (`reconciler.plan.order`).
        """
        if self.standing is None:
            return []
        if self.standing.operators.named:
            return [one for one in self.standing.operators.identities if one.id not in self.assigned]
        return self.standing.outside(self.assigned - self.standing.empty)

    def needs(self) -> tuple[tuple[str, ...], ...]:
        """For each of these, the local ids of which one has to be granted the role first: its own, or of its groups."""
        groups = {} if self.standing is None else self.standing.groups
        return tuple((one.id, *sorted(groups.get(one.id, ()))) for one in self.outside())

    def target(self, *, on: bool) -> Inheritance:
        """The write that sets the switch."""
        return Inheritance(AgentPoolPlace(self.organization, self.pool.id), on)


Observed = tuple[ObservedInheritance, ...]


def parse(spec: Spec, now: datetime) -> Desired | None:  # noqa: ARG001 - inheritance has no dates
    """The organizations whose switch is managed; None where none is."""
    wanted = [(one, effective.inheritance(spec, one.name)) for one in spec.organizations]
    return tuple([DesiredInheritance(one, inherit) for one, inherit in wanted if inherit is not None]) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:
    """The switch, and where it has to go off, the assigned administrators."""

    def read(wanted: DesiredInheritance) -> Observation[Observed]:
        name = wanted.organization.name
        pool = survey.agent_pool(name, wanted.organization.agent_pool)
        inherits = survey.inheritance(name, pool)
        state = ObservedInheritance(name, pool, inherits, wanted.inherit)
        return Observation((_with_administrators(state, survey) if inherits and not state.wanted else state,))

    return each(NAME, (spec, survey), [(one.organization, one) for one in desired], read)


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:
    """One change for each switch that is not as desired."""
    wanted = {one.organization.name: one.inherit for one in desired}
    wrong = [state for state in observed if wanted.get(state.organization, state.inherits) != state.inherits]
    return [_change(state, inherit=not state.inherits) for state in sorted(wrong, key=lambda state: state.organization)]


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:  # noqa: ARG001 - the policy is checked over whole plans
    """Refuse every write but those that the reading requires, and whatever would lock the operator out."""
    required: dict[Target, ObservedInheritance] = {state.target(on=state.wanted): state for state in observed}
    return [refusal for change in changes if (refusal := _refusal(change, required))]


def apply(change: Change, writers: Writers) -> None:
    """Set the switch; absolute, so repeating it does no harm."""
    target = target_of(change, Inheritance)
    writers.devops.set_inheritance(target.place.organization, *target.place.resource, target.on)


def _with_administrators(state: ObservedInheritance, survey: Survey) -> ObservedInheritance:
    people = survey.people(state.organization)
    operators = people.operators()
    lines = survey.role_assignments(state.organization, effective.POOL_SCOPE, str(state.pool.id))
    assigned = frozenset(a.identity.id for a in lines if not a.inherited and effective.is_administrator(a.role))
    known = Standing(operators) if operators.named else standing(people, operators, assigned, assigned)
    return state._replace(standing=known, assigned=assigned)


def _refusal(change: Change, required: Mapping[Target, ObservedInheritance]) -> Refusal | None:
    state = required.get(change.target)
    if state is None:
        return Refusal(change, "inheritance-not-wanted", f"{change.subject}: nothing that was read requires this")
    return None if state.wanted else _lock_out(change, state)


def _lock_out(change: Change, state: ObservedInheritance) -> Refusal | None:
    """The switch goes off once every operator is read with a right that stays; grants of the plan come first."""
    head = f"{change.subject}: inheritance stays on"
    if state.standing is None:
        return Refusal(change, "operator-unknown", f"{head}: the operators were not read")
    if objection := against_operators(state.standing):
        return Refusal(change, objection[0], f"{head}: {objection[1]}")
    outside = state.outside()
    if not outside or (change.awaits and change.needs == state.needs()):
        return None
    who = principals.label(outside[0])
    until = f"until {who} is read as an assigned administrator of agent pool {state.pool.name}"
    return Refusal(change, "operator-itself", f"{head} {until}; {REMEDY}")


def _change(state: ObservedInheritance, *, inherit: bool) -> Change:
    needs = () if inherit else state.needs()
    return Change(
        facet=NAME,
        kind="inheritance",
        subject=state.organization,
        before="off" if inherit else "on",
        after="on" if inherit else "off",
        target=state.target(on=inherit),
        note="" if inherit else "only assigned administrators remain",
        awaits=GRANTS if needs else "",
        needs=needs,
    )


FACET: Facet[Desired, Observed] = Facet(
    name=NAME,
    title="inheritance of roles on the agent pool",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
)
