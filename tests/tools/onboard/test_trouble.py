"""What fails in one place stops nothing elsewhere, and granted means read back."""

from __future__ import annotations

import pytest

from emulator import Running
from tests.shell import Shell
from tests.tools.onboard.kit import (
    DEV,
    DEV_QUEUES,
    EVERYTHING,
    POOLS,
    failed,
    gaps,
    granted,
    may,
    messages,
    plan,
    planned,
    run,
    writes,
)


def test_one_dead_organization_does_not_stop_the_other(root: Shell, world: Running) -> None:
    world.do.fault("500", organization="prime", count=None)

    said = run(root, "--apply", organizations=("prime", "second"))

    assert said.code == 1
    assert set(gaps(said).values()) == {"unknown"}
    assert len(granted(said, 1)) == 4


def test_one_project_that_cannot_be_read_does_not_stop_the_others(root: Shell, world: Running) -> None:
    dev = next(one["id"] for one in world.do.state()["organizations"][0]["projects"] if one["name"] == "dev")
    world.do.fault("500", route="roleassignments.list", path=f"*{dev}*", count=None)

    said = run(root, "--apply")

    assert said.code == 1
    assert gaps(said) == {DEV_QUEUES: "unknown"}
    assert granted(said) == [one for one in EVERYTHING if one != DEV_QUEUES]


def test_a_refused_grant_is_reported_and_the_others_are_granted(root: Shell, world: Running) -> None:
    world.do.fault("403", route="graph.memberships.add", count=1)

    said = run(root, "--apply")

    assert said.code == 1
    assert failed(said) == {DEV: "Forbidden"}
    assert len(granted(said)) == 5
    assert run(root, "--apply").code == 0


@pytest.mark.parametrize("route", ["serviceprincipalentitlements.add", "graph.memberships.add", "roleassignments.set"])
def test_a_write_that_fails_for_a_moment_is_made_again(root: Shell, world: Running, route: str) -> None:
    world.do.fault("503", route=route, count=1, seconds=1)

    said = run(root, "--apply")

    assert said.code == 0, said.out
    assert sorted(granted(said)) == sorted(EVERYTHING)


@pytest.mark.parametrize("route", ["roleassignments.set", "roleassignments.list", "projects.list"])
def test_throttling_is_waited_for(root: Shell, world: Running, route: str) -> None:
    world.do.fault("429", route=route, count=1, seconds=1)

    said = run(root, "--apply")

    assert said.code == 0, said.out
    assert sorted(granted(said)) == sorted(EVERYTHING)


def test_throttling_beyond_the_time_of_the_call_ends_it(root: Shell, world: Running) -> None:
    world.do.fault("429", route="projects.list", count=None, seconds=600)

    said = run(root, "--apply", "--timeout", "1")

    assert said.code == 1
    assert set(gaps(said).values()) == {"unknown"}
    assert writes(world) == 0


def test_throttling_half_way_leaves_what_was_granted(root: Shell, world: Running) -> None:
    """The order of granting: by then the identity reads, and may change nothing yet. Reading back is throttled too."""
    world.do.fault("429", route="roleassignments.set", count=None, seconds=600)

    said = run(root, "--apply", "--timeout", "1")

    assert said.code == 1
    assert failed(said) == {POOLS: "Throttled"}
    unverified = [line for line in said.err.splitlines() if line.startswith("written, not read back: ")]
    assert unverified == [
        "written, not read back: prime: + access level prime: none → Basic",
        "written, not read back: prime: + project reader prime/dev: none → [dev]\\Readers",
        "written, not read back: prime: + project reader prime/test: none → [test]\\Readers",
    ]
    assert not may(world, "AgentPools", 8)


def test_a_write_that_shows_late_is_waited_for(root: Shell, world: Running) -> None:
    world.do.switch("devops.write-lag", 1.5)

    said = run(root, "--apply")

    assert said.code == 0
    assert plan(said)["inSync"]
    assert "not read back" not in said.err


def test_a_write_that_does_not_show_is_not_called_granted(root: Shell, world: Running) -> None:
    """Success is no proof: until a read shows it, it is missing."""
    run(root, "--apply")
    world.do.edit("take-rights", organization="prime", who="robot")
    world.do.switch("devops.write-lag", 600)

    said = run(root, "--apply", "--timeout", "2")

    assert said.code == 2
    assert POOLS in planned(said)
    assert POOLS not in granted(said)
    assert writes(world) > 6


def test_a_read_that_fails_after_a_write_is_made_again(root: Shell, world: Running) -> None:
    """The session tries a read three times; the third list of the call is the one that verifies."""
    world.do.fault("500", route="graph.serviceprincipals.list", skip=2, count=3)

    said = run(root, "--apply")

    assert said.code == 0, said.out
    assert plan(said)["inSync"]


def test_what_was_written_is_not_called_granted_where_nothing_can_be_read_any_more(root: Shell, world: Running) -> None:
    world.do.fault("500", route="graph.serviceprincipals.list", skip=3, count=None)

    said = run(root, "--apply", "--timeout", "3")

    assert said.code == 1
    assert granted(said) == []
    assert writes(world) == 6


def test_deleted_projects_that_cannot_be_listed_hold_up_nothing(root: Shell, world: Running) -> None:
    """A project that is hidden and may be deleted is unknown."""
    world.do.edit("delete-project", organization="prime", project="test")
    world.do.fault("403", route="projects.list", skip=1, count=None)

    said = run(root)

    assert said.code == 1
    assert DEV_QUEUES in planned(said)
    assert gaps(said) == {("project_reader", "prime/(hidden projects)"): "unknown"}
    assert "projects" in messages(said, "gaps")


@pytest.mark.parametrize("before", range(6))
def test_stopped_anywhere_it_reads_more_than_it_may_change(root: Shell, world: Running, before: int) -> None:
    """The order of granting: an identity with a role is a member who sees every project, and the next call goes on."""
    world.do.fault("403", route="*s.[as][de][dt]", skip=before, count=None)

    stopped = run(root, "--apply")

    assert stopped.code == 1
    prime = world.do.state()["organizations"][0]
    held = [prime["roles"], *(project["roles"] for project in prime["projects"])]
    roles = [one for by_name in held for names in by_name.values() for one in names]
    readers = [one for one in prime["groups"] if one["name"].endswith("\\Readers") and "robot" in one["members"]]
    assert "robot" not in roles or any(one["principal"] == "robot" for one in prime["identities"])
    assert len(readers) == min(max(0, before - 1), 2)
    assert ("robot" in roles) == (before > 3)
    world.do.clear_faults()
    assert run(root, "--apply").code == 0
