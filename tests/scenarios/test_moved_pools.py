"""A pool that was moved to another resource group or subscription: recognised, reported, and never created again."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine import Outcome, Result
from reconciler.engine.status import ConditionKind
from tests.scenarios.drafts import GROUP, POOL, SUBSCRIPTION, TAILSPIN, managed
from tests.scenarios.world import World, ids, rules

OTHER_GROUP = "rg-Builds"
OTHER_SUBSCRIPTION = "22222222-2222-3333-4444-555555555555"
PLACES = [(SUBSCRIPTION, OTHER_GROUP), (OTHER_SUBSCRIPTION, GROUP), (OTHER_SUBSCRIPTION, OTHER_GROUP)]


@pytest.fixture
def settled(world: World) -> World:
    """One pool that was verified once, and places to which it can be moved."""
    state = world.do.state()
    state["subscriptions"][0]["resourceGroups"].append(OTHER_GROUP)
    state["subscriptions"].append({"id": OTHER_SUBSCRIPTION, "resourceGroups": [GROUP, OTHER_GROUP]})
    world.do.replace(state)
    world.spec(managed())
    world.only(POOL)
    assert world.apply().outcome is Outcome.IN_SYNC
    world.do.reset_log()
    return world


def move(world: World, subscription: str = SUBSCRIPTION, group: str = OTHER_GROUP) -> None:
    world.by_hand("move-pool", pool=POOL, subscription=subscription, group=group)


def stalled(result: Result) -> tuple[str, str]:
    condition = result.status.condition(ConditionKind.STALLED)
    assert condition is not None
    return condition.reason, condition.message


def at(subscription: str = SUBSCRIPTION, group: str = OTHER_GROUP, **more: Any) -> dict[str, Any]:
    return {**managed(**more), "subscription": subscription, "resourceGroup": group}


@pytest.mark.parametrize("created_at", ["kept", "renewed"])
@pytest.mark.parametrize(("subscription", "group"), PLACES)
def test_a_moved_pool_is_reported_with_the_line_to_change_and_in_sync_after_it(
    settled: World, subscription: str, group: str, created_at: str
) -> None:
    settled.switch(arm__moved_created_at=created_at)
    move(settled, subscription, group)

    result = settled.apply()

    reason, message = stalled(result)
    assert (result.outcome, reason, ids(result.plan), settled.routes()) == (Outcome.STALLED, "Moved", [], [])
    assert f"/subscriptions/{subscription}/resourceGroups/{group}/providers" in message
    assert (f"subscription: {subscription}" in message) is (subscription != SUBSCRIPTION)
    assert (f"resourceGroup: {group}" in message) is (group != GROUP)
    assert "as recorded" in message
    assert settled.apply().status.conditions == result.status.conditions
    settled.spec(at(subscription, group))
    assert settled.apply().outcome is Outcome.IN_SYNC
    assert settled.routes() == []


def test_the_resource_group_that_is_gone_hides_no_move(settled: World) -> None:
    move(settled)
    state = settled.do.state()
    state["subscriptions"][0]["resourceGroups"] = [
        one for one in state["subscriptions"][0]["resourceGroups"] if one["name"] == OTHER_GROUP
    ]
    state["subscriptions"][0]["pools"] = [one for one in state["subscriptions"][0]["pools"] if one["name"] == POOL]
    settled.do.replace(state)

    assert stalled(settled.apply())[0] == "Moved"
    settled.spec(at())
    assert settled.apply().outcome is Outcome.IN_SYNC


def test_without_saved_state_the_name_decides(settled: World) -> None:
    move(settled)
    settled.forget_state()

    result = settled.apply()

    assert stalled(result)[0] == "Moved"
    assert "nothing was recorded of it" in stalled(result)[1]
    settled.spec(at())


def test_a_spec_that_names_a_place_before_the_pool_is_moved_creates_nothing(settled: World) -> None:
    settled.spec(at())

    result = settled.apply()

    assert (stalled(result)[0], settled.routes()) == ("Moved", [])
    move(settled)
    assert settled.apply().outcome is Outcome.IN_SYNC


def test_nothing_of_a_moved_pool_is_written_in_azure_devops(settled: World) -> None:
    move(settled)
    settled.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")

    result = settled.apply()

    assert (stalled(result)[0], rules(result.plan), settled.routes()) == ("Moved", ["moved"], [])
    settled.spec(at())
    settled.settle()
    assert settled.truth.opened(TAILSPIN, POOL)["Web"]


@pytest.mark.parametrize("route", ["Subscriptions_List", "Pools_ListBySubscription"])
def test_while_the_search_fails_nothing_is_created(settled: World, route: str) -> None:
    move(settled, OTHER_SUBSCRIPTION)
    settled.do.fault("503", route=route, count=None)

    result = settled.apply()

    assert (result.outcome, ids(result.plan), settled.routes()) == (Outcome.FAILED, [], [])
    settled.do.clear_faults()
    assert stalled(settled.apply())[0] == "Moved"
    settled.spec(at(OTHER_SUBSCRIPTION))


def test_a_pool_of_the_same_name_that_is_not_the_recorded_one_is_no_move(settled: World) -> None:
    """Someone deleted the pool, and created another with its name elsewhere: its agent pools are others."""
    state = settled.do.state()
    (pool,) = [one for one in state["subscriptions"][0]["pools"] if one["name"] == POOL]
    pool |= {"resourceGroup": OTHER_GROUP, "systemData": {**pool["systemData"], "createdAt": "2020-01-01T00:00:00Z"}}
    pool.pop("id", None)
    for organization in state["organizations"]:
        for one in organization["agentPools"]:
            if one["name"] == POOL:
                one["id"] += 100
    settled.do.replace(state)

    result = settled.apply()

    reason, message = stalled(result)
    assert (reason, ids(result.plan), settled.routes()) == ("Degraded", [], [])
    assert "is another pool" in message
    settled.only_these([])


def test_a_pool_that_is_nowhere_is_created(settled: World) -> None:
    state = settled.do.state()
    state["subscriptions"][0]["pools"] = []
    for organization in state["organizations"]:
        organization["agentPools"] = []  # one that is left would be taken by its name: `test_ownership`
    settled.do.replace(state)

    settled.settle()

    assert settled.routes()[0] == "Pools_CreateOrUpdate"
