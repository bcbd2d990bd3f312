"""`approve`: what a finding asks for is done by the command that it prints, within the policy, by who owns the state."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
from contextlib import closing

import pytest

from emulator import Running
from reconciler.adapters.clock import SystemClock
from reconciler.adapters.sqlite.store import Local
from reconciler.safety import Safety
from reconciler.safety.agent_pools import RecordedAgentPool, document_of
from tests.cli.process import Desk

POOL, PRIME = "fabrikam-managed-pool", "fabrikam-prime"


def number_of(cloud: Running) -> int:
    (found,) = [one for one in cloud.do.state()["organizations"] if one["name"] == PRIME]
    return next(int(one["id"]) for one in found["agentPools"] if one["name"] == POOL)


@pytest.fixture
def other(online: Desk, cloud: Running) -> str:
    """The place of an agent pool that has the name of the recorded one."""
    assert online.run("apply").code == 0
    cloud.do.edit("delete-pool", organization=PRIME, pool=POOL)
    cloud.do.edit("create-pool", organization=PRIME, pool=POOL)
    return f"{PRIME}/{number_of(cloud)}"


def test_a_finding_prints_the_command_and_the_command_does_it(online: Desk, cloud: Running, other: str) -> None:
    before = cloud.do.count(writes=True)
    stopped = online.run("apply", POOL)
    assert stopped.code == 1
    assert cloud.do.count(writes=True) == before
    command = re.search(r"`mdp-reconciler (approve [^`]+)`", stopped.out.replace("\n", " "))
    assert command is not None, stopped.out

    done = online.run(*shlex.split(command[1]))
    assert done.code == 0, done.err
    assert f"is approved as pool {POOL}'s own, in place of a proof: id " in done.out
    assert online.run("apply", POOL).code == 0
    written = cloud.do.count(writes=True)
    assert written > before
    assert online.run("apply", POOL).code == 0
    assert cloud.do.count(writes=True) == written
    again = online.run("approve", POOL, "--agent-pool", other)
    assert (again.code, "nothing to approve" in again.out) == (0, True)


def test_a_plan_shows_what_apply_would_refuse(online: Desk, other: str) -> None:
    ended = online.run("plan", POOL, "--output", "json")
    (found,) = json.loads(ended.out)["plans"]
    assert {one["rule"] for one in found["refusals"]} == {"agent-pool-not-own"}
    (finding,) = [one["message"] for one in found["gaps"] if one["facet"] == "ownership"]
    assert f"--agent-pool {other}" in finding


def test_a_plan_without_state_does_not_check_ownership(online: Desk, other: str) -> None:
    ended = online.run("plan", POOL, "--output", "json", RECONCILER_STATE="", XDG_STATE_HOME=str(online.folder))
    (found,) = json.loads(ended.out)["plans"]
    assert found["refusals"] == []
    assert found["ownership"] == "not checked"
    assert found["hash"] is None
    assert f"--agent-pool {other}" not in ended.out


def test_a_plan_reads_which_pool_has_an_agent_pool_that_is_not_recorded(online: Desk, cloud: Running) -> None:
    """Once it did not, and showed changes that `apply` then refused; the question before `apply` neither."""
    clock = SystemClock()
    with closing(Local(online.folder / "state.db", clock)) as stores:
        recorded = RecordedAgentPool(number_of(cloud), "created with the pool")
        Safety(stores.safety, clock).record_agent_pool("other-pool", "2026-01-01T12:00:00Z", PRIME, recorded)

    (found,) = json.loads(online.run("plan", POOL, "--output", "json").out)["plans"]
    assert {one["rule"] for one in found["refusals"]} == {"agent-pool-not-own"}
    (finding,) = [one["message"] for one in found["gaps"] if one["facet"] == "ownership"]
    assert "it is recorded as pool other-pool's" in finding
    assert [one["id"] for one in found["changes"] if PRIME in one["id"]] == []


def test_the_policy_has_to_allow_it_as_well(online: Desk, cloud: Running, other: str) -> None:
    policy = online.folder / "policy.yaml"
    policy.write_text(f"apiVersion: policy/v2\nallow:\n- pools: [{POOL}]\n")
    refused = online.run("approve", POOL, "--agent-pool", other, "--policy", "policy.yaml")
    assert refused.code == 1
    assert f"the policy does not allow it; add {PRIME}/{POOL}#{number_of(cloud)} to agentPools" in refused.err

    policy.write_text(
        f"apiVersion: policy/v2\nallow:\n- pools: [{POOL}]\n  agentPools: ['{PRIME.upper()}/{POOL}#{number_of(cloud)}']\n"
    )
    assert online.run("approve", POOL, "--agent-pool", other, "--policy", "policy.yaml").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            [],
            "is no hash of a plan (64 hexadecimal digits, as `plan` prints it); for an agent pool add --agent-pool ORG/ID",
        ),
        (["--agent-pool", "7"], "'7' is not ORG/ID, as in fabrikam-prime/42"),
        (["--agent-pool", f"{PRIME}/x"], "is not ORG/ID"),
        (["--agent-pool", f"{PRIME}/0"], "is not ORG/ID"),
        (["--agent-pool", f"{PRIME}/-1"], "is not ORG/ID"),
        (["--agent-pool", f"../{PRIME}/7"], "is not ORG/ID"),
        (["--agent-pool", f"{PRIME}/4711"], "there is no agent pool 4711"),
        (["--agent-pool", "fabrikam-other/7"], "the spec does not name the organization fabrikam-other"),
    ],
)
def test_what_cannot_be_approved_says_why(online: Desk, arguments: list[str], said: str) -> None:
    ended = online.run("approve", POOL, *arguments)
    assert ended.code == 1
    assert said in " ".join(ended.err.split())


def test_an_unknown_pool_names_the_nearest(online: Desk) -> None:
    ended = online.run("approve", "fabrikam-manged-pool", "--agent-pool", f"{PRIME}/7")
    assert ended.code == 1
    assert POOL in ended.err


def test_an_approval_is_recorded_with_who_gave_it(online: Desk, cloud: Running, other: str) -> None:

    assert online.run("approve", POOL, "--agent-pool", other).code == 0
    with sqlite3.connect(online.folder / "state.db") as file:
        (body,) = file.execute("SELECT body FROM safety WHERE name = ?", (document_of(POOL),)).fetchone()
    (approval,) = json.loads(body)["approvals"]
    assert (approval["organization"], approval["id"]) == (PRIME, number_of(cloud))
    assert approval["by"]
    assert approval["at"].endswith("Z")
    assert approval["generation"]
