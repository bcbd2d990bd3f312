"""Whose id it is, who may grant what, and which organizations and projects a call is about."""

from __future__ import annotations

import pytest

from emulator import Running
from tests.shell import Shell
from tests.tools.onboard.fabrikam import CLIENT, ROBOT
from tests.tools.onboard.kit import (
    DEV,
    DEV_QUEUES,
    EVERYTHING,
    LEVEL,
    POOLS,
    TEST,
    Become,
    added,
    failed,
    gaps,
    granted,
    messages,
    plan,
    planned,
    refused,
    remarks,
    run,
    writes,
)


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


def test_an_id_that_the_tenant_does_not_have_is_refused_by_the_service_and_nothing_follows(
    root: Shell, world: Running
) -> None:
    """A client id that the organization does not know yet is such an id."""
    said = root.run("onboard", "prime", "--identity", CLIENT, "--apply", "--output", "json")

    assert said.code == 1
    assert failed(said) == {LEVEL: "Rejected", **dict.fromkeys(EVERYTHING[1:], "NotReady")}
    assert "Could not find originId" in messages(said, "failures")
    assert f"az ad sp show --id {CLIENT} --query id" in messages(said, "failures")
    assert "prime/dev: waits for the access level" in messages(said, "failures")
    assert writes(world) == 1


@pytest.mark.parametrize("text", ["robot", "2222", f"{ROBOT}x"])
def test_what_is_no_id_is_wrong_usage(root: Shell, text: str) -> None:
    said = root.run("onboard", "prime", "--identity", text)

    assert said.code == 1
    assert "not an id; the object id" in said.err


def test_the_operator_does_not_onboard_itself(root: Shell, world: Running, become: Become) -> None:
    added(world)
    become("robot")

    said = run(root, "--apply")

    assert said.code == 1
    assert "signed in as the identity itself" in said.err


def test_a_caller_with_a_part_of_the_rights_grants_that_part(root: Shell, world: Running, become: Become) -> None:
    """Ann administers project dev: reading and roles there are hers to grant, the rest is refused with who may."""
    added(world)
    become("ann")

    dry = run(root, "--project", "dev")
    said = run(root, "--project", "dev", "--apply")

    assert dry.code == said.code == 2
    assert planned(dry) == granted(said) == [DEV, DEV_QUEUES]
    assert refused(dry) == refused(said) == {POOLS: "caller-may-not"}
    (refusal,) = plan(said)["refusals"]
    assert refusal["message"] == (
        "prime: you may not grant it; by hand: https://dev.azure.com/prime/_settings/agentpools, Security, Add: "
        "role Administrator, as administrators of all agent pools of prime or Project Collection Administrators"
    )
    assert writes(world) == 2


def test_without_an_access_level_no_role_is_granted(root: Shell, world: Running, become: Become) -> None:
    """Ann may not add members: every other grant would reach no one."""
    become("ann")

    said = run(root, "--project", "dev", "--apply")

    assert said.code == 1
    assert failed(said) == {LEVEL: "Forbidden", DEV: "NotReady", DEV_QUEUES: "NotReady"}
    assert "AccessDeniedException" in messages(said, "failures")
    assert world.do.state()["organizations"][0]["projects"][0]["roles"] == {}


def test_an_access_level_that_cannot_be_read_stops_nothing_else(root: Shell, world: Running, become: Become) -> None:
    added(world)
    world.do.switch("devops.entitlement-reading", "administrators")
    become("ann")

    said = run(root, "--project", "dev", "--apply")

    assert said.code == 1
    assert gaps(said) == {LEVEL: "unknown"}
    assert granted(said) == [DEV, DEV_QUEUES]


def test_the_callers_own_rights_that_cannot_be_read_are_shown_by_writing(
    root: Shell, world: Running, become: Become
) -> None:
    added(world)
    become("ann")
    world.do.fault("500", route="permissions.has", count=None)

    said = run(root, "--project", "dev", "--apply")

    assert said.code == 1
    assert failed(said) == {POOLS: "Forbidden"}
    assert granted(said) == [DEV, DEV_QUEUES]


def test_projects_that_the_caller_cannot_see_are_named(root: Shell, world: Running, become: Become) -> None:
    added(world)
    become("ann")

    said = run(root)

    assert said.code == 1
    assert gaps(said) == {TEST: "unknown"}
    assert "hidden from you" in messages(said, "gaps")


def test_a_deleted_project_is_not_called_hidden(root: Shell, world: Running) -> None:
    world.do.edit("delete-project", organization="prime", project="test")

    said = run(root)

    assert gaps(said) == {}
    assert TEST not in planned(said)


def test_a_caller_without_rights_grants_nothing(root: Shell, world: Running, become: Become) -> None:
    become("bob")
    before = world.do.state()

    said = run(root, "--apply")

    assert said.code == 1
    assert world.do.state() == before


def test_several_organizations_in_one_call(root: Shell, world: Running) -> None:
    said = run(root, "--apply", "--project", "dev", "--project", "second/web", organizations=("prime", "second"))

    assert said.code == 0
    assert TEST not in granted(said)
    assert ("queue_role", "second/web") in granted(said, 1)
    address = run(root, "--project", "web", organizations=("https://dev.azure.com/Second",))
    assert address.code == 0


def test_a_project_that_is_nowhere_is_an_error_before_anything_is_written(root: Shell, world: Running) -> None:
    said = run(root, "--apply", "--project", "dev", "--project", "prime/web", organizations=("prime", "second"))

    assert said.code == 1
    assert "project prime/web: not in prime, second, or hidden from you" in said.err
    assert writes(world) == 0


def test_one_wrong_organization_keeps_the_whole_call_from_writing(root: Shell, world: Running) -> None:
    """All are read before anything is written."""
    policy = str(root.write("policy.yaml", "organizations: [prime]\n"))

    said = run(root, "--apply", "--policy", policy, organizations=("prime", "second"))

    assert said.code == 1
    assert "organization second: the policy does not allow it" in said.err
    assert writes(world) == 0


def test_the_policy_limits_organizations_and_projects(root: Shell, world: Running) -> None:
    """Rights where the operator will refuse to act are more than it needs."""
    policy = str(root.write("policy.yaml", "organizations: [prime]\nprojects: [prime/dev]\n"))

    said = run(root, "--policy", policy)
    named = run(root, "--apply", "--policy", policy, "--project", "test")
    applied = run(root, "--apply", "--policy", policy)

    assert TEST not in planned(said)
    assert "the policy excludes 1 of 2 projects" in remarks(said)
    assert "project prime/test: the policy does not allow it" in named.err
    assert (said.code, named.code, applied.code) == (2, 1, 0)
    assert ("queue_role", "prime/test") not in granted(applied)


def test_what_the_policy_says_of_principals_is_for_specs(root: Shell, world: Running) -> None:
    """It limits whom specs may name; here an administrator names the operator."""
    policy = str(root.write("policy.yaml", "principals: []\nmaterialise: false\n"))

    assert run(root, "--apply", "--policy", policy).code == 0
