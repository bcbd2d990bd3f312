"""Specs and estates of the scenarios in the domain's own words: two organizations, two pools, a handful of people.

`estate()` is what `managed()` and `release()` ask for; a scenario says what is different.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

Json: TypeAlias = Any

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = "rg-build"
TAILSPIN, PRIME = "fabrikam-tailspin", "fabrikam-prime"
POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"
PLATFORM = f"[{PRIME}]\\Platform"
ANN, BOB, CAROL, DAN, EVE, ZOE = (f"{name}@fabrikam.com" for name in ("ann", "bob", "carol", "dan", "eve", "zoe"))
ENTRA_GROUP = "77777777-0000-4000-8000-000000000001"
ROBOT = "77777777-0000-4000-8000-000000000002"


def organization(
    name: str,
    projects: Sequence[str] = (),
    *,
    open_access: bool | None = None,
    parallelism: int = 2,
    alias: str | None = None,
) -> dict[str, Json]:
    """One organization as ARM has it."""
    raw: dict[str, Json] = {
        "url": f"https://dev.azure.com/{name}",
        "projects": list(projects),
        "parallelism": parallelism,
    }
    if open_access is not None:
        raw["openAccess"] = open_access
    if alias is not None:
        raw["alias"] = alias
    return raw


def properties(organizations: Sequence[dict[str, Json]], permission: dict[str, Json] | None) -> dict[str, Json]:
    """The properties of a pool with small stateless machines."""
    profile: dict[str, Json] = {"kind": "AzureDevOps", "organizations": list(organizations)}
    if permission is not None:
        profile["permissionProfile"] = permission
    return {
        "maximumConcurrency": sum(one["parallelism"] for one in organizations),
        "organizationProfile": profile,
        "agentProfile": {"kind": "Stateless"},
        "fabricProfile": {
            "kind": "Vmss",
            "sku": {"name": "Standard_D2ads_v5"},
            "images": [{"wellKnownImageName": "ubuntu-24.04"}],
        },
    }


def spec(
    name: str,
    organizations: Sequence[dict[str, Json]],
    *,
    permission: dict[str, Json] | None = None,
    access: dict[str, Json] | None = None,
    **more: Json,
) -> dict[str, Json]:
    """A spec file's document; `more` are fields of its top level."""
    document: dict[str, Json] = {
        "apiVersion": "reconciler/v1",
        "kind": "ManagedDevOpsPool",
        "name": name,
        "subscription": SUBSCRIPTION,
        "resourceGroup": GROUP,
        "pool": {"location": "eastus", "properties": properties(organizations, permission)},
        **more,
    }
    if access is not None:
        document["access"] = access
    return document


ROLES: list[dict[str, Json]] = [
    {"organization": PRIME, "administrators": [ANN], "exclusive": True, "inherit": False},
    {"organization": TAILSPIN, "administrators": [ANN]},
]


def managed(
    *,
    tailspin: dict[str, Json] | None = None,
    prime: dict[str, Json] | None = None,
    access: dict[str, Json] | None = None,
    **more: Json,
) -> dict[str, Json]:
    """The pool of the product's page on security: open for all of one organization, closed for two projects of another.

    `access` replaces single parts of what the spec says beyond ARM.
    """
    organizations = [
        tailspin or organization(TAILSPIN, open_access=True),
        prime or organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False),
    ]
    return spec(POOL, organizations, access={"roles": ROLES, **(access or {})}, **more)


def release(**more: Json) -> dict[str, Json]:
    """A pool beside it, for one project."""
    organizations = [organization(PRIME, ["fabrikam-release"], open_access=False, parallelism=1)]
    return spec(RELEASE, organizations, permission={"kind": "Inherit"}, **more)


def people() -> list[dict[str, Json]]:
    """Everybody whom Entra knows."""
    users = [
        {"name": mail.split("@")[0], "kind": "user", "mail": mail, "displayName": mail.split("@")[0].title()}
        for mail in (ANN, BOB, CAROL, DAN, EVE, ZOE)
    ]
    return [
        {"name": "operator", "kind": "servicePrincipal", "displayName": "Pool operator"},
        {"name": "robot", "kind": "servicePrincipal", "displayName": "Build robot", "oid": ROBOT},
        {"name": "platform-team", "kind": "group", "displayName": "Platform team", "oid": ENTRA_GROUP},
        *users,
    ]


def estate(*, pools: bool = True) -> dict[str, Json]:
    """Both planes as the specs want them; without `pools` nothing was ever created."""
    return {
        "principals": people(),
        "subscriptions": [{"id": SUBSCRIPTION, "resourceGroups": [GROUP], "pools": _resources() if pools else []}],
        "organizations": [
            {
                "name": TAILSPIN,
                "identities": ["operator", "ann", "bob", "dan"],
                "administrators": ["operator", "dan"],
                "projects": ["Web", "Mobile", "Data"],
                "agentPools": _tailspin() if pools else [],
            },
            {
                "name": PRIME,
                "identities": ["operator", "ann", "bob", "carol", "dan", "eve"],
                "administrators": ["operator", "dan"],
                "groups": [{"name": PLATFORM, "members": ["carol"]}],
                "projects": ["fabrikam-dev", "fabrikam-test", "fabrikam-perf", "fabrikam-release"],
                "agentPools": _prime() if pools else [],
            },
        ],
    }


def _resources() -> list[dict[str, Json]]:
    found = []
    for document in (managed(), release()):
        body = document["pool"]["properties"]
        for one in body["organizationProfile"]["organizations"]:
            one.pop("openAccess", None)
        found.append({"name": document["name"], "resourceGroup": GROUP, "location": "eastus", "properties": body})
    return found


def _tailspin() -> list[dict[str, Json]]:
    queues = [{"project": project, "openAccess": True} for project in ("Web", "Mobile", "Data")]
    roles = {"Administrator": ["operator", "ann"]}
    everywhere = {"allProjects": True, "autoProvision": True}
    return [{"name": POOL, "managed": True, **everywhere, "roles": roles, "queues": queues}]


def _prime() -> list[dict[str, Json]]:
    queues = [{"project": project, "openAccess": False} for project in ("fabrikam-dev", "fabrikam-test")]
    roles = {"Administrator": ["operator", "ann"]}
    alone = [{"project": "fabrikam-release", "openAccess": False}]
    return [
        {"name": POOL, "managed": True, "inherit": False, "roles": roles, "queues": queues},
        {"name": RELEASE, "managed": True, "inherit": True, "roles": {"Administrator": ["operator"]}, "queues": alone},
    ]
