"""The pool's body as data: which properties there are, of which type, required or not, and since which api-version.

Written from azure-rest-api-specs, devopsinfrastructure 2026-06-02 and the differences between its published versions;
not a copy of that document. `emulator.arm.schema` checks a body against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OLDEST = "2023-10-30-preview"
Fields = Mapping[str, "Field"]


@dataclass(frozen=True, slots=True)
class Field:
    """One property. `kind`: string, uri, int, bool, any, list, object, or choice (an object with `kind` inside)."""

    kind: str
    required: bool = False
    since: str = OLDEST
    required_before: str = ""
    """Required in versions older than this one."""
    values: tuple[str, ...] = ()
    """Known values of an enum. All enums are open in the document."""
    values_since: Mapping[str, str] = field(default_factory=dict)
    """Values that only later versions have, each with the first of them."""
    low: int | None = None
    high: int | None = None
    read_only: bool = False
    of: Field | None = None
    """Element of a list."""
    fields: Fields = field(default_factory=dict)
    """Properties of an object."""
    kinds: Mapping[str, Fields] = field(default_factory=dict)
    """Properties beside `kind`, by its value."""


def text(**more: object) -> Field:
    """A string."""
    return Field("string", **more)  # type: ignore[arg-type]  # the keywords are Field's own


def enum(*values: str, **more: object) -> Field:
    """A string out of an open list."""
    return Field("string", values=values, **more)  # type: ignore[arg-type]  # the keywords are Field's own


def number(low: int | None = None, high: int | None = None, **more: object) -> Field:
    """A whole number."""
    return Field("int", low=low, high=high, **more)  # type: ignore[arg-type]  # the keywords are Field's own


def many(of: Field, **more: object) -> Field:
    """A list."""
    return Field("list", of=of, **more)  # type: ignore[arg-type]  # the keywords are Field's own


def obj(fields: Fields, **more: object) -> Field:
    """An object."""
    return Field("object", fields=fields, **more)  # type: ignore[arg-type]  # the keywords are Field's own


def choice(kinds: Mapping[str, Fields], **more: object) -> Field:
    """An object whose `kind` says which properties it has."""
    return Field("choice", kinds=kinds, **more)  # type: ignore[arg-type]  # the keywords are Field's own


ORGANIZATION = obj(
    {
        "url": Field("uri", required=True),
        "projects": many(text()),
        "parallelism": number(),
        "openAccess": Field("bool", since="2025-01-21"),
        "alias": text(since="2025-09-20"),
    }
)
PERMISSIONS = obj(
    {
        "kind": enum("Inherit", "CreatorOnly", "SpecificAccounts", required=True),
        "users": many(text()),
        "groups": many(text()),
    }
)
ORGANIZATION_PROFILE = choice(
    {
        "AzureDevOps": {
            "organizations": many(ORGANIZATION, required=True),
            "permissionProfile": PERMISSIONS,
            "alias": text(since="2025-09-20"),
            "description": text(since="2026-06-02"),
            "updateDescription": Field("bool", since="2026-06-02"),
        },
        "GitHub": {
            "organizations": many(
                obj({"url": Field("uri", required=True), "repositories": many(text())}), required=True
            )
        },
    },
    required=True,
)
PREFERENCES = ("Balanced", "MostCostEffective", "MoreCostEffective", "MorePerformance", "BestPerformance")
PREDICTIONS: Fields = {
    "resourcePredictions": Field("any"),
    "resourcePredictionsProfile": choice({"Manual": {}, "Automatic": {"predictionPreference": enum(*PREFERENCES)}}),
}
AGENT_PROFILE = choice(
    {
        "Stateless": PREDICTIONS,
        "Stateful": {**PREDICTIONS, "maxAgentLifetime": text(), "gracePeriodTimeSpan": text()},
    },
    required=True,
)
IMAGE = obj(
    {
        "resourceId": text(),
        "wellKnownImageName": text(),
        "aliases": many(text()),
        "buffer": text(),
        "ephemeralType": enum(
            "Automatic",
            "CacheDisk",
            "ResourceDisk",
            "NVMeDisk",
            since="2025-01-21",
            values_since={"NVMeDisk": "2026-07-03-preview"},
        ),
        "isEphemeral": Field("bool", since="2025-09-20", read_only=True),
        "provisioningScriptStorageAccountResourceId": text(since="2026-06-02"),
        "provisioningScriptManagedIdentityClientId": text(since="2026-06-02"),
        "provisioningScriptShouldRestart": Field("bool", since="2026-06-02"),
        "provisioningScriptEntryPoint": text(since="2026-06-02"),
    }
)
SKU = obj(
    {
        "name": text(required=True),
        "windowsNvmeDrive": text(since="2026-04-17-preview"),
        "linuxNvmePath": text(since="2026-04-17-preview"),
        "vmSizes": many(obj({"name": text()}), since="2026-06-02"),
    },
    required=True,
)
SECRETS = obj(
    {
        "certificateStoreLocation": text(),
        "certificateStoreName": enum("My", "Root", since="2025-01-21"),
        "observedCertificates": many(Field("uri"), required=True),
        "keyExportable": Field("bool", required=True),
    }
)
DISK = obj(
    {
        "caching": enum("None", "ReadOnly", "ReadWrite"),
        "diskSizeGiB": number(),
        "storageAccountType": enum("Standard_LRS", "Premium_LRS", "StandardSSD_LRS", "Premium_ZRS", "StandardSSD_ZRS"),
        "driveLetter": text(),
    }
)
NETWORK = obj(
    {
        "subnetId": text(required_before="2025-09-20"),
        "staticIpAddressCount": number(0, since="2025-09-20"),
        "ipAddresses": many(text(), since="2025-09-20", read_only=True),
    }
)
FABRIC_PROFILE = choice(
    {
        "Vmss": {
            "sku": SKU,
            "images": many(IMAGE, required=True),
            "osProfile": obj({"secretsManagementSettings": SECRETS, "logonType": enum("Service", "Interactive")}),
            "storageProfile": obj(
                {
                    "osDiskStorageAccountType": enum("Standard", "Premium", "StandardSSD"),
                    "dataDisks": many(DISK),
                }
            ),
            "networkProfile": NETWORK,
        }
    },
    required=True,
)
STATES = ("Succeeded", "Failed", "Canceled", "Provisioning", "Updating", "Deleting", "Accepted")
PROPERTIES: Fields = {
    "provisioningState": enum(*STATES),
    "maximumConcurrency": number(1, 10000, required=True),
    "organizationProfile": ORGANIZATION_PROFILE,
    "agentProfile": AGENT_PROFILE,
    "fabricProfile": FABRIC_PROFILE,
    "devCenterProjectResourceId": text(required_before="2026-06-02"),
    "runtimeConfiguration": obj({"workFolder": text()}, since="2025-09-20"),
}
IDENTITY = obj(
    {
        "type": enum("None", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned", required=True),
        "userAssignedIdentities": Field("any"),
        "principalId": text(read_only=True),
        "tenantId": text(read_only=True),
    }
)
POOL = obj(
    {
        "id": text(read_only=True),
        "name": text(read_only=True),
        "type": text(read_only=True),
        "systemData": Field("any", read_only=True),
        "location": text(required=True),
        "tags": Field("any"),
        "identity": IDENTITY,
        "properties": obj(PROPERTIES, required=True),
    }
)
UPDATE = obj({"tags": Field("any"), "identity": IDENTITY, "properties": obj(PROPERTIES)})
"""PATCH: its direct properties are optional, those inside nested objects as in PUT."""
