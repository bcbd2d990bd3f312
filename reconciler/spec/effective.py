"""The effective value where two places of a spec set the same thing.

`permissionProfile` and `openAccess` are ARM's; `access` adds its own, for one organization or one project. Several
facets need the same value, and none may import another. Pure; reads nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from reconciler.spec.model import OpenAccessException, PermissionKind, PoolRoles, Spec
from reconciler.spec.principals import folded

ADMINISTRATOR = "Administrator"
"""Name of the role as the service spells it (Microsoft Learn: agent pool security roles)."""

POOL_SCOPE = "distributedtask.agentpoolrole"
"""Scope of one agent pool's role assignments; its resource is the pool id (azure-devops-rest-api securityRoles)."""

QUEUE_SCOPE = "distributedtask.agentqueuerole"
"""Scope of the role assignments of one project's queue; its resource is ``{project id}_{queue id}``."""

ALL_POOLS_SCOPE = "distributedtask.globalagentpoolrole"
"""Scope of all agent pools of an organization; its resource is ``0``."""

ALL_QUEUES_SCOPE = "distributedtask.globalagentqueuerole"
"""Scope of all queues of a project; its resource is the project id."""

_INHERITANCE = {PermissionKind.CREATOR_ONLY: False, PermissionKind.INHERIT: True}


def is_administrator(role: str) -> bool:
    """Whether a role's name means Administrator; the service's casing is not relied on."""
    return role == ADMINISTRATOR or role.casefold() == ADMINISTRATOR.casefold()


class PoolAdministration(NamedTuple):
    """Administrators and inheritance of one agent pool: the effective values of both places."""

    administrators: tuple[str, ...]
    """Principals as written, sorted, each spelling once: the union of both places."""
    exclusive: bool
    """Whether administrators that are not listed are removed.

    It takes a list to be exclusive of: one in `access.roles` (an empty one counts) or SpecificAccounts. CreatorOnly
    alone is no list: Azure DevOps does not say who the creator was, so no one is removed.
    """
    inherit: bool | None
    """As `inheritance`."""


def administration(spec: Spec, organization: str) -> PoolAdministration:
    """What the spec says of the agent pool of one organization."""
    own, specific = _own(spec, organization), _specific(spec)
    return PoolAdministration(
        _administrators(spec, own, specific=specific), _exclusive(own, specific=specific), _inherit(spec, own)
    )


def inheritance(spec: Spec, organization: str) -> bool | None:
    """Whether the agent pool has to inherit roles; None: not managed.

    `access.roles` decides where it speaks. Otherwise CreatorOnly means off and Inherit on; of SpecificAccounts the
    documentation says nothing, so nothing is assumed (Microsoft Learn: managed-devops-pools/configure-security).
    """
    return _inherit(spec, _own(spec, organization))


def exceptions(spec: Spec, organization: str, now: datetime) -> dict[str, OpenAccessException]:
    """Case-folded project → the exception in effect; an exception counts to the end of its last day in UTC.

    Of two for one project the dated one counts, then the one that closes, then the one that ends first.
    """
    if not spec.access.open_access:
        return {}
    today = now.astimezone(UTC).date()
    counting = [
        one
        for one in spec.access.open_access
        if one.organization.casefold() == organization.casefold() and (one.until is None or today <= one.until)
    ]
    weakest_first = sorted(counting, key=_strength, reverse=True)
    return {one.project.casefold(): one for one in weakest_first}


def _inherit(spec: Spec, own: Sequence[PoolRoles]) -> bool | None:
    given = [roles.inherit for roles in own if roles.inherit is not None]
    if given:
        return all(given)
    return _INHERITANCE.get(spec.permission_profile.kind) if spec.permission_profile else None


def _administrators(spec: Spec, own: Sequence[PoolRoles], *, specific: bool) -> tuple[str, ...]:
    wanted = {name for roles in own for name in roles.administrators or ()}
    if specific and spec.permission_profile:
        wanted |= {*spec.permission_profile.users, *spec.permission_profile.groups}
    if len(wanted) <= 1:
        return tuple(wanted)
    spellings = {folded(name): name for name in sorted(wanted, reverse=True)}
    return tuple(sorted(spellings.values(), key=lambda name: (folded(name), name)))


def _exclusive(own: Sequence[PoolRoles], *, specific: bool) -> bool:
    lists = [specific or roles.administrators is not None for roles in own if roles.exclusive]
    return any(lists)


def _strength(one: OpenAccessException) -> tuple[bool, bool, date, str]:
    return one.until is None, one.allow, one.until or date.max, one.reason


def _own(spec: Spec, organization: str) -> list[PoolRoles]:
    name = organization.casefold()
    return [roles for roles in spec.access.roles if roles.organization.casefold() == name]


def _specific(spec: Spec) -> bool:
    return spec.permission_profile is not None and spec.permission_profile.kind is PermissionKind.SPECIFIC_ACCOUNTS
