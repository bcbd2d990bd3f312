"""PUT on a pool that exists, PATCH and DELETE; what a write after creation can change and what not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.emulator.wire import POOLS, Wire, body, organizations

OLD = f"{POOLS}/old-pool"
PRIME: dict[str, Any] = {"url": "https://dev.azure.com/fabrikam-prime", "projects": ["dev"], "openAccess": True}
SECOND: dict[str, Any] = {"url": "https://dev.azure.com/fabrikam-second", "projects": ["web"], "openAccess": True}


def test_a_second_put_replaces_the_body(wire: Wire) -> None:
    wire.created("p-new", {**body(), "tags": {"a": "1"}})
    found = wire.created("p-new", body(maximumConcurrency=9, organizationProfile=organizations(PRIME)))
    assert found["properties"]["maximumConcurrency"] == 9
    assert "tags" not in found


@pytest.mark.parametrize("status", ["200", "201"])
def test_the_status_of_an_update_is_a_switch(wire: Wire, status: str) -> None:
    wire.do.switch("arm.update-status", status)
    answer = wire.put("old-pool", body())
    assert answer.status_code == int(status)
    assert wire.operation(answer)["status"] == "Updating"


@pytest.mark.parametrize(
    ("switch", "seconds"), [("arm.create-seconds", 5), ("arm.update-seconds", 7), ("arm.delete-seconds", 9)]
)
def test_operations_take_as_long_as_their_switches_say(wire: Wire, switch: str, seconds: int) -> None:
    wire.do.switch(switch, seconds)
    name = "p-new" if "create" in switch else "old-pool"
    answer = wire.arm("DELETE", OLD) if "delete" in switch else wire.put(name, body())
    wire.do.advance(seconds - 1)
    assert wire.arm("GET", answer.headers["Location"]).status_code == 202
    wire.do.advance(2)
    assert wire.arm("GET", answer.headers["Location"]).status_code == (204 if "delete" in switch else 200)


def test_another_location_is_another_resource_and_refused(wire: Wire) -> None:
    answer = wire.put("old-pool", body("westeurope"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "InvalidResourceLocation")
    assert wire.put("old-pool", body("East US")).status_code == 201, "the same region, spelt for people"


def test_a_second_write_while_an_operation_runs_is_a_switch(wire: Wire) -> None:
    wire.put("old-pool", body())
    refused = wire.put("old-pool", body())
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "Conflict")
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["x-ms-failure-cause"] == "service"
    assert wire.arm("DELETE", OLD).status_code == 409
    wire.do.switch("arm.concurrent-write", "accepted")
    assert wire.put("old-pool", body(agentProfile={"kind": "Stateful"})).status_code == 201
    wire.do.settle()
    assert wire.pool("old-pool")["properties"]["agentProfile"] == {"kind": "Stateful"}


def test_if_match_counts_only_where_switched_on(wire: Wire) -> None:
    stale = {"If-Match": '"stale"'}
    assert wire.put("old-pool", body(), headers=stale).status_code == 201
    wire.do.settle()
    wire.do.switch("arm.if-match", "honoured")
    assert wire.put("old-pool", body(), headers=stale).status_code == 412
    assert wire.put("old-pool", body(), headers={"If-None-Match": "*"}).status_code == 412
    tag = wire.arm("GET", OLD).headers["ETag"]
    assert wire.put("old-pool", body(), headers={"If-Match": tag}).status_code == 201
    wire.do.settle()
    assert wire.arm("GET", OLD).headers["ETag"] != tag


def test_patch_sets_tags_and_leaves_the_rest(wire: Wire) -> None:
    before = wire.pool("old-pool")["properties"]
    answer = wire.arm("PATCH", OLD, {"tags": {"team": "build"}})
    assert (answer.status_code, answer.content) == (202, b"")
    assert wire.arm("GET", answer.headers["Location"]).status_code == 202
    wire.do.settle()
    assert wire.arm("GET", answer.headers["Location"]).json()["tags"] == {"team": "build"}
    assert wire.pool("old-pool")["properties"] == before


@pytest.mark.parametrize(("how", "images"), [("replace", 0), ("merge", 1)])
def test_patch_replaces_nested_objects_or_merges_into_them(wire: Wire, how: str, images: int) -> None:
    wire.do.switch("arm.patch", how)
    stateful = {"kind": "Stateful", "maxAgentLifetime": "1.00:00:00"}
    wire.arm("PATCH", OLD, {"properties": {"agentProfile": stateful}})
    wire.do.settle()
    wire.arm("PATCH", OLD, {"properties": {"agentProfile": {"kind": "Stateful", "gracePeriodTimeSpan": "00:10:00"}}})
    wire.do.settle()
    found = wire.pool("old-pool")["properties"]["agentProfile"]
    assert ("maxAgentLifetime" in found) == bool(images)
    assert found["gracePeriodTimeSpan"] == "00:10:00"


def test_patch_checks_nested_objects_as_put_does(wire: Wire) -> None:
    answer = wire.arm("PATCH", OLD, {"properties": {"fabricProfile": {"kind": "Vmss"}}})
    assert answer.status_code == 400
    assert {item["target"].rsplit(".", 1)[1] for item in answer.json()["error"]["details"]} == {"sku", "images"}
    assert wire.arm("PATCH", OLD, {"properties": {"maximumConcurrency": 5}}).status_code == 400, "the sum is 4"


def test_delete_takes_the_pool_on_both_planes(wire: Wire) -> None:
    wire.created("p-new", body())
    answer = wire.arm("DELETE", f"{POOLS}/p-new")
    assert (answer.status_code, answer.content) == (202, b"")
    assert wire.pool("p-new")["properties"]["provisioningState"] == "Deleting"
    wire.do.settle()
    assert wire.arm("GET", f"{POOLS}/p-new").status_code == 404
    assert [pool["name"] for pool in wire.do.state()["organizations"][0]["agentPools"]] == ["old-pool"]


def test_delete_of_what_is_not_there_is_204(wire: Wire) -> None:
    assert wire.arm("DELETE", f"{POOLS}/none").status_code == 204


def test_a_deletion_that_fails_leaves_the_pool_as_it_was(wire: Wire) -> None:
    """The caller has lost its rights in Azure DevOps: the operation says so, the pool stays."""
    wire.do.edit("take-rights", organization="fabrikam-prime")
    answer = wire.arm("DELETE", OLD)
    wire.do.settle()
    assert wire.arm("GET", answer.headers["Location"]).json()["error"]["code"] == "PoolProvisioningFailed"
    assert wire.pool("old-pool")["properties"]["provisioningState"] == "Succeeded"


def test_open_access_changed_later_is_ignored_stored_or_applied(wire: Wire) -> None:
    wire.do.switch("arm.echo-open-access", True)
    wire.created("p-new", body(organizationProfile=organizations(PRIME)))
    closed = body(organizationProfile=organizations({**PRIME, "openAccess": False}))
    assert _events(wire.created("p-new", closed)) is True
    wire.do.switch("arm.open-access-change", "stored")
    assert _events(wire.created("p-new", closed)) is False
    assert _queue(wire, "p-new")["openAccess"], "reported, but not done"
    wire.created("p-new", body(organizationProfile=organizations(PRIME)))
    wire.do.switch("arm.open-access-change", "applied")
    wire.created("p-new", closed)
    assert not _queue(wire, "p-new")["openAccess"]


def test_open_access_left_out_of_a_put_stays_what_it_was(wire: Wire) -> None:
    wire.do.switch("arm.echo-open-access", True)
    wire.do.switch("arm.open-access-change", "stored")
    wire.created("p-new", body(organizationProfile=organizations(PRIME)))
    without = {key: value for key, value in PRIME.items() if key != "openAccess"}
    assert _events(wire.created("p-new", body(organizationProfile=organizations(without)))) is True


def test_permission_profile_changed_later_is_stored_ignored_refused_or_applied(wire: Wire) -> None:
    wire.created("p-new", _profiled("CreatorOnly"))
    assert _kind(wire.created("p-new", _profiled("Inherit"))) == "Inherit"
    assert _pool(wire, "p-new")["inherit"] is False, "reported, but not done"
    wire.do.switch("arm.permission-profile-change", "ignored")
    assert _kind(wire.created("p-new", _profiled("CreatorOnly"))) == "Inherit"
    wire.do.switch("arm.permission-profile-change", "refused")
    assert wire.put("p-new", _profiled("CreatorOnly")).status_code == 400
    assert wire.put("p-new", _profiled("Inherit")).status_code == 201
    wire.do.settle()
    wire.do.switch("arm.permission-profile-change", "stored")
    wire.created("p-new", _profiled("CreatorOnly"))
    wire.do.switch("arm.permission-profile-change", "applied")
    wire.created("p-new", _profiled("Inherit"))
    assert _pool(wire, "p-new")["inherit"] is True


def test_permission_profile_left_out_of_a_put_stays_what_it_was(wire: Wire) -> None:
    wire.created("p-new", _profiled("Inherit"))
    assert _kind(wire.created("p-new", body(organizationProfile=organizations(PRIME)))) == "Inherit"


def test_an_alias_changed_later_is_stored_or_refused(wire: Wire) -> None:
    wire.created("p-new", body(organizationProfile=organizations(PRIME, alias="a1")))
    assert wire.put("p-new", body(organizationProfile=organizations(PRIME, alias="a2"))).status_code == 201
    wire.do.settle()
    wire.do.switch("arm.alias-change", "refused")
    assert wire.put("p-new", body(organizationProfile=organizations(PRIME, alias="a3"))).status_code == 400


@pytest.mark.parametrize(("how", "opened"), [("closed", False), ("as-stated", True)])
def test_an_organization_added_later_gets_its_agent_pool_closed_unless_switched(
    wire: Wire, how: str, opened: bool
) -> None:
    wire.do.switch("arm.added-organization", how)
    wire.created("p-new", body(organizationProfile=organizations(PRIME)))
    wire.created("p-new", body(organizationProfile=organizations(PRIME, SECOND)))
    assert bool(_queue(wire, "p-new", organization=1)["openAccess"]) is opened


@pytest.mark.parametrize(("how", "names"), [("removes", []), ("keeps", ["p-new"])])
def test_an_organization_that_leaves_takes_its_agent_pool_along_unless_switched(
    wire: Wire, how: str, names: list[str]
) -> None:
    wire.do.switch("arm.removed-organization", how)
    wire.created("p-new", body(organizationProfile=organizations(PRIME, SECOND)))
    wire.created("p-new", body(organizationProfile=organizations(PRIME)))
    assert [pool["name"] for pool in wire.do.state()["organizations"][1]["agentPools"]] == names


def test_a_project_added_later_gets_a_queue_without_open_access(wire: Wire) -> None:
    """The gap that the product's own page tells people to close by hand."""
    wire.created("p-new", body(organizationProfile=organizations(PRIME)))
    wire.created("p-new", body(organizationProfile=organizations({**PRIME, "projects": ["dev", "test"]})))
    opened = {queue["project"]: bool(queue["openAccess"]) for queue in _pool(wire, "p-new")["queues"]}
    assert opened == {"dev": True, "test": False}


def _profiled(kind: str) -> dict[str, Any]:
    return body(organizationProfile=organizations(copy.deepcopy(PRIME), permissionProfile={"kind": kind}))


def _kind(pool: dict[str, Any]) -> str:
    return str(pool["properties"]["organizationProfile"]["permissionProfile"]["kind"])


def _events(pool: dict[str, Any]) -> bool:
    return bool(pool["properties"]["organizationProfile"]["organizations"][0]["openAccess"])


def _pool(wire: Wire, name: str, organization: int = 0) -> dict[str, Any]:
    pools = wire.do.state()["organizations"][organization]["agentPools"]
    return next(pool for pool in pools if pool["name"] == name)


def _queue(wire: Wire, name: str, organization: int = 0) -> dict[str, Any]:
    return dict(_pool(wire, name, organization)["queues"][0])
