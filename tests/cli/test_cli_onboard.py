"""`onboard` as a process of its own: what a person reads, what a pipeline reads, and the exit codes."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from emulator import Running, start
from reconciler import bootstrap
from reconciler.cli import onboard
from reconciler.cli.progress import ProgressDisplay
from reconciler.cli.selection import settings_of
from reconciler.cli.stopping import StopRequest
from reconciler.spec.model import Mode
from reconciler.tools.onboard.observe import OnboardRequest
from tests.cli.process import Desk
from tests.tools.onboard.fabrikam import CLIENT, ESTATE, ROBOT

COMMAND = ("onboard", "prime", "--identity", ROBOT, "--mode", "enforce")


@pytest.fixture
def world() -> Iterator[Running]:
    with start(ESTATE, switches={"devops.project-visibility": "members"}) as running:
        yield running


@pytest.fixture
def admin(desk: Desk, world: Running) -> Desk:
    """A desk of an administrator of the organization."""
    desk.environment |= {
        "RECONCILER_ALLOW_LOOPBACK": "1",
        "RECONCILER_CREDENTIAL": "static",
        "RECONCILER_ARM_ENDPOINT": world.arm,
        "RECONCILER_DEVOPS_ENDPOINT": world.devops,
        "RECONCILER_ARM_TOKEN": "canary-arm",
        "RECONCILER_DEVOPS_TOKEN": "devops-root",
    }
    return desk


def test_planned_then_granted_then_nothing_left(admin: Desk, world: Running) -> None:
    dry = admin.run(*COMMAND)
    assert dry.code == 2, dry.err
    (line,) = [line for line in dry.out.splitlines() if "role on all agent pools" in line]
    assert "none → Administrator" in line
    assert dry.out.splitlines()[-2] == "  6 changes: 6 granting access; 1 remark"
    assert dry.err.splitlines()[-1] == "nothing was written; --apply grants what you may grant"
    assert world.do.count(writes=True) == 0

    applied = admin.run(*COMMAND, "--apply")
    assert applied.code == 0, applied.out
    assert applied.out.splitlines()[-1].endswith("applied and verified; 6 planned, 6 written, 6 verified")
    assert "prime: 2/6 + project reader prime/dev: none → [dev]\\Readers" in applied.err.splitlines()
    world.do.reset_log()

    again = admin.run(*COMMAND, "--apply", "--output", "json")
    assert again.code == 0
    document = json.loads(again.out)
    assert document["format"] == "reconciler/results/v2"
    (result,) = document["results"]
    assert (result["pool"], result["outcome"], result["verified"]) == ("prime", "in-sync", [])
    assert world.do.count(writes=True) == 0


def test_ctrl_c_says_what_was_written(admin: Desk, world: Running) -> None:
    world.do.fault("429", route="roleassignments.set", count=None, seconds=50)
    process = admin.start(*COMMAND, "--apply")
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if "throttled by the service" in line:
            break
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130, (said, err)
    assert err.splitlines()[-4:] == [
        "written, not read back: prime: + access level prime: none → Basic",
        "written, not read back: prime: + project reader prime/dev: none → [dev]\\Readers",
        "written, not read back: prime: + project reader prime/test: none → [test]\\Readers",
        "stopped; grants written: 3",
    ]
    assert "Traceback" not in err


def test_a_personal_access_token_will_do(admin: Desk, world: Running) -> None:
    """Its scope is the person's; the emulator takes the same token either way."""
    admin.environment |= {"RECONCILER_CREDENTIAL": "pat", "RECONCILER_PAT": "devops-root"}

    assert admin.run(*COMMAND, "--apply").code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("onboard", "prime"), "--identity"),
        (("onboard", "--identity", ROBOT), "ORGANIZATION"),
        (("onboard", "prime", "--identity", "robot"), "not an id; the object id of the enterprise application"),
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


def test_half_the_rights_grant_half(admin: Desk, world: Running) -> None:
    world.do.edit("add-identity", organization="prime", principal="robot")
    admin.environment["RECONCILER_DEVOPS_TOKEN"] = "devops-ann"

    ended = admin.run(*COMMAND, "--project", "dev", "--apply", "--output", "markdown")

    assert ended.code == 2
    (row,) = [line for line in ended.out.splitlines() if "you may not grant it" in line]
    assert row.startswith("| role on all agent pools | <code>prime</code> | <code>caller-may-not</code> |")
    assert "administrators of all agent pools of prime" in row
    assert "settings/agentpools" in row


def test_throttling_is_waited_for(admin: Desk, world: Running) -> None:
    world.do.fault("429", route="roleassignments.set", count=1, seconds=1)

    ended = admin.run(*COMMAND, "--apply")

    assert ended.code == 0, ended.out
    assert any("throttled by the service" in line for line in ended.err.splitlines())


def test_a_token_that_is_refused_is_not_shown(admin: Desk) -> None:
    admin.environment["RECONCILER_DEVOPS_TOKEN"] = "canary-devops-token"

    ended = admin.run(*COMMAND)

    assert ended.code == 1
    assert "the token was refused" in ended.out
    assert "canary" not in ended.out + ended.err


def test_a_stop_that_is_set_while_a_pass_begins_holds_back_its_first_grant(
    admin: Desk, world: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two passes an organization may be waited for over minutes."""
    for name, value in admin.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(admin.folder)
    answers = iter(list[list[str]]([[]]))
    lines: list[str] = []
    with closing(bootstrap.onboarding(settings_of(), write=True, record=admin.folder / "record")) as access:
        assert access.writers is not None
        tools = replace(access, writers=replace(access.writers, held=lambda _: next(answers, ["mode stop"])))
        track, end = ProgressDisplay(lines.append, None), access.clock.monotonic() + 60
        call = onboard._Call(OnboardRequest(ROBOT, Mode.ENFORCE), tools, track, StopRequest(lines.append))
        call.plan(("prime",), end)

        assert call.apply(("prime",), end, None), "it was ended"

    assert "nothing more is granted: mode stop" in "\n".join(lines)
    assert world.do.count(writes=True) == 0


def test_a_stop_of_the_deployment_holds_back_grants_too_and_its_record_holds_them(admin: Desk, world: Running) -> None:
    """Where settings name the deployment's state: a stop and the record are everybody's."""
    admin.environment["RECONCILER_STATE"] = str(admin.folder / "state.db")
    for scope in ((), ("--organization", "prime")):
        assert admin.run("mode", "set", "stop", *scope, "--reason", "incident 7").code == 0
        ended = admin.run(*COMMAND, "--apply")
        assert (ended.code, world.do.count(writes=True)) == (1, 0)
        assert "nothing is granted: mode stop" in ended.err
        assert admin.run("mode", "set", "enforce", *scope, "--reason", "over").code == 0

    assert admin.run(*COMMAND, "--apply").code == 0
    verified = admin.run("history", "verify")
    assert verified.code == 0, verified.err
    assert "devops/prime: " in verified.out
    del admin.environment["RECONCILER_STATE"]
    ended = admin.run(*COMMAND, "--apply", RECONCILER_MODE="report")
    assert "nothing is granted: mode report (RECONCILER_MODE)" in ended.err
