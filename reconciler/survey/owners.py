"""Whose a queue is, as far as it is known without a request: an entry of the audit log names it by its number alone.

Which agent pool a queue stands for never changes, so the age of that fact does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.ports.devops import AgentPool, Queue
from reconciler.spec.model import Spec
from reconciler.spec.principals import folded
from reconciler.survey.evidence import Evidence
from reconciler.survey.memo import Key
from reconciler.survey.scopes import Scope, ScopeKind


def owned_elsewhere(evidence: Evidence | None, spec: Spec, specs: Mapping[str, Spec], about: Iterable[Scope]) -> bool:
    """Whether each of these places is a queue of an agent pool that another of the specs names."""
    found = [_named(evidence, specs, one) if evidence is not None else frozenset() for one in about]
    return bool(found) and all(keys and spec.key not in keys for keys in found)


def _named(evidence: Evidence, specs: Mapping[str, Spec], scope: Scope) -> frozenset[str]:
    """Keys of the specs that name the agent pool of a queue; empty where that is not known."""
    if scope.kind is not ScopeKind.PROJECT or not scope.queue:
        return frozenset()
    known = evidence.of(scope.organization)
    pools: Mapping[str, AgentPool] = known.peek(Key("agent pools", scope.organization)) or {}
    lists: Iterable[Mapping[int, Queue]] = known.values("queues", scope.project)
    numbers = {queue.pool_id for one in lists for queue in one.values() if queue.id == scope.queue}
    names = {name for name, pool in pools.items() if pool.id in numbers}
    return frozenset(
        spec.key
        for spec in specs.values()
        for one in spec.organizations
        if one.name == scope.organization and folded(one.agent_pool) in names
    )
