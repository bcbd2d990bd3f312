"""Recorded ids, two pools that mean one agent pool, and the owner who approves, over HTTP."""

from __future__ import annotations

import pytest
import requests

from reconciler.engine import Outcome
from reconciler.errors import NotFound, Refused
from reconciler.safety.agent_pools import document_of, owner_document_of
from tests.scenarios.drafts import POOL, PRIME, TAILSPIN, managed, organization, spec
from tests.scenarios.ownership_kit import (
    TAKEN,
    deleted_by_others,
    findings,
    greedy,
    made_by_others,
    not_ready,
    number_of,
    replaced,
    resource,
    self_hosted,
    system,
    taken,
    untouched,
)
from tests.scenarios.world import World, rules

# --- recorded ids --------------------------------------------------------------------------------------------


def test_an_agent_pool_that_took_the_place_of_the_recorded_one_waits(world: World) -> None:
    world.sweep()
    recorded = number_of(world, POOL)
    world.by_hand("delete-pool", organization=PRIME, pool=POOL)
    world.by_hand("create-pool", organization=PRIME, pool=POOL)

    result = world.sweep()[POOL]

    assert world.routes() == []
    (finding,) = findings(result.plan)
    assert f"id {recorded} is recorded for the pool" in finding
    world.approve(PRIME, number_of(world, POOL))
    world.settle()
    assert "ann" in world.truth.administrators(PRIME, POOL)


def test_one_organization_that_waits_does_not_stop_the_other(world: World) -> None:
    world.sweep()
    world.by_hand("delete-pool", organization=PRIME, pool=POOL)
    world.by_hand("create-pool", organization=PRIME, pool=POOL)
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")

    world.settle()

    assert world.truth.opened(TAILSPIN, POOL)["Web"] is True
    assert {entry["path"].split("/")[1] for entry in world.writes()} == {TAILSPIN}
    not_ready(world, POOL)


@pytest.mark.parametrize("outlives", ["kept", "deleted"])
def test_an_agent_pool_that_outlived_an_earlier_pool_waits(world: World, arm: requests.Session, outlives: str) -> None:
    """Deleted and created again by others: the agent pool of the first life is not that of the second."""
    world.switch(devops__pool_of_deleted_resource=outlives)
    world.only(POOL)
    world.sweep()
    deleted_by_others(world, arm, POOL)
    world.later(3600)
    made_by_others(world, arm, managed())

    result = world.settle()[POOL]

    if outlives == "deleted":
        assert findings(result.plan) == []
        return
    assert world.routes() == []
    assert len(findings(result.plan)) == 2
    for name in (PRIME, TAILSPIN):
        world.approve(name, number_of(world, POOL, name))
    world.settle()


@pytest.mark.parametrize("outlives", ["kept", "deleted"])
def test_an_agent_pool_is_its_own_through_the_operators_own_replacement(world: World, outlives: str) -> None:
    world.switch(devops__pool_of_deleted_resource=outlives)
    world.policy(f"replacePools: [{POOL}]")
    document = managed(replace="allowed")
    document["pool"]["location"] = "westeurope"
    world.spec(document)
    world.only(POOL)
    before = number_of(world, POOL)
    world.later(3600)

    world.settle()

    assert world.truth.resource(POOL)["location"] == "westeurope"
    assert (number_of(world, POOL) == before) is (outlives == "kept")


def test_an_own_pool_is_not_replaced_while_its_agent_pool_is_not_proven(world: World) -> None:
    """A deletion in ARM takes the agent pool of that name with it, whose ever it is."""
    world.sweep()
    world.by_hand("delete-pool", organization=PRIME, pool=POOL)
    world.by_hand("create-pool", organization=PRIME, pool=POOL)
    world.policy(f"replacePools: [{POOL}]")
    document = managed(replace="allowed")
    document["pool"]["location"] = "westeurope"
    world.spec(document)

    world.settle()

    assert "Pools_Delete" not in world.routes()
    not_ready(world, POOL)


@pytest.mark.parametrize("recorded", [True, False])
def test_a_failed_update_does_not_count_against_a_recorded_pool(world: World, recorded: bool) -> None:
    """On first contact it is not known whether it is the update that failed, or the creation."""
    if recorded:
        world.sweep()
    document = world.do.state()
    for one in document["subscriptions"][0]["pools"]:
        one["properties"]["provisioningState"] = "Failed"
    world.do.replace(document)
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.do.reset_log()

    result = world.apply()

    assert ("agent-pool-not-own" in rules(result.plan)) is not recorded
    assert world.routes()[0] == "Pools_CreateOrUpdate", "put again, which is what ends the doubt"
    world.settle()
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is True


def test_an_organization_that_is_added_later_is_own_by_the_operators_intent(world: World) -> None:
    """Aliased, and made long after the pool: the record says that the name was free, and that ARM would take it."""
    world.spec(managed(prime=organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False)))
    only_one = spec(POOL, [organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False)])
    world.spec(only_one)
    world.only(POOL)
    world.settle()
    world.later(100_000)
    world.spec(
        spec(
            POOL,
            [
                organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False),
                organization(TAILSPIN, ["Web"], open_access=True, alias="build-web"),
            ],
        )
    )

    world.settle()

    assert world.truth.opened(TAILSPIN, "build-web") == {"Web": True}


def test_a_deleted_agent_pool_comes_back_as_doctor_says(world: World) -> None:
    """Its organization leaves the spec and comes back: ARM creates the agent pool, and the operator's intent proves it."""
    world.only(POOL)
    world.sweep()
    former = number_of(world, POOL, TAILSPIN)
    world.by_hand("delete-pool", organization=TAILSPIN, pool=POOL)
    both = managed()
    world.spec(spec(POOL, [organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False)]))
    world.settle()
    world.spec(both)
    world.later(7200)

    world.settle()

    assert number_of(world, POOL, TAILSPIN) != former
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is True


# --- two specs -----------------------------------------------------------------------------------------------


def test_of_two_specs_that_mean_one_agent_pool_the_one_without_proof_is_stopped(world: World) -> None:
    """Made by others with the alias of a pool that is there, within minutes of each other."""
    thief = greedy("another-pool", alias=POOL)
    world.sweep()
    state = world.do.state()
    state["subscriptions"][0]["pools"].append(
        resource(
            greedy("another-pool", alias=POOL),
            systemData=system(state["subscriptions"][0]["pools"][0]["systemData"]["createdAt"]),
        )
    )
    world.do.replace(state)
    world.do.reset_log()
    world.spec(thief)

    results = world.settle()

    assert world.routes() == []
    assert f"it is recorded as pool {POOL}'s" in findings(results["another-pool"].plan)[0]
    assert results[POOL].outcome is Outcome.IN_SYNC
    not_ready(world, "another-pool")


# --- the owner -----------------------------------------------------------------------------------------------


def test_an_approval_is_for_one_id_and_one_generation(world: World, arm: requests.Session) -> None:
    number = taken(world)
    done = world.approve(PRIME, number, TAKEN)
    assert done.recorded
    assert "before the ARM pool" in done.missing
    world.settle()
    assert not untouched(world)
    assert not world.approve(PRIME, number, TAKEN).recorded, "it is on record by now"

    world.switch(devops__pool_of_deleted_resource="kept")
    deleted_by_others(world, arm, TAKEN)
    world.later(3600)
    made_by_others(world, arm, greedy())
    result = world.sweep()[TAKEN]
    assert world.routes() == []
    assert len(findings(result.plan)) == 1
    not_ready(world, TAKEN)


def test_a_name_is_taken_over_where_the_owner_approves_it_before_the_creation(world: World) -> None:
    replaced(world, agent_pools=[self_hosted()])
    world.spec(greedy())
    world.only(TAKEN)
    world.sweep()
    assert world.routes() == []

    world.approve(PRIME, number_of(world), TAKEN)
    world.settle()

    assert world.truth.administrators(PRIME, TAKEN) == {"operator", "ann"}


def test_what_cannot_be_approved_says_why(world: World) -> None:
    number = taken(world)
    with pytest.raises(NotFound, match=f"there is no agent pool 4711.*{TAKEN} has id {number}"):
        world.approve(PRIME, 4711, TAKEN)
    with pytest.raises(Refused, match="does not name the organization fabrikam-tailspin; it names fabrikam-prime"):
        world.approve(TAILSPIN, number, TAKEN)
    with pytest.raises(Refused, match=f"is called {POOL}, and pool {TAKEN}'s is called {TAKEN}"):
        world.approve(PRIME, number_of(world, POOL), TAKEN)
    not_ready(world, TAKEN)


def test_damaged_records_stop_writes_of_their_pool_alone(world: World) -> None:
    world.sweep()
    world.parts.safety.documents.change(document_of(POOL), lambda body: {**body, "recorded": 7})
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.by_hand("open-access", organization=PRIME, pool="fabrikam-release-pool", project="fabrikam-release")

    results = world.settle()

    assert {entry["path"].split("/")[1] for entry in world.writes()} == {PRIME}
    plan = results[POOL].plan
    assert plan is not None
    assert plan.changes == ()
    assert {gap.message for gap in plan.gaps} == {next(iter(plan.gaps)).message}
    assert "agent-pools/fabrikam-managed-pool is damaged" in next(iter(plan.gaps)).message
    world.never_in_sync(POOL, Outcome.FAILED, because="its records are damaged")


def test_a_plan_without_state_says_that_ownership_is_not_checked(world: World) -> None:
    taken(world)
    plan = world.plan(TAKEN)

    assert rules(plan) == []
    (remark,) = [one for one in plan.remarks if one.facet == "ownership"]
    assert "before the ARM pool" in remark.message
    assert "whether it is recorded as the pool's own is not checked" in remark.message
    assert [one for one in world.plan(TAKEN).remarks if one.facet == "ownership"] == [remark]
    not_ready(world, TAKEN)


def test_a_replacement_takes_no_name_that_another_agent_pool_has(world: World) -> None:
    """Its creation would be refused after the deletion: the pool would be gone for nothing."""
    world.sweep()
    world.by_hand("create-pool", organization=PRIME, pool="Production")
    world.policy(f"replacePools: [{POOL}]")
    document = managed(replace="allowed")
    document["pool"]["location"] = "westeurope"
    for one in document["pool"]["properties"]["organizationProfile"]["organizations"]:
        if PRIME in one["url"]:
            one["alias"] = "Production"
    world.spec(document)
    world.do.reset_log()

    result = world.settle()[POOL]

    assert "agent-pool-taken" in rules(result.plan)
    assert "Pools_Delete" not in world.routes()
    not_ready(world, POOL)


def test_what_is_held_back_does_not_come_again_as_what_follows(world: World) -> None:
    """A queue is created in one organization; of the agent pool of the other it cannot be read whose it is."""
    number = number_of(world, POOL)
    world.parts.safety.documents.change(owner_document_of(PRIME, number), lambda _: {"pool": 7})
    world.only(POOL)
    world.by_hand("delete-queue", organization=TAILSPIN, pool=POOL, project="Web")
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")
    world.by_hand("set-inheritance", organization=PRIME, pool=POOL, on=True)

    (spec_,) = [one for one in world.specs if one.name == POOL]
    planner, claims = world.parts.planner, world.parts.reconciler.claims(spec_)
    plan = planner.plan(spec_, planner.survey([spec_]), world.revision, claims)

    assert any(TAILSPIN in change.id for change in plan.following)
    assert [change.id for change in plan.all_changes if PRIME in change.id] == []
    assert any("is damaged; restore it" in gap.message for gap in plan.gaps)
    world.settle()
    assert not any(PRIME in str(one) for one in world.writes())
    world.parts.safety.documents.change(owner_document_of(PRIME, number), lambda _: {"pool": POOL})
    world.settle()


def test_an_organization_that_the_spec_drops_counts_for_a_replacement_as_well(world: World) -> None:
    """ARM still lists it, so the deletion takes the agent pool of that name there with it."""
    world.sweep()
    world.by_hand("delete-pool", organization=PRIME, pool=POOL)
    world.by_hand("create-pool", organization=PRIME, pool=POOL)
    world.policy(f"replacePools: [{POOL}]")
    document = managed(replace="allowed")
    document["pool"]["location"] = "westeurope"
    profile = document["pool"]["properties"]["organizationProfile"]
    profile["organizations"] = [one for one in profile["organizations"] if TAILSPIN in one["url"]]
    document["access"] = {}
    document["pool"]["properties"]["maximumConcurrency"] = 2
    world.spec(document)
    world.only(POOL)
    world.do.reset_log()

    result = world.settle()[POOL]

    assert "Pools_Delete" not in world.routes()
    assert "uncounted" in rules(result.plan)
    not_ready(world, POOL)
