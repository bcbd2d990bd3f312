"""Pools without a spec, specs without a pool, and pools that exist on one plane only.

No source says which agent pools belong to Managed DevOps Pools; pools «backed by pool providers» have an
`agentCloudId` (vsts-rest-api-specs, distributedTask 7.2). An agent pool counts as theirs where it has one and is not
hosted by Microsoft, or where a spec names it. Other agent pools are not reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.ports.devops import AgentPool
from reconciler.spec.model import Spec
from reconciler.spec.settled import settled
from reconciler.tools.import_.observe import Body, organizations_of


@dataclass(frozen=True, slots=True, order=True)
class UnmanagedPool:
    """A pool or spec without a counterpart."""

    kind: str
    """``pool without a spec``, ``spec without a pool``, ``agent pool without an ARM pool`` or ``ARM pool without an
    agent pool``."""
    subject: str
    message: str


def find_unmanaged(
    documents: Sequence[Body], specs: Sequence[Spec], agent_pools: Mapping[str, Sequence[AgentPool]]
) -> tuple[UnmanagedPool, ...]:
    """Everything without a counterpart, sorted. `agent_pools`: of each organization that could be read."""
    return tuple(sorted({*_pools(documents, specs), *_agent_pools(documents, specs, agent_pools)}))


def _pools(documents: Sequence[Body], specs: Sequence[Spec]) -> Iterator[UnmanagedPool]:
    there = {str(one.get("id", "")).casefold(): str(one.get("name", "")) for one in documents}
    wanted = {spec.pool_id.casefold(): spec for spec in specs}
    for id_, name in there.items():
        if id_ not in wanted:
            yield UnmanagedPool("pool without a spec", name, f"`import {name}` writes a spec")
    for id_, spec in wanted.items():
        if id_ not in there:
            yield UnmanagedPool("spec without a pool", spec.name, f"{spec.path}: {spec.pool_id} does not exist")


def _agent_pools(
    documents: Sequence[Body], specs: Sequence[Spec], agent_pools: Mapping[str, Sequence[AgentPool]]
) -> Iterator[UnmanagedPool]:
    by_id = {str(one.get("id", "")).casefold(): one for one in documents}
    settled_specs = [settled(spec, by_id.get(spec.pool_id.casefold())) for spec in specs]
    ours = {(one.name, one.agent_pool.casefold()) for spec in settled_specs for one in spec.organizations}
    served: dict[str, dict[str, str]] = {}
    for document in documents:
        for organization, name, _ in organizations_of(document):
            served.setdefault(organization, {})[name.casefold()] = str(document.get("name", ""))
    for organization, pools in agent_pools.items():
        names = served.get(organization, {})
        for pool in pools:
            named = (organization, pool.name.casefold()) in ours
            if pool.name.casefold() not in names and (named or _managed(pool)):
                yield UnmanagedPool(
                    "agent pool without an ARM pool",
                    f"{organization}/{pool.name}",
                    "no ARM pool of the subscriptions that were read has it; nothing is deleted",
                )
        there = {pool.name.casefold() for pool in pools}
        for name, owner in names.items():
            if name not in there:
                why = f"pool {owner} serves {organization}, and no agent pool {name} is visible there"
                yield UnmanagedPool("ARM pool without an agent pool", f"{organization}/{name}", why)


def _managed(pool: AgentPool) -> bool:
    facts = pool.facts or {}
    return facts.get("agentCloudId") is not None and facts.get("isHosted") is not True
