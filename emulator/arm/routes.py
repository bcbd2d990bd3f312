"""Operations of the ARM plane, by the operation names of azure-rest-api-specs devopsinfrastructure."""

from __future__ import annotations

from emulator.arm import authorization, inventory, reads, subscriptions, tags, writes
from emulator.router import Handler, Route
from emulator.state.arm import PROVIDER

S = "/subscriptions/{subscription}"
G = S + "/resourceGroups/{group}"
P = f"/providers/{PROVIDER}"
OTHER = "/providers/{namespace}/{kind}/{name}"
CHILD = "/{child}/{childName}"
ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"
DEFINITIONS = "/providers/Microsoft.Authorization/roleDefinitions"
RIGHTS = "/providers/Microsoft.Authorization/permissions"
POOL = f"{G}{P}/pools/{{pool}}"


def _route(
    name: str, method: str, template: str, handler: Handler, *, reads: bool = False, anonymous: bool = False
) -> Route:
    return Route(name, "arm", method, template, handler, reads=reads, anonymous=anonymous)


ROUTES: list[Route] = [
    _route("Operations_List", "GET", f"{P}/operations", reads.operation_list),
    _route("Pools_CheckNameAvailability", "POST", f"{S}{P}/checkNameAvailability", reads.check_name, reads=True),
    _route("Sku_ListByLocation", "GET", f"{S}{P}/locations/{{location}}/skus", reads.skus),
    _route("SubscriptionUsages_Usages", "GET", f"{S}{P}/locations/{{location}}/usages", reads.usages),
    _route("Pools_ListBySubscription", "GET", f"{S}{P}/pools", reads.by_subscription),
    _route("Pools_ListByResourceGroup", "GET", f"{G}{P}/pools", reads.by_group),
    _route("ImageVersions_ListByImage", "GET", f"{G}{P}/images/{{image}}/versions", reads.image_versions),
    _route("Pools_Get", "GET", POOL, reads.get),
    _route("Pools_CreateOrUpdate", "PUT", POOL, writes.put),
    _route("Pools_Update", "PATCH", POOL, writes.patch),
    _route("Pools_Delete", "DELETE", POOL, writes.delete),
    _route("Tags_GetAtScope", "GET", POOL + tags.SUFFIX, tags.get),
    _route("Tags_CreateOrUpdateAtScope", "PUT", POOL + tags.SUFFIX, tags.put),
    _route("Tags_UpdateAtScope", "PATCH", POOL + tags.SUFFIX, tags.patch),
    _route("Tags_DeleteAtScope", "DELETE", POOL + tags.SUFFIX, tags.delete),
    _route("ResourceDetails_ListByPool", "GET", f"{POOL}/resources", reads.resources),
    _route("Pools_DeleteResources", "POST", f"{POOL}/resources", reads.delete_resources),
    _route(
        "OperationStatuses_Get", "GET", f"{S}{P}/locations/{{location}}/operationStatuses/{{operation}}", reads.status
    ),
    _route(
        "OperationResults_Get",
        "GET",
        f"{G}/providers/Microsoft.CloudTest/locations/{{location}}/operations/{{operation}}",
        reads.result,
    ),
    _route("Permissions_ListForResourceGroup", "GET", f"{G}{RIGHTS}", authorization.permissions),
    _route("Permissions_ListForResource", "GET", f"{G}{OTHER}{RIGHTS}", authorization.permissions),
    _route("Permissions_ListForChild", "GET", f"{G}{OTHER}/{{child}}/{{childName}}{RIGHTS}", authorization.permissions),
    _route("RoleAssignments_ListForScope", "GET", f"{G}{OTHER}{ASSIGNMENTS}", authorization.assignments),
    _route("RoleAssignments_ListForChild", "GET", f"{G}{OTHER}{CHILD}{ASSIGNMENTS}", authorization.assignments),
    _route("RoleDefinitions_Get", "GET", f"{G}{OTHER}{DEFINITIONS}/{{role}}", authorization.definition),
    _route("RoleDefinitions_GetForChild", "GET", f"{G}{OTHER}{CHILD}{DEFINITIONS}/{{role}}", authorization.definition),
    _route("Vaults_ListBySubscription", "GET", f"{S}/providers/Microsoft.KeyVault/vaults", authorization.vaults),
    _route("Resources_List", "GET", f"{S}/resources", inventory.resources),
    _route("Resources_ListByResourceGroup", "GET", f"{G}/resources", inventory.resources_of_group),
    _route("Resources_ListByKind", "GET", f"{S}/providers/{{namespace}}/{{kind}}", inventory.resources_of_kind),
    _route("Subscriptions_ListLocations", "GET", f"{S}/locations", inventory.locations),
    _route("Resources_Get", "GET", f"{G}{OTHER}", authorization.resource),
    _route("Resources_GetChild", "GET", f"{G}{OTHER}/{{child}}/{{childName}}", authorization.resource),
    _route("Metadata_Get", "GET", "/metadata/endpoints", subscriptions.metadata, anonymous=True),
    _route("Tenants_List", "GET", "/tenants", subscriptions.tenants),
    _route("Subscriptions_List", "GET", "/subscriptions", subscriptions.subscriptions),
    _route("Subscriptions_Get", "GET", S, subscriptions.subscription),
    _route("Providers_List", "GET", f"{S}/providers", subscriptions.providers),
    _route("Providers_Get", "GET", f"{S}/providers/{{namespace}}", subscriptions.provider),
    _route("Providers_Register", "POST", f"{S}/providers/{{namespace}}/register", subscriptions.register),
    _route("ResourceGroups_List", "GET", f"{S}/resourceGroups", subscriptions.groups),
    _route("ResourceGroups_Get", "GET", G, subscriptions.group),
    _route("ResourceGroups_CheckExistence", "HEAD", G, subscriptions.head_group),
    _route("ResourceGroups_CreateOrUpdate", "PUT", G, subscriptions.put_group),
]
