"""The inheritance switch of an agent pool: whether administrators of all pools administer this one as well.

ARM sets it once, by `permissionProfile`, while a pool is created (Microsoft Learn: managed-devops-pools/
configure-security); with a service principal as creator the result differed (azure-rest-api-specs #41786,
terraform-provider-azurerm #32630). Afterwards it lives in Azure DevOps alone.

Switching it off takes every inherited role away, and nothing documents that any is copied. Most likely the operator
itself administers by inheritance. So it is switched off only where the operator was read among the *assigned*
administrators: then the pool keeps an administrator, and the operator can switch inheritance on again. `roles` assigns
the operator first, where needed; where the service refuses that (terraform-provider-azuredevops #1592), this stays
refused until an administrator has assigned it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.engine.facet import Facet, Observation
from reconciler.facets.support.observing import each, target_of
from reconciler.plan.model import Change, Refusal
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, Inheritance, Target
from reconciler.ports.devops import AgentPool
from reconciler.ports.readers_writers import Writers
from reconciler.spec import effective
from reconciler.spec.model import Organization, Spec
from reconciler.survey import Survey

NAME = "inheritance"


@dataclass(frozen=True, slots=True)
class DesiredInheritance:
    """Desired state of one organization."""

    organization: Organization
    inherit: bool


Desired = tuple[DesiredInheritance, ...]


@dataclass(frozen=True, slots=True)
class ObservedInheritance:
    """The switch of one agent pool, and who would still administer it with inheritance off."""

    organization: str
    pool: AgentPool
    inherits: bool
    wanted: bool
    """Written down when it was read: `guard` checks `diff` against it."""
    me: str = ""
    """Local id of the operator; read only where the switch is on and has to go off, like `assigned`."""
    assigned: frozenset[str] = frozenset()
    """Local ids of the assigned administrators."""

    def target(self, *, on: bool) -> Inheritance:
        """The write that sets the switch."""
        return Inheritance(AgentPoolPlace(self.organization, self.pool.id), on)


Observed = tuple[ObservedInheritance, ...]


def parse(spec: Spec, now: datetime) -> Desired | None:  # noqa: ARG001 - inheritance has no dates
    """The organizations whose switch is managed; None where none is."""
    wanted = [(one, effective.inheritance(spec, one.name)) for one in spec.organizations]
    return tuple(DesiredInheritance(one, inherit) for one, inherit in wanted if inherit is not None) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:
    """The switch, and where it has to go off, the assigned administrators."""
    wanted = {one.organization.name: one.inherit for one in desired}

    def read(organization: Organization) -> Observation[Observed]:
        pool = survey.agent_pool(organization.name, organization.agent_pool)
        inherits = survey.inheritance(organization.name, pool)
        state = ObservedInheritance(organization.name, pool, inherits, wanted[organization.name])
        return Observation((_with_administrators(state, survey) if inherits and not state.wanted else state,))

    return each(NAME, (spec, survey), [one.organization for one in desired], read)


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
    me = survey.me(state.organization).id
    lines = survey.role_assignments(state.organization, effective.POOL_SCOPE, str(state.pool.id))
    assigned = frozenset(a.identity.id for a in lines if not a.inherited and effective.is_administrator(a.role))
    return ObservedInheritance(state.organization, state.pool, state.inherits, state.wanted, me, assigned)


def _refusal(change: Change, required: Mapping[Target, ObservedInheritance]) -> Refusal | None:
    state = required.get(change.target)
    if state is None:
        return Refusal(change, "inheritance-not-wanted", f"{change.subject}: nothing that was read requires this")
    if not state.wanted and (not state.me or state.me not in state.assigned):
        message = (
            f"{change.subject}: inheritance stays on until the operator itself is read as an assigned administrator "
            f"of agent pool {state.pool.name}; where its own assignment is refused, an administrator has to assign it"
        )
        return Refusal(change, "operator-itself", message)
    return None


def _change(state: ObservedInheritance, *, inherit: bool) -> Change:
    return Change(
        facet=NAME,
        kind="inheritance",
        subject=state.organization,
        before="off" if inherit else "on",
        after="on" if inherit else "off",
        target=state.target(on=inherit),
        note="" if inherit else "only assigned administrators remain",
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
