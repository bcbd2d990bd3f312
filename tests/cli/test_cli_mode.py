"""The mode at the command line: set by who can write the store, shown wherever something is not applied."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from emulator import Running
from reconciler.cli import main
from tests.cli.process import Desk

POOL, RELEASE, PRIME = "fabrikam-managed-pool", "fabrikam-release-pool", "fabrikam-prime"


def set_mode(desk: Desk, mode: str, *options: str) -> None:
    ended = desk.run("mode", "set", mode, "--reason", "incident 7", *options)
    assert ended.code == 0, ended.err


def writes(cloud: Running) -> int:
    return cloud.do.count(writes=True)


@pytest.mark.parametrize("mode", ["stop", "report"])
def test_apply_writes_nothing_in_a_mode_without_writes_and_says_where_it_is_set(
    online: Desk, cloud: Running, mode: str
) -> None:
    set_mode(online, mode)

    ended = online.run("apply")
    assert (ended.code, writes(cloud)) == (2, 0)
    assert ended.out.count(f"  not applied: mode {mode} (set ") == 2
    assert ": incident 7" in ended.out
    assert online.run("apply").code == 2
    assert writes(cloud) == 0
    set_mode(online, "enforce")
    assert online.run("apply").code == 0
    written = writes(cloud)
    assert written > 0
    assert online.run("apply").code == 0
    assert writes(cloud) == written


def test_the_environment_holds_back_as_the_store_does(online: Desk, cloud: Running) -> None:
    set_mode(online, "enforce")

    ended = online.run("apply", RECONCILER_MODE="report")
    assert (ended.code, writes(cloud)) == (2, 0)
    assert "not applied: mode report (RECONCILER_MODE)" in ended.out
    (result, _) = json.loads(online.run("apply", "--output", "json", RECONCILER_MODE="report").out)["results"]
    assert result["left"]["notApplied"] == ["not applied: mode report (RECONCILER_MODE)"]


def test_a_mode_that_does_not_exist_is_refused_with_those_that_do(online: Desk) -> None:
    ended = online.run("plan", RECONCILER_MODE="Enforce")
    assert ended.code == 1
    assert "RECONCILER_MODE: 'Enforce' is none of stop, report, approved, enforce" in ended.err


def test_a_spec_in_report_mode_is_named_with_its_line(online: Desk) -> None:
    path = online.folder / "specs" / f"{RELEASE}.yaml"
    path.write_text(path.read_text().replace("subscription:", "mode: report\nsubscription:", 1))
    line = path.read_text().splitlines().index("mode: report") + 1

    text = f"not applied: mode report ({RELEASE}.yaml:{line})"
    assert text in online.run("apply", RELEASE).out
    assert text in online.run("plan", RELEASE).out
    assert text in online.run("status").out


def test_a_stopped_organization_stops_no_other(online: Desk, cloud: Running) -> None:
    set_mode(online, "stop", "--organization", PRIME)

    ended = online.run("apply", RELEASE)
    assert (ended.code, writes(cloud)) == (2, 0)
    assert f"not applied: mode stop of organization {PRIME} (set " in ended.out
    ended = online.run("mode", "clear", "--organization", PRIME, "--reason", "over")
    assert ended.code == 0
    assert online.run("apply", RELEASE).code == 0


def test_plan_status_and_mode_show_it(online: Desk) -> None:
    assert online.run("apply").code == 0
    set_mode(online, "report", "--pool", RELEASE)

    assert online.run("status").out.splitlines()[0].startswith(f"mode report of pool {RELEASE} (set ")
    assert json.loads(online.run("status", "--output", "json").out)["modes"][-1]["pool"] == RELEASE
    shown = json.loads(online.run("mode", "--output", "json").out)
    assert (shown["format"], shown["mode"]) == ("reconciler/modes/v1", "enforce")
    assert [(one["mode"], one["pool"]) for one in shown["settings"]] == [
        ("enforce", None), ("enforce", None), ("report", RELEASE),
    ]  # fmt: skip
    assert f"  pool {RELEASE}: report, set " in online.run("mode").out
    assert "| for | mode | set | reason |" in online.run("mode", "--output", "markdown").out


def test_a_deleted_document_is_one_finding_and_no_write(online: Desk, cloud: Running) -> None:
    set_mode(online, "enforce")
    execute(online, "DELETE FROM safety WHERE name = 'mode'")

    ended = online.run("apply", RELEASE)
    assert (ended.code, writes(cloud)) == (1, 0)
    assert "the document mode is missing, but the index names it" in ended.out
    assert "- open access" in ended.out, "reading goes on"
    assert online.run("mode").code == 1
    set_mode(online, "enforce")
    assert online.run("apply", RELEASE).code == 0


def test_a_deleted_index_is_repaired_by_its_owner_alone(online: Desk, cloud: Running) -> None:
    set_mode(online, "enforce")
    execute(online, "DELETE FROM safety WHERE name = 'index'")

    assert (online.run("apply", RELEASE).code, writes(cloud)) == (1, 0)
    refused = online.run("mode", "set", "enforce", "--reason", "x")
    assert (refused.code, "then run `mdp-reconciler mode repair`" in refused.err) == (1, True)
    ended = online.run("mode", "repair")
    assert ended.code == 0
    assert "the index names " in ended.err
    assert online.run("apply", RELEASE).code == 0


def execute(desk: Desk, sql: str) -> None:
    with sqlite3.connect(desk.folder / "state.db") as connection:
        assert connection.execute(sql).rowcount == 1
    connection.close()


def test_a_plan_without_state_is_marked_and_cannot_be_approved(online: Desk, tmp_path: Path) -> None:
    """A pull request's pipeline: no state is set, and nothing is there by default."""
    home = {"RECONCILER_STATE": "", "XDG_STATE_HOME": str(tmp_path / "empty")}
    (plan,) = json.loads(online.run("plan", RELEASE, "--output", "json", **home).out)["plans"]
    assert (plan["hash"], plan["ownership"]) == (None, "not checked")
    assert "ownership not checked" in online.run("plan", RELEASE, **home).out
    markdown = online.run("plan", RELEASE, "--output", "markdown", **home).out
    assert "ownership not checked" in markdown
    assert "plan <code>" not in markdown
    assert not (tmp_path / "empty").exists()

    (plan,) = json.loads(online.run("plan", RELEASE, "--output", "json").out)["plans"]
    assert (len(plan["hash"]) >= 16, plan["ownership"]) == (True, "checked")


def test_a_plan_that_cannot_read_the_safety_facts_is_marked_too(online: Desk) -> None:
    set_mode(online, "enforce")
    execute(online, "DELETE FROM safety WHERE name = 'index'")

    (plan,) = json.loads(online.run("plan", RELEASE, "--output", "json").out)["plans"]
    assert (plan["hash"], plan["ownership"]) == (None, "not checked")
    assert "the document index is missing" in plan["notApplied"][0]


def policy_naming(desk: Desk, state: str) -> None:
    (desk.folder / "policy.yaml").write_text(f"apiVersion: policy/v2\nstate: {state}\nallow: []\n")


def test_the_state_that_the_policy_names_is_used_for_a_stop(online: Desk, cloud: Running) -> None:
    """A stop holds for a laptop whose settings say nothing of the state."""
    set_mode(online, "stop")
    policy_naming(online, str(online.folder / "state.db"))
    given = {"RECONCILER_POLICY": "policy.yaml", "RECONCILER_STATE": ""}

    ended = online.run("apply", RELEASE, **given)
    assert writes(cloud) == 0
    assert "not applied: mode stop (set " in ended.out
    assert "stop" in online.run("mode", **given).out


def test_another_state_than_the_policys_is_refused(online: Desk, cloud: Running) -> None:
    policy_naming(online, str(online.folder / "state.db"))
    given = {"RECONCILER_POLICY": "policy.yaml", "RECONCILER_STATE": str(online.folder / "mine.db")}

    ended = online.run("apply", RELEASE, **given)
    assert (ended.code, writes(cloud)) == (1, 0)
    assert "RECONCILER_STATE: is another state than the deployment's, which policy.yaml:2: state names" in ended.err


@pytest.mark.parametrize("place", ["https://canary.evil.example", "https://127.0.0.1.evil.example/x"])
def test_no_token_goes_to_a_state_on_a_foreign_host(online: Desk, cloud: Running, place: str) -> None:
    policy_naming(online, place)
    ended = online.run("apply", RELEASE, RECONCILER_POLICY="policy.yaml", RECONCILER_STATE="")
    assert (ended.code, writes(cloud)) == (1, 0)
    assert "policy.yaml:2: state: " in ended.err


def test_apply_refuses_where_the_deployments_state_cannot_be_reached(online: Desk, cloud: Running) -> None:
    (online.folder / "blocked").write_text("a file")
    policy_naming(online, str(online.folder / "blocked" / "state.db"))

    ended = online.run("apply", RELEASE, RECONCILER_POLICY="policy.yaml", RECONCILER_STATE="")
    assert (ended.code, writes(cloud)) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mode", "set", "--reason", "x"), "Invalid value for MODE: name one of stop, report, approved, enforce"),
        (("mode", "show", "stop"), "Invalid value for MODE: a mode is for `mode set` alone"),
        (("mode", "set", "stop"), "Invalid value for --reason: say why"),
        (("mode", "set", "stop", "--reason", "  "), "Invalid value for --reason: say why"),
        (("mode", "clear"), "Invalid value for --reason: say why"),
        (("mode", "--pool", "a-pool"), "for `mode set` and `mode clear` alone"),
        (("mode", "set", "stop", "--reason", "x", "--organization", "a", "--pool", "b-b"), "not both"),
        (("mode", "set", "stop", "--reason", "x", "--organization", "a/b"), "Invalid value for --organization: is"),
        (("mode", "set", "stop", "--reason", "x", "--pool", "a"), "Invalid value for --pool: is"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(list(arguments)) == 1
    assert message in " ".join(capsys.readouterr().err.split())


def test_showing_creates_no_store(desk: Desk) -> None:
    ended = desk.run("mode", RECONCILER_STATE=str(desk.folder / "none.db"))
    (line,) = ended.errors
    assert (ended.code, "none.db: does not exist" in line) == (1, True)
    assert not (desk.folder / "none.db").exists()
