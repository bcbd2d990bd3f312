"""Who administers the build machines: granted first, taken last, so that an administrator is always left."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine import Outcome
from tests.scenarios.drafts import (
    ANN,
    BOB,
    CAROL,
    EVE,
    PLATFORM,
    POOL,
    PRIME,
    TAILSPIN,
    ZOE,
    estate,
    managed,
    organization,
)
from tests.scenarios.world import OVERDUE, World, gaps, ids, positions, rules

ADMINISTRATORS = {"operator", "ann"}


def prime_roles(*administrators: str, **more: Any) -> dict[str, Any]:
    """What the spec says of the agent pool in one organization."""
    return {"roles": [{"organization": PRIME, "administrators": list(administrators), **more}]}


def body_of(entry: dict[str, Any]) -> str:
    """What a write asks for, as far as its order matters."""
    if entry["route"] == "roleassignments.set":
        return "grant"
    if entry["route"] == "pipelinepermissions.update":
        return "open" if entry["body"]["allPipelines"]["authorized"] else "close"
    return "switch" if "inheritpermissions" in entry["query"] else "revoke"


def test_an_administrator_added_by_hand_is_removed(world: World) -> None:
    """The list of prime is exclusive: an identity on no list loses the role, and the plan names it."""
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="eve", role="Administrator")

    result = world.apply()

    assert ids(result.planned) == ["roles:administrator:fabrikam-prime eve@fabrikam.com"]
    assert world.truth.administrators(PRIME, POOL) == ADMINISTRATORS


def test_an_administrator_added_by_hand_stays_where_the_list_is_not_exclusive(world: World) -> None:
    """Without `exclusive` the spec adds and never takes."""
    world.by_hand("set-role", organization=TAILSPIN, pool=POOL, who="bob", role="Administrator")

    assert world.apply().outcome is Outcome.IN_SYNC
    assert "bob" in world.truth.administrators(TAILSPIN, POOL)


def test_an_administrator_removed_by_hand_is_made_one_again(world: World) -> None:
    """In both organizations, each with its own local id of the same person."""
    for name in (PRIME, TAILSPIN):
        world.by_hand("remove-role", organization=name, pool=POOL, who="ann")

    world.apply()

    assert world.truth.administrators(PRIME, POOL) == ADMINISTRATORS
    assert world.truth.administrators(TAILSPIN, POOL) == ADMINISTRATORS


def test_somebody_with_a_lower_role_is_raised(world: World) -> None:
    """Being on the page is not enough: the role counts."""
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="ann", role="Reader")

    world.apply()

    assert world.truth.administrators(PRIME, POOL) == ADMINISTRATORS


def test_readers_are_nobodys_business(world: World) -> None:
    """Only administrators were ever listed; other roles stay also where the list is exclusive."""
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="eve", role="Reader")

    assert world.apply().outcome is Outcome.IN_SYNC
    assert world.truth.agent_pool(PRIME, POOL)["roles"]["Reader"] == ["eve"]


def test_a_handover_grants_before_it_revokes(world: World) -> None:
    """One administrator leaves and another comes: at no moment is there neither."""
    world.spec(managed(access=prime_roles(BOB, exclusive=True, inherit=False)))

    world.settle()

    assert [body_of(entry) for entry in world.writes()] == ["grant", "revoke"]
    assert world.truth.administrators(PRIME, POOL) == {"operator", "bob"}


def test_narrowing_is_the_last_thing_a_run_does_in_an_organization(world: World) -> None:
    """A run that dies half-way leaves too many rights, never too few: an administrator is left at every step."""
    world.by_hand("set-inheritance", organization=PRIME, pool=POOL, on=True)
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="eve", role="Administrator")
    exception = {"project": "fabrikam-prime/fabrikam-test", "allow": True, "reason": "load test"}
    access = prime_roles(ANN, BOB, exclusive=True, inherit=False)
    world.spec(managed(access={**access, "openAccess": [exception]}))

    world.settle()

    order = [body_of(entry) for entry in world.writes()]
    last_wide = max(index for index, what in enumerate(order) if what in {"grant", "open"})
    first_narrow = min(index for index, what in enumerate(order) if what in {"revoke", "close", "switch"})
    assert sorted(order) == ["close", "grant", "open", "revoke", "switch"]
    assert last_wide < first_narrow


def test_where_a_grant_fails_nothing_is_taken_away_in_that_organization(world: World) -> None:
    """The new administrator could not be made one; the old one stays until that has worked."""
    world.spec(managed(access=prime_roles(BOB, exclusive=True, inherit=False)))
    world.do.fault("403", route="roleassignments.set", count=None)

    result = world.apply()

    assert result.outcome is Outcome.STALLED
    assert world.truth.administrators(PRIME, POOL) == ADMINISTRATORS
    world.do.clear_faults()
    world.settle()
    assert world.truth.administrators(PRIME, POOL) == {"operator", "bob"}


def test_the_operator_never_removes_itself(world: World) -> None:
    """It is on no list, and an exclusive list would take it out: then the operator could repair nothing any more."""
    world.spec(managed(access=prime_roles(BOB, exclusive=True, inherit=False)))

    world.settle()

    assert "operator" in world.truth.administrators(PRIME, POOL)


def test_the_last_administrator_is_not_removed(world: World) -> None:
    """The only desired one is not known yet, the operator administers by other means: an administrator has to remain."""
    world.by_hand("remove-role", organization=PRIME, pool=POOL, who="operator")
    world.spec(managed(access=prime_roles(ZOE, exclusive=True)))

    result = world.settle()[POOL]

    assert rules(result.plan) == ["last-administrator", "policy-materialise"]
    assert world.truth.administrators(PRIME, POOL) == {"ann"}
    assert world.writes() == []
    world.never_in_sync(POOL, Outcome.STALLED, because="the list would leave nobody, which is refused")


def test_more_removals_than_the_cap_are_refused_whole(world: World) -> None:
    """A spec that lost its list must not empty a pool: beyond three at once a person has to say so."""
    for who in ("bob", "carol", "dan", "eve"):
        world.by_hand("set-role", organization=PRIME, pool=POOL, who=who, role="Administrator")

    result = world.settle()[POOL]

    assert rules(result.plan) != []
    assert len(world.truth.administrators(PRIME, POOL)) == 6
    assert world.writes() == []

    world.policy("maxRoleRemovals: 4\n")
    world.settle()
    assert world.truth.administrators(PRIME, POOL) == ADMINISTRATORS


def test_as_many_removals_as_the_cap_are_done(world: World) -> None:
    """Three are within it."""
    for who in ("bob", "carol", "eve"):
        world.by_hand("set-role", organization=PRIME, pool=POOL, who=who, role="Administrator")

    world.settle()

    assert world.truth.administrators(PRIME, POOL) == ADMINISTRATORS


def test_a_group_of_azure_devops_is_found_by_its_name(world: World) -> None:
    r"""`[scope]\name` is how the web page shows it."""
    world.spec(managed(access=prime_roles(ANN, PLATFORM, exclusive=True, inherit=False)))

    world.settle()

    assert world.truth.administrators(PRIME, POOL) == ADMINISTRATORS | {PLATFORM}


def test_an_unknown_group_of_azure_devops_is_a_gap(world: World) -> None:
    """It cannot become known; an identity in the place of the exclusive list stays until it is."""
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="carol", role="Administrator")
    world.spec(managed(access=prime_roles(f"[{PRIME}]\\Platfrom", exclusive=True, inherit=False)))

    result = world.settle()[POOL]

    assert ("roles", f"{PRIME} [{PRIME}]\\Platfrom", "degraded") in gaps(result.plan)
    assert world.truth.administrators(PRIME, POOL) == ADMINISTRATORS | {"carol"}
    world.never_in_sync(POOL, Outcome.STALLED, because="no group has this name")


@pytest.mark.parametrize("way", ["drops", "copies"])
def test_inheritance_goes_off_and_the_operator_remains(world: World, way: str) -> None:
    """Whether the service copies inherited entries or drops them, the operator is assigned before and stays."""
    world.switch(devops__inheritance_off=way)
    world.by_hand("set-inheritance", organization=PRIME, pool=POOL, on=True)
    world.by_hand("remove-role", organization=PRIME, pool=POOL, who="operator")

    world.settle()

    assert world.truth.inherits(PRIME, POOL) is False
    assert "operator" in world.truth.administrators(PRIME, POOL)
    order = [body_of(entry) for entry in world.writes()]
    assert order.index("grant") < order.index("switch")


def test_inheritance_stays_on_where_the_operator_may_not_assign_itself(world: World) -> None:
    """The service may refuse a caller's own assignment: then a person has to give it; until then no right is removed."""
    world.switch(devops__own_pool_role="refused")
    world.by_hand("set-inheritance", organization=PRIME, pool=POOL, on=True)
    world.by_hand("remove-role", organization=PRIME, pool=POOL, who="operator")

    result = world.settle()[POOL]

    assert result.outcome is Outcome.STALLED
    assert world.truth.inherits(PRIME, POOL) is True

    world.by_hand("set-role", organization=PRIME, pool=POOL, who="operator", role="Administrator")
    world.settle()
    assert world.truth.inherits(PRIME, POOL) is False


def test_inheritance_goes_on_where_it_is_wanted(world: World) -> None:
    """`Inherit` in the permission profile is kept true after creation, which ARM does not do."""
    world.spec(managed(access=prime_roles(ANN, inherit=True)))

    world.settle()

    assert world.truth.inherits(PRIME, POOL) is True


def test_an_inherited_administrator_suffices_while_inheritance_is_on(world: World) -> None:
    """What is true already is not written a second time."""
    found = estate()
    found["organizations"][0]["roles"] = {"Administrator": ["ann"]}
    found["organizations"][0]["agentPools"][0]["roles"] = {"Administrator": ["operator"]}
    world.do.replace(found)

    assert world.apply().outcome is Outcome.IN_SYNC


def test_an_inherited_administrator_is_assigned_before_inheritance_goes_off(world: World) -> None:
    """Otherwise the switch would take the role of an identity that the spec names."""
    found = estate()
    found["organizations"][0]["roles"] = {"Administrator": ["ann"]}
    found["organizations"][0]["agentPools"][0]["roles"] = {}
    world.do.replace(found)
    own = {"organization": TAILSPIN, "administrators": [ANN], "inherit": False}
    world.spec(managed(access={"roles": [own]}))
    world.do.reset_log()

    world.settle()

    assert world.truth.administrators(TAILSPIN, POOL) == ADMINISTRATORS
    routes = world.routes()
    assert max(positions(routes, "roleassignments.set")) < min(positions(routes, "roleassignments.change"))


@pytest.mark.parametrize("kind", ["CreatorOnly", "Inherit", "SpecificAccounts"])
def test_the_permission_profile_of_arm_is_kept_true(world: World, kind: str) -> None:
    """People write what they know from ARM; what ARM does once is done for ever."""
    permission: dict[str, Any] = {"kind": kind}
    if kind == "SpecificAccounts":
        permission["users"] = [BOB]
    document = managed(access={"roles": []})
    document["pool"]["properties"]["organizationProfile"]["permissionProfile"] = permission
    del document["access"]
    world.spec(document)

    world.settle()

    if kind == "SpecificAccounts":
        assert "bob" in world.truth.administrators(TAILSPIN, POOL) & world.truth.administrators(PRIME, POOL)
    else:
        assert world.truth.inherits(PRIME, POOL) is world.truth.inherits(TAILSPIN, POOL) is (kind == "Inherit")
    assert "operator" in world.truth.administrators(TAILSPIN, POOL)


def test_people_have_another_id_in_each_organization(world: World) -> None:
    """A local id of one organization means no identity in the next: the response is 200, and nothing is assigned."""
    both = [{"organization": name, "administrators": [ANN, BOB]} for name in (PRIME, TAILSPIN)]
    world.spec(managed(access={"roles": both}))

    world.settle()

    assert "bob" in world.truth.administrators(PRIME, POOL) & world.truth.administrators(TAILSPIN, POOL)


def test_two_spellings_of_one_person_are_one(world: World) -> None:
    """No identity is granted twice, and none is removed under one name while desired under another."""
    oid = next(one["oid"] for one in world.do.state()["principals"] if one["name"] == "ann")
    world.spec(managed(access=prime_roles(ANN.upper(), oid, exclusive=True, inherit=False)))

    assert world.apply().outcome is Outcome.IN_SYNC


def test_an_operator_without_rights_says_so_and_stays_polite(world: World) -> None:
    """Forbidden is for an administrator to fix: it is reported, not repeated, and the other organization is served."""
    world.by_hand("take-rights", organization=PRIME)
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="eve", role="Administrator")

    results = world.settle(OVERDUE)

    assert world.truth.opened(TAILSPIN, POOL)["Web"] is True
    assert "eve" in world.truth.administrators(PRIME, POOL)
    for name in results:
        because = (
            "without rights the agent pool cannot be told from one that is still to come, and it is overdue by now"
        )
        world.never_in_sync(name, Outcome.STALLED, because=because)


def test_an_organization_that_the_operator_is_no_member_of_stops_only_itself(world: World) -> None:
    """One dead organization never stops the others."""
    world.by_hand("remove-identity", organization=PRIME, principal="operator")
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")

    results = world.settle()

    assert world.truth.opened(TAILSPIN, POOL)["Web"] is True
    assert {(facet, subject) for facet, subject, _ in gaps(results[POOL].plan)} >= {
        ("queues", PRIME),
        ("open_access", PRIME),
        ("roles", PRIME),
    }
    for name in results:
        world.never_in_sync(name, Outcome.STALLED, because="the operator is no member of the organization")


def test_carol_by_her_group_is_not_carol_herself(world: World) -> None:
    """A member of a group that administers is no assigned administrator: the spec names her, so she is assigned."""
    world.by_hand("set-role", organization=PRIME, pool=POOL, who=PLATFORM, role="Administrator")
    world.spec(managed(access=prime_roles(ANN, CAROL, exclusive=True, inherit=False)))

    world.settle()

    assert world.truth.administrators(PRIME, POOL) == ADMINISTRATORS | {"carol"}
    assert EVE not in world.truth.administrators(PRIME, POOL)
    assert organization(PRIME)["projects"] == []
