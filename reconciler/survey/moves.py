"""Whether a pool that has the spec's name at another place is the one that was recorded.

Pools can be moved to another resource group or subscription (azure-devops-docs, features timeline, November 2024). That
a moved pool keeps its creation time and its agent pools is inferred, so either is enough, and where neither was
recorded the name decides: it is unique in all of Azure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.documents import Json
from reconciler.errors import ReconcilerError
from reconciler.ports.devops import AgentPool
from reconciler.spec.model import Spec
from reconciler.spec.principals import folded
from reconciler.survey.names import RememberedNames, key


@dataclass(frozen=True, slots=True)
class PoolElsewhere:
    """A pool with the spec's name at another resource id."""

    resource_id: str
    """As ARM writes it."""
    same: bool
    """False where something was recorded of the spec's pool, and nothing of it is true of this one."""
    evidence: str
    """Why, for people: ``created 2026-11-02T08:00:00Z as recorded``."""


def created(document: Mapping[str, Json]) -> str:
    """`systemData.createdAt` of a pool; empty where ARM does not say."""
    system = document.get("systemData")
    return str(system.get("createdAt") or "") if isinstance(system, Mapping) else ""


def elsewhere(
    spec: Spec,
    document: Mapping[str, Json],
    remembered: RememberedNames,
    agent_pools: Callable[[str], Mapping[str, AgentPool]],
) -> PoolElsewhere:
    """Compare the pool that was found with what is recorded; `agent_pools`: by name, of an organization."""
    agreed, differing = [], []
    if remembered.created:
        found = created(document)
        if found == remembered.created:
            agreed.append(f"created {found} as recorded")
        else:
            differing.append(f"created {found or 'at an unknown time'}, recorded {remembered.created}")
    recorded = {name.casefold(): number for name, number in remembered.pools.items()}
    for one in spec.organizations:
        number = recorded.get(key(one.name, one.agent_pool))
        now = None if number is None else _number(agent_pools, one.name, one.agent_pool)
        if now is not None and now == number:
            agreed.append(f"agent pool {number} of {one.name} as recorded")
        elif now is not None:
            differing.append(f"agent pool {now} of {one.name}, recorded {number}")
    evidence = "; ".join(agreed or differing) or "nothing was recorded of it, and the name is unique in all of Azure"
    return PoolElsewhere(str(document.get("id") or ""), bool(agreed) or not differing, evidence)


def _number(agent_pools: Callable[[str], Mapping[str, AgentPool]], organization: str, name: str) -> int | None:
    """Id of the agent pool now; None where it cannot be read, or is not seen."""
    try:
        found = agent_pools(organization).get(folded(name))
    except ReconcilerError:
        return None
    return found.id if found else None
