"""`onboard` over HTTP: what is missing is told, given, seen afterwards, and nothing else is touched."""

from __future__ import annotations

import pytest

from emulator import Running
from tests.shell import Shell
from tests.tools.onboard.fabrikam import ROBOT, estate
from tests.tools.onboard.kit import ALL, EVERYTHING, added, as_robot, details, may, run, standings, writes


def test_the_story_of_an_operator_that_is_let_in(root: Shell, world: Running) -> None:
    """Looked at without a write, given in the order of harm, seen by the operator itself, and then nothing is left."""
    before = world.do.state()

    looked = run(root)
    assert looked.code == 2, looked.err
    assert standings(looked) == dict.fromkeys(EVERYTHING, "missing")
    assert list(standings(looked)) == list(EVERYTHING)
    assert (writes(world), world.do.state()) == (0, before)

    given = run(root, "--apply")
    assert given.code == 0, given.out + given.err
    assert standings(given) == dict.fromkeys(EVERYTHING, "given")
    assert writes(world) == 6
    assert {one["name"] for one in as_robot(world, "/_apis/projects")} == {"dev", "test"}
    dev = next(one["id"] for one in before["organizations"][0]["projects"] if one["name"] == "dev")
    assert may(world, "AgentPools", 8)
    assert may(world, f"AgentQueues/{dev}", 8)

    again = run(root, "--apply")
    assert again.code == 0
    assert standings(again) == dict.fromkeys(EVERYTHING, "held")
    assert writes(world) == 6


def test_every_step_says_what_why_who_and_where_to_click(root: Shell) -> None:
    lines = root.run("onboard", "prime", "--identity", ROBOT, "--project", "dev").out.splitlines()

    at = lines.index("  missing  prime: Reader on all agent pools")
    assert lines[at + 1].strip() == "why      an agent pool without View right is missing from every list"
    assert lines[at + 2].strip() == (
        "who may  administrators of all agent pools of prime, Project Collection Administrators; you may give it"
    )
    assert lines[at + 3].strip() == (
        "by hand  https://dev.azure.com/prime/_settings/agentpools, Security, Add: role Reader"
    )
    assert lines[-1] == "  4 steps: 4 missing"
    assert not any("prime/test" in line for line in lines)


def test_report_needs_less_than_enforce(root: Shell, world: Running) -> None:
    assert run(root, "--apply", mode="report").code == 0

    assert may(world, "AgentPools", 1)
    assert not may(world, "AgentPools", 8)
    roles = world.do.state()["organizations"][0]["projects"][0]["roles"]
    assert roles == {"Reader": ["robot"]}


def test_what_is_more_than_needed_is_told_and_left(root: Shell, world: Running) -> None:
    run(root, "--apply")
    before = world.do.state()

    said = run(root, "--apply", mode="report")

    assert said.code == 0
    notes = said.document["organizations"][0]["notes"]
    assert (
        "prime: the identity is Administrator on all agent pools of prime, which is more than mode report needs"
        in notes
    )
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


def test_who_was_made_known_without_a_level_gets_one(root: Shell, world: Running) -> None:
    added(world, "")

    said = run(root, "--apply")

    assert said.code == 0
    assert standings(said)["member", "prime"] == "given"


@pytest.mark.parametrize("search", ["found", "unknown"])
def test_a_name_is_told_before_anything_is_given_where_the_directory_tells_it(
    root: Shell, world: Running, search: str
) -> None:
    """A person should see who gets the rights; an id that the search does not know is no proof of anything."""
    world.do.switch("devops.picker-by-id", search)

    found = run(root).document["organizations"][0]

    assert found["identity"] == ("Robot" if search == "found" else "")
    assert ["az ad sp show" in note for note in found["notes"]] == ([] if search == "found" else [True])


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
    assert details(said)["pools", "prime"] == "by [prime]\\Operators"
    assert details(said)["project", "prime/dev"] == "in [dev]\\Contributors"
    assert writes(world) == 1  # the role on the project's agent pools, which no group has


def test_what_comes_with_a_membership_is_not_given_twice(root: Shell, world: Running) -> None:
    """By default everybody in a project, and in an organization, reads its agent pools."""
    inside, everybody = "[dev]\\Project Valid Users", "[prime]\\Project Collection Valid Users"
    groups = [{"name": inside, "members": ["[dev]\\Readers"]}, {"name": everybody}]
    world.do.replace(estate(groups=groups, roles={"Reader": [everybody]}, projects=[{"name": "dev"}]))
    world.do.edit("set-role", organization="prime", project="dev", who=inside, role="Reader")

    looked = run(root, mode="report")
    said = run(root, "--apply", mode="report")

    assert [key for key, standing in standings(looked).items() if standing == "missing"] == [*ALL[:2]]
    assert details(looked)["queues", "prime/dev"] == "by [dev]\\Project Valid Users, as everybody there"
    assert said.code == 0
    assert details(said)["queues", "prime/dev"] == "by [dev]\\Project Valid Users"
    assert writes(world) == 2


def test_an_administrator_of_everything_needs_nothing_and_hears_that_it_is_too_much(
    root: Shell, world: Running
) -> None:
    world.do.replace(estate(identities=["root", "robot"], administrators=["root", "robot"], groups=[], roles={}))

    said = run(root, "--apply")

    assert said.code == 0
    assert writes(world) == 0
    (note,) = said.document["organizations"][0]["notes"]
    assert "is more than it needs in any mode" in note
