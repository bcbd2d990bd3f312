"""Bodies that the service refuses, and what it ignores or drops."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.emulator.wire import POOLS, PROPERTIES, Wire, body, organizations

Json = Any
SUM = "The sum of parallelism for all organizations must equal the max concurrency"
PRIME = {"url": "https://dev.azure.com/fabrikam-prime"}
SECOND = {"url": "https://dev.azure.com/fabrikam-second"}


def changed(path: str, value: Json) -> dict[str, Json]:
    """A good body with one thing in its properties changed; None removes it."""
    found = copy.deepcopy(PROPERTIES)
    *above, last = path.split("/")
    place: Json = found
    for part in above:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    if value is None:
        del place[last]
    else:
        place[last] = value
    return {"location": "eastus", "properties": found}


def refused(wire: Wire, raw: Json, name: str = "p-new") -> dict[str, str]:
    """Places and messages of a refusal; empty where it was taken."""
    answer = wire.put(name, raw)
    if answer.status_code == 201:
        wire.do.settle()
        return {}
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ResourceCreationValidateFailed")
    assert answer.headers["x-ms-failure-cause"] == "service"
    return {item["target"].removeprefix("properties."): item["message"] for item in answer.json()["error"]["details"]}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("maximumConcurrency", None, "is required"),
        ("maximumConcurrency", "4", "must be an integer"),
        ("maximumConcurrency", True, "must be an integer"),
        ("maximumConcurrency", 0, "at least 1"),
        ("maximumConcurrency", 10001, "at most 10000"),
        ("maximumConcurrency", 2**40, "32-bit"),
        ("organizationProfile", None, "is required"),
        ("organizationProfile/kind", "Jira", "must be one of AzureDevOps, GitHub"),
        ("organizationProfile/organizations", [], "must not be empty"),
        ("organizationProfile/organizations", {}, "must be an array"),
        ("organizationProfile/organizations/0/url", "fabrikam", "absolute URI"),
        ("organizationProfile/organizations/0/url", "https://example.com/x", "must be https://dev.azure.com/"),
        ("organizationProfile/organizations/0/openAccess", "yes", "must be a boolean"),
        ("organizationProfile/organizations/0/parallelism", -1, "must not be negative"),
        ("organizationProfile/permissionProfile/kind", "Everybody", "must be one of Inherit"),
        ("organizationProfile/permissionProfile", {}, "is required"),
        ("agentProfile", {"kind": "Stateful", "maxAgentLifetime": "8.00:00:00"}, "at most 7.00:00:00"),
        ("agentProfile", {"kind": "Stateful", "maxAgentLifetime": "1 day"}, "time span"),
        ("agentProfile", {"kind": "Stateful", "gracePeriodTimeSpan": "00:99:00"}, "time span"),
        ("agentProfile", {"kind": "Stateless", "gracePeriodTimeSpan": "00:09:00"}, "is not a property"),
        ("agentProfile", {"kind": "Stateless", "resourcePredictions": []}, "must be an object"),
        ("agentProfile", {"kind": "Stateless", "resourcePredictions": {"days": 1}}, "is not a property"),
        ("agentProfile", {"kind": "Stateless", "resourcePredictions": {"daysData": [{}, {}]}}, "one object, or seven"),
        ("agentProfile", {"kind": "Stateless", "resourcePredictions": {"daysData": [{"9:00": 1}]}}, "no time"),
        ("agentProfile", {"kind": "Stateless", "resourcePredictions": {"daysData": [{"09:00:00": 5}]}}, "0 to 4"),
        ("agentProfile", {"kind": "Stateless", "resourcePredictions": {"DaysData": [{}, {}]}}, "one object, or seven"),
        (
            "agentProfile",
            {"kind": "Stateless", "resourcePredictions": {"daysData": [{}], "DaysData": [{}]}},
            "is given twice, in two spellings",
        ),
        ("agentProfile", {"kind": "Stateless", "resourcePredictionsProfile": {"kind": "Magic"}}, "must be one of"),
        ("fabricProfile/sku", None, "is required"),
        ("fabricProfile/sku/name", None, "is required"),
        ("fabricProfile/images", [], "must not be empty"),
        ("fabricProfile/images", [{"buffer": "*"}], "exactly one of resourceId and wellKnownImageName"),
        ("fabricProfile/images", [{"resourceId": "/x", "wellKnownImageName": "y"}], "exactly one of"),
        ("fabricProfile/images", [{"resourceId": "/x"}, {"resourceId": "/y"}], "needs an alias"),
        ("fabricProfile/images/0/buffer", "101", "from 0 to 100"),
        ("fabricProfile/images/0/buffer", 7, "must be a string"),
        ("fabricProfile/osProfile", {"secretsManagementSettings": {}}, "is required"),
        ("fabricProfile/osProfile", {"logonType": "Remote"}, "must be one of Service, Interactive"),
        ("fabricProfile/storageProfile", {"dataDisks": [{"diskSizeGiB": 0}]}, "1 to 32767"),
        ("fabricProfile/storageProfile", {"dataDisks": [{"caching": "Some"}]}, "must be one of None"),
        ("fabricProfile/networkProfile", {"staticIpAddressCount": -1}, "at least 0"),
        ("devCenterProjectResourceId", 5, "must be a string"),
    ],
)
def test_the_service_refuses(wire: Wire, path: str, value: Json, words: str) -> None:
    said = refused(wire, changed(path, value))
    assert any(words in message for message in said.values()), said


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("agentProfile", {"kind": "Stateful", "maxAgentLifetime": "7.00:00:00", "gracePeriodTimeSpan": "00:00:00"}),
        ("agentProfile", {"kind": "Stateless", "resourcePredictions": {"timeZone": "UTC", "daysData": [{}] * 7}}),
        ("agentProfile", {"kind": "Stateless", "resourcePredictionsProfile": {"kind": "Automatic"}}),
        ("fabricProfile/images/0/buffer", "100"),
        ("fabricProfile/images", [{"resourceId": "/x", "aliases": ["x"]}, {"wellKnownImageName": "windows-2022"}]),
        ("fabricProfile/storageProfile", {"dataDisks": [{"diskSizeGiB": 32767, "driveLetter": "F"}]}),
        ("fabricProfile/networkProfile", {"staticIpAddressCount": 2}),
        ("organizationProfile/organizations/0/parallelism", 0),
        ("organizationProfile/organizations/0/projects", []),
        ("provisioningState", "Succeeded"),
        ("runtimeConfiguration", {"workFolder": "/w"}),
    ],
)
def test_the_service_takes(wire: Wire, path: str, value: Json) -> None:
    assert refused(wire, changed(path, value)) == {}


def test_all_mistakes_are_told_at_once_with_their_places(wire: Wire) -> None:
    said = refused(wire, {"location": "eastus", "properties": {"maximumConcurrency": 0, "agentProfile": {}}})
    assert set(said) == {"maximumConcurrency", "organizationProfile", "agentProfile.kind", "fabricProfile"}


def test_without_details_a_refusal_says_what_was_recorded(wire: Wire) -> None:
    wire.do.switch("arm.error-details", False)
    answer = wire.put("p-new", {"location": "eastus2"})
    assert answer.json() == {
        "error": {"code": "ResourceCreationValidateFailed", "message": "The resource validation failed."}
    }


def test_a_body_without_location_is_told_so_by_arm_itself(wire: Wire) -> None:
    answer = wire.put("p-new", {"properties": PROPERTIES})
    assert answer.json()["error"]["code"] == "LocationRequired"


@pytest.mark.parametrize("name", ["ab", "-ab", "a_b", "a" * 45, "name."])
def test_a_name_must_be_3_to_44_letters_digits_hyphens_and_stops(wire: Wire, name: str) -> None:
    assert "is not valid" in refused(wire, body(), name)["name"]


def test_a_name_is_taken_in_the_whole_service(wire: Wire) -> None:
    other = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-other"
    path = f"{other}/providers/Microsoft.DevOpsInfrastructure/pools/OLD-pool"
    answer = wire.arm("PUT", path, body())
    words = "Managed DevOps pool OLD-pool is already in use. Please choose a pool name that has not been taken."
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, words)


def test_parallelism_adds_up_to_the_max_concurrency_unless_switched_off(wire: Wire) -> None:
    raw = body(organizationProfile=organizations({**PRIME, "parallelism": 2}, {**SECOND, "parallelism": 1}))
    answer = wire.put("p-new", raw)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, SUM)
    wire.do.switch("arm.parallelism-check", False)
    assert wire.put("p-new", raw).status_code == 201


def test_a_max_concurrency_of_one_takes_one_organization(wire: Wire) -> None:
    raw = body(maximumConcurrency=1, organizationProfile=organizations(PRIME, SECOND))
    assert "only one organization" in refused(wire, raw)["organizationProfile.organizations"]


def test_an_organization_is_named_once(wire: Wire) -> None:
    again = {"url": "https://FABRIKAM-prime.visualstudio.com"}
    raw = body(organizationProfile=organizations(PRIME, again))
    assert "more than once" in refused(wire, raw)["organizationProfile.organizations"]


def test_key_vault_certificates_allow_one_identity(wire: Wire) -> None:
    raw = changed(
        "fabricProfile/osProfile/secretsManagementSettings", _secrets("https://v.vault.azure.net/secrets/one")
    )
    raw["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {"/a": {}, "/b": {}}}
    assert "only one identity" in refused(wire, raw)["identity"]
    del raw["identity"]["userAssignedIdentities"]["/b"]
    assert refused(wire, raw) == {}


def test_identity_and_tags_have_their_forms(wire: Wire) -> None:
    assert "identity.userAssignedIdentities" in refused(wire, {**body(), "identity": {"type": "UserAssigned"}})
    assert "identity.type" in refused(wire, {**body(), "identity": {"type": "Magic"}})
    assert "tags" in refused(wire, {**body(), "tags": {"a": 1}})


def test_read_only_properties_are_ignored(wire: Wire) -> None:
    """A client may send back what it got."""
    wire.created("p-new", changed("fabricProfile/networkProfile", {"staticIpAddressCount": 1}))
    whole = wire.pool("p-new")
    whole["properties"]["fabricProfile"]["networkProfile"]["ipAddresses"] = ["1.2.3.4"]
    again = wire.created("p-new", whole)
    assert again["properties"]["fabricProfile"]["networkProfile"]["ipAddresses"] != ["1.2.3.4"]


def test_unknown_properties_are_refused_dropped_or_kept(wire: Wire) -> None:
    raw = changed("fabricProfile/sku/colour", "red")
    assert "is not a property" in refused(wire, raw)["fabricProfile.sku.colour"]
    wire.do.switch("arm.unknown-properties", "dropped")
    assert "colour" not in wire.created("p-new", raw)["properties"]["fabricProfile"]["sku"]
    wire.do.switch("arm.unknown-properties", "kept")
    # A newer schema than the document's: its answers are not held against the document.
    path = f"{wire.running.arm}{POOLS}/p-new?api-version=2026-06-02"
    assert wire.arm("PUT", path, raw, version=None).status_code in {200, 201}
    wire.do.settle()
    assert wire.arm("GET", path, version=None).json()["properties"]["fabricProfile"]["sku"]["colour"] == "red"


def test_unknown_values_of_an_enum_are_refused_or_accepted(wire: Wire) -> None:
    raw = changed("fabricProfile/osProfile", {"logonType": "Remote"})
    assert refused(wire, raw)
    wire.do.switch("arm.unknown-values", "accepted")
    assert wire.created("p-new", raw)["properties"]["fabricProfile"]["osProfile"] == {"logonType": "Remote"}


def test_properties_newer_than_the_api_version_are_dropped_or_refused(wire: Wire) -> None:
    raw = body(runtimeConfiguration={"workFolder": "/w"}, devCenterProjectResourceId="/d")
    assert wire.put("p-new", raw, version="2025-01-21").status_code == 201
    wire.do.settle()
    assert "runtimeConfiguration" not in wire.pool("p-new")["properties"]
    wire.do.switch("arm.newer-properties", "refused")
    answer = wire.put("p-new", raw, version="2025-01-21")
    assert "it is since 2025-09-20" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "value", "since", "before"),
    [
        ("organizationProfile/organizations/0/openAccess", True, "2025-01-21", "2024-10-19"),
        ("organizationProfile/alias", "a", "2025-09-20", "2025-01-21"),
        ("organizationProfile/description", "d", "2026-06-02", "2026-04-17-preview"),
        ("fabricProfile/sku/windowsNvmeDrive", "N", "2026-04-17-preview", "2025-09-20"),
        ("fabricProfile/sku/vmSizes", [{"name": "x"}], "2026-06-02", "2026-04-17-preview"),
        ("fabricProfile/images/0/ephemeralType", "Automatic", "2025-01-21", "2024-10-19"),
        ("fabricProfile/images/0/provisioningScriptEntryPoint", "s", "2026-06-02", "2026-04-17-preview"),
        ("fabricProfile/networkProfile", {"subnetId": "/n", "staticIpAddressCount": 1}, "2025-09-20", "2025-01-21"),
    ],
)
def test_each_version_has_the_properties_it_added(wire: Wire, path: str, value: Json, since: str, before: str) -> None:
    wire.do.switch("arm.newer-properties", "refused")
    raw = changed(path, value)
    raw["properties"]["devCenterProjectResourceId"] = "/d"
    if before < "2025-01-21":
        del raw["properties"]["organizationProfile"]["organizations"][0]["openAccess"]
        if path.endswith("openAccess"):
            raw = changed(path, value)
            raw["properties"]["devCenterProjectResourceId"] = "/d"
    assert wire.put("p-old", raw, version=before).status_code == 400
    assert wire.put("p-new", raw, version=since).status_code == 201


def test_the_dev_center_project_is_required_before_2026_06_02(wire: Wire) -> None:
    assert wire.put("p-new", body(), version="2025-09-20").status_code == 400
    assert wire.put("p-new", body(), version="2026-06-02").status_code == 201


def test_the_subnet_is_required_in_a_network_profile_before_2025_09_20(wire: Wire) -> None:
    raw = changed("fabricProfile/networkProfile", {})
    raw["properties"]["devCenterProjectResourceId"] = "/d"
    assert wire.put("p-new", raw, version="2025-01-21").status_code == 400
    assert wire.put("p-new", raw, version="2025-09-20").status_code == 201


def test_a_sku_that_nobody_knows_is_accepted_or_refused(wire: Wire) -> None:
    raw = changed("fabricProfile/sku/name", "Standard_ND96")
    wire.do.switch("arm.unknown-sku", "refused")
    words = "SKU family Standard_ND96 is not available in location eastus"
    assert wire.put("p-new", raw).json()["error"]["message"] == words
    wire.do.switch("arm.unknown-sku", "accepted")
    assert wire.put("p-new", raw).status_code == 201


def test_more_cores_than_the_quota_are_refused_in_the_words_of_the_service(wire: Wire) -> None:
    estate = wire.do.state()
    estate["subscriptions"][0]["cores"] = {"standardDADSv5Family": 7}
    wire.do.replace(estate)
    answer = wire.put("p-new", body())
    words = "Cores needed to complete this request is 8, which exceeds the current limit of 7 for SKU family"
    assert answer.json()["error"]["message"].startswith(words)


def _secrets(certificate: str) -> dict[str, Json]:
    return {"observedCertificates": [certificate], "keyExportable": False}


@pytest.mark.parametrize(
    ("version", "status"),
    [("2025-01-21", 400), ("2026-06-02", 400), ("2026-07-03-preview", 201), ("2026-07-30-preview", 201)],
)
def test_a_value_of_a_later_version_is_none_of_an_earlier_one(wire: Wire, version: str, status: int) -> None:
    """`NVMeDisk` since 2026-07-03-preview; all enums are open in the document, so a switch takes it everywhere."""
    raw = changed("fabricProfile/images/0/ephemeralType", "NVMeDisk")
    raw["properties"] |= {"devCenterProjectResourceId": "/subscriptions/1/x"} if version < "2026" else {}

    answer = wire.put("p-new", raw, version=version)

    assert answer.status_code == status, answer.text
    if status != 201:
        assert "must be one of Automatic, CacheDisk, ResourceDisk, not 'NVMeDisk'" in answer.text
        wire.do.switch("arm.unknown-values", "accepted")
        assert wire.put("p-new", raw, version=version).status_code == 201
