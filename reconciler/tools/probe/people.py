"""Roles of agent pools, and the flag of inheritance: counted, never copied, since these answers hold names.

Routes: vsts-rest-api-specs securityRoles 7.2 and security 7.2; scopes and tokens as azsk ADOScanner has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.survey.capabilities.answers import CapabilityAnswer
from reconciler.survey.capabilities.questions import INHERITANCE, POOL_ROLES
from reconciler.tools.probe.answer import no, unclear, yes
from reconciler.tools.probe.organization import PREVIEW, ROLES, ProbeOrganization, spread

NAMESPACE = "101eae8c-1709-47f9-b228-0e476c35b3ba"
"""Security namespace DistributedTask."""
DOCUMENTED = ("Reader", "Service Account", "Administrator")
"""Microsoft Learn: Create and manage agent pools, roles."""
_SCOPES = "_apis/securityroles/scopes"


def pool_roles(ground: ProbeOrganization) -> CapabilityAnswer:
    """The roles by name, with the bits of those that are documented."""
    path = f"{_SCOPES}/distributedtask.agentpoolrole/roledefinitions"
    found = ground.entries(path, **{"api-version": PREVIEW})
    bits: dict[str, Any] = {str(one.get("name")): one.get("allowPermissions") for one in found}
    known: dict[str, int] = {f"{name} allows": bits[name] for name in DOCUMENTED if type(bits.get(name)) is int}
    counts = {"roles": len(bits), **known}
    if not bits:
        return unclear("no role is defined; the right to view agent pools is needed", **counts)
    if set(bits) == set(DOCUMENTED):
        return yes(POOL_ROLES, "the names are those of the product's own page", **counts)
    missing = ", ".join(name for name in DOCUMENTED if name not in bits) or "none"
    return no("otherwise", f"of the documented names these are missing: {missing}", **counts)


def inheritance_flag(ground: ProbeOrganization) -> CapabilityAnswer:
    """The flag of access control lists against roles that agent pools are seen to inherit."""
    flags = _flags(ground)
    above = any(not inherited for inherited in _assignments(ground, "distributedtask.globalagentpoolrole", 0))
    on = off = against = 0
    for pool in spread(ground.pool_ids, ROLES):
        inherits = any(_assignments(ground, "distributedtask.agentpoolrole", pool))
        flag = flags.get(pool, True)
        if flag is not inherits and (inherits or above):
            against += 1
        on += flag and inherits
        off += not flag and not inherits
    counts = {"inheriting": on, "alone": off, "against": against}
    if against:
        return no("apart", "agent pools inherit roles where the flag is off, or none where it is on", **counts)
    if not (on and off):
        return unclear("an agent pool that inherits roles and one that does not are needed", **counts)
    return yes(INHERITANCE, "agent pools inherit roles where the flag is on, and none where it is off", **counts)


def _flags(ground: ProbeOrganization) -> Mapping[int, bool]:
    """Agent pool → its flag; a pool without a list is missing."""
    path = f"_apis/accesscontrollists/{NAMESPACE}"
    found = ground.entries(path, token="AgentPools", recurse="true", **{"api-version": "7.1"})  # noqa: S106 - names a list
    tokens = [(str(one.get("token", "")).strip("/").partition("/"), one) for one in found]
    return {int(id_): _flag(one) for (_, _, id_), one in tokens if id_.isdecimal()}


def _flag(one: Mapping[str, Any]) -> bool:
    return one.get("inheritPermissions") is not False


def _assignments(ground: ProbeOrganization, scope: str, resource: int) -> list[bool]:
    """Of each role assignment whether it is inherited."""
    path = f"{_SCOPES}/{scope}/roleassignments/resources/{resource}"
    return [one.get("access") == "inherited" for one in ground.entries(path, **{"api-version": PREVIEW})]
