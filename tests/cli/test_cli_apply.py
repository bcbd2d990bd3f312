"""`apply` and `status` against both planes: what is done, what is waited for, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from contextlib import closing

import pytest

from emulator import Running
from reconciler.adapters.clock import SystemClock
from reconciler.adapters.sqlite.store import Local
from reconciler.cli import main
from reconciler.ports.budgets import Looks, Rate, RateBudget, document_name
from tests.cli.process import Desk

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"


def test_apply_repairs_both_planes_waits_for_arm_and_a_second_one_writes_nothing(online: Desk, cloud: Running) -> None:
    """The whole of it: exit code 0 is given for what was seen, and the second look finds nothing to do."""
    first = online.run("apply")

    assert first.code == 0, first.err
    assert first.out.splitlines() == [
        f"{POOL}   applied and verified; 6 planned, 5 written, 5 verified",
        f"{RELEASE}   applied and verified; 1 planned, 1 written, 1 verified",
        "2 pools: 2 applied and verified; 7 planned, 6 written, 6 verified",
    ]
    (waits,) = [line for line in first.err.splitlines() if "waiting for the write" in line]
    assert re.fullmatch(
        rf"{POOL}: waiting for the write of pool {POOL}, an ARM operation since ..:..:.. UTC; ARM ends it by itself; .*",
        waits,
    )
    assert (
        f"{RELEASE}: verified: - open access fabrikam-prime/fabrikam-release: all pipelines → none"
        in first.err.splitlines()
    )

    cloud.do.reset_log()
    second = online.run("apply")

    assert second.code == 0
    assert second.out.splitlines() == [
        f"in sync; nothing changed: {POOL}, {RELEASE}",
        "2 pools: 2 in sync; 0 planned, 0 written, 0 verified",
    ]
    assert cloud.do.count(writes=True) == 0
    assert online.run("plan").code == 0


def test_an_approved_plan_is_applied_by_its_hash(online: Desk) -> None:
    approved = json.loads(online.run("plan", RELEASE, "--output", "json").out)["plans"][0]["hash"]

    ended = online.run("apply", RELEASE, "--plan-hash", approved, "--output", "json")
    (result,) = json.loads(ended.out)["results"]

    assert ended.code == 0
    assert result["outcome"] == "applied"
    assert result["written"] == result["verified"] == ["open_access:open access:fabrikam-prime/fabrikam-release"]
    assert result["planned"]["hash"] == approved
    assert result["left"]["inSync"] is True


def test_another_plan_than_the_approved_one_is_not_applied(online: Desk, cloud: Running) -> None:
    before = cloud.do.state()

    ended = online.run("apply", RELEASE, "--plan-hash", "0123456789abcdef" * 4)

    assert ended.code == 1
    assert f"approved was {'0123456789abcdef' * 4}; nothing is written" in ended.out
    assert cloud.do.state() == before


def test_a_pool_is_replaced_only_where_the_person_says_so_once_more(online: Desk, cloud: Running) -> None:
    """The spec and the policy allow it for the service; somebody at a terminal has to ask for it."""
    (online.folder / "policy.yaml").write_text(f"replacePools: [{RELEASE}]\n")
    assert online.run("apply", RELEASE).code == 0
    path = online.folder / "specs" / f"{RELEASE}.yaml"
    text = path.read_text()
    assert "location: eastus" in text
    path.write_text(text.replace("location: eastus", "location: westeurope") + "replace: allowed\n")
    cloud.do.reset_log()

    kept = online.run("apply", RELEASE, "--policy", "policy.yaml")

    assert kept.code == 1
    assert cloud.do.count(writes=True) == 0
    assert f"{RELEASE}: replace: allowed needs --allow-replace here; no pool is deleted" in kept.err

    cloud.do.switch("arm.delete-seconds", 0.2)
    cloud.do.switch("arm.create-seconds", 0.2)
    moved = online.run("apply", RELEASE, "--policy", "policy.yaml", "--allow-replace")

    assert moved.code == 0, moved.out + moved.err
    (found,) = [pool for pool in cloud.do.state()["subscriptions"][0]["pools"] if pool["name"] == RELEASE]
    assert found["location"] == "westeurope"


def test_a_pool_in_report_mode_is_planned_and_left(online: Desk, cloud: Running) -> None:
    path = online.folder / "specs" / f"{RELEASE}.yaml"
    path.write_text(path.read_text() + "mode: report\n")
    before = cloud.do.state()

    ended = online.run("apply", RELEASE)

    assert ended.code == 2
    assert ended.out.splitlines()[0] == f"{RELEASE}   out of sync; 1 planned, nothing written"
    assert cloud.do.state() == before


def test_an_unknown_pool_stops_before_anything_is_done(online: Desk, cloud: Running) -> None:
    ended = online.run("apply", RELEASE, "fabrikam-managed-poll")

    assert ended.code == 1
    assert ended.errors == [f"error: NotFound: no pool is named 'fabrikam-managed-poll'; nearest: {POOL}"]
    assert cloud.do.count(writes=True) == 0
    assert "state.db" not in online.files()


def test_the_time_that_one_waits_is_bounded(online: Desk, cloud: Running) -> None:
    """A pipeline has a limit of its own; what is in motion goes on, and the next run finds it."""
    cloud.do.switch("arm.update-seconds", 3600)

    ended = online.run("apply", POOL, "--timeout", "0")

    assert ended.code == 2
    assert ended.out.splitlines()[0] == f"{POOL}   in progress; 6 planned, 1 written, 0 verified"
    assert "--timeout is over, and it is not finished" in ended.err

    cloud.do.settle()

    assert online.run("apply", POOL).code == 0


def test_ctrl_c_while_waiting_stops_at_once_and_says_what_is_in_force(online: Desk, cloud: Running) -> None:
    cloud.do.switch("arm.update-seconds", 3600)
    process = online.start("apply")
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith(f"{RELEASE}: verified"):  # the last thing it does before it waits
            break
    assert any("waiting for the write" in line for line in said), "at once, before the next pool"
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130, (said, err)
    assert "stopped; 7 planned, 2 written, 1 verified; no other change is begun" in err.splitlines()
    assert f"{RELEASE}   applied and verified; 1 planned, 1 written, 1 verified" in out.splitlines()
    assert any(line.startswith("  written, not verified: ~ pool ") for line in out.splitlines())
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"not a database at all, but long enough to be read as one" * 40, "another file"), (None, "a folder")],
)
def test_a_state_that_is_none_is_one_line(online: Desk, cloud: Running, content: bytes | None, reason: str) -> None:
    state = online.folder / "state.db"
    if content is None:
        state.mkdir()
    else:
        state.write_bytes(content)

    ended = online.run("apply")

    assert ended.code == 1, reason
    assert ended.errors
    assert "Traceback" not in ended.err
    assert "this is a bug" not in ended.err
    assert cloud.do.count(writes=True) == 0


def test_status_tells_what_was_found(online: Desk) -> None:
    assert "does not exist, so no run is stored there" in online.run("status").err
    assert "state.db" not in online.files()
    online.run("apply", RELEASE)

    ended = online.run("status")
    document = json.loads(online.run("status", "--output", "json").out)

    assert ended.code == 0
    assert ended.out.splitlines()[0].startswith(f"{RELEASE}   InSync")
    assert re.search(r"^  Ready True, InSync, since .{19} UTC, seen at .{19} UTC: ", ended.out, re.MULTILINE)
    assert document["pools"][0]["seen"] == document["pools"][0]["lastRun"]["factsRead"]
    assert document["format"] == "reconciler/statuses/v1"
    assert document["pools"][0]["key"] == RELEASE
    assert "| True | InSync |" in online.run("status", "--output", "markdown").out


def test_status_says_what_a_full_resync_needs_and_has(online: Desk) -> None:
    online.run("apply", RELEASE)
    now = time.time() - 5
    rate = Rate(None, RateBudget(400.0, now), Looks(((now, 1498),), 0, (now, 1498)))
    with closing(Local(online.folder / "state.db", SystemClock())) as local:
        known = local.state.load(document_name("fabrikam"))
        local.state.save(document_name("fabrikam"), {"managed": rate.body()}, known.etag if known else None)

    ended = online.run("status")
    document = json.loads(online.run("status", "--output", "json").out)

    assert "fabrikam needs 1498 calls per sweep, has 960" in ended.out + ended.err
    assert [(one["organization"], one["needs"], one["has"]) for one in document["budgets"]] == [("fabrikam", 1498, 960)]


def test_status_of_a_pool_nobody_applied_is_an_error(online: Desk) -> None:
    online.run("apply", RELEASE)

    ended = online.run("status", "fabrikam-relase-pool")

    assert ended.code == 1
    assert ended.errors == [
        f"error: NotFound: status: no pool is named 'fabrikam-relase-pool'; nearest: {RELEASE}; only pools with a stored run are known"
    ]


def test_status_of_a_pool_in_motion_is_pending(online: Desk, cloud: Running) -> None:
    cloud.do.switch("arm.update-seconds", 3600)
    online.run("apply", POOL, "--timeout", "0")

    ended = online.run("status")

    assert ended.code == 2
    assert f"  waiting for the write of pool {POOL}" in ended.out.splitlines()
    assert "?" not in ended.out, "a signed address of the operation"


def test_the_program_runs_in_a_process_that_goes_on(
    online: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `python -m` does is a function: other programs may call it, and nothing is left behind in them."""
    monkeypatch.chdir(online.folder)
    for name, value in online.environment.items():
        monkeypatch.setenv(name, value)

    assert main(["plan", RELEASE]) == 2
    assert main(["apply", "--output", "markdown"]) == 0
    assert main(["plan", "--output", "json"]) == 0
    assert main(["status"]) == 0

    out = capsys.readouterr().out
    assert f"### <code>{POOL}</code>: applied and verified" in out


def test_an_apply_is_one_trace_with_every_call_beneath_it(online: Desk) -> None:
    """On standard error, as JSON on lines: the console asks for nothing but the setting."""
    ended = online.run("apply", RELEASE, RECONCILER_TELEMETRY="console")
    spans = [json.loads(line) for line in ended.err.splitlines() if line.startswith('{"name"')]
    (top,) = [span for span in spans if span["name"] == "apply"]

    assert ended.code == 0
    assert {span["context"]["trace_id"] for span in spans} == {top["context"]["trace_id"]}
    assert top["parent_id"] is None
    assert {"reconcile", "plan", "write", "verify", "PATCH pipeline-permissions"} <= {span["name"] for span in spans}
    assert '"name": "reconciler.calls"' in ended.err


def reason_of(desk: Desk, pool: str) -> str:
    (found,) = json.loads(desk.run("status", pool, "--output", "json").out)["pools"]
    return str(next(one["reason"] for one in found["conditions"] if one["type"] == "Ready"))


def test_an_apply_of_all_pools_marks_those_that_no_spec_names_any_more(online: Desk) -> None:
    """As the service does; an apply by name, or of other specs than the configured ones, judges no other pool."""
    assert online.run("apply").code == 0
    (path,) = [path for path in (online.folder / "specs").rglob("*.yaml") if f"name: {RELEASE}" in path.read_text()]
    text = path.read_text()
    path.unlink()

    for names in ((POOL,), ("--specs", "specs")):
        assert online.run("apply", *names).code == 0
        assert reason_of(online, RELEASE) == "InSync"
    ended = online.run("apply")
    assert (ended.code, reason_of(online, RELEASE)) == (0, "NotInSpecs")
    assert f"{RELEASE}: NotInSpecs: no valid spec names it; nothing of it is read or written" in ended.err

    path.write_text(text.replace("resourceGroup", "resourceGruop"))
    assert online.run("apply").code == 1
    assert reason_of(online, RELEASE) == "SpecInvalid"
    path.write_text(text)
    assert online.run("apply").code == 0
    assert reason_of(online, RELEASE) == "InSync"
