"""Five stories of the largest example, each as a user meets it: what is typed, what is read, how it ends.

The command line runs as a process of its own against both planes over HTTP; what is asserted is what a person reads.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from emulator import Running
from tests.cli.process import Desk, Ended
from tests.stories.conftest import GROUP, NAME, PAUSE, VAULT, edit, granted

FILE = f"specs/{NAME}.yaml"
DEV = "fabrikam-prime/fabrikam-dev"


def lines(ended: Ended) -> list[str]:
    """What stands on the screen, without indentation."""
    return [line.strip() for line in ended.out.splitlines()]


def as_json(ended: Ended) -> Any:
    return json.loads(ended.out)


def test_validate_three_slips_are_found_at_once_each_on_its_line(desk: Desk) -> None:
    """Ann edits the spec in a hurry. She reads what is wrong, where, and what to write, and fixes it in one go."""
    assert (desk.run("validate").code, desk.run("validate").out) == (0, "1 spec valid\n")

    edit(desk, "parallelism: 6", "parallelism: 5")
    edit(desk, "buffer: '40'", "buffer: 40")
    edit(desk, "keyExportable: false", "keyExportable: false\n          certificatStoreName: Root")
    ended = desk.run("validate")

    assert ended.code == 1
    assert lines(ended) == [
        (
            f"{FILE}:18: pool.properties.maximumConcurrency: is 10, but the organizations' parallelism adds up to 9; "
            "the sum of parallelism for all organizations must equal the max concurrency"
        ),
        f"{FILE}:57: pool.properties.fabricProfile.images[0].buffer: is read as a number, 40; write it in quotes: '40'",
        (
            f"{FILE}:74: pool.properties.fabricProfile.osProfile.secretsManagementSettings.certificatStoreName: is not a "
            "field; did you mean certificateStoreName?"
        ),
        "3 problems in 1 file; 0 specs valid",
    ]
    problems = as_json(desk.run("validate", "--output", "json"))["problems"]
    assert [one["line"] for one in problems] == [18, 57, 74]

    edit(desk, "parallelism: 5", "parallelism: 6")
    edit(desk, "buffer: 40", "buffer: '40'")
    edit(desk, "certificatStoreName: Root", "")
    assert desk.run("validate").code == 0


def test_plan_shows_the_pool_before_it_is_made_and_the_drift_afterwards(desk: Desk, cloud: Running) -> None:
    """Ann ends the pause, reads what would be made, lets it be made; then comes a change by hand, and the plan says what."""
    paused = desk.run("plan")
    assert paused.code == 2, "a pause hides no difference"
    held = f"not applied: paused until 2028-01-01T00:00:00Z ({NAME}.yaml:7): shown as an example, not run"
    assert held in lines(paused)

    cloud.do.replace(granted(cloud.do.state()))
    edit(desk, PAUSE, "")
    wanted = desk.run("plan")
    assert wanted.code == 2
    assert [lines(wanted)[0], " ".join(lines(wanted)[1].split())] == [
        f"{NAME}   out of sync; 13 changes wait for others",
        f"+ pool {NAME} none → 10 agents for 2 organizations ARM, grants access, create",
    ]
    assert lines(wanted)[-2].startswith("14 changes: "), "with what follows once the pool exists"
    assert "gap" not in lines(wanted)[-2]
    assert sum("after the pool exists" in line for line in lines(wanted)) == 13
    assert not cloud.do.state()["subscriptions"][0]["pools"], "a plan writes nothing"

    assert desk.run("apply").code == 0
    in_sync = desk.run("plan")
    assert (in_sync.code, lines(in_sync)[0], lines(in_sync)[-1]) == (0, f"{NAME}   in sync", "0 changes; 1 remark")

    prime = {"organization": "fabrikam-prime", "pool": "fabrikam-build"}
    cloud.do.edit("open-access", **prime, project="fabrikam-dev")
    cloud.do.edit("set-role", **prime, who="bob", role="Administrator")
    edit(desk, "logonType: Service", "logonType: Interactive")
    edited = desk.run("plan")

    assert edited.code == 2
    found = "\n".join(" ".join(line.split()) for line in lines(edited))
    assert (
        "~ pool fabricProfile.osProfile.logonType Service → Interactive ARM, restarts agents, agents are recycled"
        in found
    )
    assert f"- open access {DEV} all pipelines → none Azure DevOps, revokes access" in found
    assert "- administrator fabrikam-prime bob@fabrikam.com Administrator → none Azure DevOps, revokes access" in found
    assert lines(edited)[-2] == "3 changes: 2 revoking access, 1 restarting agents; 1 remark"
    (document,) = as_json(desk.run("plan", "--output", "json"))["plans"]
    assert [change["risk"] for change in document["changes"]] == ["restarts", "narrows", "narrows"]


def test_import_takes_the_pool_under_control_and_loses_nothing_of_it(running_pool: Desk, cloud: Running) -> None:
    """Bob finds a pool without a spec, has one written, and changes nothing by it. It says all that the example said."""
    original = running_pool.folder / "specs" / f"{NAME}.yaml"
    example = yaml.load(original.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - texts alone, no tags
    original.unlink()
    before = cloud.do.state()

    astray = running_pool.run("status", "--unmanaged")
    assert (astray.code, lines(astray)) == (2, [f"pool without a spec  {NAME}: `import {NAME}` writes a spec"])

    ended = running_pool.run("import", NAME, "--to", "specs")
    assert ended.code == 0, ended.out
    assert lines(ended) == [
        f"{FILE}: written, its plan is empty",
        "# report shows differences and writes nothing; enforce repairs them",
        "# openAccess of fabrikam-tailspin is a guess: 1 of 2 projects are open, the others are excepted",
        "# openAccess of fabrikam-prime is a guess: 1 of 2 projects are open, the others are excepted",
        "# 41 is \\release\\nightly",
    ]
    assert running_pool.run("plan").code == 0
    assert cloud.do.state() == before

    written = yaml.load(original.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - the same
    ours, theirs = (one["pool"]["properties"] for one in (example, written))
    assert ours["organizationProfile"].pop("permissionProfile")["kind"] == "SpecificAccounts"
    theirs["organizationProfile"].pop("permissionProfile", None)
    assert theirs == ours
    assert written["access"]["roles"][1] == {
        "organization": "fabrikam-prime",
        "administrators": ["[fabrikam-prime]\\Platform", "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb", "ann@fabrikam.com"],
        "inherit": "false",
    }
    again = running_pool.run("status", "--unmanaged", "--output", "json")
    assert (again.code, as_json(again)["strays"]) == (0, [])


def test_explain_says_why_a_pipeline_waits_and_what_would_let_it_run(running_pool: Desk, cloud: Running) -> None:
    """The phone rings: `check` waits for permission, `nightly` does not. And Web is closed, though no spec says so."""
    nightly = running_pool.run("explain", NAME, "fabrikam-dev", "nightly")
    assert nightly.code == 0
    assert lines(nightly)[0] == f"{DEV} pipeline nightly on {NAME}: may run"
    assert lines(nightly)[5].startswith(
        "+ authorization  open access is off; pipeline 41 \\release\\nightly is authorized by itself; opened by Pool operator"
    )

    waiting = running_pool.run("explain", NAME, "fabrikam-dev", "check")
    assert waiting.code == 2
    told = lines(waiting)
    assert told[0] == f"{DEV} pipeline check on {NAME}: may not run; first missing: authorization"
    assert [line[:1] for line in told[1:7]] == ["+", "+", "+", "+", "-", "+"]
    assert told[told.index("the spec says:") + 1 :][:3] == [
        f"{DEV} uses the pool",
        "openAccess of fabrikam-prime is off",
        "pipelines authorized individually and no others: \\release\\nightly",
    ]
    assert told[-3:] == [
        "has nothing to do here: in sync with the spec",
        "to let it run:",
        (
            f"allow it in {NAME}.yaml: check under access.pipelines, or for all pipelines "
            f"{{ project: {DEV}, allow: true, reason: … }} under access.openAccess"
        ),
    ]

    cloud.do.edit("close-access", organization="fabrikam-tailspin", pool="tailspin-build", project="Web")
    closed = as_json(running_pool.run("explain", NAME, "Web", "--output", "json"))
    assert (closed["may"], closed["firstMissing"], closed["advice"]) == (False, "authorization", [])
    assert [change["kind"] for change in closed["changes"]] == ["open access"], "the operator opens it again"


def test_doctor_names_the_rights_that_are_missing_until_none_is(desk: Desk, cloud: Running) -> None:
    """Before the first run: what the operator may already, what it lacks, for whom, and the command that grants it."""
    edit(desk, PAUSE, "")
    cloud.do.edit("take-rights", organization="fabrikam-tailspin")
    before = cloud.do.state()

    ended = desk.run("doctor", "--all")
    told = lines(ended)

    assert ended.code == 2
    assert f"ok       {GROUP}: write pools" in told
    assert "ok       fabrikam-prime: access level Basic" in told
    at = told.index("missing  key vault fabrikam-build: read certificates while the pool is written")
    assert told[at + 1] == f"mode enforce requires Key Vault Certificate User on {VAULT}"
    assert told[at + 3].startswith("az role assignment create --assignee-object-id OBJECT_ID")
    at = told.index("missing  fabrikam-tailspin: Administrator on all agent pools")
    assert "https://dev.azure.com/fabrikam-tailspin/_settings/agentpools" in " ".join(told[at : at + 4])
    report = as_json(desk.run("doctor", "--mode", "report", "--output", "json"))
    missing = {check["what"] for check in report["checks"] if check["verdict"] == "missing"}
    assert "Administrator on all agent pools" not in missing, "report requires less"
    assert cloud.do.state() == before
    assert cloud.do.count(writes=True) == 0

    cloud.do.replace(granted(before))
    good = desk.run("doctor")
    assert (good.code, lines(good)[-1].split("; ")[0]) == (0, "21 checks: 21 ok, 0 missing, 0 unknown")
