"""Estates of any size and the specs that they agree with: what a sweep finds on most days."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = "rg-build"


@dataclass(frozen=True, slots=True)
class Size:
    """How large an estate is."""

    pools: int
    """Pools in each organization."""
    projects: int
    """Projects in each organization."""
    organizations: int = 1

    def names(self, organization: int) -> list[str]:
        """Names of the pools of one organization."""
        return [f"pool-{organization:02d}-{number:03d}" for number in range(self.pools)]


def organization_name(number: int) -> str:
    """Bare name."""
    return f"fabrikam-{number:02d}"


def properties(organization: str, **more: Any) -> dict[str, Any]:
    """The smallest pool that there is, for all projects of an organization; `more` is about that organization."""
    profile = {"url": f"https://dev.azure.com/{organization}", "projects": [], "parallelism": 2, **more}
    return {
        "maximumConcurrency": 2,
        "organizationProfile": {
            "kind": "AzureDevOps",
            "organizations": [profile],
            "permissionProfile": {"kind": "CreatorOnly"},
        },
        "agentProfile": {"kind": "Stateless"},
        "fabricProfile": {
            "kind": "Vmss",
            "sku": {"name": "Standard_D2ads_v5"},
            "images": [{"wellKnownImageName": "ubuntu-24.04"}],
        },
    }


def estate(size: Size) -> dict[str, Any]:
    """The emulator's estate, in sync with `specs`: every pool open in every project."""
    subscription = {
        "id": SUBSCRIPTION,
        "resourceGroups": [GROUP],
        "pools": [
            {
                "name": name,
                "resourceGroup": GROUP,
                "location": "eastus",
                "properties": properties(organization_name(number)),
            }
            for number in range(size.organizations)
            for name in size.names(number)
        ],
    }
    people = [
        {"name": "operator", "kind": "servicePrincipal", "displayName": "Pool operator"},
        {"name": "ann", "kind": "user", "mail": "ann@fabrikam.com", "displayName": "Ann Example"},
    ]
    organizations = [_organization(size, number) for number in range(size.organizations)]
    return {"principals": people, "subscriptions": [subscription], "organizations": organizations}


def _organization(size: Size, number: int) -> dict[str, Any]:
    projects = [f"project-{index:04d}" for index in range(size.projects)]
    return {
        "name": organization_name(number),
        "identities": ["operator", "ann"],
        "administrators": ["operator"],
        "projects": projects,
        "agentPools": [
            {
                "name": name,
                "managed": True,
                "allProjects": True,
                "inherit": False,
                "roles": {"Administrator": ["operator", "ann"]},
                "queues": [{"project": project, "openAccess": True} for project in projects],
            }
            for name in size.names(number)
        ],
    }


def specs(size: Size) -> dict[str, bytes]:
    """Spec files by path."""
    return {f"{name}.json": spec(name, number) for number in range(size.organizations) for name in size.names(number)}


def write(size: Size, folder: str | Path) -> None:
    """The spec files, into a folder."""
    for name, content in specs(size).items():
        (Path(folder) / name).write_bytes(content)


def spec(name: str, organization: int = 0, **access: Any) -> bytes:
    """One spec file."""
    document: Mapping[str, Any] = {
        "apiVersion": "reconciler/v1",
        "kind": "ManagedDevOpsPool",
        "name": name,
        "subscription": SUBSCRIPTION,
        "resourceGroup": GROUP,
        "mode": "enforce",
        "pool": {"location": "eastus", "properties": properties(organization_name(organization), openAccess=True)},
        "access": {
            "roles": [{"organization": organization_name(organization), "administrators": ["ann@fabrikam.com"]}],
            **access,
        },
    }
    return json.dumps(document, indent=1).encode()
