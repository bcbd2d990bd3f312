"""The shortest frame that runs facets: look, decide, refuse, do; again and again until nothing can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from reconciler.engine.facet import Facet
from reconciler.errors import ReconcilerError
from reconciler.facets.registry import FACETS
from reconciler.plan.model import Change, Gap, Refusal, in_order
from reconciler.plan.order import RoleGrants
from reconciler.plan.policy import Policy
from reconciler.spec.model import (
    Access,
    Mode,
    OpenAccessException,
    Organization,
    PermissionKind,
    PermissionProfile,
    PipelineGrant,
    PoolRoles,
    QueueRoles,
    Spec,
)
from tests.facets.world import World

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
POOL_NAME = "fabrikam-managed-pool"
PRIME = "fabrikam-prime"
TAILSPIN = "fabrikam-tailspin"


@dataclass(frozen=True)
class Round:
    """What one look came to."""

    changes: tuple[Change, ...]
    refusals: tuple[Refusal, ...]
    gaps: tuple[Gap, ...]


def organization(name: str = PRIME, *projects: str, open_access: bool | None = None) -> Organization:
    return Organization(name, POOL_NAME, projects, open_access)


def spec(
    *organizations: Organization,
    body: dict[str, Any] | None = None,
    profile: PermissionProfile | None = None,
    exceptions: Sequence[OpenAccessException] = (),
    roles: Sequence[PoolRoles] = (),
    pipelines: Sequence[PipelineGrant] = (),
    queue_roles: Sequence[QueueRoles] = (),
) -> Spec:
    access = Access(tuple(exceptions), tuple(pipelines), tuple(roles), tuple(queue_roles))
    resource = body or {}
    return Spec(POOL_NAME, "1111", "rg-build", Mode.ENFORCE, resource, organizations, profile, access)


def specific(*users: str, groups: Sequence[str] = ()) -> PermissionProfile:
    return PermissionProfile(PermissionKind.SPECIFIC_ACCOUNTS, users, tuple(groups))


def exception(project: str, *, allow: bool, until: date | None = None, org: str = PRIME) -> OpenAccessException:
    return OpenAccessException(org, project, allow, until)


def look(
    world: World, wanted: Spec, *, facets: Sequence[Facet[Any, Any]] = FACETS, policy: Policy | None = None
) -> Round:
    """One plan, without what the guards refuse."""
    changes: list[Change] = []
    refusals: list[Refusal] = []
    gaps: list[Gap] = []
    for facet in facets:
        desired = facet.parse(wanted, NOW)
        if desired is None:
            continue
        seen = facet.observe(wanted, desired, world)
        gaps += seen.gaps
        allowed = list(facet.diff(desired, seen.value))
        while refused := facet.guard(seen.value, allowed, policy or Policy()):
            refusals += refused
            allowed = [change for change in allowed if change not in [one.change for one in refused]]
        changes += allowed
    kinds = {facet.name: facet.grants_on for facet in facets if facet.grants_on is not None}
    results = [RoleGrants(kinds, changes, refusals, gaps).ordered(change) for change in changes]
    refusals += [one for one in results if isinstance(one, Refusal)]
    changes = [one for one in results if isinstance(one, Change)]
    return Round(in_order(changes, [facet.name for facet in FACETS]), tuple(refusals), tuple(gaps))


def settle(
    world: World,
    wanted: Spec,
    *,
    facets: Sequence[Facet[Any, Any]] = FACETS,
    policy: Policy | None = None,
    after_each: Callable[[Change], None] = lambda _change: None,
) -> Round:
    """Apply until nothing can be done, and give the last look; a write that fails does not stop the next."""
    apply = {facet.name: facet.apply for facet in facets}
    for _ in range(8):
        seen = look(world, wanted, facets=facets, policy=policy)
        ready = [change for change in seen.changes if not change.awaits]
        if not sum([_applied(apply[change.facet], change, world, after_each) for change in ready]):
            return seen
    raise AssertionError(f"not settled, still {seen}")


def _applied(apply: Callable[..., object], change: Change, world: World, after_each: Callable[[Change], None]) -> bool:
    try:
        apply(change, world.writers)
    except ReconcilerError:
        return False
    after_each(change)
    return True
