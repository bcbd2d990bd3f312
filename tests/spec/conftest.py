"""One small spec that is right, and a way to change it in one place and see what is said."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest

from reconciler.spec.loader import Loaded, load

Says: TypeAlias = Callable[..., list[str]]

RIGHT: dict[str, Any] = {
    "apiVersion": "reconciler/v1",
    "kind": "ManagedDevOpsPool",
    "name": "fabrikam-managed-pool",
    "subscription": "11111111-2222-3333-4444-555555555555",
    "resourceGroup": "rg-build",
    "pool": {
        "location": "eastus",
        "properties": {
            "maximumConcurrency": 4,
            "organizationProfile": {
                "kind": "AzureDevOps",
                "organizations": [
                    {
                        "url": "https://dev.azure.com/fabrikam-tailspin",
                        "projects": [],
                        "openAccess": True,
                        "parallelism": 2,
                    },
                    {
                        "url": "https://dev.azure.com/fabrikam-prime",
                        "projects": ["fabrikam-dev", "fabrikam-test"],
                        "openAccess": False,
                        "parallelism": 2,
                    },
                ],
                "permissionProfile": {"kind": "CreatorOnly"},
            },
            "agentProfile": {"kind": "Stateless"},
            "fabricProfile": {
                "kind": "Vmss",
                "sku": {"name": "Standard_D2ads_v5"},
                "images": [{"wellKnownImageName": "ubuntu-24.04"}],
            },
        },
    },
}

REMOVED = object()


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set, or remove, what a dotted path names; missing mappings are made on the way."""
    *owners, last = path.split(".")
    place: Any = document
    for step in owners:
        place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
    if value is REMOVED:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value


@pytest.fixture
def right() -> dict[str, Any]:
    """A spec that is right, to change."""
    return copy.deepcopy(RIGHT)


@pytest.fixture
def removed() -> object:
    """The value that stands for «not there»."""
    return REMOVED


@pytest.fixture
def loaded(right: dict[str, Any]) -> Callable[..., Loaded]:
    """Load the spec with changes, given as pairs of path and value."""

    def run(*changes: Sequence[Any]) -> Loaded:
        for path, value in changes:
            put(right, path, value)
        return load({"pool.json": json.dumps(right).encode()})

    return run


@pytest.fixture
def says(loaded: Callable[..., Loaded]) -> Says:
    """What is said of the spec with changes: `where: message`, in order."""

    def run(*changes: Sequence[Any]) -> list[str]:
        found = loaded(*changes)
        assert bool(found.specs) != bool(found.problems)
        return [f"{one.where}: {one.message}" for one in found.problems]

    return run
