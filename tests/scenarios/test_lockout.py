r"""No one is locked out by any run: the operator by its own right, by a group, or as an identity elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine import Outcome
from reconciler.ports.devops import Identity
from reconciler.survey.operators import OperatorNames
from tests.scenarios.drafts import ANN, BOB, EVE, POOL, PRIME, ROBOT, ZOE, estate, managed
from tests.scenarios.world import OVERDUE, World, gaps, ids, rules

Json = Any
OPERATORS, EMPTY, NESTED = f"[{PRIME}]\\Operators", f"[{PRIME}]\\Empty", f"[{PRIME}]\\Nested"
LAPTOP = OperatorNames()
"""A run that knows of no deployment: the caller stands in for the operator."""
ROBOT_IS_DEPLOYED = OperatorNames((ROBOT,))
"""The deployed service is the robot; who runs is another identity."""


def prime_roles(*administrators: str, **more: Any) -> Json:
    return {"roles": [{"organization": PRIME, "administrators": list(administrators), **more}]}


def by_group(*assigned: str, inherit: bool = False, above: tuple[str, ...] = ()) -> Json:
    """The operator is no administrator of the organization; its rights are those of the group `Operators`."""
    found = estate()
    prime = next(one for one in found["organizations"] if one["name"] == PRIME)
    prime["administrators"] = ["dan"]
    prime["identities"].append("robot")
    prime["groups"] += [
        {"name": OPERATORS, "members": ["operator"]},
        {"name": EMPTY, "members": []},
        {"name": NESTED, "members": [EMPTY]},
    ]
    prime["projects"] = [{"name": one, "roles": {"Administrator": ["operator"]}} for one in prime["projects"]]
    if above:
        prime["roles"] = {"Administrator": list(above)}
    pool = next(one for one in prime["agentPools"] if one["name"] == POOL)
    pool.update(roles={"Administrator": list(assigned)}, inherit=inherit)
    return found


def begin(world: World, found: Json, *, operators: OperatorNames = LAPTOP, **access: Any) -> None:
    world.operators = operators
    world.do.replace(found)
    world.spec(managed(access=access))
    world.only(POOL)
    world.do.reset_log()


def test_the_group_through_which_alone_the_caller_administers_stays(world: World) -> None:
    """The plan says so, and no later pass or run does it; others go."""
    begin(world, by_group(OPERATORS, "ann", "eve"), **prime_roles(ANN, exclusive=True, inherit=False))

    planned = world.plan()
    result = world.settle()[POOL]

    assert rules(planned) == ["operator-locked-out"]
    assert "operator-locked-out" in rules(result.plan)
    assert world.truth.administrators(PRIME, POOL) == {OPERATORS, "ann"}
    for _ in range(3):
        world.later(7200)
        world.sweep()
    assert world.truth.administrators(PRIME, POOL) == {OPERATORS, "ann"}
    world.never_in_sync(POOL, Outcome.STALLED, because="the caller would lose the pool")


def test_a_group_around_the_group_of_the_caller_stays_as_well(world: World) -> None:
    outer = f"[{PRIME}]\\Outer"
    found = by_group(outer, "ann", "eve")
    prime = next(one for one in found["organizations"] if one["name"] == PRIME)
    prime["groups"].append({"name": outer, "members": [OPERATORS]})
    begin(world, found, **prime_roles(ANN, exclusive=True, inherit=False))

    result = world.settle()[POOL]

    assert rules(result.plan) == ["operator-locked-out"]
    assert world.truth.administrators(PRIME, POOL) == {outer, "ann"}
    world.never_in_sync(POOL, Outcome.STALLED, because="the caller would lose the pool")


def test_a_recorded_operator_is_kept_beside_the_one_that_a_laptop_names(world: World) -> None:
    """Who is named and who is recorded are both assigned and protected."""

    def recorded(organization: str) -> dict[str, str]:
        found = world.parts.planner.readers.devops.identities(organization, {ROBOT: ""})[ROBOT]
        assert isinstance(found, Identity)
        return {found.id: "Build robot"} if organization == PRIME else {}

    found = by_group("operator", "robot", "eve")
    operators = OperatorNames((ANN,), recorded=recorded)
    begin(world, found, operators=operators, **prime_roles(BOB, exclusive=True, inherit=False))

    result = world.settle()[POOL]

    assert world.truth.administrators(PRIME, POOL) == {"operator", "robot", "ann", "bob"}
    assert rules(result.plan) == ["caller-itself"]
    world.never_in_sync(POOL, Outcome.STALLED, because="the deployed operator removes who ran")


def test_what_was_refused_while_another_was_granted_stays_refused(world: World) -> None:
    """A grant of the same run once made the next pass remove the group: the pool became invisible."""
    begin(world, by_group(OPERATORS), **prime_roles(ANN, exclusive=True, inherit=False))

    world.settle()

    assert world.truth.administrators(PRIME, POOL) == {OPERATORS, "ann"}
    world.never_in_sync(POOL, Outcome.STALLED, because="the caller would lose the pool")


def test_a_deployed_operator_is_assigned_before_its_group_is_removed(world: World) -> None:
    begin(
        world,
        by_group(OPERATORS, "ann"),
        operators=OperatorNames(deployed=True),
        **prime_roles(ANN, exclusive=True, inherit=False),
    )

    planned = world.plan()
    world.settle()

    assert [(change.action.value, change.awaits) for change in planned.changes] == [
        ("create", ""),
        ("remove", "grants are verified"),
    ]
    assert planned.refusals == ()
    assert world.truth.administrators(PRIME, POOL) == {"operator", "ann"}


def test_a_run_from_elsewhere_keeps_the_deployed_identity_and_gives_itself_nothing(world: World) -> None:
    """An exclusive plan from a laptop once removed the deployed identity's own assignment."""
    found = by_group("operator", "robot", "eve")
    begin(world, found, operators=ROBOT_IS_DEPLOYED, **prime_roles(ANN, exclusive=True, inherit=False))

    result = world.settle()[POOL]

    assert world.truth.administrators(PRIME, POOL) == {"operator", "robot", "ann"}
    assert rules(result.plan) == ["caller-itself"]
    world.never_in_sync(POOL, Outcome.STALLED, because="the deployed operator removes who ran")


def test_inheritance_goes_off_from_a_laptop_only_once_the_deployed_identity_is_assigned(world: World) -> None:
    """It once made the person who ran the operator, and the deployed identity lost the pool for ever."""
    found = by_group("ann", inherit=True, above=("operator", "robot"))
    begin(world, found, operators=ROBOT_IS_DEPLOYED, **prime_roles(ANN, inherit=False))

    world.settle(OVERDUE)

    assert world.truth.inherits(PRIME, POOL) is False
    assert world.truth.administrators(PRIME, POOL) == {"robot", "ann"}
    world.never_in_sync(POOL, Outcome.STALLED, because="the right of who ran was inherited, and the spec ends that")


def test_a_caller_who_stands_in_is_not_made_administrator_for_it(world: World) -> None:
    begin(world, by_group("ann", inherit=True, above=("operator",)), **prime_roles(ANN, inherit=False))

    result = world.settle()[POOL]

    assert result.plan is not None
    assert rules(result.plan) == ["operator-itself"]
    assert "RECONCILER_OPERATORS" in result.plan.refusals[0].message
    assert world.truth.inherits(PRIME, POOL) is True
    assert world.truth.administrators(PRIME, POOL) == {"ann"}
    assert world.writes() == []
    world.never_in_sync(POOL, Outcome.STALLED, because="no operator is named")


def test_an_operator_whom_the_organization_does_not_know_blocks_what_takes_away(world: World) -> None:
    unknown = OperatorNames(("99999999-0000-4000-8000-000000000009",))
    found = by_group("operator", "ann", "eve", inherit=True)
    begin(world, found, operators=unknown, **prime_roles(ANN, BOB, exclusive=True, inherit=False))

    result = world.settle()[POOL]

    assert set(rules(result.plan)) <= {"operator-unknown", "caller-itself"}
    assert "operator-unknown" in rules(result.plan)
    assert world.truth.administrators(PRIME, POOL) == {"operator", "ann", "eve", "bob"}, "grants go on"
    assert world.truth.inherits(PRIME, POOL) is True
    world.never_in_sync(POOL, Outcome.STALLED, because="the operator is not known")


@pytest.mark.parametrize("group", [EMPTY, NESTED])
def test_a_group_without_members_is_no_administrator(world: World, group: str) -> None:
    """Also where it holds nothing but another empty group."""
    found = by_group(group, "eve", inherit=True, above=("operator",))
    begin(world, found, **prime_roles(group, exclusive=True))

    result = world.settle()[POOL]

    assert rules(result.plan) == ["last-administrator"]
    assert world.truth.administrators(PRIME, POOL) == {group, "eve"}
    world.by_hand("add-member", organization=PRIME, group=EMPTY, member="carol")
    world.settle()
    assert world.truth.administrators(PRIME, POOL) == {group}


@pytest.mark.parametrize("members", ["listed", "hidden"])
def test_an_entra_group_counts_whether_or_not_its_members_are_listed(world: World, members: str) -> None:
    """An empty list of such a group proves nothing, and an intruder must not profit from that."""
    world.switch(devops__entra_group_members=members)
    found = by_group("platform-team", "eve", inherit=True, above=("operator",))
    prime = next(one for one in found["organizations"] if one["name"] == PRIME)
    prime["identities"].append({"principal": "platform-team", "members": ["bob"]})
    begin(world, found, **prime_roles("77777777-0000-4000-8000-000000000001", exclusive=True))

    world.settle()

    assert world.truth.administrators(PRIME, POOL) == {"platform-team"}


def test_a_refused_assignment_of_its_own_is_one_finding_and_no_loop(world: World) -> None:
    """The rest stays as it is; the write is not repeated by every run."""
    world.switch(devops__own_pool_role="refused")
    world.by_hand("set-inheritance", organization=PRIME, pool=POOL, on=True)
    world.by_hand("remove-role", organization=PRIME, pool=POOL, who="operator")
    world.only(POOL)
    world.do.reset_log()

    first = world.apply()
    again = [world.apply() for _ in range(4)]

    assert [type(failure.error).__name__ for failure in first.failures] == ["Forbidden"]
    assert rules(first.plan) == []
    assert [one.change.awaits for one in first.failures if one.change] == [""]
    assert all([f.error.reason for f in one.failures] == ["Forbidden"] for one in again)
    assert {one.status.conditions for one in [first, *again]} == {first.status.conditions}
    assert world.routes() == ["roleassignments.set"]
    assert world.truth.inherits(PRIME, POOL) is True
    world.never_in_sync(
        POOL, Outcome.STALLED, because="an administrator has to assign it", tries=["roleassignments.set"]
    )


def test_a_gap_in_the_roles_keeps_inheritance_on(world: World) -> None:
    """A wanted administrator who inherits would lose access while it is not known whom the spec means."""
    found = by_group("operator", inherit=True, above=("ann",))
    begin(world, found, operators=OperatorNames(deployed=True), **prime_roles(ANN, EVE, inherit=False))
    world.do.fault("403", route="identities.read", count=None)

    result = world.apply()

    assert result.plan is not None
    assert any(facet == "roles" for facet, _, _ in gaps(result.plan))
    assert [(change.kind, change.awaits) for change in result.plan.changes] == [
        ("inheritance", "the roles to grant there are read")
    ]
    assert world.truth.inherits(PRIME, POOL) is True
    world.do.clear_faults()
    world.settle()
    assert world.truth.inherits(PRIME, POOL) is False
    assert {"ann", "eve"} <= world.truth.administrators(PRIME, POOL)


def test_a_member_who_is_plainly_unknown_keeps_inheritance_on_and_no_intruder_in(world: World) -> None:
    found = by_group("operator", "ann", "eve", inherit=True)
    begin(
        world,
        found,
        operators=OperatorNames(deployed=True),
        **prime_roles(ANN, ZOE, exclusive=True, inherit=False),
    )

    result = world.settle()[POOL]

    assert rules(result.plan) == ["policy-materialise", "unknown-member"]
    assert world.truth.administrators(PRIME, POOL) == {"operator", "ann"}
    assert world.truth.inherits(PRIME, POOL) is True
    world.never_in_sync(POOL, Outcome.STALLED, because="Zoe is unknown")


def test_open_access_that_fails_does_not_keep_a_role_on_its_queue(world: World) -> None:
    """It blocks itself and its pipelines; the intruder's role goes."""
    roles = {"project": f"{PRIME}/fabrikam-dev", "exclusive": True, "administrators": [ANN], "users": []}
    open_dev = {"project": f"{PRIME}/fabrikam-dev", "allow": True, "reason": "load test"}
    world.by_hand("set-role", organization=PRIME, pool=POOL, project="fabrikam-dev", who="ann", role="Administrator")
    world.by_hand("set-role", organization=PRIME, pool=POOL, project="fabrikam-dev", who="eve", role="Administrator")
    world.spec(managed(access={"queueRoles": [roles], "openAccess": [open_dev]}))
    world.only(POOL)
    world.do.fault("403", route="pipelinepermissions.update", count=None)

    result = world.apply()

    assert ids(result.plan) == [f"open_access:open access:{PRIME}/fabrikam-dev"]
    assert queue_administrators(world) == {"ann"}
    world.do.clear_faults()
    world.settle()


def test_a_queue_role_that_fails_keeps_the_other_roles_of_its_queue(world: World) -> None:
    """And only there: the queue of the next project is reconciled."""
    roles = [
        {"project": f"{PRIME}/{name}", "exclusive": True, "administrators": [ANN]}
        for name in ("fabrikam-dev", "fabrikam-test")
    ]
    for name in ("fabrikam-dev", "fabrikam-test"):
        world.by_hand("set-role", organization=PRIME, pool=POOL, project=name, who="eve", role="Administrator")
    world.by_hand("set-role", organization=PRIME, pool=POOL, project="fabrikam-test", who="ann", role="Administrator")
    world.spec(managed(access={"queueRoles": roles}))
    world.only(POOL)
    world.do.fault("403", route="roleassignments.set", count=None)

    world.apply()

    assert queue_administrators(world, "fabrikam-dev") == {"eve"}
    assert queue_administrators(world, "fabrikam-test") == {"ann"}
    world.do.clear_faults()
    world.settle()
    assert queue_administrators(world, "fabrikam-dev") == {"ann"}


@pytest.mark.parametrize("deployed", [True, False])
def test_a_group_that_lets_the_operator_into_a_queue_goes_only_after_its_own_role(world: World, deployed: bool) -> None:
    found = by_group("operator", "ann")
    prime = next(one for one in found["organizations"] if one["name"] == PRIME)
    prime["projects"] = [one["name"] for one in prime["projects"]]
    pool = next(one for one in prime["agentPools"] if one["name"] == POOL)
    for queue in pool["queues"]:
        queue["roles"] = {"Administrator": [OPERATORS, "ann"]}
    roles = {"project": f"{PRIME}/fabrikam-dev", "exclusive": True, "administrators": [ANN]}
    begin(
        world,
        found,
        operators=OperatorNames(deployed=deployed),
        queueRoles=[roles],
        **prime_roles(ANN, exclusive=True, inherit=False),
    )

    result = world.settle()[POOL]

    if deployed:
        assert queue_administrators(world) == {"operator", "ann"}
    else:
        assert rules(result.plan) == ["operator-locked-out"]
        assert queue_administrators(world) == {OPERATORS, "ann"}
        world.never_in_sync(POOL, Outcome.STALLED, because="the caller would lose the queue")


def queue_administrators(world: World, project: str = "fabrikam-dev") -> set[str]:
    pool = world.truth.agent_pool(PRIME, POOL)
    queue = next(one for one in pool["queues"] if one["project"] == project)
    return set((queue.get("roles") or {}).get("Administrator", ()))


def test_a_group_goes_only_with_another_way_in_that_stays_when_inheritance_goes_off(world: World) -> None:
    """Each guard once counted what the other took away: the caller administered by a group and by inheritance."""
    found = by_group(OPERATORS, "ann", "eve", inherit=True, above=("operator",))
    begin(world, found, **prime_roles(ANN, exclusive=True, inherit=False))

    result = world.settle()[POOL]

    assert rules(result.plan) == ["operator-locked-out"]
    assert world.truth.administrators(PRIME, POOL) == {OPERATORS, "ann"}
    assert world.truth.inherits(PRIME, POOL) is False
    world.never_in_sync(POOL, Outcome.STALLED, because="the caller would lose the pool")
