"""`onboard` over HTTP: what is missing is told, given by who may, seen afterwards, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from emulator import Running
from tests.onboarding.fabrikam import CLIENT, ROBOT, estate
from tests.shell import Said, Shell

NAMESPACE = "101eae8c-1709-47f9-b228-0e476c35b3ba"
ALL = ("member", "prime"), ("project", "prime/dev"), ("project", "prime/test"), ("pools", "prime")
EVERYTHING = (*ALL, ("queues", "prime/dev"), ("queues", "prime/test"))
Become = Callable[[str], None]


def run(shell: Shell, *more: str, mode: str = "enforce", organizations: tuple[str, ...] = ("prime",)) -> Said:
    return shell.run("onboard", *organizations, "--identity", ROBOT, "--mode", mode, "--output", "json", *more)


def standings(said: Said, organization: int = 0) -> dict[tuple[str, str], str]:
    steps = said.document["organizations"][organization]["steps"]
    return {(step["kind"], step["place"]): step["standing"] for step in steps}


def details(said: Said) -> dict[tuple[str, str], str]:
    return {(step["kind"], step["place"]): step["detail"] for step in said.document["organizations"][0]["steps"]}


def writes(world: Running) -> int:
    return world.do.count(writes=True)


def added(world: Running, level: str = "express") -> None:
    """Robot is a member with this access level."""
    state = world.do.state()
    state["organizations"][0]["identities"].append({"principal": "robot", "license": level})
    world.do.replace(state)


def as_robot(world: Running, path: str) -> Any:
    """What the operator itself is answered."""
    headers = {"Authorization": "Bearer devops-robot", "X-TFS-FedAuthRedirect": "Suppress"}
    answer = requests.get(f"{world.devops}/prime{path}", headers=headers, params={"api-version": "7.1"}, timeout=20)
    return answer.json()["value"]


def may(world: Running, token: str, bits: int) -> bool:
    return bool(as_robot(world, f"/_apis/permissions/{NAMESPACE}/{bits}?tokens={token}")[0])


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


@pytest.mark.parametrize("setting", ["as-asked", "early-adopter"])
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


# --- whose id is it ----------------------------------------------------------------------------------


def test_a_client_id_is_refused_with_the_object_id(root: Shell, world: Running) -> None:
    added(world)

    said = root.run("onboard", "prime", "--identity", CLIENT, "--apply")

    assert said.code == 1
    assert said.err.splitlines()[-1] == (
        f"error: Refused: organization prime: {CLIENT} is the application (client) id of Robot; "
        f"the object id of its enterprise application is {ROBOT}"
    )
    assert writes(world) == 0


def test_the_client_id_of_the_settings_is_refused_before_anything_is_asked(
    root: Shell, world: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_CLIENT_ID", CLIENT.upper())

    said = root.run("onboard", "prime", "--identity", CLIENT)

    assert said.code == 1
    assert "is RECONCILER_CLIENT_ID, a client id" in said.err
    assert world.do.requests() == []


def test_a_person_is_no_service_principal(root: Shell, world: Running) -> None:
    world.do.switch("devops.picker-by-id", "found")
    bob = next(one["oid"] for one in world.do.state()["principals"] if one["name"] == "bob")

    said = root.run("onboard", "prime", "--identity", bob, "--apply")

    assert said.code == 1
    assert f"{bob} is the user Bob Bobson, not a service principal or managed identity" in said.err
    assert writes(world) == 0


def test_an_id_that_nobody_has_is_told_by_the_service_and_nothing_follows(root: Shell, world: Running) -> None:
    """A client id that the organization has not seen yet looks just so."""
    said = root.run("onboard", "prime", "--identity", CLIENT, "--apply", "--output", "json")

    assert said.code == 1
    assert standings(said) == {**dict.fromkeys(EVERYTHING, "left"), ("member", "prime"): "failed"}
    failed = said.document["organizations"][0]["steps"][0]["detail"]
    assert "Could not find originId" in failed
    assert f"az ad sp show --id {CLIENT} --query id" in failed
    assert writes(world) == 1


@pytest.mark.parametrize("text", ["robot", "2222", f"{ROBOT}x"])
def test_what_is_no_id_is_wrong_usage(root: Shell, text: str) -> None:
    said = root.run("onboard", "prime", "--identity", text)

    assert said.code == 1
    assert "no id; the object id" in said.err


def test_the_operator_does_not_onboard_itself(root: Shell, world: Running, become: Become) -> None:
    added(world)
    become("robot")

    said = run(root, "--apply")

    assert said.code == 1
    assert "signed in as the identity itself" in said.err


# --- who may -----------------------------------------------------------------------------------------


def test_who_may_give_a_part_gives_that_part(root: Shell, world: Running, become: Become) -> None:
    """Ann administers project dev: reading and roles there are hers to give, the rest is told with who may."""
    added(world)
    become("ann")

    looked = run(root, "--project", "dev")
    said = run(root, "--project", "dev", "--apply")

    assert looked.code == said.code == 2
    assert standings(said) == {
        ("member", "prime"): "held",
        ("project", "prime/dev"): "given",
        ("pools", "prime"): "left",
        ("queues", "prime/dev"): "given",
    }
    left = next(step for step in said.document["organizations"][0]["steps"] if step["standing"] == "left")
    assert (left["callerMay"], left["detail"]) == ("no", "you may not give it")
    assert left["whoMay"] == "administrators of all agent pools of prime, Project Collection Administrators"
    assert writes(world) == 2


def test_without_an_access_level_nobody_gets_a_role(root: Shell, world: Running, become: Become) -> None:
    """Ann may not add members: everything else would be given to nobody."""
    become("ann")

    said = run(root, "--project", "dev", "--apply")

    assert said.code == 1
    assert standings(said)["member", "prime"] == "failed"
    assert "AccessDeniedException" in details(said)["member", "prime"]
    assert details(said)["queues", "prime/dev"] == "waits for the access level"
    assert world.do.state()["organizations"][0]["projects"][0]["roles"] == {}


def test_an_access_level_that_cannot_be_read_stops_nothing_else(root: Shell, world: Running, become: Become) -> None:
    added(world)
    world.do.switch("devops.entitlement-reading", "administrators")
    become("ann")

    said = run(root, "--project", "dev", "--apply")

    assert said.code == 1
    assert standings(said)["member", "prime"] == "unknown"
    assert standings(said)["queues", "prime/dev"] == "given"


def test_projects_that_the_caller_cannot_see_are_named(root: Shell, world: Running, become: Become) -> None:
    added(world)
    become("ann")

    said = run(root)

    assert said.code == 1
    assert standings(said)["project", "prime/test"] == "unknown"
    assert "hidden from you" in details(said)["project", "prime/test"]


def test_a_deleted_project_is_not_called_hidden(root: Shell, world: Running) -> None:
    world.do.edit("delete-project", organization="prime", project="test")

    assert all("prime/test" not in place for _, place in standings(run(root)))


def test_a_bystander_gives_nothing(root: Shell, world: Running, become: Become) -> None:
    become("bob")
    before = world.do.state()

    said = run(root, "--apply")

    assert said.code == 1
    assert world.do.state() == before


# --- what is there already ---------------------------------------------------------------------------


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


# --- what is asked for -------------------------------------------------------------------------------


def test_several_organizations_in_one_call(root: Shell, world: Running) -> None:
    said = run(root, "--apply", "--project", "dev", "--project", "second/web", organizations=("prime", "second"))

    assert said.code == 0
    assert ("project", "prime/test") not in standings(said)
    assert standings(said, 1)["queues", "second/web"] == "given"
    address = run(root, organizations=("https://dev.azure.com/Second",))
    assert address.code == 0


def test_a_project_that_is_nowhere_is_an_error_before_anything_is_written(root: Shell, world: Running) -> None:
    said = run(root, "--apply", "--project", "dev", "--project", "prime/web", organizations=("prime", "second"))

    assert said.code == 1
    assert "project prime/web: not in prime, second, or hidden from you" in said.err
    assert writes(world) == 0


def test_the_policy_limits_organizations_and_projects(root: Shell, world: Running) -> None:
    """Rights where the operator will refuse to act are more than it needs."""
    policy = str(root.write("policy.yaml", "organizations: [prime]\nprojects: [prime/dev]\n"))

    said = run(root, "--apply", "--policy", policy)
    named = run(root, "--apply", "--policy", policy, "--project", "test")
    other = run(root, "--apply", "--policy", policy, organizations=("second",))

    assert said.code == 0
    assert ("project", "prime/test") not in standings(said)
    assert "prime: the policy leaves out 1 of 2 projects" in said.document["organizations"][0]["notes"]
    assert "project prime/test: the policy does not allow it" in named.err
    assert "organization second: the policy does not allow it" in other.err
    assert named.code == other.code == 1


# --- what goes wrong ---------------------------------------------------------------------------------


def test_one_dead_organization_does_not_stop_the_other(root: Shell, world: Running) -> None:
    world.do.fault("500", organization="prime", count=None)

    said = run(root, "--apply", organizations=("prime", "second"))

    assert said.code == 1
    assert standings(said) == {("member", "prime"): "unknown"}
    assert set(standings(said, 1).values()) == {"given"}


def test_one_project_that_cannot_be_read_does_not_stop_the_others(root: Shell, world: Running) -> None:
    dev = next(one["id"] for one in world.do.state()["organizations"][0]["projects"] if one["name"] == "dev")
    world.do.fault("500", route="roleassignments.list", path=f"*{dev}*", count=None)

    said = run(root, "--apply")

    assert said.code == 1
    assert standings(said)["queues", "prime/dev"] == "unknown"
    assert standings(said)["queues", "prime/test"] == "given"


def test_a_refused_grant_is_told_and_the_others_are_given(root: Shell, world: Running) -> None:
    world.do.fault("403", route="graph.memberships.add", count=1)

    said = run(root, "--apply")

    assert said.code == 1
    assert sorted(standings(said).values()) == ["failed", *["given"] * 5]
    assert run(root, "--apply").code == 0


@pytest.mark.parametrize("route", ["serviceprincipalentitlements.add", "graph.memberships.add", "roleassignments.set"])
def test_a_write_that_fails_for_a_moment_is_made_again(root: Shell, world: Running, route: str) -> None:
    world.do.fault("503", route=route, count=1, seconds=1)

    said = run(root, "--apply")

    assert said.code == 0, said.out
    assert set(standings(said).values()) == {"given"}


@pytest.mark.parametrize("route", ["roleassignments.set", "roleassignments.list", "projects.list"])
def test_throttling_is_waited_for(root: Shell, world: Running, route: str) -> None:
    world.do.fault("429", route=route, count=1, seconds=1)

    said = run(root, "--apply")

    assert said.code == 0, said.out
    assert set(standings(said).values()) == {"given"}


def test_throttling_beyond_the_time_that_the_call_has_ends_it(root: Shell, world: Running) -> None:
    world.do.fault("429", route="connectiondata.get", count=None, seconds=600)

    said = run(root, "--apply", "--timeout", "1")

    assert said.code == 1
    assert standings(said) == {("member", "prime"): "unknown"}
    assert writes(world) == 0


def test_throttling_half_way_leaves_what_was_given(root: Shell, world: Running) -> None:
    """The order of giving: by then it reads, and may change nothing yet."""
    world.do.fault("429", route="roleassignments.set", count=None, seconds=600)

    said = run(root, "--apply", "--timeout", "1")

    assert said.code == 2
    assert standings(said)["project", "prime/test"] == "given"
    assert standings(said)["pools", "prime"] == "left"
    assert not may(world, "AgentPools", 8)


def test_given_is_what_was_seen_and_not_what_was_answered(root: Shell, world: Running) -> None:
    world.do.switch("devops.write-lag", 1.5)

    assert run(root, "--apply").code == 0

    world.do.switch("devops.write-lag", 0)
    world.do.edit("take-rights", organization="prime", who="robot")
    world.do.switch("devops.write-lag", 600)
    late = run(root, "--apply", "--timeout", "2")
    assert late.code == 1
    assert "answered with success, and not seen after 2 s" in details(late)["pools", "prime"]
