"""What a spec leaves out is what ARM has in this run, on both planes; a creation has to name its projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.engine import Outcome
from tests.scenarios.drafts import POOL, PRIME, RELEASE, TAILSPIN, estate, managed, organization
from tests.scenarios.world import OVERDUE, World, gaps, ids, rules

LISTED = ["fabrikam-dev", "fabrikam-test"]
SHARED = "shared-linux"


def silent(name: str, *, open_access: bool | None = None, without: tuple[str, ...] = ("projects",)) -> dict[str, Any]:
    """An organization that the spec names without some of its fields."""
    return {key: value for key, value in organization(name, open_access=open_access).items() if key not in without}


def aliased(world: World, *, profile: bool = False) -> None:
    """Terraform or the portal gave the agent pools another name than the pool's."""
    found = estate()
    (resource,) = [one for one in found["subscriptions"][0]["pools"] if one["name"] == POOL]
    holders = resource["properties"]["organizationProfile"]
    for one in [holders] if profile else holders["organizations"]:
        one["alias"] = SHARED
    for one in found["organizations"]:
        for pool in one["agentPools"]:
            if pool["name"] == POOL:
                pool["name"] = SHARED
    world.do.replace(found)


def test_absent_projects_are_those_of_arm_and_not_all(world: World) -> None:
    """The gravest case: a spec with openAccess and without projects must not open what ARM does not list."""
    world.spec(managed(prime=silent(PRIME, open_access=True)))

    world.settle()

    assert world.truth.opened(PRIME, POOL) == dict.fromkeys(LISTED, True)
    assert "Pools_CreateOrUpdate" not in world.routes()
    assert "queues.add" not in world.routes()


def test_an_empty_list_is_all_projects(world: World) -> None:
    """`projects: []` is another thing: it is compared with ARM, and reaches every project."""
    world.spec(managed(prime=organization(PRIME, [], open_access=True)))

    world.settle()

    everywhere = [*LISTED, "fabrikam-perf", "fabrikam-release"]
    assert world.truth.opened(PRIME, POOL) == dict.fromkeys(everywhere, True)
    assert "Pools_CreateOrUpdate" in world.routes()


def test_arm_lists_another_project_and_the_silent_spec_follows(world: World) -> None:
    """A person adds a project in the portal: where the spec leaves the list to ARM, that is no drift of ARM."""
    world.spec(managed(prime=silent(PRIME, open_access=False)))
    world.settle()
    found = world.do.state()
    for resource in found["subscriptions"][0]["pools"]:
        if resource["name"] == POOL:
            own = resource["properties"]["organizationProfile"]["organizations"][1]
            own["projects"] = [*LISTED, "fabrikam-perf"]
    world.do.replace(found)

    world.settle()

    assert world.truth.opened(PRIME, POOL) == dict.fromkeys([*LISTED, "fabrikam-perf"], False)


@pytest.mark.parametrize("profile", [False, True])
def test_an_absent_alias_is_that_of_arm_and_not_the_pools_name(world: World, profile: bool) -> None:
    aliased(world, profile=profile)
    world.only(POOL)

    quiet = world.apply()
    assert (quiet.outcome, world.writes()) == (Outcome.IN_SYNC, [])

    world.by_hand("open-access", organization=PRIME, pool=SHARED, project="fabrikam-dev")
    repaired = world.apply()
    assert [change.subject for change in repaired.verified] == ["fabrikam-prime/fabrikam-dev"]
    assert world.truth.opened(PRIME, SHARED)["fabrikam-dev"] is False


def test_the_alias_of_an_organization_counts_before_the_spec_names_the_profiles(world: World) -> None:
    """Each field is left to ARM by itself: the organization's own alias in ARM counts before the profile's."""
    aliased(world)
    document = managed()
    document["pool"]["properties"]["organizationProfile"]["alias"] = "elsewhere"
    world.only_these([document])

    world.settle()

    assert world.truth.agent_pool(PRIME, "elsewhere") is None


@pytest.mark.parametrize("cause", ["403", "500"])
def test_where_arm_cannot_be_read_nothing_is_written_in_azure_devops(world: World, cause: str) -> None:
    world.spec(managed(prime=silent(PRIME, open_access=True)))
    world.only(POOL)
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.do.fault(cause, route="Pools_Get", count=None)

    blind = world.apply()

    assert world.writes() == []
    assert ids(blind.plan) == []
    assert {("open_access", PRIME, "unknown"), ("open_access", TAILSPIN, "unknown")} <= gaps(blind.plan)
    assert blind.outcome is not Outcome.IN_SYNC

    world.do.clear_faults()
    world.later(7200)
    world.settle()
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is True


def test_a_spec_that_names_both_needs_arm_all_the_same(world: World) -> None:
    """Projects and alias in the spec do not say whose the agent pool is: nothing is written while ARM is away."""
    world.spec(
        managed(
            tailspin=organization(TAILSPIN, open_access=True, alias=POOL),
            prime=organization(PRIME, LISTED, open_access=False, alias=POOL),
        )
    )
    world.only(POOL)
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.do.fault("403", route="Pools_Get", count=None)

    blind = world.apply()

    assert blind.verified == ()
    world.do.clear_faults()
    world.settle()
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is True


def test_a_creation_names_its_projects(nothing: World) -> None:
    """Without a list ARM would take all projects: refused, until the spec says which."""
    nothing.spec(managed(prime=silent(PRIME, open_access=False)))
    nothing.only(POOL)

    refused = nothing.apply()

    assert rules(refused.plan) == ["projects-not-named"]
    assert refused.outcome is Outcome.STALLED
    assert refused.plan is not None
    assert "projects: [] where all are meant" in refused.plan.refusals[0].message
    assert nothing.writes() == []

    nothing.spec(managed(prime=organization(PRIME, LISTED, open_access=False)))
    nothing.settle()
    assert nothing.truth.opened(PRIME, POOL) == dict.fromkeys(LISTED, False)


def test_a_creation_without_an_alias_takes_the_pools_name(nothing: World) -> None:
    nothing.only(RELEASE)

    nothing.settle()

    assert nothing.truth.agent_pool(PRIME, RELEASE) is not None


def test_another_organization_names_its_projects_too(world: World) -> None:
    """An update creates an organization as well; the rest of the pool is served meanwhile."""
    only_tailspin = managed()
    organizations = only_tailspin["pool"]["properties"]["organizationProfile"]["organizations"]
    del organizations[1]
    only_tailspin["access"]["roles"] = only_tailspin["access"]["roles"][1:]
    only_tailspin["pool"]["properties"]["maximumConcurrency"] = 2
    found = estate()
    (resource,) = [one for one in found["subscriptions"][0]["pools"] if one["name"] == POOL]
    del resource["properties"]["organizationProfile"]["organizations"][1]
    resource["properties"]["maximumConcurrency"] = 2
    world.do.replace(found)
    world.only_these([managed(prime=silent(PRIME, open_access=True))])
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")

    refused = world.apply()

    assert rules(refused.plan) == ["projects-not-named"]
    assert ("queues", PRIME, "not ready") in gaps(refused.plan)
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is True
    assert "Pools_CreateOrUpdate" not in world.routes()
    world.only_these([only_tailspin])
    world.settle()


def test_a_project_of_arms_list_that_was_renamed_is_recognised_by_its_id(world: World) -> None:
    """Ids are remembered of names that ARM has, as of those that the spec has."""
    world.spec(managed(prime=silent(PRIME, open_access=False)))
    world.only(POOL)
    world.settle()
    world.by_hand("rename-project", organization=PRIME, project="fabrikam-dev", to="fabrikam-next")
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-next")

    followed = world.apply()

    assert [change.subject for change in followed.verified] == ["fabrikam-prime/fabrikam-dev"]
    assert world.truth.opened(PRIME, POOL)["fabrikam-next"] is False
    assert followed.plan is not None
    assert any("is called fabrikam-next now" in gap.message for gap in followed.plan.gaps)
    world.spec(managed(prime=organization(PRIME, ["fabrikam-next", "fabrikam-test"], open_access=False)))
    world.settle()


def test_a_renamed_agent_pool_is_recognised_where_the_alias_is_arms(world: World) -> None:
    aliased(world)
    world.only(POOL)
    world.settle()
    found = world.do.state()
    for one in found["organizations"]:
        for pool in one["agentPools"]:
            if pool["name"] == SHARED:
                pool["name"] = "renamed-linux"
    world.do.replace(found)

    followed = world.apply()

    assert followed.plan is not None
    assert any("is called renamed-linux now" in gap.message for gap in followed.plan.gaps)
    assert world.writes() == []
    aliased(world)


def test_absent_access_in_the_spec_is_not_managed_on_either_plane(world: World) -> None:
    """Without openAccess the switches stay as they are, opened or closed."""
    world.spec(managed(tailspin=silent(TAILSPIN)))
    before: Mapping[str, bool] = world.truth.opened(TAILSPIN, POOL)
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")

    result = world.apply()

    assert (result.outcome, world.writes()) == (Outcome.IN_SYNC, [])
    assert world.truth.opened(TAILSPIN, POOL) == {**before, "Web": False}


@pytest.mark.parametrize("names_pool", [True, False])
def test_whether_an_alias_becomes_the_agent_pools_name_is_not_assumed(nothing: World, names_pool: bool) -> None:
    """Unknown of Azure. Where it does not, no agent pool has ARM's alias: a gap, and no other agent pool is touched."""
    nothing.switch(arm__alias_names_pool=names_pool)
    one = organization(PRIME, LISTED, open_access=False, alias=SHARED)
    document = managed(tailspin=one)
    organizations = document["pool"]["properties"]["organizationProfile"]["organizations"]
    del organizations[1]
    document["pool"]["properties"]["maximumConcurrency"] = 2
    document["access"]["roles"] = document["access"]["roles"][:1]
    nothing.only_these([document])
    nothing.settle()
    del organizations[0]["alias"]
    nothing.only_these([document])
    nothing.do.reset_log()

    result = nothing.settle(OVERDUE)[POOL]

    assert nothing.writes() == []
    if names_pool:
        assert result.outcome is Outcome.IN_SYNC
    else:
        assert ("queues", PRIME, "not ready") in gaps(result.plan)
        nothing.never_in_sync(POOL, Outcome.STALLED, because="no agent pool has the alias that ARM has")
