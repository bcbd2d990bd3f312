"""Whose an agent pool is, over HTTP: a name is never enough, what is missing waits for the owner, and others go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from reconciler.engine import Outcome, Result
from reconciler.errors import NotFound, Refused
from reconciler.plan.model import Plan
from reconciler.safety.agent_pools import document_of
from tests.scenarios.drafts import ANN, GROUP, POOL, PRIME, SUBSCRIPTION, TAILSPIN, estate, managed, organization, spec
from tests.scenarios.world import World, rules

Json = Any
TAKEN = "Production"
LONG_AGO, LATER = "2024-05-01T09:00:00.0000000Z", "2025-05-01T09:00:00.0000000Z"


def self_hosted(name: str = TAKEN, **more: Json) -> Json:
    """Somebody's own agent pool: closed, with one administrator."""
    return {
        "name": name,
        "createdOn": LONG_AGO,
        "inherit": False,
        "roles": {"Administrator": ["operator", "eve"]},
        "queues": [{"project": "fabrikam-dev", "openAccess": False}],
        **more,
    }


def greedy(name: str = TAKEN, *, alias: str | None = None, **more: Json) -> Json:
    """A spec that opens its pool to all pipelines and leaves no administrator but its own."""
    use = organization(PRIME, ["fabrikam-dev"], open_access=True, alias=alias)
    roles = [{"organization": PRIME, "administrators": [ANN], "exclusive": True, "inherit": False}]
    return spec(name, [use], access={"roles": roles}, **more)


def resource(document: Json, **more: Json) -> Json:
    """The ARM pool of a spec, as an estate has it."""
    found = {"name": document["name"], "resourceGroup": GROUP, **document["pool"], **more}
    for one in found["properties"]["organizationProfile"]["organizations"]:
        one.pop("openAccess", None)
    return found


def system(created: str) -> Json:
    return {"createdBy": "terraform", "createdByType": "Application", "createdAt": created}


def replaced(world: World, *, resources: list[Json] | None = None, agent_pools: list[Json] | None = None) -> None:
    """The estate with these ARM pools and agent pools of one organization beside its own."""
    made = estate()
    made["subscriptions"][0]["pools"] += resources or []
    made["organizations"][1]["agentPools"] += agent_pools or []
    world.do.replace(made)
    world.do.reset_log()


def refused(result: Result) -> str:
    assert result.plan is not None
    return " ".join(one.message for one in result.plan.refusals)


def findings(plan: Plan | None) -> list[str]:
    assert plan is not None
    return [gap.message for gap in plan.gaps if gap.facet == "ownership"]


def untouched(world: World, name: str = TAKEN) -> bool:
    """Whether somebody's own agent pool is as it was."""
    return world.truth.opened(PRIME, name) == {"fabrikam-dev": False} and world.truth.administrators(PRIME, name) == {
        "operator",
        "eve",
    }


def number_of(world: World, name: str = TAKEN, organization: str = PRIME) -> int:
    return int(world.truth.agent_pool(organization, name)["id"])


def not_ready(world: World, pool: str, outcome: Outcome = Outcome.STALLED) -> None:
    world.never_in_sync(pool, outcome, because="a proof is missing, and nobody approved")


@pytest.fixture
def arm(world: World) -> Iterator[requests.Session]:
    """Somebody with rights in Azure, beside the operator."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {world.running.tokens['arm']}"
        yield session


def url_of(world: World, name: str) -> str:
    place = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.DevOpsInfrastructure/pools"
    return f"{world.running.arm}{place}/{name}?api-version=2026-06-02"


def made_by_others(world: World, session: requests.Session, document: Json) -> None:
    """As Terraform does."""
    answer = session.put(url_of(world, document["name"]), json=document["pool"], timeout=20)
    assert answer.status_code in {200, 201}, answer.text
    world.do.settle()
    world.do.reset_log()


def deleted_by_others(world: World, session: requests.Session, name: str) -> None:
    assert session.delete(url_of(world, name), timeout=20).status_code == 202
    world.do.settle()


# --- taken by name -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(greedy(), id="by the pool's name"),
        pytest.param(greedy(TAKEN.upper()), id="by the name in another letter case"),
        pytest.param(greedy("another-pool", alias=TAKEN), id="by an alias"),
    ],
)
def test_a_new_pool_does_not_take_an_agent_pool_by_its_name(world: World, document: Json) -> None:
    replaced(world, agent_pools=[self_hosted()])
    world.spec(document)
    name = document["name"]

    result = world.sweep()[name]

    assert world.routes() == []
    assert untouched(world)
    assert "agent-pool-taken" in rules(result.plan)
    number = number_of(world)
    assert f"{PRIME} has an agent pool {TAKEN} (id {number})" in refused(result)
    assert f"`reconciler approve {name} --agent-pool {PRIME}/{number}`" in refused(result)
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
    """`probe` saw it on all managed agent pools; one without it is somebody's own, however young it is."""
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


def taken(world: World) -> int:
    """A pool of others whose agent pool is older; its id."""
    replaced(world, resources=[resource(greedy(), systemData=system(LATER))], agent_pools=[self_hosted()])
    world.spec(greedy())
    world.only(TAKEN)
    return number_of(world)


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
    assert "ownership is not checked" in remark.message
    not_ready(world, TAKEN)
