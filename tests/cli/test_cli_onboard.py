"""`onboard` as a process of its own: what a person sees, what a pipeline reads, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from emulator import Running, start
from tests.cli.process import Desk
from tests.tools.onboard.fabrikam import CLIENT, ESTATE, ROBOT

COMMAND = ("onboard", "prime", "--identity", ROBOT, "--mode", "enforce")


@pytest.fixture
def world() -> Iterator[Running]:
    with start(ESTATE, switches={"devops.project-visibility": "members"}) as running:
        yield running


@pytest.fixture
def admin(desk: Desk, world: Running) -> Desk:
    """A desk of somebody who administers the organization."""
    desk.environment |= {
        "RECONCILER_ALLOW_LOOPBACK": "1",
        "RECONCILER_CREDENTIAL": "static",
        "RECONCILER_ARM_ENDPOINT": world.arm,
        "RECONCILER_DEVOPS_ENDPOINT": world.devops,
        "RECONCILER_ARM_TOKEN": "canary-arm",
        "RECONCILER_DEVOPS_TOKEN": "devops-root",
    }
    return desk


def test_looked_at_then_given_then_nothing_left(admin: Desk, world: Running) -> None:
    looked = admin.run(*COMMAND)
    assert looked.code == 2, looked.err
    assert "  missing  prime: Administrator on all agent pools" in looked.out.splitlines()
    assert looked.err.splitlines()[-1] == "nothing was written; the same with --apply gives what you may give"
    assert world.do.count(writes=True) == 0

    given = admin.run(*COMMAND, "--apply")
    assert given.code == 0, given.out
    assert given.out.splitlines()[-1] == "  6 steps: 6 given"
    assert "prime/dev: giving Reader of the project" in given.err.splitlines()
    world.do.reset_log()

    again = admin.run(*COMMAND, "--apply", "--output", "json")
    assert again.code == 0
    document = json.loads(again.out)
    assert (document["format"], document["applied"]) == ("reconciler/onboard/v1", True)
    assert {step["standing"] for step in document["organizations"][0]["steps"]} == {"held"}
    assert world.do.count(writes=True) == 0


def test_a_personal_access_token_will_do(admin: Desk, world: Running) -> None:
    """Its scope is the person's; the emulator takes the same token either way."""
    admin.environment |= {"RECONCILER_CREDENTIAL": "pat", "RECONCILER_PAT": "devops-root"}

    assert admin.run(*COMMAND, "--apply").code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("onboard", "prime"), "--identity"),
        (("onboard", "--identity", ROBOT), "ORGANIZATION"),
        (("onboard", "prime", "--identity", "robot"), "no id; the object id of the enterprise application"),
        (("onboard", "prime/dev", "--identity", ROBOT), "prime/dev"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(
    admin: Desk, world: Running, arguments: tuple[str, ...], says: str
) -> None:
    ended = admin.run(*arguments)

    assert ended.code == 1
    assert says in ended.err
    assert world.do.requests() == []


def test_the_wrong_id_is_refused_in_one_line(admin: Desk, world: Running) -> None:
    world.do.edit("add-identity", organization="prime", principal="robot")

    ended = admin.run("onboard", "prime", "--identity", CLIENT, "--apply")

    assert (ended.code, ended.out, len(ended.errors)) == (1, "", 1)
    assert f"the object id of its enterprise application is {ROBOT}" in ended.errors[0]


def test_half_the_rights_give_half(admin: Desk, world: Running) -> None:
    world.do.edit("add-identity", organization="prime", principal="robot")
    admin.environment["RECONCILER_DEVOPS_TOKEN"] = "devops-ann"

    ended = admin.run(*COMMAND, "--project", "dev", "--apply", "--output", "markdown")

    assert ended.code == 2
    (row,) = [line for line in ended.out.splitlines() if "you may not give it" in line]
    assert row.startswith("| prime | Administrator on all agent pools |")
    assert "administrators of all agent pools of prime" in row
    assert "settings/agentpools" in row


def test_throttling_is_waited_for(admin: Desk, world: Running) -> None:
    world.do.fault("429", route="roleassignments.set", count=1, seconds=1)

    ended = admin.run(*COMMAND, "--apply")

    assert ended.code == 0, ended.out
    assert "prime: waiting for the service" in ended.err.splitlines()


def test_a_token_that_nobody_knows_is_told_without_it(admin: Desk) -> None:
    admin.environment["RECONCILER_DEVOPS_TOKEN"] = "canary-devops-token"

    ended = admin.run(*COMMAND)

    assert ended.code == 1
    assert "the token was refused" in ended.out
    assert "canary" not in ended.out + ended.err
