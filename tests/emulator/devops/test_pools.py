"""Agent pools of an organization."""

from __future__ import annotations

import pytest

from tests.emulator.devops.fabrikam import POOLS, Caller


def names(caller: Caller, **query: object) -> list[str]:
    return [pool["name"] for pool in caller.values("GET", POOLS, version="7.1", **query)]


def test_the_list_holds_what_the_caller_may_view(operator: Caller) -> None:
    """A pool without View right is absent, not an error."""
    assert names(operator) == ["build", "other"]
    assert names(operator.by("ann")) == ["build"]
    assert names(operator.by("root")) == ["build", "other", "unseen"]
    assert names(operator.by("bob")) == []


def test_filters_narrow_the_list(operator: Caller) -> None:
    assert names(operator, poolIds="8,99") == ["other"]
    assert names(operator, poolName="BUILD") == ["build"]
    assert names(operator, poolType="deployment") == []
    assert names(operator.by("ann"), actionFilter="manage") == ["build"]
    assert operator.refused("GET", POOLS, actionFilter="eat") == (400, "ArgumentException")
    assert operator.refused("GET", POOLS, poolIds="x") == (400, "ArgumentException")


@pytest.mark.parametrize(("word", "found"), [("exact", []), ("prefix", ["build"])])
def test_whether_a_name_filter_takes_beginnings_is_a_switch(operator: Caller, word: str, found: list[str]) -> None:
    operator.do.switch("devops.name-filter", word)

    assert names(operator, poolName="bui") == found


def test_a_pool_out_of_sight_does_not_exist(operator: Caller, bob: Caller) -> None:
    assert operator.refused("GET", f"{POOLS}/9") == (404, "TaskAgentPoolNotFoundException")
    assert bob.refused("GET", f"{POOLS}/7") == operator.refused("GET", f"{POOLS}/99")
    assert operator.refused("GET", f"{POOLS}/seven") == (400, "ArgumentException")


def test_reading_a_pool_for_an_action_needs_the_right(operator: Caller) -> None:
    operator.do.edit("set-role", organization="prime", who="bob", role="Reader", pool="build")

    assert operator.by("bob").ok("GET", f"{POOLS}/7")["name"] == "build"
    refused = operator.by("bob").refused("GET", f"{POOLS}/7", actionFilter="use")
    assert refused == (404, "TaskAgentPoolNotFoundException")


def test_a_new_pool_has_its_creator_as_administrator(operator: Caller) -> None:
    made = operator.ok("POST", POOLS, {"name": "fresh"}, version="7.1")

    state = operator.do.state()["organizations"][0]["agentPools"]
    assert next(one for one in state if one["name"] == "fresh")["roles"] == {"Administrator": ["operator"]}
    assert made["createdBy"]["id"] == operator.local("operator")
    assert operator.refused("POST", POOLS, {"name": "FRESH"}) == (409, "TaskAgentPoolExistsException")


def test_automatic_provisioning_makes_queues_everywhere_and_open_where_asked(operator: Caller, root: Caller) -> None:
    properties = {"System.AutoAuthorize": True}
    made = root.ok("POST", POOLS, {"name": "fresh", "autoProvision": True, "properties": properties})
    root.do.edit("create-project", organization="prime", name="new")

    for project in ("dev", "new"):
        (queue,) = root.values("GET", f"/{project}/_apis/distributedtask/queues", poolIds=made["id"])
        found = root.ok("GET", f"/{project}/_apis/pipelines/pipelinepermissions/queue/{queue['id']}")
        assert found["allPipelines"]["authorized"] is True
    shown = root.ok("GET", f"{POOLS}/{made['id']}", properties="*")
    assert shown["properties"]["System.AutoAuthorize"]["$value"] is True


def test_a_patch_changes_only_what_it_names(operator: Caller) -> None:
    after = operator.ok("PATCH", f"{POOLS}/7", {"autoProvision": True}, version="7.1")

    assert (after["name"], after["autoProvision"], after["autoUpdate"]) == ("build", True, True)
    assert operator.refused("PATCH", f"{POOLS}/7", {"name": "other"}) == (409, "TaskAgentPoolExistsException")
    assert operator.refused("PATCH", f"{POOLS}/7", {"autoProvision": "yes"}) == (400, "ArgumentException")


@pytest.mark.parametrize(("word", "found"), [("off", "build"), ("on", "renamed")])
def test_whether_queues_follow_a_new_name_is_a_switch(operator: Caller, word: str, found: str) -> None:
    operator.do.switch("devops.renamed-pool-renames-queues", word)
    operator.ok("PATCH", f"{POOLS}/7", {"name": "renamed"})

    assert operator.ok("GET", "/dev/_apis/distributedtask/queues/70")["name"] == found


def test_a_deleted_pool_takes_its_queues_along(operator: Caller) -> None:
    operator.ok("DELETE", f"{POOLS}/7")

    assert names(operator) == ["other"]
    assert [one["id"] for one in operator.values("GET", "/dev/_apis/distributedtask/queues")] == [80]


def test_permissions_are_told_bit_by_bit(operator: Caller) -> None:
    operator.do.edit("set-role", organization="prime", who="bob", role="Reader", pool="build")

    assert operator.ok("GET", f"{POOLS}/7/permissions/11") is True
    assert operator.by("bob").ok("GET", f"{POOLS}/7/permissions/1") is True
    assert operator.by("bob").ok("GET", f"{POOLS}/7/permissions/2") is False


def test_the_description_is_one_text(operator: Caller) -> None:
    operator.ok("PUT", f"{POOLS}/7/poolmetadata", "for the release team")

    assert operator.ok("GET", f"{POOLS}/7/poolmetadata") == "for the release team"
    assert operator.refused("PUT", f"{POOLS}/7/poolmetadata", {"a": 1}) == (400, "ArgumentException")


def test_writing_needs_manage(operator: Caller) -> None:
    operator.do.edit("set-role", organization="prime", who="bob", role="Reader", pool="build")
    bob = operator.by("bob")

    assert bob.refused("PATCH", f"{POOLS}/7", {"name": "x"}) == (403, "AccessDeniedException")
    assert bob.refused("DELETE", f"{POOLS}/7") == (403, "AccessDeniedException")
    assert bob.refused("POST", POOLS, {"name": "x"}) == (403, "AccessDeniedException")
    assert bob.refused("PUT", f"{POOLS}/7/poolmetadata", "x") == (403, "AccessDeniedException")


@pytest.mark.parametrize(
    "body", [{"name": "x", "poolType": "puddle"}, {"name": "x", "properties": 5}, {"name": ""}, {"name": 5}]
)
def test_a_pool_is_not_made_of_nonsense(operator: Caller, body: object) -> None:
    assert operator.refused("POST", POOLS, body)[0] == 400
    assert names(operator) == ["build", "other"]
