"""Auto-provisioning of the agent pool: whether Azure DevOps creates a queue in every new project.

`autoProvision` gives a project created tomorrow its queue at once, and not when `queues` runs next
(vsts-rest-api-specs distributedTask 7.2, `autoProvision`; terraform-provider-azuredevops, agent_pool). Such a queue has
no open access; `open_access` grants it. So nothing that a spec requires of new projects depends on the flag, and it is
managed only where `access.agentPools` names it: on only where all projects use the pool, off anywhere.

Off is useful where projects are listed: a queue in a project that is not listed authorizes no pipeline by itself,
but an administrator of that queue may. Everything else on the pool (description, size, updates of agents) the service
writes by itself, so it is not managed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.engine.facet import Facet, Observation
from reconciler.errors import Unavailable
from reconciler.facets.support.observing import each, gap, target_of
from reconciler.plan.model import Change, Refusal
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, AutoProvision
from reconciler.ports.devops import AgentPool
from reconciler.ports.readers_writers import Writers
from reconciler.spec.model import Organization, Spec
from reconciler.survey import Survey

NAME = "agent_pool"

Desired = tuple[Organization, ...]
"""Organizations whose flag is managed."""


@dataclass(frozen=True, slots=True)
class ObservedAgentPool:
    """One agent pool and its flag."""

    organization: str
    pool: AgentPool
    provisions: bool
    wanted: bool
    """Written down when it was read: `guard` checks `diff` against it."""

    def target(self, *, on: bool) -> AutoProvision:
        """The write that sets the flag."""
        return AutoProvision(AgentPoolPlace(self.organization, self.pool.id), on)


Observed = tuple[ObservedAgentPool, ...]


def parse(spec: Spec, now: datetime) -> Desired | None:  # noqa: ARG001 - the flag has no dates
    """Organizations whose flag the spec names; None where it names none."""
    return tuple([one for one in spec.organizations if one.auto_provision is not None]) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:
    """The flag, out of the list of agent pools that is read anyway; a response without it is a gap."""

    def read(organization: Organization) -> Observation[Observed]:
        name = organization.name
        pool = survey.agent_pool(name, organization.agent_pool)
        if pool.auto_provision is None:
            silent = Unavailable(
                f"{name}: the response does not say whether agent pool {pool.name} provisions queues automatically"
            )
            return Observation((), (gap(NAME, name, silent),))
        return Observation((ObservedAgentPool(name, pool, pool.auto_provision, organization.auto_provision is True),))

    return each(NAME, (spec, survey), [(one, one) for one in desired], read)


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:
    """One change for each flag that is not as desired."""
    wanted = {organization.name: organization.auto_provision for organization in desired}
    wrong = [state for state in observed if wanted.get(state.organization, state.provisions) is not state.provisions]
    return [_change(state, on=not state.provisions) for state in sorted(wrong, key=lambda state: state.organization)]


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:  # noqa: ARG001 - the policy is checked over whole plans
    """Refuse every write but those that the reading requires."""
    required = {state.target(on=state.wanted) for state in observed}
    return [
        Refusal(change, "auto-provision-not-wanted", f"{change.subject}: nothing that was read requires this")
        for change in changes
        if change.target not in required
    ]


def apply(change: Change, writers: Writers) -> None:
    """Set the flag; absolute, so repeating it does no harm."""
    target = target_of(change, AutoProvision)
    writers.devops.set_auto_provision(target.place.organization, target.place.pool_id, target.on)


def _change(state: ObservedAgentPool, *, on: bool) -> Change:
    return Change(
        facet=NAME,
        kind="auto-provision",
        subject=state.organization,
        before="off" if on else "on",
        after="on" if on else "off",
        target=state.target(on=on),
        note="new projects get a queue at once" if on else "existing queues stay",
    )


FACET: Facet[Desired, Observed] = Facet(
    name=NAME,
    title="automatic queues in new projects",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
)
