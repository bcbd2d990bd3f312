"""Nothing that ARM returns is dropped in silence: every key is in the draft, named in a comment, or the service's own."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.tools.import_.drafts import draft_spec
from reconciler.tools.import_.observe import ImportedPool, ObservedOrganization
from reconciler.tools.spec_writer import Draft, text
from tests.examples import tries

Json = Any
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
IDENTITY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
)
DOCUMENT: Json = {
    "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.DevOpsInfrastructure/pools/build",
    "name": "build",
    "type": "microsoft.devopsinfrastructure/pools",
    "location": "eastus",
    "tags": {"team": "build"},
    "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
    "systemData": {"createdAt": "2026-01-01T00:00:00Z"},
    "properties": {
        "provisioningState": "Succeeded",
        "maximumConcurrency": 4,
        "organizationProfile": {
            "kind": "AzureDevOps",
            "organizations": [{"url": "https://dev.azure.com/fabrikam", "projects": ["Web"], "parallelism": 4}],
            "permissionProfile": {"kind": "CreatorOnly"},
        },
        "agentProfile": {
            "kind": "Stateless",
            "resourcePredictionsProfile": {"kind": "Manual"},
            "resourcePredictions": {"timeZone": "UTC", "daysData": [{"08:00:00": 1}]},
        },
        "fabricProfile": {
            "kind": "Vmss",
            "sku": {"name": "Standard_D2ads_v5"},
            "images": [{"wellKnownImageName": "ubuntu-24.04/latest", "buffer": "*"}],
            "osProfile": {"logonType": "Service"},
            "storageProfile": {"osDiskStorageAccountType": "Standard", "dataDisks": [{"diskSizeGiB": 4}]},
        },
        "runtimeConfiguration": {"workFolder": "/mnt/work"},
    },
}
KEYS = st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{4,11}", fullmatch=True)
VALUES = st.sampled_from(["x", 7, True, ["x"], {"inner": "x"}, [{"inner": 1}]])


def places(value: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every mapping of the document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if isinstance(value, dict) else []), *(p for key, one in inner for p in places(one, (*path, key)))]


def at(value: Json, path: tuple[str | int, ...]) -> Json:
    for step in path:
        value = value[step]
    return value


def drafted(document: Json, *, inherits: bool | None = False) -> Draft:
    """With an organization that has nothing of its own; `inherits`: whether ARM's profile holds there."""
    found = ObservedOrganization("fabrikam", "build", inherits=inherits, accounts={})
    return draft_spec(ImportedPool(document, SUBSCRIPTION, "rg", "build", (found,)))


def test_a_document_without_surprises_is_taken_whole() -> None:
    draft = drafted(DOCUMENT)

    assert (draft.problems, draft.left_out) == ([], [])


@settings(max_examples=tries(200), deadline=None)
@given(
    st.sampled_from([one for one in places(DOCUMENT) if one != ("systemData",)]),
    KEYS,
    VALUES,
    st.sampled_from([True, False, None]),
)
def test_every_key_is_taken_or_named(
    place: tuple[str | int, ...], key: str, value: Json, inherits: bool | None
) -> None:
    document = copy.deepcopy(DOCUMENT)
    target = at(document, place)
    if key in target:
        return
    target[key] = value

    draft = drafted(document, inherits=inherits)

    written = text(draft)
    assert draft.problems == []
    assert key in written, f"{'.'.join(map(str, place))}: {key} is neither written nor named"


@pytest.mark.parametrize("key", ["zones", "kind", "sku", "managedBy", "plan", "extendedLocation"])
def test_a_key_of_other_resources_is_named(key: str) -> None:
    draft = drafted({**DOCUMENT, key: "x"})

    assert any(key in line for line in draft.left_out)


def test_of_two_spellings_of_one_field_the_second_is_named() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["properties"]["agentProfile"]["resourcePredictions"]["TimeZone"] = "Eastern Standard Time"

    assert any("TimeZone is given twice" in line for line in drafted(document).left_out)


@pytest.mark.parametrize("empty", [None, "", [], {}])
@pytest.mark.parametrize("key", ["zones", "someThing"])
def test_what_is_empty_manages_nothing_and_needs_no_line(key: str, empty: Json) -> None:
    assert drafted({**DOCUMENT, key: empty}).left_out == []
