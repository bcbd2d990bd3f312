"""The inheritance switch of an agent pool: whether administrators of all pools administer this one as well.

ARM sets it once, by `permissionProfile`, while a pool is created (Microsoft Learn: managed-devops-pools/
configure-security); with a service principal as creator it did otherwise (azure-rest-api-specs #41786,
terraform-provider-azurerm #32630). Afterwards it lives in Azure DevOps alone.

Switching it off takes every inherited role away, and nothing documents that any is copied. Most likely the operator
itself administers by inheritance. So it is switched off only where a reading shows the operator among the *assigned*
administrators: then somebody administers the pool, and the operator can switch it on again. `roles` assigns it
before, where needed; where the service refuses that (terraform-provider-azuredevops #1592), this stays refused until
a person has assigned it.
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
    """What one organization wants."""

    organization: Organization
    inherit: bool


Desired = tuple[DesiredInheritance, ...]


@dataclass(frozen=True, slots=True)
class ObservedInheritance:
    """One agent pool's switch, and who would be left behind it."""

    organization: str
    pool: AgentPool
    inherits: bool
    wanted: bool
    """Written down when it was read: `guard` checks `diff` against it."""
    me: str = ""
    """Local id of the operator; read only where the switch is on and shall go off, like `assigned`."""
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


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:  # noqa: ARG001 - a facet's shape
    """The switch, and where it shall go off, who is an assigned administrator."""
    wanted = {one.organization.name: one.inherit for one in desired}

    def look(organization: Organization) -> Observation[Observed]:
        pool = survey.agent_pool(organization.name, organization.agent_pool)
        inherits = survey.inheritance(organization.name, pool)
        seen = ObservedInheritance(organization.name, pool, inherits, wanted[organization.name])
        return Observation((_with_administrators(seen, survey) if inherits and not seen.wanted else seen,))

    return each(NAME, [one.organization for one in desired], look)


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:
    """One change for each switch that is not as wanted."""
    wanted = {one.organization.name: one.inherit for one in desired}
    wrong = [seen for seen in observed if wanted.get(seen.organization, seen.inherits) != seen.inherits]
    return [_change(seen, inherit=not seen.inherits) for seen in sorted(wrong, key=lambda seen: seen.organization)]


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:  # noqa: ARG001 - the policy is checked over whole plans
    """Refuse to switch what was not read for it, and to switch off what would lock the operator out."""
    required: dict[Target, ObservedInheritance] = {seen.target(on=seen.wanted): seen for seen in observed}
    return [refusal for change in changes if (refusal := _refusal(change, required))]


def apply(change: Change, writers: Writers) -> None:
    """Set the switch; absolute, so repeating it does no harm."""
    target = target_of(change, Inheritance)
    writers.devops.set_inheritance(target.place.organization, *target.place.resource, target.on)


def _with_administrators(seen: ObservedInheritance, survey: Survey) -> ObservedInheritance:
    me = survey.me(seen.organization).id
    lines = survey.role_assignments(seen.organization, effective.POOL_SCOPE, str(seen.pool.id))
    assigned = frozenset(a.identity.id for a in lines if not a.inherited and effective.is_administrator(a.role))
    return ObservedInheritance(seen.organization, seen.pool, seen.inherits, seen.wanted, me, assigned)


def _refusal(change: Change, required: Mapping[Target, ObservedInheritance]) -> Refusal | None:
    seen = required.get(change.target)
    if seen is None:
        return Refusal(change, "inheritance-not-wanted", f"{change.subject}: nothing that was read requires this")
    if not seen.wanted and (not seen.me or seen.me not in seen.assigned):
        message = (
            f"{change.subject}: inheritance stays on until the operator itself is seen as an assigned administrator "
            f"of agent pool {seen.pool.name}; where its own assignment is refused, an administrator has to give it"
        )
        return Refusal(change, "operator-itself", message)
    return None


def _change(seen: ObservedInheritance, *, inherit: bool) -> Change:
    return Change(
        facet=NAME,
        kind="inheritance",
        subject=seen.organization,
        before="off" if inherit else "on",
        after="on" if inherit else "off",
        target=seen.target(on=inherit),
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
