"""Roles of agent pools, and the inheritance flag: counted, never copied, since these responses contain names.

Routes: vsts-rest-api-specs securityRoles 7.2 and security 7.2; scopes and tokens as azsk ADOScanner has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.ports.devops import AGENT_POOLS_TOKEN, DISTRIBUTED_TASK
from reconciler.spec import effective
from reconciler.survey.capabilities import CapabilityAnswer
from reconciler.survey.capabilities.questions import INHERITANCE, POOL_ROLES
from reconciler.tools.probe.organization import PREVIEW, ROLES, ProbeOrganization, no, spread, unclear, yes

DOCUMENTED = ("Reader", "Service Account", "Administrator")
"""Microsoft Learn: Create and manage agent pools, roles."""
_SCOPES = "_apis/securityroles/scopes"


def pool_roles(organization: ProbeOrganization) -> CapabilityAnswer:
    """Names of the roles, with the bits of the documented ones."""
    path = f"{_SCOPES}/{effective.POOL_SCOPE}/roledefinitions"
    found = organization.entries(path, **{"api-version": PREVIEW})
    bits: dict[str, Any] = {str(one.get("name")): one.get("allowPermissions") for one in found}
    known: dict[str, int] = {f"{name} allows": bits[name] for name in DOCUMENTED if type(bits.get(name)) is int}
    counts = {"roles": len(bits), **known}
    if not bits:
        return unclear("the list of roles is empty; needs permission to view agent pools", **counts)
    if set(bits) == set(DOCUMENTED):
        return yes(POOL_ROLES, "the names are those of Microsoft's documentation", **counts)
    missing = ", ".join(name for name in DOCUMENTED if name not in bits) or "none"
    return no("otherwise", f"documented names that are missing: {missing}", **counts)


def inheritance_flag(organization: ProbeOrganization) -> CapabilityAnswer:
    """Compares the flag in access control lists with the roles that agent pools inherit."""
    flags = _flags(organization)
    above = any(not inherited for inherited in _assignments(organization, effective.ALL_POOLS_SCOPE, 0))
    on = off = against = 0
    for pool in spread(organization.pool_ids, ROLES):
        inherits = any(_assignments(organization, effective.POOL_SCOPE, pool))
        flag = flags.get(pool, True)
        if flag is not inherits and (inherits or above):
            against += 1
        on += flag and inherits
        off += not flag and not inherits
    counts = {"inheriting": on, "alone": off, "against": against}
    if against:
        return no("apart", "agent pools inherit roles with the flag off, or inherit none with the flag on", **counts)
    if not (on and off):
        return unclear("needs an agent pool that inherits roles and one that does not", **counts)
    return yes(INHERITANCE, "agent pools inherit roles with the flag on, and none with it off", **counts)


def _flags(organization: ProbeOrganization) -> Mapping[int, bool]:
    """Agent pool → its flag; a pool without a list is missing."""
    path = f"_apis/accesscontrollists/{DISTRIBUTED_TASK}"
    found = organization.entries(path, token=AGENT_POOLS_TOKEN, recurse="true", **{"api-version": "7.1"})
    tokens = [(str(one.get("token", "")).strip("/").partition("/"), one) for one in found]
    return {int(id_): _flag(one) for (_, _, id_), one in tokens if id_.isdecimal()}


def _flag(one: Mapping[str, Any]) -> bool:
    return one.get("inheritPermissions") is not False


def _assignments(organization: ProbeOrganization, scope: str, resource: int) -> list[bool]:
    """Of each role assignment whether it is inherited."""
    path = f"{_SCOPES}/{scope}/roleassignments/resources/{resource}"
    return [one.get("access") == "inherited" for one in organization.entries(path, **{"api-version": PREVIEW})]
