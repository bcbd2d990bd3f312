"""What general clients ask of a subscription before they come to pools."""

from __future__ import annotations

from typing import Any

import pytest

import emulator
from tests.emulator.wire import GROUP, GROUP_PATH, POOLS, SUBSCRIPTION, Wire, body, organizations

SUBSCRIPTION_PATH = f"/subscriptions/{SUBSCRIPTION}"
NOWHERE = organizations({"url": "https://dev.azure.com/fabrikam-prime"})


@pytest.fixture
def stocked(wire: Wire) -> Wire:
    """Two groups, three pools, one of them with a tag."""
    wire.put("p-a", {**body(organizationProfile=NOWHERE), "tags": {"team": "release"}})
    wire.arm("PUT", f"{POOLS.replace(GROUP, 'rg-other')}/p-other", body(organizationProfile=NOWHERE))
    wire.do.settle()
    return wire


def names(wire: Wire, path: str) -> list[str]:
    answer = wire.arm("GET", path)
    assert answer.status_code == 200, answer.text
    return sorted(one["name"] for one in answer.json()["value"])


def test_all_resources_of_a_subscription_are_listed_without_their_properties(stocked: Wire) -> None:
    found = stocked.arm("GET", f"{SUBSCRIPTION_PATH}/resources").json()["value"]

    assert sorted(one["name"] for one in found) == ["old-pool", "p-a", "p-other"]
    assert {one["type"] for one in found} == {"Microsoft.DevOpsInfrastructure/pools"}
    assert all("properties" not in one for one in found)


def test_a_group_lists_its_own_alone(stocked: Wire) -> None:
    assert names(stocked, f"{GROUP_PATH}/resources") == ["old-pool", "p-a"]


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ("resourceType eq 'microsoft.devopsinfrastructure/POOLS'", ["old-pool", "p-a", "p-other"]),
        ("resourceType eq 'Microsoft.KeyVault/vaults'", []),
        ("resourceType ne 'Microsoft.KeyVault/vaults' and name eq 'p-a'", ["p-a"]),
        ("resourceGroup eq 'rg-other'", ["p-other"]),
        ("location eq 'nowhere'", []),
        ("substringof('p-', name)", ["p-a", "p-other"]),
        ("tagName eq 'team' and tagValue eq 'release'", ["p-a"]),
        ("tagName eq 'none'", []),
    ],
)
def test_the_filters_that_clients_send_are_understood(stocked: Wire, filter_: str, found: list[str]) -> None:
    assert names(stocked, f"{SUBSCRIPTION_PATH}/resources?$filter={filter_}") == found


@pytest.mark.parametrize(
    "query", ["$filter=name like 'p'", "$filter=name eq 'a' or name eq 'b'", "$top=0", "$top=many"]
)
def test_what_is_not_understood_is_refused_and_not_passed_over(wire: Wire, query: str) -> None:
    """A filter that is ignored makes a client act on more than it selected."""
    assert wire.arm("GET", f"{SUBSCRIPTION_PATH}/resources?{query}").status_code == 400


def test_top_takes_the_first(stocked: Wire) -> None:
    assert len(names(stocked, f"{SUBSCRIPTION_PATH}/resources?$top=2")) == 2


def test_regions_are_those_of_the_estate(wire: Wire) -> None:
    assert "eastus" in names(wire, f"{SUBSCRIPTION_PATH}/locations")


def test_resources_beside_pools_are_listed_by_kind_and_among_all() -> None:
    identity = f"{GROUP_PATH}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/builder"
    estate: dict[str, Any] = {
        "principals": [{"name": "operator", "kind": "managedIdentity"}],
        "subscriptions": [
            {
                "id": SUBSCRIPTION,
                "resourceGroups": [GROUP],
                "resources": [{"id": identity, "location": "eastus", "properties": {"clientId": "c"}}],
            }
        ],
    }
    with emulator.start(estate) as running:
        wire = Wire(running)
        kind = f"{SUBSCRIPTION_PATH}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
        assert [one["id"] for one in wire.arm("GET", kind).json()["value"]] == [identity]
        assert names(wire, f"{SUBSCRIPTION_PATH}/resources") == ["builder"]
        assert wire.arm("GET", f"{SUBSCRIPTION_PATH}/providers/Microsoft.Authorization/locks").status_code == 404


def test_a_caller_sees_what_he_may_read(stocked: Wire) -> None:
    """Contributor of one group, and of nothing else."""
    found = stocked.arm("GET", f"{SUBSCRIPTION_PATH}/resources", token="arm-pools").json()["value"]

    assert sorted(one["name"] for one in found) == ["old-pool", "p-a"]
    nothing = stocked.arm("GET", f"{SUBSCRIPTION_PATH}/resources", token="arm-stranger")
    assert (nothing.status_code, nothing.json()) == (200, {"value": []})
