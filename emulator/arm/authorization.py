"""What the caller may do at a scope: `Microsoft.Authorization/permissions`, which reads and has no effect.

Operations «List for resource group» and «List for resource», api-version 2022-04-01, «gets all permissions the caller
has» (Microsoft Learn, Azure REST API reference: Authorization, Permissions): a page of entries with `actions`,
`notActions`, `dataActions`, `notDataActions`. Which actions a built-in role has: Microsoft Learn, Azure built-in roles
(Owner, Contributor, Reader, Network Contributor, Managed Identity Operator, Key Vault Certificate User and Secrets
User); of DevOps Infrastructure Contributor the
list is not published, and taken to be everything of its own provider, and reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from emulator.arm import access
from emulator.frame import ApiError, Request, Response
from emulator.principals import Principal
from emulator.state.arm import PROVIDER, Body
from emulator.world import World

SERVICE = "DevOpsInfrastructure"
"""Name of the service's own principal, where an estate has it."""
_LINKS = "Microsoft.Network/virtualNetworks/subnets/serviceAssociationLinks"
_DELETE_LINKS = f"{_LINKS}/delete"
_LINK_ACTIONS = [
    *("Microsoft.Network/virtualNetworks/*/read", "Microsoft.Network/virtualNetworks/subnets/join/action"),
    *(f"{_LINKS}/validate/action", f"{_LINKS}/write", _DELETE_LINKS),
]
"""Of a custom role (Microsoft Learn: Managed DevOps Pools, configure networking)."""
_ROLES: dict[str, tuple[list[str], list[str]]] = {
    "Owner": (["*"], []),
    "Contributor": (["*"], ["Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"]),
    "Reader": (["*/read"], []),
    "DevOps Infrastructure Contributor": ([f"{PROVIDER}/*", "*/read"], []),
    "Network Contributor": (["Microsoft.Network/*", "Microsoft.Resources/deployments/*"], []),
    "Pool networks, without delete": (_LINK_ACTIONS[:-1], []),
    "Pool networks": (_LINK_ACTIONS, []),
    "Managed Identity Operator": (["Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
                                   "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action"], []),
}  # fmt: skip


_SECRETS = [
    "Microsoft.KeyVault/vaults/secrets/getSecret/action",
    "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
]
_DATA = {
    "Key Vault Secrets User": _SECRETS,
    "Key Vault Certificate User": ["Microsoft.KeyVault/vaults/certificates/read", *_SECRETS],
    "Reads secrets, made by hand": ["Microsoft.KeyVault/vaults/secrets/*"],
}
_IDS = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "Pool networks, without delete": "7a1c8a54-3f0e-4c5b-9c1d-2f6d0a1b7e01",
    "Pool networks": "7a1c8a54-3f0e-4c5b-9c1d-2f6d0a1b7e02",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Certificate User": "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
    "Reads secrets, made by hand": "5d58bcaf-24a5-4b20-bdb6-eed9f69fbe4c",
}
_FILTER = re.compile(
    r"principalId eq '?(?P<plain>[\w-]+)'?|(?P<at>atScope\(\) and )?assignedTo\('(?P<oid>[\w-]+)'\)"
    r"|(?P<all>atScope\(\))",
    re.IGNORECASE,
)
"""Filters that a list of assignments takes; `assignedTo` counts the groups of the principal as well (Microsoft Learn:
List Azure role assignments using the REST API). Groups have no roles here."""


def permissions(world: World, request: Request) -> Response:
    """One entry for each role that the caller has at the scope or above it."""
    access.subscription(world, request, provider=False)
    principal = world.principals[request.caller]
    scope = request.path.lower().partition("/providers/microsoft.authorization/permissions")[0]
    roles = principal.roles if principal.roles is not None else ({"role": "Owner", "scope": "/"},)
    found = [str(role.get("role", "")) for role in roles if access.covers(role, scope)]
    return Response(body={"value": [_entry(*_ROLES.get(name, ([], [])), _DATA.get(name)) for name in found]})


def _entry(actions: list[str], excepted: list[str], data: list[str] | None = None) -> Body:
    return {"actions": actions, "notActions": excepted, "dataActions": data or [], "notDataActions": []}


def assignments(world: World, request: Request) -> Response:
    """Role assignments of one principal, wherever they are, or of all at a scope (List for scope, 2022-04-01)."""
    found = access.subscription(world, request, provider=False)
    scope = request.path.lower().partition("/providers/microsoft.authorization/roleassignments")[0]
    access.allow(world, request, "Microsoft.Authorization/roleAssignments/read", scope)
    filtered = _FILTER.fullmatch(request.query.get("$filter", ""))
    if filtered is None:
        raise ApiError(400, "InvalidFilter", "The filter is not supported; ask for principalId, assignedTo or atScope.")
    if filtered["all"]:
        return Response(body={"value": [_assignment(found.id, role, who.oid) for who, role in _at(world, scope)]})
    principal = world.principals.by_oid(filtered["plain"] or filtered["oid"])
    roles = (principal.roles or ()) if principal else ()
    if filtered["at"]:
        roles = tuple(role for role in roles if access.covers(role, scope))
    return Response(body={"value": [_assignment(found.id, role, principal.oid if principal else "") for role in roles]})


def _at(world: World, scope: str) -> Iterator[tuple[Principal, Mapping[str, str]]]:
    """Principals with their roles at a scope or above it; those with all rights have no assignment here."""
    for principal in world.principals:
        for role in principal.roles or ():
            if access.covers(role, scope):
                yield principal, role


def may_leave(world: World, subnet: str) -> bool:
    """Whether the service's principal may delete its association links, where the estate has that principal."""
    service = world.principals.find(SERVICE)
    if service is None or service.roles is None:
        return True
    names = [str(role.get("role", "")) for role in service.roles if access.covers(role, subnet)]
    actions = [action for name in names for action in _ROLES.get(name, ([], []))[0]]
    return any(fnmatchcase(_DELETE_LINKS.lower(), action.lower()) for action in actions)


def definition(world: World, request: Request) -> Response:
    """What a role allows (Role Definitions - Get, 2022-04-01)."""
    access.subscription(world, request, provider=False)
    access.allow(world, request, "Microsoft.Authorization/roleDefinitions/read", request.path)
    name = next((name for name, id_ in _IDS.items() if id_ == request.params["role"].lower()), "")
    if not name:
        raise ApiError(404, "RoleDefinitionDoesNotExist", f"The role '{request.params['role']}' does not exist.")
    permissions = [_entry(*_ROLES.get(name, ([], [])), _DATA.get(name))]
    return Response(body={"name": request.params["role"], "properties": {"roleName": name, "permissions": permissions}})


def _assignment(subscription: str, role: Mapping[str, str], oid: str) -> Body:
    name = str(role.get("role", ""))
    definition = _IDS.get(name, "00000000-0000-0000-0000-000000000000")
    path = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{definition}"
    return {"properties": {"roleDefinitionId": path, "principalId": oid, "scope": role.get("scope", "/")}}


def vaults(world: World, request: Request) -> Response:
    """Vaults - List by subscription (Microsoft.KeyVault 2023-07-01)."""
    found = access.subscription(world, request, provider=False)
    access.allow(world, request, "Microsoft.KeyVault/vaults/read", f"/subscriptions/{found.id}")
    value = [one for one in found.resources if "/microsoft.keyvault/vaults/" in str(one.get("id", "")).lower()]
    return Response(body={"value": value})


def resource(world: World, request: Request) -> Response:
    """Any resource of the estate by its id, for example a user-assigned identity (Microsoft.ManagedIdentity)."""
    found = access.subscription(world, request, provider=False)
    access.allow(world, request, f"{request.params['namespace']}/{request.params['kind']}/read", request.path)
    for one in found.resources:
        if str(one.get("id", "")).lower() == request.path.lower():
            return Response(body=one)
    raise ApiError(404, "ResourceNotFound", f"The Resource '{request.path}' was not found.")
