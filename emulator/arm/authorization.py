"""What the caller may do at a scope: `Microsoft.Authorization/permissions`, which reads and has no effect.

Operations «List for resource group» and «List for resource», api-version 2022-04-01, «gets all permissions the caller
has» (Microsoft Learn, Azure REST API reference: Authorization, Permissions): a page of entries with `actions`,
`notActions`, `dataActions`, `notDataActions`. Which actions a built-in role has: Microsoft Learn, Azure built-in roles
(Owner, Contributor, Reader, Network Contributor, Managed Identity Operator); of DevOps Infrastructure Contributor the
list is not published, and taken to be everything of its own provider, and reading.
"""

from __future__ import annotations

from emulator.arm import access
from emulator.arm.state import PROVIDER, Body
from emulator.frame import Request, Response
from emulator.world import World

_ROLES: dict[str, tuple[list[str], list[str]]] = {
    "Owner": (["*"], []),
    "Contributor": (["*"], ["Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"]),
    "Reader": (["*/read"], []),
    "DevOps Infrastructure Contributor": ([f"{PROVIDER}/*", "*/read"], []),
    "Network Contributor": (["Microsoft.Network/*", "Microsoft.Resources/deployments/*"], []),
    "Managed Identity Operator": (["Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
                                   "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action"], []),
}  # fmt: skip


def permissions(world: World, request: Request) -> Response:
    """One entry for each role that the caller has at the scope or above it."""
    access.subscription(world, request, provider=False)
    principal = world.principals[request.caller]
    scope = request.path.lower().partition("/providers/microsoft.authorization/permissions")[0]
    roles = principal.roles if principal.roles is not None else ({"role": "Owner", "scope": "/"},)
    found = [str(role.get("role", "")) for role in roles if access.covers(role, scope)]
    return Response(body={"value": [_entry(*_ROLES.get(name, ([], []))) for name in found]})


def _entry(actions: list[str], excepted: list[str]) -> Body:
    return {"actions": actions, "notActions": excepted, "dataActions": [], "notDataActions": []}
