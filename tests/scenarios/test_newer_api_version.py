"""A newer version of the ARM document for one pool: by the spec, where the policy allows it, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine import Outcome
from reconciler.plan.model import Risk
from tests.scenarios.drafts import POOL, PRIME, TAILSPIN, managed
from tests.scenarios.world import World, rules

NEWER = "2026-07-03-preview"
ALLOWED = f"armApiVersions: ['{NEWER}']\n"


def newer(*, ephemeral: str = "", **properties: Any) -> dict[str, Any]:
    """The pool's spec at the newer version."""
    document = managed(armApiVersion=NEWER)
    document["pool"]["properties"] |= properties
    if ephemeral:
        document["pool"]["properties"]["fabricProfile"]["images"][0]["ephemeralType"] = ephemeral
    return document


def versions(world: World, route: str) -> set[str]:
    """The api-versions with which a route was called."""
    return {entry["query"]["api-version"] for entry in world.do.requests() if entry["route"] == route}


def test_a_value_of_a_newer_version_is_written_with_it_and_read_with_it(world: World) -> None:
    world.policy(ALLOWED)
    world.only_these([newer(ephemeral="NVMeDisk")])

    world.settle()

    assert world.truth.resource(POOL)["properties"]["fabricProfile"]["images"][0]["ephemeralType"] == "NVMeDisk"
    assert versions(world, "Pools_CreateOrUpdate") == versions(world, "Pools_Get") == {NEWER}
    assert world.routes() == ["Pools_CreateOrUpdate"]


def test_the_programs_own_version_does_not_have_the_value(world: World) -> None:
    """The emulator refuses what a version does not name, as its table says; the warning said so before."""
    document = newer(ephemeral="NVMeDisk")
    del document["armApiVersion"]
    world.only_these([document])

    refused = world.apply()

    assert "NVMeDisk" in str(refused.failures[0].error)
    assert versions(world, "Pools_CreateOrUpdate") == {"2026-06-02"}
    world.only_these([managed()])


def test_without_the_policys_word_nothing_is_written(world: World) -> None:
    world.only_these([newer(ephemeral="NVMeDisk")])

    refused = world.apply()

    assert rules(refused.plan) == ["policy-arm-api-versions"]
    assert refused.outcome is Outcome.STALLED
    assert world.writes() == []
    world.only_these([managed()])


@pytest.mark.parametrize("exists", [True, False])
def test_a_field_that_no_release_knows_is_sent_compared_and_counted_as_granting(world: World, exists: bool) -> None:
    world.switch(arm__unknown_properties="kept")
    world.policy(ALLOWED)
    if not exists:
        found = world.do.state()
        found["subscriptions"][0]["pools"] = []
        for one in found["organizations"]:
            one["agentPools"] = []
        world.do.replace(found)
        world.switch(arm__unknown_properties="kept")
    world.only_these([newer(futureProfile={"colour": "blue", "depth": 3})])

    planned = [change for change in world.plan().changes if change.facet == "pool"]
    world.settle()

    assert [change.risk for change in planned] == [Risk.WIDENS]
    assert world.truth.resource(POOL)["properties"]["futureProfile"] == {"colour": "blue", "depth": 3}
    assert world.routes().count("Pools_CreateOrUpdate") == 1
    assert world.truth.agent_pool(PRIME, POOL) is not None
    assert world.truth.agent_pool(TAILSPIN, POOL) is not None

    world.only_these([newer(futureProfile={"colour": "red", "depth": 3})])
    world.settle()
    assert world.truth.resource(POOL)["properties"]["futureProfile"] == {"colour": "red", "depth": 3}


def test_other_pools_of_the_subscription_stay_at_the_programs_own_version(world: World) -> None:
    """The list of a subscription is read at the program's version; the pool that opted in is read by itself."""
    world.policy(ALLOWED)
    world.spec(newer())

    results = world.sweep()

    assert {result.outcome for result in results.values()} == {Outcome.IN_SYNC}
    assert versions(world, "Pools_ListBySubscription") <= {"2026-06-02"}
    assert NEWER in versions(world, "Pools_Get")
