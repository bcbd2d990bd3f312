"""`probe` as a process: the file that it writes, what a rerun shows, and what is told when something is wrong."""

from __future__ import annotations

import json
import stat

import pytest
import yaml

from emulator import Running
from tests.cli.process import Desk

PRIME, TAILSPIN = "fabrikam-prime", "fabrikam-tailspin"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


def test_the_story_of_a_file_that_is_asked_for_twice(online: Desk, cloud: Running) -> None:
    """It is written, shows nothing new, and then that the organization changed its mind; nothing is written to Azure."""
    before = cloud.do.state()

    first = online.run("probe")
    again = online.run("probe", "--check", "capabilities.yaml")
    cloud.do.switch("devops.organization-queue-list", "listed")
    content = (online.folder / "capabilities.yaml").read_text()
    check = online.run("probe", "--check", "capabilities.yaml")
    unchanged = (online.folder / "capabilities.yaml").read_text()
    rerun = online.run("probe", PRIME)

    line = f"{PRIME}: organization-queue-list: seen no (refused) → seen yes (complete)"
    assert first.code == 0, first.err
    assert "capabilities.yaml written; the operator reads it where RECONCILER_CAPABILITIES names it" in first.err
    assert (again.code, again.out.splitlines()[-1]) == (0, "no answer differs from capabilities.yaml")
    assert (check.code, line in check.out) == (2, True)
    assert unchanged == content
    assert (rerun.code, line in rerun.out) == (0, True)
    written = yaml.safe_load((online.folder / "capabilities.yaml").read_text())
    assert set(written["organizations"]) == {PRIME, TAILSPIN}, "who was not asked this time is kept"
    assert cloud.do.count(writes=True) == 0
    assert cloud.do.state() == before


def test_what_is_not_asked_is_listed_with_the_way_to_ask_it(online: Desk) -> None:
    out = online.run("probe", PRIME).out

    assert "   3  permission-profile-change  because it would change the administrators of a pool" in out
    assert "      by hand: on a scratch pool and in a scratch project: roleassignments before and after" in out


@pytest.mark.parametrize("form", ["json", "markdown"])
def test_it_is_told_to_programs_and_pull_requests(online: Desk, form: str) -> None:
    ended = online.run("probe", PRIME, "--subscription", SUBSCRIPTION, "--to", "out/c.yaml", "--output", form)

    assert ended.code == 0, ended.err
    if form == "markdown":
        rows = [line for line in ended.out.splitlines() if line.startswith(f"| {PRIME} |")]
        assert len(rows) == 16
        assert f"| {PRIME} | 3 | permission-profile-change | not asked | because it would" in ended.out
        return
    document = json.loads(ended.out)
    answers = document["organizations"][PRIME]["answers"]
    assert document["format"] == "reconciler/probe/v1"
    assert answers["authorized-list"]["verdict"] == "seen yes"
    assert answers["authorized-list"]["evidence"]["status"] == [200]
    assert "second-write" in document["notAsked"]


def test_the_file_appears_whole_and_nothing_lies_beside_it(online: Desk) -> None:
    """Whoever reads it meanwhile sees the old one; its mode stays what somebody made it."""
    path = online.folder / "capabilities.yaml"
    online.run("probe", PRIME)
    path.chmod(0o600)
    before = online.files()

    online.run("probe", PRIME)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert online.files() == before


def test_a_file_that_cannot_be_believed_is_told_line_by_line_and_left_alone(online: Desk) -> None:
    bad = "format: reconciler/capabilities/v1\norganizations:\n  Prime: {asked: today, answers: {}}\n  b: []\n"
    (online.folder / "capabilities.yaml").write_text(bad)
    online.environment["RECONCILER_CAPABILITIES"] = "capabilities.yaml"

    for command in (["probe"], ["probe", "--check", "capabilities.yaml"], ["plan"], ["doctor"]):
        ended = online.run(*command)

        assert ended.code == 1
        assert ended.errors == [
            "error: capabilities.yaml:3: organizations.Prime.asked: is no moment; write it as 2026-11-22T16:00:00Z",
            "error: capabilities.yaml:4: organizations.b: is a list; write a mapping",
        ]
    assert (online.folder / "capabilities.yaml").read_text() == bad


def test_a_file_that_is_set_and_missing_ends_a_plan_and_is_written_by_probe(online: Desk) -> None:
    online.environment["RECONCILER_CAPABILITIES"] = "deployed/capabilities.yaml"

    plan = online.run("plan")
    probe = online.run("probe")
    after = online.run("plan")

    assert plan.code == 1
    assert plan.errors == [
        (
            "error: NotFound: RECONCILER_CAPABILITIES: deployed/capabilities.yaml: No such file or directory; "
            "write it with `probe`, or unset the variable"
        )
    ]
    assert probe.code == 0
    assert "the operator reads it where" not in probe.err
    assert after.code == 2, after.err


def test_an_organization_that_lets_nobody_in_keeps_what_was_known(online: Desk, cloud: Running) -> None:
    online.run("probe")
    before = yaml.safe_load((online.folder / "capabilities.yaml").read_text())["organizations"]
    cloud.do.fault("401", organization=TAILSPIN, count=99)

    ended = online.run("probe")

    after = yaml.safe_load((online.folder / "capabilities.yaml").read_text())["organizations"]
    assert ended.code == 1
    assert [line.split(":")[1] for line in ended.errors] == [" Forbidden"]
    assert after[TAILSPIN] == before[TAILSPIN]
    assert PRIME in after


def test_a_subscription_that_cannot_be_read_leaves_its_questions_open(online: Desk, cloud: Running) -> None:
    cloud.do.fault("403", plane="arm", count=99)

    ended = online.run("probe", PRIME)

    assert ended.code == 0
    assert (
        f"warning: subscription {SUBSCRIPTION} not read (Forbidden): questions about its pools stay open" in ended.err
    )
    assert "needs a Managed DevOps Pool of this organization in a subscription that is read" in ended.out


def test_without_specs_an_organization_has_to_be_named(online: Desk) -> None:
    del online.environment["RECONCILER_SPECS"]

    nobody = online.run("probe")
    named = online.run("probe", PRIME)

    assert (nobody.code, named.code) == (1, 0)
    assert "RECONCILER_SPECS: not set" in nobody.err


def test_asking_and_writing_in_one_is_an_error_of_usage(online: Desk) -> None:
    ended = online.run("probe", "--check", "a.yaml", "--to", "b.yaml")

    assert ended.code == 1
    assert "--check writes nothing" in ended.err


def test_a_place_that_cannot_be_written_is_one_line(online: Desk) -> None:
    (online.folder / "file").write_text("")

    ended = online.run("probe", PRIME, "--to", "file/capabilities.yaml")

    assert ended.code == 1
    assert ended.errors[0].startswith("error: Forbidden: file")


def test_the_operator_reads_less_for_what_was_found_out(online: Desk, cloud: Running) -> None:
    """The whole way: asked, deployed by the setting, believed. A plan of the same estate costs fewer reads."""
    cloud.do.switch("devops.organization-queue-list", "listed")
    online.run("probe")
    cloud.do.reset_log()
    careful = online.run("plan", "--output", "json")
    without = cloud.do.count(writes=False)
    cloud.do.reset_log()
    told = online.run("plan", "--output", "json", RECONCILER_CAPABILITIES="capabilities.yaml")

    assert cloud.do.count(writes=False) < without
    assert json.loads(told.out) == json.loads(careful.out)
