"""Whose an agent pool is, over HTTP: a name is never enough, what is missing waits for the owner, and others go on."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from reconciler.errors import Refused
from reconciler.safety.agent_pools import document_of
from tests.scenarios.drafts import POOL, PRIME, TAILSPIN, managed, organization
from tests.scenarios.ownership_kit import (
    LATER,
    LONG_AGO,
    TAKEN,
    findings,
    greedy,
    made_by_others,
    not_ready,
    number_of,
    refused,
    replaced,
    resource,
    self_hosted,
    system,
    untouched,
)
from tests.scenarios.world import World, rules

# --- taken by name -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(greedy(), id="by the pool's name"),
        pytest.param(greedy(TAKEN.upper()), id="by the name in another letter case"),
        pytest.param(greedy("another-pool", alias=TAKEN), id="by an alias"),
    ],
)
def test_a_new_pool_does_not_take_an_agent_pool_by_its_name(world: World, document: dict[str, Any]) -> None:
    replaced(world, agent_pools=[self_hosted()])
    world.spec(document)
    name = document["name"]

    result = world.sweep()[name]

    assert world.routes() == []
    assert untouched(world)
    assert "agent-pool-taken" in rules(result.plan)
    number = number_of(world)
    assert f"{PRIME} has an agent pool {TAKEN} (id {number})" in refused(result)
    assert f"`mdp-reconciler approve {name} --agent-pool {PRIME}/{number}`" in refused(result)
    not_ready(world, name)


def test_an_alias_is_not_changed_onto_a_taken_name(world: World) -> None:
    replaced(world, agent_pools=[self_hosted()])
    world.settle()
    world.spec(managed(prime=organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=True, alias=TAKEN)))
    world.do.reset_log()

    result = world.sweep()[POOL]

    assert "Pools_CreateOrUpdate" not in world.routes()
    assert rules(result.plan) == ["agent-pool-taken"]
    assert untouched(world)
    world.settle()
    not_ready(world, POOL)


@pytest.mark.parametrize("switch", ["adopted", "refused"])
def test_a_taken_name_is_refused_whatever_the_service_would_do_of_it(world: World, switch: str) -> None:
    world.switch(devops__taken_pool_name=switch)
    replaced(world, agent_pools=[self_hosted()])
    world.spec(greedy())

    world.settle()

    assert "Pools_CreateOrUpdate" not in world.routes()
    assert untouched(world)
    not_ready(world, TAKEN)


def test_where_the_policy_refuses_arm_nothing_is_written_in_azure_devops(world: World) -> None:
    replaced(world, agent_pools=[self_hosted()])
    world.policy("createPools: false")
    world.spec(greedy())

    result = world.sweep()[TAKEN]

    assert world.routes() == []
    assert "agent-pool-not-own" in rules(result.plan)
    assert "ARM holds no such pool" in refused(result)
    not_ready(world, TAKEN)


def test_where_the_resource_group_does_not_exist_nothing_is_written_in_azure_devops(world: World) -> None:
    replaced(world, agent_pools=[self_hosted()])
    world.spec(greedy() | {"resourceGroup": "rg-nowhere"})

    world.sweep()

    assert world.routes() == []
    assert untouched(world)
    not_ready(world, TAKEN)


def test_hosted_agent_pools_are_nobodys_and_no_approval_helps(world: World) -> None:
    name = "Azure Pipelines"
    hosted = self_hosted(name, isHosted=True)
    replaced(world, agent_pools=[hosted])
    world.spec(greedy("another-pool", alias=name))

    result = world.sweep()["another-pool"]

    assert world.routes() == []
    assert "is hosted by Azure DevOps" in refused(result)
    assert "approve" not in " ".join(
        one.message for one in (result.plan.refusals if result.plan else ()) if one.rule == "agent-pool-taken"
    )
    with pytest.raises(Refused, match="hosted by Azure DevOps, and no approval"):
        world.approve(PRIME, number_of(world, name), "another-pool")
    not_ready(world, "another-pool")


# --- first contact -------------------------------------------------------------------------------------------


def test_pools_that_were_there_before_the_operator_are_its_own_and_are_recorded(world: World) -> None:
    world.sweep()

    assert world.routes() == []
    facts = world.parts.safety.read(POOL, [PRIME, TAILSPIN]).agent_pools
    ids = {name: one.id for found in facts.ids.values() for name, one in found.items()}  # type: ignore[union-attr]
    assert ids == {PRIME: number_of(world, POOL), TAILSPIN: number_of(world, POOL, TAILSPIN)}


def test_a_converged_estate_records_once(world: World) -> None:
    world.sweep()
    before = world.parts.store.safety.load(document_of(POOL))
    world.sweep()

    after = world.parts.store.safety.load(document_of(POOL))
    assert before is not None
    assert after is not None
    assert before.etag == after.etag


@pytest.mark.parametrize(
    ("created", "made", "alias", "own"),
    [
        pytest.param(LONG_AGO, LONG_AGO, None, True, id="of one moment"),
        pytest.param(LONG_AGO, LATER, None, True, id="made later"),
        pytest.param(LATER, LONG_AGO, None, False, id="older than the pool"),
        pytest.param("2024-05-01T09:10:00Z", LONG_AGO, None, True, id="older, within the margin"),
        pytest.param("2024-05-01T09:10:01Z", LONG_AGO, None, False, id="older, beyond the margin"),
        pytest.param(LONG_AGO, "2024-05-01T10:00:00Z", TAKEN, True, id="aliased, within the hour"),
        pytest.param(LONG_AGO, "2024-05-01T10:00:01Z", TAKEN, False, id="aliased, after the hour"),
        pytest.param(LONG_AGO, LATER, TAKEN, False, id="aliased, made a year later"),
    ],
)
def test_a_pool_of_others_is_known_by_the_moments_of_creation(
    world: World, created: str, made: str, alias: str | None, own: bool
) -> None:
    name = "another-pool" if alias else TAKEN
    document = greedy(name, alias=alias)
    replaced(world, resources=[resource(greedy(name, alias=alias), systemData=system(created))],
             agent_pools=[self_hosted(createdOn=made)])  # fmt: skip
    world.spec(document)

    result = world.settle()[name]

    assert untouched(world) is not own
    if own:
        return
    assert world.routes() == []
    (finding,) = findings(result.plan)
    assert f"(id {number_of(world)}) is not proven to be pool {name}'s own" in finding
    assert rules(result.plan) == ["agent-pool-not-own"]
    not_ready(world, name)


@pytest.mark.parametrize(
    ("switches", "said"),
    [
        ({"arm__system_data": False}, "systemData.createdAt"),
        ({"devops__pool_created_on": "absent"}, "createdOn"),
    ],
)
def test_what_a_service_does_not_say_is_no_proof_and_the_owner_decides(
    world: World, switches: dict[str, Any], said: str
) -> None:
    replaced(world, resources=[resource(greedy(), systemData=system(LONG_AGO))], agent_pools=[self_hosted()])
    world.spec(greedy())
    world.only(TAKEN)
    world.switch(**switches)

    result = world.sweep()[TAKEN]
    assert world.routes() == []
    (finding,) = findings(result.plan)
    assert said in finding

    done = world.approve(PRIME, number_of(world), TAKEN)
    assert said in done.missing
    world.settle()
    assert world.truth.administrators(PRIME, TAKEN) == {"operator", "ann"}


@pytest.mark.parametrize(("word", "own"), [("agent-cloud", True), ("options", True), ("owner", True), ("none", False)])
def test_a_mark_that_was_seen_is_a_further_proof(nothing: World, arm: requests.Session, word: str, own: bool) -> None:
    """`probe` saw it on all managed agent pools; one without it belongs to other people, however young it is."""
    marks = {"agent-cloud": "agentCloudId", "options": "options", "owner": "owner", "none": "options"}
    nothing.switch(devops__managed_pool_marks=word)
    nothing.marked(marks[word])
    nothing.only(POOL)
    made_by_others(nothing, arm, managed())

    result = nothing.settle()[POOL]

    assert (findings(result.plan) == []) is own
    if not own:
        assert nothing.routes() == []
        assert "agent pools of Managed DevOps Pools have options in this organization" in findings(result.plan)[0]
        not_ready(nothing, POOL)
