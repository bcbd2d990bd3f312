"""The little of ARM around pools that clients ask for first: metadata, tenants, subscriptions, groups, providers.

`az` and Terraform's azurerm read the metadata and register providers before anything else; shapes as in
Microsoft Learn, Azure Resource Manager REST API (resources 2021-04-01, subscriptions 2022-12-01).
"""

from __future__ import annotations

from emulator.arm import access
from emulator.arm.catalog import REGIONS
from emulator.arm.versions import PUBLISHED
from emulator.frame import ApiError, Request, Response
from emulator.state.arm import PROVIDER, TENANT, AzureSubscription, Body, ResourceGroup
from emulator.world import World

LOGIN = "https://login.microsoftonline.com"
KINDS = ("operations", "pools", "locations", "locations/operationStatuses", "locations/skus", "locations/usages")


def metadata(world: World, request: Request) -> Response:
    """Addresses of services, read without a token by `az cloud register` and by azurerm's `metadata_host`."""
    del world
    body: Body = {
        "name": "Emulator",
        "portal": request.base_url,
        "resourceManager": request.base_url,
        "authentication": {
            "loginEndpoint": LOGIN,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": TENANT,
            "identityProvider": "AAD",
        },
        "suffixes": {},
        "graph": "https://graph.microsoft.com/",
        "microsoftGraphResourceId": "https://graph.microsoft.com/",
    }
    newer = request.query.get("api-version", "") >= "2019"
    return Response(body=[body] if newer and request.query["api-version"] < "2022-09-01" else body)


def tenants(world: World, request: Request) -> Response:
    """Tenants of the caller."""
    del world, request
    value = [{"id": f"/tenants/{TENANT}", "tenantId": TENANT, "displayName": "Emulator", "tenantCategory": "Home"}]
    return Response(body={"value": value})


def subscriptions(world: World, request: Request) -> Response:
    """Subscriptions in which the caller may read."""
    found = []
    for subscription in world.arm.subscriptions.values():
        try:
            access.allow(world, request, "Microsoft.Resources/subscriptions/read", f"/subscriptions/{subscription.id}")
        except ApiError:
            continue
        found.append(_subscription(subscription))
    return Response(body={"value": found, "count": {"type": "Total", "value": len(found)}})


def subscription(world: World, request: Request) -> Response:
    """One subscription."""
    return Response(body=_subscription(access.subscription(world, request, provider=False)))


def providers(world: World, request: Request) -> Response:
    """The registered providers: ours, and the two whose resources a pool points to."""
    found = access.subscription(world, request, provider=False)
    others = [
        _provider(found, name, kinds=(), registered=True) for name in ("Microsoft.DevCenter", "Microsoft.Network")
    ]
    return Response(body={"value": [_ours(found), *others]})


def provider(world: World, request: Request) -> Response:
    """One provider; those that are not here are not registered."""
    found = access.subscription(world, request, provider=False)
    name = request.params["namespace"]
    if name.lower() != PROVIDER.lower():
        return Response(body=_provider(found, name, kinds=(), registered=False))
    return Response(body=_ours(found))


def register(world: World, request: Request) -> Response:
    """Register the provider in the subscription."""
    found = access.subscription(world, request, provider=False)
    access.allow(world, request, f"{PROVIDER}/register/action", f"/subscriptions/{found.id}")
    if request.params["namespace"].lower() == PROVIDER.lower():
        found.registered = True
        return Response(body=_ours(found))
    return Response(body=_provider(found, request.params["namespace"], kinds=(), registered=True))


def groups(world: World, request: Request) -> Response:
    """Resource groups of a subscription."""
    found = access.subscription(world, request, provider=False)
    return Response(body={"value": [_group(found, group) for group in found.groups.values()]})


def group(world: World, request: Request) -> Response:
    """One resource group."""
    found = access.subscription(world, request, provider=False)
    return Response(body=_group(found, access.group(found, request)))


def head_group(world: World, request: Request) -> Response:
    """Whether the resource group exists: 204 or 404, no body."""
    found = access.subscription(world, request, provider=False)
    return Response(204 if request.params["group"].lower() in found.groups else 404)


def put_group(world: World, request: Request) -> Response:
    """Create a resource group, or set its tags."""
    found = access.subscription(world, request, provider=False)
    name, body = request.params["group"], request.body if isinstance(request.body, dict) else {}
    access.allow(world, request, "Microsoft.Resources/subscriptions/resourceGroups/write", f"/subscriptions/{found.id}")
    if not body.get("location"):
        raise ApiError(400, "LocationRequired", "The location property is required for this definition.")
    fresh = name.lower() not in found.groups
    made = found.groups.setdefault(name.lower(), ResourceGroup(name, body["location"]))
    made.tags = dict(body.get("tags") or {})
    return Response(201 if fresh else 200, _group(found, made))


def _subscription(found: AzureSubscription) -> Body:
    return {
        "id": f"/subscriptions/{found.id}",
        "subscriptionId": found.id,
        "displayName": found.name,
        "tenantId": found.tenant,
        "state": "Enabled",
        "subscriptionPolicies": {"spendingLimit": "Off"},
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
    }


def _group(found: AzureSubscription, group: ResourceGroup) -> Body:
    return {
        "id": f"/subscriptions/{found.id}/resourceGroups/{group.name}",
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": group.tags,
        "properties": {"provisioningState": "Succeeded"},
    }


def _ours(found: AzureSubscription) -> Body:
    return _provider(found, PROVIDER, kinds=KINDS, registered=found.registered)


def _provider(found: AzureSubscription, name: str, *, kinds: tuple[str, ...], registered: bool) -> Body:
    return {
        "id": f"/subscriptions/{found.id}/providers/{name}",
        "namespace": name,
        "registrationState": "Registered" if registered else "NotRegistered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [
            {"resourceType": kind, "locations": list(REGIONS), "apiVersions": list(reversed(PUBLISHED))}
            for kind in kinds
        ],
    }
