"""Whose id it is, who may give what, and which organizations and projects it is about."""

from __future__ import annotations

import pytest

from emulator import Running
from tests.shell import Shell
from tests.tools.onboard.fabrikam import CLIENT, ROBOT
from tests.tools.onboard.kit import EVERYTHING, Become, added, details, run, standings, writes


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
