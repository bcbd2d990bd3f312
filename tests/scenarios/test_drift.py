"""What people change by hand, what git changes, and how both planes come to be as the spec says again."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine import Outcome
from tests.scenarios.drafts import (
    ANN,
    BOB,
    POOL,
    PRIME,
    RELEASE,
    ROLES,
    TAILSPIN,
    estate,
    managed,
    organization,
    release,
)
from tests.scenarios.world import World, gaps, ids, rules

OPENS = {"Web": True, "Mobile": True, "Data": True}


def test_where_nothing_drifted_nothing_is_done(world: World) -> None:
    """Most looks find nothing; such a look must not cost a write, nor claim less than it saw."""
    plan = world.plan()
    result = world.apply()

    assert plan.in_sync
    assert result.outcome is Outcome.IN_SYNC
    assert world.writes() == []


def test_a_closed_queue_is_opened_again(world: World) -> None:
    """The usual drift: one project was closed by hand, and its builds wait for an approval that does not come."""
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")

    result = world.apply()

    assert ids(result.planned) == ["open_access:open access:fabrikam-tailspin/Web"]
    assert result.outcome is Outcome.APPLIED
    assert world.truth.opened(TAILSPIN, POOL) == OPENS


def test_a_queue_that_somebody_opened_is_closed_again(world: World) -> None:
    """The drift that matters to security: every pipeline of the project may run code on these machines."""
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")

    result = world.apply()

    assert ids(result.planned) == ["open_access:open access:fabrikam-prime/fabrikam-dev"]
    assert result.outcome is Outcome.APPLIED
    assert world.truth.opened(PRIME, POOL) == {"fabrikam-dev": False, "fabrikam-test": False}


def test_single_pipelines_stay_authorized_when_a_queue_is_closed(world: World) -> None:
    """The list of single pipelines is not this facet's, and survives the switch."""
    pipeline = world.by_hand("create-pipeline", organization=PRIME, project="fabrikam-dev", name="nightly")
    world.by_hand("authorize-pipeline", organization=PRIME, pool=POOL, project="fabrikam-dev", pipeline=pipeline)
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")

    world.apply()

    queues = world.truth.agent_pool(PRIME, POOL)["queues"]
    (kept,) = [queue["pipelines"] for queue in queues if queue["project"] == "fabrikam-dev"]
    assert [one["id"] for one in kept] == [pipeline]


def test_a_deleted_queue_is_waited_for_once_then_made_and_opened(world: World) -> None:
    """The service may still make it; who does not wait makes a second one, who waits for ever leaves builds waiting."""
    world.by_hand("delete-queue", organization=TAILSPIN, pool=POOL, project="Web")

    first = world.apply()
    world.later(first.next_look or 0)
    second = world.apply()

    assert first.outcome is Outcome.PROGRESSING
    assert first.verified == ()
    assert second.outcome is Outcome.APPLIED
    assert [change.id for change in second.verified] == [
        "queues:queue:fabrikam-tailspin/Web",
        "open_access:open access:fabrikam-tailspin/Web",
    ]


@pytest.mark.parametrize("made", ["none", "made"], ids=["the-service-adds-none", "the-service-adds-it"])
def test_a_project_created_later_is_served_where_all_are_wanted(world: World, made: str) -> None:
    """No event announces a new project: the next resync has to find it, and to open it if the spec says so."""
    world.switch(devops__queue_for_later_project=made)
    world.by_hand("create-project", organization=TAILSPIN, name="Games")

    world.settle()

    assert world.truth.opened(TAILSPIN, POOL) == {**OPENS, "Games": True}


def test_a_project_added_to_the_spec_gets_its_queue_through_arm_and_stays_closed(world: World) -> None:
    """ARM makes the queue of a listed project, and gives it no open access whatever the body says."""
    projects = ["fabrikam-dev", "fabrikam-test", "fabrikam-perf"]
    world.spec(managed(prime=organization(PRIME, projects, open_access=False)))

    result = world.settle()[POOL]

    assert result.outcome in {Outcome.IN_SYNC, Outcome.APPLIED}
    assert world.truth.opened(PRIME, POOL) == dict.fromkeys(projects, False)
    assert world.routes().count("queues.add") == 0


def test_a_project_added_to_the_spec_is_opened_although_arm_will_not(world: World) -> None:
    """The reason why this program exists: openAccess in ARM is read once in the life of a pool."""
    world.spec(managed(tailspin=organization(TAILSPIN, ["Web", "Mobile"], open_access=True)))
    world.do.replace(_with_projects(["Web"]))
    world.do.reset_log()

    world.settle()

    assert world.truth.opened(TAILSPIN, POOL) == {"Web": True, "Mobile": True}


def _with_projects(names: list[str]) -> dict[str, Any]:
    found = estate()
    found["subscriptions"][0]["pools"][0]["properties"]["organizationProfile"]["organizations"][0]["projects"] = names
    pool = found["organizations"][0]["agentPools"][0]
    pool["queues"] = [queue for queue in pool["queues"] if queue["project"] in names]
    pool["allProjects"] = False
    return found


def test_a_project_that_leaves_the_list_keeps_its_queue(world: World) -> None:
    """Builds may be on their way; deleting is for a person."""
    world.spec(managed(prime=organization(PRIME, ["fabrikam-dev"], open_access=False)))

    world.settle()

    assert "fabrikam-test" in world.truth.opened(PRIME, POOL)
    assert world.truth.resource(POOL)["properties"]["organizationProfile"]["organizations"][1]["projects"] == [
        "fabrikam-dev"
    ]


def test_a_renamed_project_is_followed_where_all_are_wanted(world: World) -> None:
    """A name is not an identity: the queue is found by ids, and nothing is made twice."""
    world.by_hand("rename-project", organization=TAILSPIN, project="Web", to="Shop")
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Shop")

    result = world.apply()

    assert ids(result.planned) == ["open_access:open access:fabrikam-tailspin/Shop"]
    assert result.outcome is Outcome.APPLIED


def test_a_listed_project_that_was_renamed_is_reported_until_the_spec_follows(world: World) -> None:
    """The list holds names; which project is meant is not guessed, and the other projects are served all the same."""
    world.by_hand("rename-project", organization=PRIME, project="fabrikam-dev", to="fabrikam-next")
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-test")

    lost = world.apply()

    assert ("queues", "fabrikam-prime/fabrikam-dev", "degraded") in gaps(lost.plan)
    assert lost.outcome is Outcome.STALLED
    assert [change.subject for change in lost.verified] == ["fabrikam-prime/fabrikam-test"]

    world.spec(managed(prime=organization(PRIME, ["fabrikam-next", "fabrikam-test"], open_access=False)))
    world.settle()


def test_a_hidden_project_is_degraded_and_never_in_sync(world: World) -> None:
    """Hidden and deleted look alike: nothing is written for it, and the pool is not reported as in sync."""
    world.by_hand("hide-project", organization=PRIME, project="fabrikam-dev")
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")

    result = world.settle()[POOL]

    assert result.outcome is Outcome.STALLED
    assert ("queues", "fabrikam-prime/fabrikam-dev", "degraded") in gaps(result.plan)
    assert world.writes() == []
    assert world.truth.opened(PRIME, POOL)["fabrikam-dev"] is True
    world.never_in_sync(POOL, Outcome.STALLED, because="the operator cannot see a project that the spec lists")


def test_a_hidden_project_counts_where_all_are_wanted(world: World) -> None:
    """No list names it, and it is missing all the same: all means those too which the operator cannot see."""
    world.by_hand("hide-project", organization=TAILSPIN, project="Data")

    result = world.settle()[POOL]

    assert result.outcome is Outcome.STALLED
    assert {kind for _, _, kind in gaps(result.plan)} == {"degraded"}
    assert world.writes() == []
    world.never_in_sync(POOL, Outcome.STALLED, because="one of all projects cannot be seen")


def test_a_project_that_is_shown_again_is_repaired(world: World) -> None:
    """As soon as the right is there, what was left is done: no memory of the absence remains."""
    world.by_hand("hide-project", organization=PRIME, project="fabrikam-dev")
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")
    world.settle()
    world.by_hand("show-project", organization=PRIME, project="fabrikam-dev")

    assert world.settle()[POOL].outcome is Outcome.APPLIED


def test_a_deleted_project_stalls_its_pool_and_a_restored_one_heals_it(world: World) -> None:
    """Deleting a project must not make the operator delete or make anything."""
    world.by_hand("delete-project", organization=PRIME, project="fabrikam-test")

    assert world.settle()[POOL].outcome is Outcome.STALLED
    assert world.writes() == []

    world.by_hand("restore-project", organization=PRIME, project="fabrikam-test")
    world.settle()


def test_an_agent_pool_that_is_hidden_is_not_made_again(world: World) -> None:
    """A pool without View right is simply missing from the list: who takes that for absence makes a second pool."""
    world.by_hand("hide-pool", organization=TAILSPIN, pool=POOL)
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")

    result = world.apply()

    assert world.writes() == []
    assert result.outcome is not Outcome.IN_SYNC
    world.by_hand("show-pool", organization=TAILSPIN, pool=POOL)
    world.settle()


def test_an_arm_property_is_put_back_and_unmanaged_ones_travel_unchanged(world: World) -> None:
    """Read, change what the spec names, write the rest as it was: tags of another team survive."""
    drifted = estate()
    resource = drifted["subscriptions"][0]["pools"][0]
    resource["tags"] = {"team": "build"}
    resource["properties"] |= {"maximumConcurrency": 9, "runtimeConfiguration": {"workFolder": "w"}}
    world.do.replace(drifted)

    world.settle()

    seen = world.truth.resource(POOL)
    assert seen["properties"]["maximumConcurrency"] == 4
    assert seen["tags"] == {"team": "build"}
    assert seen["properties"]["runtimeConfiguration"] == {"workFolder": "w"}
    assert world.routes() == ["Pools_CreateOrUpdate"]


@pytest.mark.parametrize("hidden", ["never", "always"], ids=["profile-echoed", "profile-hidden"])
def test_what_arm_does_not_echo_is_neither_drift_nor_sent(world: World, hidden: str) -> None:
    """GET without permissionProfile or openAccess says nothing about them; a PUT with a guess could change them."""
    world.switch(arm__hide_permission_profile=hidden, arm__echo_defaults="always")
    world.spec(managed(prime=organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False, parallelism=3)))

    world.settle()

    (put,) = world.writes()
    profile = put["body"]["properties"]["organizationProfile"]
    assert all("openAccess" not in one for one in profile["organizations"])
    assert ("permissionProfile" in profile) is (hidden == "never")


@pytest.mark.parametrize("applied", ["ignored", "applied"])
def test_an_open_access_that_arm_could_apply_is_still_not_sent(world: World, applied: str) -> None:
    """Whatever ARM makes of openAccess in an update, the operator asks Azure DevOps."""
    world.switch(arm__open_access_change=applied)
    world.spec(
        managed(
            tailspin=organization(TAILSPIN, open_access=False, parallelism=3),
            prime=organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=True),
        )
    )

    world.settle()

    assert world.truth.opened(TAILSPIN, POOL) == dict.fromkeys(OPENS, False)
    assert world.truth.opened(PRIME, POOL) == {"fabrikam-dev": True, "fabrikam-test": True}


def test_a_later_put_that_resets_access_is_repaired_after_it(world: World) -> None:
    """Should the service take back on each update what was set by hand, the operator sets it again after each."""
    world.switch(devops__update_resets_access=True)
    world.spec(managed(prime=organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False, parallelism=3)))

    world.settle()

    assert world.truth.opened(TAILSPIN, POOL) == OPENS
    assert "ann" in world.truth.administrators(PRIME, POOL)


def test_an_alias_names_the_agent_pool(world: World) -> None:
    """Where an alias is given, the agent pool has that name, and a pool of the resource's name is another one."""
    drifted = estate()
    drifted["subscriptions"][0]["pools"][0]["properties"]["organizationProfile"]["organizations"][0]["alias"] = "shop"
    drifted["organizations"][0]["agentPools"][0]["name"] = "shop"
    drifted["organizations"][0]["agentPools"].append(
        {"name": POOL, "queues": [{"project": "Web", "openAccess": False}]}
    )
    world.do.replace(drifted)
    world.spec(managed(tailspin=organization(TAILSPIN, open_access=True, alias="shop")))
    world.by_hand("close-access", organization=TAILSPIN, pool="shop", project="Web")

    result = world.apply()

    assert result.outcome is Outcome.APPLIED
    assert world.truth.opened(TAILSPIN, "shop")["Web"] is True
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is False


def test_two_pools_of_one_organization_do_not_meddle(world: World) -> None:
    """Shared reads must not mix up whose queue is whose."""
    world.by_hand("open-access", organization=PRIME, pool=RELEASE, project="fabrikam-release")
    world.by_hand("create-queue", organization=PRIME, pool=RELEASE, project="fabrikam-dev")
    world.by_hand("open-access", organization=PRIME, pool=RELEASE, project="fabrikam-dev")

    results = world.sweep()

    assert results[POOL].outcome is Outcome.IN_SYNC
    assert [change.subject for change in results[RELEASE].verified] == ["fabrikam-prime/fabrikam-release"]
    assert world.truth.opened(PRIME, RELEASE)["fabrikam-dev"] is True, "it is on no list, so it is not managed"


def test_an_organization_added_to_the_spec_is_served_whole(world: World) -> None:
    """ARM makes agent pool and queues, and leaves access as it is at the creation of a pool's part: closed."""
    world.spec(
        release(),
        managed(access={"roles": []}),
    )
    before = managed()
    both = before["pool"]["properties"]["organizationProfile"]["organizations"]
    world.do.replace(_without_tailspin())

    world.settle()

    assert [one["url"] for one in both] == [
        one["url"] for one in world.truth.resource(POOL)["properties"]["organizationProfile"]["organizations"]
    ] or len(world.truth.resource(POOL)["properties"]["organizationProfile"]["organizations"]) == 2
    assert world.truth.opened(TAILSPIN, POOL) == OPENS


def _without_tailspin() -> dict[str, Any]:
    found = estate()
    body = found["subscriptions"][0]["pools"][0]["properties"]
    body["organizationProfile"]["organizations"].pop(0)
    body["maximumConcurrency"] = 2
    found["organizations"][0]["agentPools"] = []
    return found


def test_another_location_is_told_and_the_rest_is_applied(world: World) -> None:
    """Only a new resource could move; the operator never replaces one, and goes on with what it can do."""
    moved = managed()
    moved["pool"]["location"] = "westeurope"
    world.spec(moved)
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")

    result = world.settle()[POOL]

    assert result.plan is not None
    assert [one.change.subject for one in result.plan.refusals] == [f"{POOL} location"]
    assert world.truth.opened(TAILSPIN, POOL) == OPENS
    assert world.routes() == ["pipelinepermissions.update"]
    world.never_in_sync(POOL, Outcome.STALLED, because="a pool cannot move to another location")


def test_several_drifts_on_both_planes_are_repaired_in_one_go(world: World) -> None:
    """One run does what it can, one more finds the rest: no second push is needed."""
    world.spec(
        managed(
            prime=organization(PRIME, ["fabrikam-dev", "fabrikam-test", "fabrikam-perf"], open_access=False),
            access={"roles": [{"organization": PRIME, "administrators": [ANN, BOB], "exclusive": True}, *ROLES[1:]]},
        )
    )
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="eve", role="Administrator")

    result = world.settle()[POOL]

    assert rules(result.plan) == []
    assert world.truth.administrators(PRIME, POOL) == {"operator", "ann", "bob"}
