"""A pool in a subnet whose service may not leave it: nothing is deleted, and where it is, the deletion fails."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.adapters.arm.inspection import AzureResources
from reconciler.adapters.arm.pools import ArmWrites
from reconciler.adapters.devops.reads import DevOps
from reconciler.engine import Planner
from reconciler.facets.registry import FACETS
from reconciler.plan.model import Plan
from reconciler.plan.policy import Policy
from reconciler.ports.readers_writers import Readers
from tests.scenarios.drafts import GROUP, POOL, SUBSCRIPTION, managed
from tests.scenarios.test_replacement import moved
from tests.scenarios.world import World, ids, rules

SUBNET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Network/virtualNetworks/hub/subnets/agents"
DELEGATION = {"properties": {"serviceName": "Microsoft.DevOpsInfrastructure/pools"}}


def in_subnet(document: dict[str, Any]) -> dict[str, Any]:
    document["pool"]["properties"]["fabricProfile"]["networkProfile"] = {"subnetId": SUBNET}
    return document


@pytest.fixture
def moving(world: World) -> World:
    """The pool is in a subnet, and its spec wants it elsewhere."""
    state = world.do.state()
    (pool,) = [one for one in state["subscriptions"][0]["pools"] if one["name"] == POOL]
    pool["properties"]["fabricProfile"]["networkProfile"] = {"subnetId": SUBNET}
    state["subscriptions"][0]["resources"] = [{"id": SUBNET, "properties": {"delegations": [DELEGATION]}}]
    world.do.replace(state)
    world.spec(in_subnet(moved()))
    world.only(POOL)
    return world


def service_has(world: World, role: str) -> None:
    """Its role at the virtual network."""
    state = world.do.state()
    others = [one for one in state["principals"] if one["name"] != "DevOpsInfrastructure"]
    roles = [{"role": role, "scope": SUBNET.rpartition("/subnets/")[0]}]
    service = {"name": "DevOpsInfrastructure", "kind": "servicePrincipal", "roles": roles}
    world.do.replace({**state, "principals": [*others, service]})


def plan(world: World) -> Plan:
    """With the checks of prerequisites, which the other scenarios leave out."""
    session, arm = world.parts.session, world.parts.arm
    readers = Readers(arm, DevOps(session), AzureResources(arm, session))
    planner = Planner(FACETS, readers, Policy(replace_pools=(POOL,)), world.clock)
    return planner.plan(world.specs[0], planner.survey(world.specs), world.revision)


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        ("Pool networks, without delete", ["network-role"]),
        ("Reader", ["network-role"]),
        ("Pool networks", []),
        ("Network Contributor", []),
    ],
)
def test_the_role_of_the_service_in_the_network_is_read_before_anything_is_deleted(
    moving: World, role: str, refused: list[str]
) -> None:
    service_has(moving, role)

    found = plan(moving)

    assert (rules(found), len(ids(found))) == (refused, 0 if refused else 1)
    moving.only_these([in_subnet(managed())])


def test_a_deployment_that_reads_no_prerequisites_deletes_no_pool_in_a_subnet(moving: World) -> None:
    moving.policy(f"replacePools: [{POOL}]")

    result = moving.apply()

    assert (rules(result.plan), moving.routes()) == (["network-role"], [])
    moving.only_these([in_subnet(managed())])


def test_what_the_check_prevents_is_a_deletion_that_fails(moving: World) -> None:
    """Someone deletes the pool by hand: the service stays in the subnet, and so does the pool."""
    service_has(moving, "Pool networks, without delete")
    pool_id = moving.specs[0].pool_id

    ArmWrites(moving.parts.arm).delete(pool_id)
    moving.do.settle()

    assert moving.truth.resource(POOL) is not None
    moving.only_these([in_subnet(managed())])
