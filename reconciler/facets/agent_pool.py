"""What the agent pool itself holds in Azure DevOps and Managed DevOps Pools does not own: whether new projects get it.

Where the spec gives the pool to all projects of an organization, the agent pool is provisioned automatically, so that
a project created tomorrow has its queue at once and not at the next sweep (vsts-rest-api-specs distributedTask 7.2,
`autoProvision`; terraform-provider-azuredevops, agent_pool). Such a queue has no open access; `open_access` gives it.

Where projects are listed the flag is left alone: whoever made the pool may have wanted it, and a queue alone lets no
pipeline in. Everything else on the pool (description, size, updates of agents) the service writes by itself, so it is
not managed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import Unavailable
from reconciler.facet import Facet, Observation
from reconciler.plan import Action, Change, Refusal, Risk, Route
from reconciler.policy import Policy
from reconciler.ports import AgentPool, Writers
from reconciler.reading import each, gap
from reconciler.spec.model import Organization, Spec
from reconciler.survey import Survey

NAME = "agent_pool"

Desired = tuple[Organization, ...]
"""Organizations in which all projects are wanted."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One agent pool and its flag."""

    organization: str
    pool: AgentPool
    provisions: bool


Observed = tuple[Seen, ...]


def parse(spec: Spec, now: datetime) -> Desired | None:  # noqa: ARG001 - the flag has no dates
    """Organizations without a list of projects; None where each has one."""
    return tuple(one for one in spec.organizations if not one.projects) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:  # noqa: ARG001 - a facet's shape
    """The flag, out of the list of agent pools that is read anyway; an answer that leaves it out is a gap."""

    def look(organization: Organization) -> Observation[Observed]:
        name = organization.name
        pool = survey.agent_pool(name, organization.agent_pool)
        if pool.auto_provision is None:
            silent = Unavailable(f"{name}: the answer does not say whether agent pool {pool.name} provisions itself")
            return Observation((), (gap(NAME, name, silent),))
        return Observation((Seen(name, pool, pool.auto_provision),))

    return each(NAME, desired, look)


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:
    """Switch on where it is off."""
    ours = {organization.name for organization in desired}
    off = [seen for seen in observed if seen.organization in ours and not seen.provisions]
    return [_change(seen) for seen in sorted(off, key=lambda seen: seen.organization)]


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:  # noqa: ARG001 - the policy is checked over whole plans
    """Refuse whatever is not switching on a flag that was seen off."""
    off = {(seen.organization, seen.pool.id) for seen in observed if not seen.provisions}
    return [
        Refusal(change, "auto-provision-not-wanted", f"{change.subject}: this flag was not seen off")
        for change in changes
        if (change.args["organization"], change.args["poolId"]) not in off or change.args["autoProvision"] is not True
    ]


def apply(change: Change, writers: Writers) -> None:
    """Set the flag; absolute, so repeating it does no harm."""
    args = change.args
    writers.devops.set_auto_provision(args["organization"], args["poolId"], args["autoProvision"])


def _change(seen: Seen) -> Change:
    return Change(
        facet=NAME,
        kind="auto-provision",
        subject=seen.organization,
        action=Action.UPDATE,
        before="off",
        after="on",
        risk=Risk.WIDENS,
        route=Route.DEVOPS,
        args={"organization": seen.organization, "poolId": seen.pool.id, "autoProvision": True},
        note="new projects get a queue at once",
    )


FACET: Facet[Desired, Observed] = Facet(
    name=NAME,
    title="a queue in projects yet to come",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
)
