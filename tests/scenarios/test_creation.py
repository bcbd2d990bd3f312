"""From nothing: ARM makes the pool and part of the other plane, once; the operator makes the rest, and proves it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine import Outcome
from tests.scenarios.drafts import BOB, POOL, PRIME, RELEASE, TAILSPIN, managed, organization
from tests.scenarios.world import World, rules

OPENS = {"Web": True, "Mobile": True, "Data": True}
CLOSED = {"fabrikam-dev": False, "fabrikam-test": False}


def both_planes_hold(world: World) -> None:
    """What the managed pool's spec asks for, spelt out."""
    assert world.truth.opened(TAILSPIN, POOL) == OPENS
    assert world.truth.opened(PRIME, POOL) == CLOSED
    assert "ann" in world.truth.administrators(PRIME, POOL) & world.truth.administrators(TAILSPIN, POOL)
    assert world.truth.inherits(PRIME, POOL) is False


@pytest.mark.parametrize("creator", ["inheritance-off", "inheritance-on", "administrator"])
@pytest.mark.parametrize("queues", ["made", "none"])
def test_a_pool_is_created_with_queues_access_and_roles(nothing: World, queues: str, creator: str) -> None:
    """Whether ARM makes the queues, and whatever it makes of a service principal that creates: the end is the same."""
    nothing.switch(devops__queues_at_creation=queues, devops__service_principal_creator=creator)

    nothing.settle()

    both_planes_hold(nothing)
    assert nothing.truth.inherits(PRIME, RELEASE) is True
    assert ("queues.add" in nothing.routes()) is (queues == "none")
    assert nothing.routes().count("Pools_CreateOrUpdate") == 2


def test_a_long_creation_is_looked_at_and_not_waited_for(nothing: World) -> None:
    """Creations take minutes: each run asks once, says what it waits for, and ends."""
    nothing.switch(arm__create_seconds=600)
    nothing.only(POOL)

    first = nothing.apply()
    looks = [nothing.apply() for _ in range(3)]

    assert first.pending is not None
    assert [look.outcome for look in (first, *looks)] == [Outcome.PROGRESSING] * 4
    assert nothing.routes() == ["Pools_CreateOrUpdate"]
    nothing.do.settle()
    nothing.settle()
    both_planes_hold(nothing)


def test_a_new_process_goes_on_with_the_operation_of_the_old_one(nothing: World) -> None:
    """The operation's URL is in the state file: a restart does not begin a second creation."""
    nothing.switch(arm__create_seconds=600)
    nothing.only(POOL)
    nothing.apply()
    nothing.restart()

    assert nothing.apply().outcome is Outcome.PROGRESSING
    assert nothing.routes() == ["Pools_CreateOrUpdate"]
    nothing.do.settle()
    nothing.settle()


@pytest.mark.parametrize("leftover", ["removed", "kept"])
def test_a_failed_creation_is_told_and_begun_again_once_the_cause_is_gone(nothing: World, leftover: str) -> None:
    """The pool of a failed creation vanishes again, or stays as Failed: in both cases the next one starts afresh."""
    nothing.switch(arm__failed_create=leftover)
    nothing.only(POOL)
    nothing.by_hand("hide-project", organization=PRIME, project="fabrikam-dev")
    nothing.apply()
    nothing.do.settle()

    told = nothing.apply()

    assert told.outcome in {Outcome.STALLED, Outcome.FAILED}
    assert any("Could not find or create agent pool" in str(failure.error) for failure in told.failures)
    assert nothing.routes() == ["Pools_CreateOrUpdate"]
    nothing.by_hand("show-project", organization=PRIME, project="fabrikam-dev")
    nothing.settle()
    both_planes_hold(nothing)


@pytest.mark.parametrize("delay", [0, 120])
def test_agent_pools_that_appear_late_are_waited_for(nothing: World, delay: float) -> None:
    """ARM says Succeeded before Azure DevOps shows the pool: no second one may be made meanwhile."""
    nothing.switch(devops__pool_delay=delay)

    nothing.settle()

    both_planes_hold(nothing)
    assert [pool["name"] for pool in nothing.truth.organization(TAILSPIN)["agentPools"]] == [POOL]


def test_queues_that_a_template_left_out_are_waited_for_once(nothing: World) -> None:
    """The service gets one chance to make them; then they are ours, by the pool's id and never by its name alone."""
    nothing.switch(devops__queues_at_creation="none")
    nothing.only(POOL)
    nothing.apply()
    nothing.do.settle()
    nothing.do.reset_log()

    noted = nothing.apply()
    assert "queues.add" not in nothing.routes()
    nothing.later(noted.next_look or 0)
    nothing.apply()

    made = [entry["body"] for entry in nothing.writes() if entry["route"] == "queues.add"]
    assert len(made) == 5
    assert all(body["pool"]["id"] for body in made)
    nothing.settle()


def test_a_project_that_is_excepted_is_never_open_not_even_at_birth(nothing: World) -> None:
    """Creation knows one flag for an organization: where a project is to stay closed, all are made closed first."""
    exception = {"project": "fabrikam-tailspin/Data", "allow": False, "reason": "payroll"}
    nothing.spec(managed(access={"openAccess": [exception]}))
    nothing.only(POOL)

    nothing.apply()
    nothing.do.settle()
    at_birth = nothing.truth.opened(TAILSPIN, POOL)
    nothing.settle()

    assert at_birth == dict.fromkeys(OPENS, False)
    assert nothing.truth.opened(TAILSPIN, POOL) == {**OPENS, "Data": False}


@pytest.mark.parametrize("inheritance", ["on", "off"])
def test_accounts_of_the_permission_profile_are_administrators_whoever_made_them(
    nothing: World, inheritance: str
) -> None:
    """SpecificAccounts is sent at creation and kept true afterwards, whatever it means for inheritance."""
    nothing.switch(devops__specific_accounts_inheritance=inheritance)
    document: dict[str, Any] = managed()
    del document["access"]
    document["pool"]["properties"]["organizationProfile"]["permissionProfile"] = {
        "kind": "SpecificAccounts",
        "users": [BOB],
    }
    nothing.spec(document)

    nothing.settle()
    nothing.by_hand("remove-role", organization=PRIME, pool=POOL, who="bob")
    nothing.settle()

    assert "bob" in nothing.truth.administrators(PRIME, POOL) & nothing.truth.administrators(TAILSPIN, POOL)


def test_an_alias_is_the_name_of_the_new_agent_pool(nothing: World) -> None:
    """The other plane knows the pool by its alias, and so do all writes."""
    nothing.spec(managed(tailspin=organization(TAILSPIN, open_access=True, alias="shop")))

    nothing.settle()

    assert nothing.truth.opened(TAILSPIN, "shop") == OPENS
    assert nothing.truth.agent_pool(TAILSPIN, POOL) is None


def test_a_body_that_arm_refuses_is_told_in_its_own_words_and_not_sent_for_ever(nothing: World) -> None:
    """An administrator has to change the spec; until then a look costs at most the one refused request of a resync."""
    nothing.switch(arm__unknown_sku="refused")
    document = managed()
    document["pool"]["properties"]["fabricProfile"]["sku"]["name"] = "Standard_Nonsense"
    nothing.spec(document)
    nothing.only(POOL)

    told = nothing.apply()

    assert rules(told.plan) == []
    assert told.outcome is Outcome.STALLED
    assert "Standard_Nonsense" in str(told.failures[0].error)
    nothing.spec(managed())
    nothing.settle()
    both_planes_hold(nothing)
