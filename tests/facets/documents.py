"""A pool as a spec names it and as ARM answers it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from reconciler.plan.model import Change
from reconciler.plan.targets import CreatePool, UpdatePool
from reconciler.spec.model import Organization, PermissionKind, PermissionProfile, Spec
from tests.facets.frame import POOL_NAME, PRIME, TAILSPIN, spec
from tests.facets.world import World

POOL_ID = f"/subscriptions/1111/resourceGroups/rg-build/providers/Microsoft.DevOpsInfrastructure/pools/{POOL_NAME}"


def body(**changes: Any) -> dict[str, Any]:
    """What a spec names."""
    properties = {
        "maximumConcurrency": 4,
        "organizationProfile": {
            "kind": "AzureDevOps",
            "organizations": [
                {
                    "url": "https://dev.azure.com/fabrikam-prime",
                    "projects": ["Web"],
                    "openAccess": True,
                    "parallelism": 2,
                },
                {"url": "https://dev.azure.com/fabrikam-tailspin", "projects": []},
            ],
            "permissionProfile": {"kind": "Inherit"},
        },
        "agentProfile": {"kind": "Stateless"},
        "fabricProfile": {
            "kind": "Vmss",
            "sku": {"name": "Standard_D2ads_v5"},
            "images": [{"wellKnownImageName": "ubuntu-24.04/latest", "buffer": "*"}],
        },
    }
    return {"location": "eastus", "properties": {**properties, **changes}}


def document(**changes: Any) -> dict[str, Any]:
    """The same pool as ARM answers it: other spellings, defaults filled in, things of its own."""
    found = body(provisioningState="Succeeded", futureProfile={"colour": "blue"}, **changes)
    profile = found["properties"]["organizationProfile"]
    for item in profile["organizations"]:
        item.pop("openAccess", None)
    profile["organizations"].reverse()
    profile["permissionProfile"] = {"kind": "CreatorOnly", "users": None}
    found["properties"]["fabricProfile"]["images"][0]["ephemeralType"] = "Automatic"
    return {"id": POOL_ID.upper(), "name": POOL_NAME, "type": "x", "systemData": {"lastModifiedAt": "now"}, **found}


ORGANIZATIONS = (
    Organization(PRIME, POOL_NAME, ("Web",), True),
    Organization(TAILSPIN, POOL_NAME, (), None),
)


def wanted(**changes: Any) -> Spec:
    return spec(*ORGANIZATIONS, body=body(**changes), profile=PermissionProfile(PermissionKind.INHERIT))


def world_with(found: dict[str, Any] | None) -> World:
    world = World()
    if found is not None:
        world.documents[POOL_ID.casefold()] = found
    return world


def profile_of(change: Change) -> dict[str, Any]:
    found: dict[str, Any] = sent(change)["properties"]["organizationProfile"]
    return found


def sent(change: Change) -> dict[str, Any]:
    """The document that the change puts, to be changed at will."""
    assert isinstance(change.target, CreatePool | UpdatePool)
    return deepcopy(dict(change.target.body))


OTHER: dict[str, Any] = {"url": "https://dev.azure.com/fabrikam-other", "projects": []}
TWO = body()["properties"]["organizationProfile"]["organizations"]


def organizations(*items: dict[str, Any]) -> dict[str, Any]:
    return {"organizationProfile": {"kind": "AzureDevOps", "organizations": list(items)}}


def fabric(**changes: Any) -> dict[str, Any]:
    return {"fabricProfile": {**body()["properties"]["fabricProfile"], **changes}}
