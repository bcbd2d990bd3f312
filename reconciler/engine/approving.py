"""The owner's approval of an agent pool as a pool's own, in place of a proof that is missing; it is recorded.

Who is the owner is decided by the store: only the owner can write the safety facts.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.engine.ownership import Claims
from reconciler.engine.planner import Planner, of_this_run
from reconciler.engine.proofs import Ownership, Verdict, generation_of, policy_name
from reconciler.errors import NotFound, Refused
from reconciler.plan.policy import allows
from reconciler.ports.devops import AgentPool
from reconciler.safety import Safety
from reconciler.safety.agent_pools import AgentPoolApproval
from reconciler.spec.model import Spec
from reconciler.spec.principals import folded
from reconciler.survey import SharedSurvey


@dataclass(frozen=True, slots=True)
class ApprovedAgentPool:
    """What an approval did."""

    place: str
    """For people: ``fabrikam-prime: agent pool Production (id 7)``."""
    missing: str = ""
    """The proof in whose place it stands; empty where none is missing, or ARM holds no such pool yet."""
    recorded: bool = True
    """False: the agent pool was proven to be the pool's own already, and nothing was stored."""
    former: str = ""
    """Key of the pool that had the agent pool, and has it no longer; empty where none had."""


def approve_agent_pool(
    planner: Planner, safety: Safety, spec: Spec, place: tuple[str, int], by: str
) -> ApprovedAgentPool:
    """Record that an agent pool is the spec's own. `place`: organization and id; `by`: who approves.

    `Refused` where no approval helps, or the policy does not allow it; `NotFound` where there is no such agent pool.
    """
    organization, number = place[0].casefold(), place[1]
    survey = planner.survey([spec]).fresh()
    try:
        document = survey.arm_pool(spec)
    except NotFound:
        document = None  # the resource group does not exist yet
    agent_pool = _agent_pool(planner, (spec, of_this_run(spec, survey).spec), organization, number)
    words = f"{organization}: agent pool {agent_pool.name} (id {number})"
    if agent_pool.hosted:
        raise Refused(f"{words} is hosted by Azure DevOps, and no approval makes it pool {spec.name}'s own")
    name = policy_name(organization, agent_pool)
    if not allows(planner.policy.for_pool(spec.name).agent_pools, name):
        raise Refused(f"{words}: the policy does not allow it; add {name} to agentPools")
    state = _state(planner, safety, spec, survey, organization)
    if state is not None and state.verdict is Verdict.OWN and state.agent_pool.id == number:
        return ApprovedAgentPool(words, recorded=False)
    generation = None if document is None else generation_of(document)
    approval = AgentPoolApproval(organization, number, generation, by, planner.clock.now())
    former = safety.approve_agent_pool(spec.key, approval)
    return ApprovedAgentPool(words, state.reason if state and document is not None else "", former=former)


def _state(planner: Planner, safety: Safety, spec: Spec, survey: SharedSurvey, organization: str) -> Ownership | None:
    facts = safety.read(spec.key, [one.name for one in spec.organizations])
    found = planner.ownership(spec, survey, Claims(facts, safety)).found().get(organization)
    return found if isinstance(found, Ownership) else None


def _agent_pool(planner: Planner, specs: tuple[Spec, Spec], organization: str, number: int) -> AgentPool:
    """The agent pool, which has to have a name that the spec or ARM gives to the agent pool of the pool."""
    uses = [one for each in specs for one in each.organizations]
    names = sorted({one.agent_pool for one in uses if one.name == organization})
    if not names:
        known = ", ".join(sorted({one.name for one in uses})) or "none of Azure DevOps"
        raise Refused(f"{specs[0].name}: the spec does not name the organization {organization}; it names {known}")
    pools = planner.readers.devops.agent_pools(organization)
    wanted = {folded(name) for name in names}
    same = ", ".join(f"{one.name} has id {one.id}" for one in pools if folded(one.name) in wanted)
    hint = same or f"there is no agent pool {' or '.join(names)} either"
    found = next((one for one in pools if one.id == number), None)
    if found is None:
        raise NotFound(f"{organization}: there is no agent pool {number}, or the identity may not view it; {hint}")
    if folded(found.name) not in wanted:
        said = f"agent pool {number} is called {found.name}, and pool {specs[0].name}'s is called {' or '.join(names)}"
        raise Refused(f"{organization}: {said}; {hint}")
    return found
