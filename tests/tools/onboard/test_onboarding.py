"""`onboard` over HTTP: what is missing is planned, granted, read back, and nothing else is touched."""

from __future__ import annotations

import json

import jsonschema
import pytest

from emulator import Running
from tests.shell import ROOT, Shell
from tests.tools.onboard.fabrikam import ROBOT, estate
from tests.tools.onboard.kit import (
    DEV,
    EVERYTHING,
    LEVEL,
    POOLS,
    TEST,
    added,
    as_robot,
    gaps,
    granted,
    may,
    plan,
    planned,
    remarks,
    run,
    writes,
)


def test_the_story_of_an_operator_that_is_onboarded(root: Shell, world: Running) -> None:
    """Planned without a write, granted in the order of harm, visible to the operator itself, and then in sync."""
    before = world.do.state()

    dry = run(root)
    assert dry.code == 2, dry.err
    assert planned(dry) == list(EVERYTHING)
    assert (writes(world), world.do.state()) == (0, before)

    applied = run(root, "--apply")
    assert applied.code == 0, applied.out + applied.err
    assert granted(applied) == list(EVERYTHING)
    assert plan(applied)["inSync"]
    assert writes(world) == 6
    assert {one["name"] for one in as_robot(world, "/_apis/projects")} == {"dev", "test"}
    dev = next(one["id"] for one in before["organizations"][0]["projects"] if one["name"] == "dev")
    assert may(world, "AgentPools", 8)
    assert may(world, f"AgentQueues/{dev}", 8)

    again = run(root, "--apply")
    assert again.code == 0
    assert granted(again) == []
    assert writes(world) == 6


def test_a_plan_shows_each_grant_with_its_reason(root: Shell) -> None:
    lines = root.run("onboard", "prime", "--identity", ROBOT, "--project", "dev").out.splitlines()

    (line,) = [" ".join(line.split()) for line in lines if "role on all agent pools" in line]
    assert line == (
        "+ role on all agent pools prime none → Reader "
        "Azure DevOps, grants access, an agent pool without the View right appears as missing"
    )
    assert lines[-2] == "  4 changes: 4 granting access; 1 remark"
    assert not any("prime/test" in line for line in lines)


def test_a_plan_has_the_documented_form(root: Shell) -> None:
    """The same as that of a pool."""
    schema = json.loads((ROOT / "docs" / "plan.schema.json").read_text())

    jsonschema.Draft202012Validator(schema).validate(run(root, organizations=("prime", "second")).document)


def test_a_plan_is_granted_by_its_hash_or_not_at_all(root: Shell, world: Running) -> None:
    approved = plan(run(root))["hash"]

    other = run(root, "--apply", "--plan-hash", approved, mode="report")
    assert other.code == 1
    assert writes(world) == 0

    same = run(root, "--apply", "--plan-hash", approved)
    assert same.code == 0
    assert granted(same) == list(EVERYTHING)


def test_a_hash_is_of_one_organization_and_for_apply(root: Shell, world: Running) -> None:
    two = run(root, "--apply", "--plan-hash", "0f3a" * 16, organizations=("prime", "second"))
    dry = run(root, "--plan-hash", "0f3a" * 16)

    assert (two.code, dry.code) == (1, 1)
    assert "a plan is of one organization" in two.err
    assert world.do.requests() == []


def test_report_requires_less_than_enforce(root: Shell, world: Running) -> None:
    assert run(root, "--apply", mode="report").code == 0

    assert may(world, "AgentPools", 1)
    assert not may(world, "AgentPools", 8)
    roles = world.do.state()["organizations"][0]["projects"][0]["roles"]
    assert roles == {"Reader": ["robot"]}


def test_a_role_that_is_too_weak_is_replaced_by_the_one_that_is_required(root: Shell, world: Running) -> None:
    run(root, "--apply", mode="report")

    dry = run(root, "--project", "dev")

    assert [(one["before"], one["after"]) for one in plan(dry)["changes"]] == [("Reader", "Administrator")] * 2


def test_what_is_more_than_required_is_reported_and_left(root: Shell, world: Running) -> None:
    run(root, "--apply")
    before = world.do.state()

    said = run(root, "--apply", mode="report")

    assert said.code == 0
    message = "the identity is Administrator on all agent pools of prime, more than mode report requires"
    assert message in remarks(said)
    assert world.do.state() == before


def test_nobody_elses_roles_are_touched(root: Shell, world: Running) -> None:
    run(root, "--apply")

    prime = world.do.state()["organizations"][0]
    assert prime["roles"] == {"Administrator": ["other", "robot"], "Reader": ["ann", "bob"]}
    members = {one["name"]: one["members"] for one in prime["groups"]}
    assert members["[dev]\\Project Administrators"] == ["ann"]
    assert members["[dev]\\Readers"] == ["robot"]


@pytest.mark.parametrize(
    ("level", "after", "written"),
    [
        ("stakeholder", "express", 1),
        ("advanced", "advanced", 0),
        ("earlyAdopter", "earlyAdopter", 0),
        ("none", "express", 1),
    ],
)
def test_an_access_level_is_raised_and_never_lowered(
    root: Shell, world: Running, level: str, after: str, written: int
) -> None:
    run(root, "--apply")
    state = world.do.state()
    robot = next(one for one in state["organizations"][0]["identities"] if one["principal"] == "robot")
    robot["license"] = level
    world.do.replace(state)
    world.do.reset_log()

    assert run(root, "--apply").code == 0
    found = next(one for one in world.do.state()["organizations"][0]["identities"] if one["principal"] == "robot")
    assert (found["license"], writes(world)) == (after, written)


@pytest.mark.parametrize("setting", ["as-requested", "early-adopter"])
@pytest.mark.parametrize("stranger", ["not-found", "null"])
@pytest.mark.parametrize("status", ["pending", "active"])
def test_it_ends_the_same_whatever_is_not_known_of_access_levels(
    root: Shell, world: Running, setting: str, stranger: str, status: str
) -> None:
    for name, value in (("license", setting), ("of-stranger", stranger), ("status", status), ("of-member", "refused")):
        world.do.switch(f"devops.entitlement-{name}", value)

    assert run(root, "--apply").code == 0
    assert run(root).code == 0


def test_an_identity_that_is_known_without_a_level_gets_one(root: Shell, world: Running) -> None:
    added(world, "")

    said = run(root, "--apply")

    assert said.code == 0
    assert granted(said)[0] == LEVEL


def test_a_level_that_the_program_does_not_know_is_unknown_and_left(root: Shell, world: Running) -> None:
    added(world, "galactic")

    said = run(root, "--apply")

    assert said.code == 1
    assert gaps(said) == {LEVEL: "unknown"}
    assert len(granted(said)) == 5


def test_an_identity_that_is_disabled_is_enabled_by_hand_first(root: Shell, world: Running) -> None:
    added(world)
    world.do.switch("devops.entitlement-status", "disabled")

    said = run(root, "--apply")

    assert said.code == 2
    assert gaps(said) == {LEVEL: "degraded"}
    assert len(plan(said)["refusals"]) == 5
    assert writes(world) == 0


@pytest.mark.parametrize("search", ["found", "unknown"])
def test_the_plan_names_the_identity_where_the_directory_finds_it(root: Shell, world: Running, search: str) -> None:
    """The caller sees who gets the rights; an id that the search does not find proves nothing."""
    world.do.switch("devops.picker-by-id", search)

    (remark,) = remarks(run(root))

    assert ("the identity is Robot" in remark) == (search == "found")
    assert ("az ad sp show" in remark) == (search == "unknown")


def test_a_role_through_a_group_of_a_group_is_enough(root: Shell, world: Running) -> None:
    world.do.replace(
        estate(
            identities=["root", "robot"],
            roles={"Administrator": ["[prime]\\Operators"]},
            groups=[
                {"name": "[prime]\\Operators", "members": ["[prime]\\Robots"]},
                {"name": "[prime]\\Robots", "members": ["robot"]},
                {"name": "[dev]\\Contributors", "members": ["[prime]\\Robots"]},
            ],
        )
    )

    said = run(root, "--project", "dev", "--apply")

    assert said.code == 0
    assert granted(said) == [("queue_role", "prime/dev")]  # no group holds it
    assert writes(world) == 1


def test_what_comes_with_a_membership_is_not_granted_twice(root: Shell, world: Running) -> None:
    """By default every member of a project, and of an organization, reads its agent pools."""
    inside, everybody = "[dev]\\Project Valid Users", "[prime]\\Project Collection Valid Users"
    groups = [{"name": inside, "members": ["[dev]\\Readers"]}, {"name": everybody}]
    world.do.replace(estate(groups=groups, roles={"Reader": [everybody]}, projects=[{"name": "dev"}]))
    world.do.edit("set-role", organization="prime", project="dev", who=inside, role="Reader")

    dry = run(root, mode="report")
    said = run(root, "--apply", mode="report")

    assert planned(dry) == [LEVEL, DEV]
    assert said.code == 0
    assert writes(world) == 2


def test_an_administrator_of_everything_needs_nothing_and_that_is_reported(root: Shell, world: Running) -> None:
    world.do.replace(estate(identities=["root", "robot"], administrators=["root", "robot"], groups=[], roles={}))

    said = run(root, "--apply")

    assert said.code == 0
    assert writes(world) == 0
    assert any("is in [prime]\\Project Collection Administrators, which is more" in one for one in remarks(said))


def test_a_project_that_is_made_later_is_planned_alone(root: Shell, world: Running) -> None:
    run(root, "--project", "dev", "--apply")

    assert planned(run(root)) == [TEST, ("queue_role", "prime/test")]
    assert POOLS not in planned(run(root))
