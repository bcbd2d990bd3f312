"""Answers that no model foresees: a write that arrived is remembered, and a list that holds nonsense is no fact."""

from __future__ import annotations

import pytest

from reconciler.engine import Outcome
from tests.examples import some
from tests.scenarios.drafts import POOL, PRIME, TAILSPIN
from tests.scenarios.test_failed_reads import ALL_PROJECTS_ROUTE, SWEEP_ROUTES, again, drift, never_claimed
from tests.scenarios.test_failed_writes import much_to_do
from tests.scenarios.world import World

WAITS = ("Sat, 28 Nov 2026 12:00:00 GMT", "1.5", "", "soon")
WITHOUT = {"connectiondata.get", "identities.read"}
"""Has no list; says null for an identity that it does not show (`reconciler.adapters.devops.identities`)."""


@pytest.mark.parametrize("wait", WAITS)
def test_an_update_of_the_pool_with_any_retry_after_is_one_operation(world: World, wait: str) -> None:
    """The package raises on such a header, after the write arrived: its operation has to be remembered all the same."""
    much_to_do(world, arm=True)
    world.switch(arm__update_seconds=30)
    world.do.fault("retry-after", route="Pools_CreateOrUpdate", count=None, value=wait)

    first = world.apply()

    assert first.outcome is Outcome.PROGRESSING, "the operation is in flight, and known"
    world.later(60)
    world.do.settle()
    world.do.clear_faults()
    world.settle()
    sent = [entry for entry in world.do.requests() if entry["route"] == "Pools_CreateOrUpdate"]
    assert len(sent) == 1, "what had arrived was not sent again"


@pytest.mark.soaked
@pytest.mark.parametrize(
    "route", some([route for route in (*SWEEP_ROUTES, ALL_PROJECTS_ROUTE) if route not in WITHOUT], one_of=3)
)
def test_a_null_in_a_list_is_no_fact_and_passes(world: World, route: str) -> None:
    """Nothing is written in what cannot be read, the other organization goes on, and later all converges."""
    world.only(POOL)
    if route == "pipelinepermissions.get":
        world.switch(devops__authorized_resources="incomplete")
    drift(world, queue=route in {"pools.list", "projects.list", "queues.list"})
    world.do.fault("nulls", route=route, count=None, organization="*" if route == ALL_PROJECTS_ROUTE else PRIME)

    never_claimed(world.apply())

    if route != ALL_PROJECTS_ROUTE:
        assert world.truth.opened(TAILSPIN, POOL)["Web"] is True, "the other organization went on"
    again(world)


def test_a_null_in_a_pool_of_arm_is_no_fact_and_passes(world: World) -> None:
    world.only(POOL)
    drift(world)
    world.do.fault("nulls", route="Pools_Get", count=None)

    never_claimed(world.apply())

    assert "Pools_CreateOrUpdate" not in world.routes()
    again(world)


def test_a_null_in_the_list_of_pools_makes_no_one_create_one(world: World) -> None:
    world.do.fault("nulls", route="Pools_ListBySubscription", count=None)

    results = world.sweep()

    assert world.writes() == []
    assert all(result.outcome is not Outcome.IN_SYNC for result in results.values())


def test_a_pool_that_arm_lists_is_not_created_again_whatever_its_own_route_says(world: World) -> None:
    """Found by the fault matrix: 404 for a whole look made the operator send a body for a new pool over the old one."""
    world.only(POOL)
    drift(world)
    world.do.fault("404", route="Pools_Get", count=None)

    world.apply()

    assert "Pools_CreateOrUpdate" not in world.routes()
    again(world)
