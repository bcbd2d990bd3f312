"""An `Arm` against a scripted server, a credential with a canary for a token, and a recorded pool."""

from __future__ import annotations

import copy
from typing import Any

from azure.core.credentials import AccessToken

from reconciler.adapters.arm.pools import Arm
from reconciler.telemetry import Calls, MemoryTelemetry

CANARY = "canary-token-that-must-not-show-up"
SUB = "11111111-2222-3333-4444-555555555555"
POOL_ID = f"/subscriptions/{SUB}/resourceGroups/rg-build/providers/Microsoft.DevOpsInfrastructure/pools/fabrikam"
POOL_PATH = f"{POOL_ID}?api-version=2026-06-02"
LIST_PATH = f"/subscriptions/{SUB}/providers/Microsoft.DevOpsInfrastructure/pools?api-version=2026-06-02"


class Canary:
    """A credential that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked.append(scopes)
        return AccessToken(CANARY, 4_000_000_000)


class Kit:
    """One `Arm` and what was seen of its calls."""

    def __init__(self, url: str, credential: Any = None) -> None:
        self.telemetry = MemoryTelemetry()
        self.credential = credential or Canary()
        self.arm = Arm(url, self.credential, allow_loopback=True, calls=Calls("arm", self.telemetry))


def error(code: str, message: str = "", **extra: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **extra}}


def pool(**properties: Any) -> dict[str, Any]:
    """A pool as ARM was seen to answer it, with its unstable casing and its read-only parts."""
    return copy.deepcopy(
        {
            "id": POOL_ID.replace("/pools/", "/Pools/"),
            "name": "fabrikam",
            "type": "microsoft.devopsinfrastructure/pools",
            "location": "eastus2",
            "tags": {"team": "build"},
            "identity": {
                "type": "UserAssigned",
                "principalId": "p",
                "tenantId": "t",
                "userAssignedIdentities": {"/subscriptions/x/id1": {"principalId": "p1", "clientId": "c1"}},
            },
            "systemData": {"createdBy": "ann", "createdAt": "2024-03-28T10:00:00.1234567Z"},
            "properties": {
                "provisioningState": "Succeeded",
                "maximumConcurrency": 4,
                "organizationProfile": {
                    "kind": "AzureDevOps",
                    "organizations": [
                        {"url": "https://dev.azure.com/fabrikam", "projects": [], "openAccess": True, "alias": "x"}
                    ],
                },
                "fabricProfile": {
                    "kind": "Vmss",
                    "images": [{"wellKnownImageName": "ubuntu", "isEphemeral": True, "ephemeralType": "CacheDisk"}],
                    "networkProfile": {"staticIpAddressCount": 1, "ipAddresses": ["203.0.113.7"]},
                },
                "fromTheFuture": {"id": 1, "name": "kept", "nested": [{"type": "kept too"}]},
                **properties,
            },
        }
    )
