"""What goes wrong in one place stops nothing elsewhere, and given is what was seen."""

from __future__ import annotations

import pytest

from emulator import Running
from tests.shell import Shell
from tests.tools.onboard.kit import EVERYTHING, details, may, run, standings, writes


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


def test_a_look_that_fails_half_way_is_made_again(root: Shell, world: Running) -> None:
    """Three requests are one look: the session tries a read three times."""
    world.do.fault("500", route="graph.serviceprincipals.list", skip=1, count=3)

    said = run(root, "--apply")

    assert said.code == 0, said.out
    assert set(standings(said).values()) == {"given"}


def test_what_was_given_is_not_called_seen_where_nothing_can_be_read_any_more(root: Shell, world: Running) -> None:
    world.do.fault("500", route="graph.serviceprincipals.list", skip=1, count=None)

    said = run(root, "--apply", "--timeout", "3")

    assert said.code == 1
    assert standings(said)["member", "prime"] == "failed"
    assert set(standings(said)) == set(EVERYTHING)


def test_deleted_projects_that_cannot_be_listed_hold_up_nothing(root: Shell, world: Running) -> None:
    world.do.edit("delete-project", organization="prime", project="test")
    world.do.fault("403", route="projects.list", skip=1, count=None)

    said = run(root, "--apply")

    assert said.code == 1
    assert standings(said)["queues", "prime/dev"] == "given"
    assert standings(said)["project", "prime/test"] == "unknown"


@pytest.mark.parametrize("before", range(6))
def test_stopped_anywhere_it_reads_more_than_it_may_change(root: Shell, world: Running, before: int) -> None:
    """The order of giving: who has a role anywhere is a member who sees every project, and the next call goes on."""
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
