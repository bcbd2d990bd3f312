"""What a batch of specs is about, and so what is read by one list for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

from reconciler.spec.model import Spec
from reconciler.spec.principals import folded

POOLS_A_CALL = 200
"""Agent pools in one list of queues: their ids stand in the query string, which servers cut at about 2 KB."""


def scope_of(specs: Iterable[Spec]) -> tuple[dict[str, frozenset[str]], frozenset[str], dict[str, frozenset[str]]]:
    """Agent pools by organization, subscriptions with more than one pool, agent pools whose roles are managed."""
    batch = tuple(specs)
    subscriptions = Counter(spec.subscription for spec in batch)
    listed = frozenset(name for name, count in subscriptions.items() if count > 1)
    return _agent_pools(batch), listed, _agent_pools(filter(manages_roles, batch))


def manages_roles(spec: Spec) -> bool:
    """Whether the spec names administrators."""
    return spec.permission_profile is not None or bool(spec.access.roles)


Group: TypeAlias = tuple[tuple[int, ...], str]
"""Agent pools that are requested in one call, and the same as one text: a list that was read for fewer pools is another
fact. A text is hashed once, numbers with every project."""


def cuts(pools: Iterable[int]) -> dict[int, Group]:
    """Agent pool → those that are requested in one call with it."""
    ordered = sorted(pools)
    parts = [tuple(ordered[start : start + POOLS_A_CALL]) for start in range(0, len(ordered), POOLS_A_CALL)]
    groups = [(part, ",".join(map(str, part))) for part in parts]
    return {pool: group for group in groups for pool in group[0]}


def _agent_pools(specs: Iterable[Spec]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for spec in specs:
        for organization in spec.organizations:
            found.setdefault(organization.name, set()).add(folded(organization.agent_pool))
    return {name: frozenset(pools) for name, pools in found.items()}
