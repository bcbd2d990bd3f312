from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.emulator.wire import GROUP_PATH, POOLS, PROVIDER, SUBSCRIPTION, Wire, body, organizations

SUBSCRIPTION_PATH = f"/subscriptions/{SUBSCRIPTION}"
NOWHERE = organizations({"url": "https://dev.azure.com/fabrikam-prime"})


def test_lists_come_page_by_page(wire: Wire) -> None:
    for name in ("p-a", "p-b", "p-c"):
        wire.put(name, body(organizationProfile=NOWHERE))
    wire.do.settle()
    wire.do.switch("arm.page-size", 2)
    names, url = [], f"{SUBSCRIPTION_PATH}{PROVIDER}/pools"
    while url:
        page = wire.arm("GET", url).json()
        assert len(page["value"]) <= 2
        names += [pool["name"] for pool in page["value"]]
        url = page.get("nextLink")
    assert names == ["old-pool", "p-a", "p-b", "p-c"]
    assert wire.arm("GET", f"{POOLS}?$skiptoken=none").status_code == 400


def test_a_group_lists_its_own_pools_only(wire: Wire) -> None:
    wire.arm("PUT", f"{POOLS.replace('rg-build', 'rg-other')}/p-other", body(organizationProfile=NOWHERE))
    assert [pool["name"] for pool in wire.arm("GET", POOLS).json()["value"]] == ["old-pool"]
    everything = wire.arm("GET", f"{SUBSCRIPTION_PATH}{PROVIDER}/pools").json()["value"]
    assert {pool["name"] for pool in everything} == {"old-pool", "p-other"}


@pytest.mark.parametrize(
    ("name", "available", "reason"),
    [
        ("free-name", "Available", "Invalid"),
        ("OLD-pool", "Unavailable", "AlreadyExists"),
        ("_", "Unavailable", "Invalid"),
    ],
)
def test_a_name_can_be_asked_for(wire: Wire, name: str, available: str, reason: str) -> None:
    wire.do.reset_log()
    path = f"{SUBSCRIPTION_PATH}{PROVIDER}/checkNameAvailability"
    found = wire.arm("POST", path, {"name": name, "type": "Microsoft.DevOpsInfrastructure/pools"}).json()
    assert (found["available"], found["reason"]) == (available, reason)
    assert wire.do.count(writes=True) == 0, "a POST that changes nothing is a read"
    assert wire.arm("POST", path, {"name": name}).status_code == 400


def test_skus_usages_and_image_versions_are_listed(wire: Wire) -> None:
    where = f"{SUBSCRIPTION_PATH}{PROVIDER}/locations/eastus"
    skus = wire.arm("GET", f"{where}/skus").json()["value"]
    assert "Standard_D2ads_v5" in {sku["name"] for sku in skus}
    usages = {row["name"]["value"]: row["currentValue"] for row in wire.arm("GET", f"{where}/usages").json()["value"]}
    assert usages["standardDADSv5Family"] == 8, "old-pool may use four machines of two cores"
    versions = wire.arm("GET", f"{GROUP_PATH}{PROVIDER}/images/ubuntu-24.04/versions").json()["value"]
    assert versions[0]["properties"]["version"]


def test_operations_are_listed(wire: Wire) -> None:
    names = {item["name"] for item in wire.arm("GET", f"{PROVIDER}/operations").json()["value"]}
    assert "Microsoft.DevOpsInfrastructure/pools/write" in names


def test_machines_follow_the_stand_by_agents(wire: Wire) -> None:
    assert wire.arm("GET", f"{POOLS}/old-pool/resources").json()["value"] == []
    always = {"daysData": [{"00:00:00": 3}]}
    wire.created("p-new", body(agentProfile={"kind": "Stateless", "resourcePredictions": always}))
    machines = wire.arm("GET", f"{POOLS}/p-new/resources").json()["value"]
    assert [machine["properties"]["status"] for machine in machines] == ["Ready"] * 3
    assert machines[0]["properties"]["image"] == "ubuntu-24.04"


def test_seven_days_begin_with_sunday(wire: Wire) -> None:
    today = (datetime.now(UTC).weekday() + 1) % 7
    days = [{"00:00:00": int(day == today)} for day in range(7)]
    agents = {"kind": "Stateless", "resourcePredictions": {"daysData": days}}
    wire.created("p-new", body(agentProfile=agents))
    assert len(wire.arm("GET", f"{POOLS}/p-new/resources").json()["value"]) == 1
    wire.do.advance(24 * 3600)
    assert wire.arm("GET", f"{POOLS}/p-new/resources").json()["value"] == []


def test_an_automatic_prediction_keeps_one_machine(wire: Wire) -> None:
    agents = {"kind": "Stateless", "resourcePredictionsProfile": {"kind": "Automatic"}}
    wire.created("p-new", body(agentProfile=agents))
    assert len(wire.arm("GET", f"{POOLS}/p-new/resources").json()["value"]) == 1


def test_machines_can_be_given_back(wire: Wire) -> None:
    agents = {"kind": "Stateless", "resourcePredictionsProfile": {"kind": "Automatic"}}
    wire.created("p-new", body(agentProfile=agents))
    path = f"{POOLS}/p-new/resources"
    machine = wire.arm("GET", path).json()["value"][0]
    answer = wire.arm("POST", path, {"resourceIds": [machine["id"]]})
    assert (answer.status_code, answer.content) == (200, b"")
    assert wire.arm("GET", path).json()["value"][0]["properties"]["status"] == "PendingReturn"
    wire.do.settle()
    assert wire.arm("GET", path).json()["value"][0]["properties"]["status"] == "Ready"
    assert wire.arm("POST", path, {"resourceIds": ["none"]}).status_code == 404
    assert wire.arm("POST", path, {}).status_code == 400
    assert wire.arm("POST", path, {"resourceIds": []}, version="2025-01-21").status_code == 405


def test_the_surroundings_that_clients_ask_for_first(wire: Wire) -> None:
    metadata = wire.arm("GET", "/metadata/endpoints", version="2022-09-01", token=None)
    assert metadata.json()["resourceManager"] == wire.running.arm
    older = wire.arm("GET", "/metadata/endpoints", version="2019-05-01", token=None)
    assert [entry["name"] for entry in older.json()] == ["Emulator"]
    assert wire.arm("GET", "/tenants", version="2020-01-01").json()["value"]
    subscriptions = wire.arm("GET", "/subscriptions", version="2022-12-01", token="arm-pools").json()
    assert subscriptions["value"] == [], "the role is on a group below"
    named = wire.arm("GET", "/subscriptions", version="2022-12-01", token="arm-reader").json()["value"]
    assert [item["displayName"] for item in named] == ["Build"]
    assert wire.arm("GET", SUBSCRIPTION_PATH, version="2022-12-01").json()["state"] == "Enabled"
    providers = wire.arm("GET", f"{SUBSCRIPTION_PATH}/providers", version="2021-04-01").json()["value"]
    assert "2026-06-02" in providers[0]["resourceTypes"][1]["apiVersions"]
    other = wire.arm("GET", f"{SUBSCRIPTION_PATH}/providers/Microsoft.Compute", version="2021-04-01").json()
    assert other["registrationState"] == "NotRegistered"
    done = wire.arm("POST", f"{SUBSCRIPTION_PATH}/providers/Microsoft.Compute/register", version="2021-04-01").json()
    assert done["registrationState"] == "Registered"


def test_resource_groups_can_be_made_and_looked_up(wire: Wire) -> None:
    made, old = f"{SUBSCRIPTION_PATH}/resourceGroups/rg-made", "2021-04-01"
    assert wire.arm("HEAD", made, version=old).status_code == 404
    assert wire.arm("PUT", made, {}, version=old).json()["error"]["code"] == "LocationRequired"
    assert wire.arm("PUT", made, {"location": "eastus"}, version=old).status_code == 201
    assert wire.arm("PUT", made, {"location": "eastus", "tags": {"a": "b"}}, version=old).status_code == 200
    assert wire.arm("HEAD", made, version=old).status_code == 204
    assert wire.arm("GET", made, version=old).json()["tags"] == {"a": "b"}
    listed = wire.arm("GET", f"{SUBSCRIPTION_PATH}/resourceGroups", version=old).json()["value"]
    assert "rg-made" in {group["name"] for group in listed}


@pytest.mark.parametrize("status", ["NotReady", "Allocated", "Leased", "PendingReturn", "Provisioning"])
def test_machines_show_the_status_that_a_test_asks_for(wire: Wire, status: str) -> None:
    agents = {"kind": "Stateless", "resourcePredictionsProfile": {"kind": "Automatic"}}
    wire.created("p-new", body(organizationProfile=NOWHERE, agentProfile=agents))
    wire.do.switch("arm.machine-status", status)

    machines = wire.arm("GET", f"{POOLS}/p-new/resources").json()["value"]

    assert [machine["properties"]["status"] for machine in machines] == [status]
