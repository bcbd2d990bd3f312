"""The forms in which the product's page on security writes pools, each with the same facts in few lines.

One pool in two organizations, and certificates from a key vault; what the page leaves out with dots is filled in with
the least that a pool needs.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from reconciler.spec.loader import load
from reconciler.tools.convert import ConvertOptions, drafts, pieces
from reconciler.tools.spec_writer import Draft, text

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"

IDENTITY = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/build"
)
CERTIFICATE = "https://fabrikam-vault.vault.azure.net/secrets/build"
ONE = [{"url": "https://dev.azure.com/fabrikam-tailspin", "projects": [], "parallelism": 4}]
TWO = [
    {"url": "https://dev.azure.com/fabrikam-tailspin", "projects": [], "parallelism": 2},
    {"url": "https://dev.azure.com/fabrikam-prime", "projects": ["fabrikam-dev", "fabrikam-test"], "parallelism": 2},
]
OPEN = [{**one, "openAccess": True} for one in TWO]
CREATOR: dict[str, Any] = {"kind": "CreatorOnly"}
ACCOUNTS: dict[str, Any] = {"kind": "SpecificAccounts", "users": ["ann@fabrikam.com", "bob@fabrikam.com"]}
SECRETS: dict[str, Any] = {
    "certificateStoreLocation": "LocalMachine",
    "certificateStoreName": "Root",
    "observedCertificates": [CERTIFICATE],
    "keyExportable": False,
}
MACHINES: dict[str, Any] = {"sku": {"name": "Standard_D2ads_v5"}, "images": [{"wellKnownImageName": "windows-2022"}]}


def profile(organizations: list[dict[str, Any]], permission: dict[str, Any] | None = None) -> dict[str, Any]:
    """ARM's organizationProfile."""
    more = {"permissionProfile": permission} if permission else {}
    return {"organizations": organizations, **more, "kind": "AzureDevOps"}


def fabric(**os_profile: Any) -> dict[str, Any]:
    """ARM's fabricProfile."""
    return {**MACHINES, "osProfile": os_profile, "kind": "Vmss"}


def template(properties: dict[str, Any], **more: Any) -> str:
    """An ARM template of one pool."""
    resource = {
        "name": "fabrikam-managed-pool",
        "type": "microsoft.devopsinfrastructure/pools",
        "apiVersion": "2025-01-21",
        "location": "eastus",
        **more,
        "properties": properties,
    }
    return json.dumps({"contentVersion": "1.0.0.0", "resources": [resource]})


def member(name: str, value: Any) -> str:
    """JSON without the braces around it, as the page prints parts of a template."""
    return f"{json.dumps(name)}: {json.dumps(value)}"


def bicep(value: Any) -> str:
    """A value in Bicep."""
    if isinstance(value, dict):
        return "{\n" + "\n".join(f"{_key(key)}: {bicep(item)}" for key, item in value.items()) + "\n}"
    if isinstance(value, list):
        return "[\n" + "\n".join(map(bicep, value)) + "\n]"
    return "'" + value.replace("'", "\\'") + "'" if isinstance(value, str) else json.dumps(value)


def _key(key: str) -> str:
    return key if key.isidentifier() else f"'{key}'"


def resource(properties: dict[str, Any], **more: Any) -> str:
    """A Bicep file of one pool."""
    body = {"name": "fabrikam-managed-pool", "location": "eastus", **more, "properties": properties}
    return f"resource managedDevOpsPools 'Microsoft.DevOpsInfrastructure/pools@2025-01-21' = {bicep(body)}\n"


def converted(files: dict[str, str], parameters: dict[str, Any] | None = None, **given: str) -> Draft:
    """The only draft; what is written is what the loader reads."""
    found = pieces({name: content.encode() for name, content in files.items()}, parameters)
    (draft,) = drafts(found, ConvertOptions(SUBSCRIPTION, "rg-build", **{"name": "fabrikam-managed-pool", **given}))
    assert draft.problems == []
    assert load({"a.yaml": text(draft).encode()}).problems == ()
    assert yaml.safe_load(text(draft)) == draft.document
    return draft


def left_out(draft: Draft) -> list[str]:
    assert set(draft.left_out) <= {note for _, note in draft.notes}, "each is a comment of the file"
    return draft.left_out
