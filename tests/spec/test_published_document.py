"""The models against the published document, property by property, so that none is missed and none is invented.

`RECONCILER_OPENAPI` names the folder with the documents, which are not part of the project; without it this file is
skipped.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.spec.schema import json_schema

if not os.environ.get("RECONCILER_OPENAPI"):
    pytest.skip("RECONCILER_OPENAPI names no folder of published documents to compare with", allow_module_level=True)
FOLDER = Path(os.environ["RECONCILER_OPENAPI"])
if not (found := list(FOLDER.glob("devopsinfrastructure/**/stable/2026-06-02/devopsinfrastructure.json"))):
    pytest.fail(f"RECONCILER_OPENAPI: {FOLDER}: holds no devopsinfrastructure.json of 2026-06-02", pytrace=False)
DOCUMENT = found[0]
PUBLISHED: dict[str, dict[str, Any]] = json.loads(DOCUMENT.read_text(encoding="utf-8-sig"))["definitions"]
IDENTITY: dict[str, dict[str, Any]] = json.loads(
    next(FOLDER.glob("common-types/**/v6/managedidentity.json")).read_text(encoding="utf-8-sig")
)["definitions"]
COMMON: dict[str, dict[str, Any]] = json.loads(
    next(FOLDER.glob("common-types/**/v6/types.json")).read_text(encoding="utf-8-sig")
)["definitions"]
OURS = json_schema()["$defs"]

SAME = {
    "Properties": "PoolProperties",
    "Organization": "Organization",
    "PermissionProfile": "AzureDevOpsPermissionProfile",
    "AzureDevOpsOrganizationProfile": "AzureDevOpsOrganizationProfile",
    "GitHubOrganization": "GitHubOrganization",
    "GitHubOrganizationProfile": "GitHubOrganizationProfile",
    "StatelessAgentProfile": "StatelessAgentProfile",
    "StatefulAgentProfile": "Stateful",
    "ManualPredictions": "ManualResourcePredictionsProfile",
    "AutomaticPredictions": "AutomaticResourcePredictionsProfile",
    "VmssFabricProfile": "VmssFabricProfile",
    "Sku": "DevOpsAzureSku",
    "VmSize": "VmSize",
    "Image": "PoolImage",
    "OsProfile": "OsProfile",
    "SecretsManagementSettings": "SecretsManagementSettings",
    "StorageProfile": "StorageProfile",
    "DataDisk": "DataDisk",
    "NetworkProfile": "NetworkProfile",
    "RuntimeConfiguration": "RuntimeConfiguration",
    "Identity": "ManagedServiceIdentity",
    "UserAssignedIdentity": "UserAssignedIdentity",
    "Pool": "Pool",
}
OPTIONAL_HERE = {
    ("Pool", "location"),
    *(("Properties", one) for one in ("maximumConcurrency", "organizationProfile", "agentProfile", "fabricProfile")),
}
"""A field that a spec does not name is not managed, so a spec for a pool that exists may leave these out."""
PASTED = {"apiVersion", "resourceGroup"}
"""What a pasted template or answer of az has beside the resource."""
NARROWER = {("DataDisk", "diskSizeGiB"), ("NetworkProfile", "staticIpAddressCount"), ("Organization", "parallelism")}
"""Ranges that the document leaves open and the service does not."""


def resolved(definition: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Properties and required names, those of bases included."""
    properties, required = dict(definition.get("properties", {})), set(definition.get("required", ()))
    for base in definition.get("allOf", ()):
        name = base["$ref"].rpartition("/")[2]
        more, needed = resolved(PUBLISHED.get(name) or COMMON[name])
        properties, required = {**more, **properties}, required | needed
    return properties, required


def published(name: str) -> tuple[dict[str, Any], set[str]]:
    return resolved(PUBLISHED.get(name) or IDENTITY[name])


def target(one: dict[str, Any]) -> dict[str, Any]:
    """What a property refers to, else itself."""
    if "$ref" in one:
        name = one["$ref"].rpartition("/")[2]
        return PUBLISHED.get(name) or IDENTITY.get(name) or COMMON[name]
    return one


def values(one: dict[str, Any]) -> list[str]:
    if "const" in one:
        return [one["const"]]
    return one.get("enum") or next((part["enum"] for part in one.get("anyOf", ()) if "enum" in part), [])


@pytest.mark.parametrize("ours", SAME)
def test_names_are_those_of_the_document(ours: str) -> None:
    properties, _ = published(SAME[ours])
    assert OURS[ours]["properties"].keys() - (PASTED if ours == "Pool" else set()) == properties.keys()


@pytest.mark.parametrize("ours", SAME)
def test_required_is_what_the_document_requires(ours: str) -> None:
    _, required = published(SAME[ours])
    assert set(OURS[ours].get("required", ())) == {one for one in required if (ours, one) not in OPTIONAL_HERE}


@pytest.mark.parametrize("ours", SAME)
def test_read_only_is_what_the_document_says(ours: str) -> None:
    properties, _ = published(SAME[ours])
    marked = {name for name, one in properties.items() if one.get("readOnly")} - {"id", "name", "type"}
    extra = {"provisioningState"} if ours == "Properties" else set()
    assert {name for name, one in OURS[ours]["properties"].items() if one.get("readOnly")} == marked | extra


@pytest.mark.parametrize("ours", SAME)
def test_types_enumerations_ranges_and_defaults_are_those_of_the_document(ours: str) -> None:
    properties, _ = published(SAME[ours])
    for name, theirs in properties.items():
        one, meant = OURS[ours]["properties"][name], target(theirs)
        if one.get("readOnly") or name == "kind":
            continue
        if meant.get("enum"):
            assert values(one) == meant["enum"], name
        if (ours, name) not in NARROWER:
            assert [one.get(key) for key in ("minimum", "maximum")] == [
                meant.get(key) for key in ("minimum", "maximum")
            ], name
        if "default" in meant:
            assert one["default"] == meant["default"], name
        if meant["type"] in ("integer", "boolean", "string", "array") and not meant.get("enum"):
            assert one["type"] == meant["type"], name


def test_kinds_are_the_discriminators_of_the_document() -> None:
    for ours, theirs in SAME.items():
        if value := (PUBLISHED.get(theirs) or IDENTITY[theirs]).get("x-ms-discriminator-value"):
            assert OURS[ours]["properties"]["kind"]["const"] == value


def test_every_type_of_the_document_that_a_pool_can_hold_has_a_model() -> None:
    """Walks from the resource through every reference, so that a new type cannot be overlooked."""
    bases = {
        "AgentProfile",
        "FabricProfile",
        "OrganizationProfile",
        "ResourcePredictionsProfile",
        "ResourcePredictions",
    }
    todo, seen = ["Pool"], {"Pool"}
    while todo:
        name = todo.pop()
        text = json.dumps(PUBLISHED[name])
        found = {part.split('"')[0] for part in text.split('"#/definitions/')[1:]}
        found |= {one for one, other in PUBLISHED.items() if f'/{name}"}}]' in json.dumps(other.get("allOf", ()))}
        todo += [one for one in found if one not in seen]
        seen |= found
    objects = {one for one in seen if PUBLISHED[one].get("type") == "object"}
    assert objects - bases == set(SAME.values()) - IDENTITY.keys()


def test_the_published_example_is_read_but_for_what_it_leaves_out() -> None:
    """Its certificates have no identity, which the product's page on security asks for."""
    from reconciler.spec.loader import load  # noqa: PLC0415 - the only test here that reads a file

    example = json.loads((DOCUMENT.parent / "examples/CreateOrUpdatePool.json").read_text())["parameters"]
    document = {
        "apiVersion": "reconciler/v1",
        "kind": "ManagedDevOpsPool",
        "name": example["poolName"],
        "subscription": example["subscriptionId"],
        "resourceGroup": example["resourceGroupName"],
        "pool": example["resource"],
    }
    (problem,) = load({"a.json": json.dumps(document).encode()}).problems
    assert "observedCertificates: needs exactly one identity" in str(problem)
