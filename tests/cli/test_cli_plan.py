"""`plan` against both planes, as real processes: what it shows, how it ends, and that it changes nothing."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator

from emulator import Running
from tests.cli.process import ROOT, Desk

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"


def test_drift_is_shown_with_exit_code_2_and_nothing_is_written(online: Desk, cloud: Running) -> None:
    before = cloud.do.state()

    ended = online.run("plan")

    assert ended.code == 2, ended.err
    lines = ended.out.splitlines()
    assert lines[0].startswith(f"{POOL}   out of sync")
    assert any(line.startswith("  - administrator") and "bob@fabrikam.com" in line for line in lines)
    assert lines[-3] == "  1 change: 1 revoking access"
    assert re.fullmatch("  plan [0-9a-f]{64}", lines[-2])
    assert lines[-1] == "2 pools, 0 in sync: 7 changes: 1 without impact, 4 granting access, 2 revoking access"
    assert cloud.do.state() == before
    assert "state.db" not in online.files()


def test_drift_and_pending_are_told_apart_by_what_was_verified(online: Desk, cloud: Running) -> None:
    """By hand in Azure DevOps: drift. By a commit: pending. Without saved state: neither is known."""
    spec = online.folder / "specs" / f"{RELEASE}.yaml"
    assert online.run("apply", RELEASE).code == 0
    cloud.do.edit("open-access", organization="fabrikam-prime", pool=RELEASE, project="fabrikam-release")
    drift = online.run("plan", RELEASE)
    spec.write_text(f"{spec.read_text()}mode: report\n")
    left = online.run("apply", RELEASE)
    status = online.run("status", RELEASE)
    spec.write_text(spec.read_text().replace("location: eastus", "location: eastus\n  tags: {team: build}"))
    (pending,) = json.loads(online.run("plan", RELEASE, "--output", "json").out)["plans"]
    stateless = online.run("plan", RELEASE, RECONCILER_STATE=str(online.folder / "none.db"))

    assert drift.out.splitlines()[0].endswith("   out of sync (drift)")
    assert left.out.splitlines()[0].endswith("   out of sync (drift); 1 planned, nothing written")
    assert status.out.splitlines()[0].endswith("   OutOfSync (drift)")
    assert ": drift: 1 change: 1 " in status.out
    assert (pending["outOfSync"], pending["state"]) == ("pending", "out of sync (pending)")
    assert stateless.out.splitlines()[0].endswith("   out of sync")


def test_a_plan_by_name_is_of_that_pool_alone(online: Desk) -> None:
    ended = online.run("plan", RELEASE.upper())

    assert ended.code == 2
    assert ended.out.splitlines()[0].startswith(RELEASE)
    assert POOL not in ended.out


def test_the_json_is_as_documented(online: Desk) -> None:
    schema = json.loads((ROOT / "docs" / "plan.schema.json").read_text())

    ended = online.run("plan", "--output", "json")
    document = json.loads(ended.out)

    assert ended.code == 2
    Draft202012Validator(schema).validate(document)
    assert [plan["pool"] for plan in document["plans"]] == [POOL, RELEASE]
    assert document["inSync"] is False


def test_two_plans_of_one_state_have_one_hash(online: Desk) -> None:
    """Somebody approves the first; what is applied must be the same."""
    first, second = (json.loads(online.run("plan", RELEASE, "--output", "json").out) for _ in range(2))

    assert first == second


def test_the_markdown_is_a_table_a_pool(online: Desk) -> None:
    ended = online.run("plan", "--output", "markdown")

    assert ended.code == 2
    assert ended.out.count("### <code>") == 2
    assert "**changes**" in ended.out


def test_a_bad_file_hides_no_good_one_and_is_an_error(online: Desk) -> None:
    """The other pool may be the one on fire; and a pipeline must not take the rest for all."""
    path = online.folder / "specs" / f"{POOL}.yaml"
    path.write_text(path.read_text().replace("maximumConcurrency: 4", "maximumConcurrency: 5"))

    ended = online.run("plan")

    assert ended.code == 1
    assert ended.out.splitlines()[0].startswith(RELEASE)
    (error,) = ended.errors
    assert error.startswith(f"error: specs/{POOL}.yaml:")
    assert "5" in error


def test_a_named_pool_is_planned_whatever_other_files_hold(online: Desk) -> None:
    online.spec("broken", "kind: nothing\n")

    ended = online.run("plan", RELEASE)

    assert ended.code == 2
    assert "in other specs; `validate` lists them" in ended.err


def test_a_paused_pool_is_planned_and_what_holds_it_is_told(online: Desk) -> None:
    path = online.folder / "specs" / f"{RELEASE}.yaml"
    path.write_text(path.read_text() + "mode: pause\nreason: migration\nuntil: 2999-12-31\n")

    ended = online.run("plan", RELEASE)

    assert ended.code == 2
    assert "open access  fabrikam-prime/fabrikam-release" in ended.out
    assert "not applied: paused until 3000-01-01T00:00:00Z (" in ended.out
    assert "): migration" in ended.out


@pytest.mark.parametrize(
    ("variable", "value", "word", "reason"),
    [
        ("RECONCILER_ARM_TOKEN", "canary-wrong", "Forbidden", "ARM knows no such token"),
        ("RECONCILER_DEVOPS_TOKEN", "canary-wrong", "Forbidden", "Azure DevOps knows no such token"),
        ("RECONCILER_ARM_ENDPOINT", "http://127.0.0.1:9", "Unavailable", "nobody listens there"),
        ("RECONCILER_DEVOPS_ENDPOINT", "http://127.0.0.1:9", "Unavailable", "nor there"),
    ],
)
def test_a_plane_that_cannot_be_read_is_an_error_and_never_in_sync(
    online: Desk, cloud: Running, *, variable: str, value: str, word: str, reason: str
) -> None:
    """A read that failed is not an absence: what depends on it is not known, and the exit code says so."""
    before = cloud.do.state()

    ended = online.run("plan", RELEASE, **{variable: value})

    assert ended.code == 1, reason
    assert f"unknown    {word}" in ended.out or f"unknown  {word}" in ended.out
    assert "Traceback" not in ended.err
    assert "canary" not in ended.out + ended.err
    assert cloud.do.state() == before


@pytest.mark.parametrize(
    ("content", "words", "reason"),
    [
        (None, ("RECONCILER_POLICY", "No such file"), "without the policy nothing is applied"),
        ("organisations: [fabrikam-prime]\n", ("organizations",), "a misspelt limit would not limit"),
        ("- a\n", ("policy",), "not even a mapping"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_policy_that_cannot_be_read_stops_everything(
    online: Desk, cloud: Running, *, command: str, content: str | None, words: tuple[str, ...], reason: str
) -> None:
    if content is not None:
        (online.folder / "policy.yaml").write_text(content)
    before = cloud.do.state()

    ended = online.run(command, "--policy", "policy.yaml")

    assert ended.code == 1, reason
    assert ended.errors
    assert all(word in ended.err for word in words), ended.err
    assert "Traceback" not in ended.err
    assert cloud.do.count(writes=True) == 0
    assert cloud.do.state() == before


def test_what_the_policy_does_not_allow_is_refused_in_the_plan(online: Desk) -> None:
    (online.folder / "policy.yaml").write_text("openAccess: false\n")

    ended = online.run("plan", POOL, "--policy", "policy.yaml")

    assert ended.code == 2
    assert "refused: policy-open-access" in ended.out


def test_a_renamed_project_is_told_as_the_service_tells_it(online: Desk, cloud: Running) -> None:
    """A plan that misses what the service recognises would have another hash than the one that is applied."""
    online.run("apply", RELEASE)
    cloud.do.edit("rename-project", organization="fabrikam-prime", project="fabrikam-release", to="fabrikam-ship")

    known = online.run("plan", RELEASE)
    stranger = online.run("plan", RELEASE, RECONCILER_STATE=str(online.folder / "other.db"))

    assert "is called fabrikam-ship now" in " ".join(known.out.split())
    assert "no saved state" not in known.err
    assert "is called fabrikam-ship now" not in " ".join(stranger.out.split())
    assert f"{RELEASE}: no saved state: renamed projects appear as missing. Set RECONCILER_STATE" in " ".join(
        stranger.err.split()
    )
    assert "other.db" not in online.files()


def test_a_state_that_cannot_be_read_stops_no_plan(online: Desk) -> None:
    """Whoever may read both planes may not be let into the service's storage."""
    broken = online.folder / "broken.db"
    broken.write_text("this is no database " * 100)

    ended = online.run("plan", RELEASE, RECONCILER_STATE=str(broken))

    assert ended.code == 2
    assert ended.out.splitlines()[0].startswith(RELEASE)
    assert any(
        line.startswith("the state cannot be read, so renamed projects appear as missing")
        for line in ended.err.splitlines()
    )


def test_a_plan_counts_what_was_written_in_24_hours_where_it_can_read_the_record(online: Desk, cloud: Running) -> None:
    """Elsewhere it says which caps it did not check, and the plan is the same but for that."""
    online.run("policy", "init", "--to", "policy.yaml")
    policy = (online.folder / "policy.yaml").read_text()
    (online.folder / "policy.yaml").write_text(f"{policy}\ncaps: {{widenings: {{pool: {{day: 3}}}}}}\n")
    one = (POOL, "--policy", "policy.yaml")
    assert "cap-widenings" in online.run("plan", *one).out, "four are planned"
    (online.folder / "policy.yaml").write_text(f"{policy}\ncaps: {{widenings: {{pool: {{day: 4}}}}}}\n")
    assert online.run("apply", *one).code == 0
    cloud.do.edit("close-access", organization="fabrikam-prime", pool=POOL, project="fabrikam-dev")
    (online.folder / "policy.yaml").write_text(f"{policy}\ncaps: {{widenings: {{pool: {{day: 3}}}}}}\n")

    shown = online.run("plan", *one)
    assert "3 were made, and 1 widenings are planned for this pool; the policy's cap is 3 in 24 hours" in shown.out
    assert "not checked" not in shown.out
    applied = online.run("apply", *one)
    assert "3 were made, and 1 widenings are planned for this pool" in applied.out

    del online.environment["RECONCILER_STATE"]
    away = online.run("plan", *one)
    assert "caps over 24 hours not checked (widenings): the record of writes is not read" in away.out
    assert "cap-widenings" not in away.out


def test_a_pool_that_was_renamed_in_its_file_shows_both_halves(online: Desk, cloud: Running) -> None:
    """The new name would be created, and the old one is no longer named: nothing of it is read or written."""
    assert online.run("apply").code == 0
    (path,) = [path for path in (online.folder / "specs").rglob("*.yaml") if f"name: {RELEASE}" in path.read_text()]
    path.write_text(path.read_text().replace(f"name: {RELEASE}", "name: fabrikam-shipping-pool", 1))
    text = f"no spec names the pool (it was in {path.name}); nothing of it is removed. forget {RELEASE} ends this"

    shown, table = online.run("plan"), online.run("plan", "--output", "markdown")
    document = json.loads(online.run("plan", "--output", "json").out)

    assert f"{RELEASE}   NotInSpecs: {text}" in shown.out.splitlines()
    assert "fabrikam-shipping-pool" in shown.out
    assert "NotInSpecs" in table.out
    assert document["unnamed"] == [{"pool": RELEASE, "reason": "NotInSpecs", "message": text}]
    assert RELEASE not in online.run("plan", POOL).out, "a plan by name is of that pool alone"
    statuses = json.loads(online.run("status", RELEASE, "--output", "json").out)["pools"]
    assert statuses[0]["conditions"][0]["reason"] == "InSync", "a plan stores nothing"
    assert cloud.do.count(writes=True) > 0
