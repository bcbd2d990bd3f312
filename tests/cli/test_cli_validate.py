"""`validate` and `schema`, as real processes."""

from __future__ import annotations

import json

from tests.cli.process import POOL, Desk

BROKEN = (
    POOL.format(name="fabrikam-broken-pool")
    .replace("maximumConcurrency: 2", "maximumConcurrency: plenty")
    .replace("openAccess: true", "openAcess: true")
    .replace("resourceGroup: rg-build", "resourceGroup: rg-build\nmode: enforced")
)


def test_specs_without_a_problem_are_said_to_be_so(desk: Desk) -> None:
    desk.spec()

    ended = desk.run("validate", "--specs", "specs")

    assert (ended.code, ended.out, ended.err) == (0, "1 spec valid\n", "")


def test_every_problem_is_one_line_with_file_and_line(desk: Desk) -> None:
    """All at once: nobody wants to push three times to learn of three mistakes."""
    desk.spec()
    desk.spec("broken", BROKEN)

    ended = desk.run("validate", "--specs", "specs")
    *lines, summary = ended.out.splitlines()

    assert ended.code == 1
    assert [line.split(":")[:2] for line in lines] == [
        ["specs/broken.yaml", "6"],
        ["specs/broken.yaml", "10"],
        ["specs/broken.yaml", "14"],
    ]
    assert "enforce" in lines[0]
    assert "plenty" in lines[1]
    assert "openAccess" in lines[2]
    assert summary == "3 problems in 1 file; 1 spec valid"


def test_problems_are_data_too(desk: Desk) -> None:
    desk.spec()
    desk.spec("broken", BROKEN)

    ended = desk.run("validate", "--specs", "specs", "--output", "json")
    document = json.loads(ended.out)

    assert ended.code == 1
    assert document["format"] == "reconciler/problems/v1"
    assert document["pools"] == ["fabrikam-managed-pool"]
    assert [(one["path"], one["line"]) for one in document["problems"]] == [
        ("specs/broken.yaml", 6),
        ("specs/broken.yaml", 10),
        ("specs/broken.yaml", 14),
    ]


def test_problems_make_a_table_for_a_pull_request(desk: Desk) -> None:
    desk.spec("broken", BROKEN)

    lines = desk.run("validate", "--specs", "specs", "--output", "markdown").out.splitlines()

    assert lines[0] == "### 3 problems in 1 file; 0 specs valid"
    assert lines[2] == "| file | where | problem |"
    assert len(lines) == 7
    assert {line.count("|") for line in lines[2:]} == {4}


def test_a_name_that_no_spec_has_gets_the_nearest(desk: Desk) -> None:
    desk.spec()

    ended = desk.run("validate", "--specs", "specs", "fabrikam-managd-pool")

    assert ended.code == 1
    assert ended.errors == ["error: NotFound: no pool is named 'fabrikam-managd-pool'; nearest: fabrikam-managed-pool"]


def test_a_name_may_be_hidden_by_a_problem_and_that_is_said(desk: Desk) -> None:
    desk.spec("fabrikam-broken-pool", BROKEN)
    desk.spec()

    ended = desk.run("plan", "--specs", "specs", "fabrikam-broken-pool")

    assert ended.code == 1
    assert len(ended.errors) == 4
    assert ended.errors[-1].endswith("known: fabrikam-managed-pool; it may be in a file with a problem")


def test_a_committed_spec_is_read_at_its_commit(desk: Desk) -> None:
    """With --ref what lies on the disk does not count, wherever in the repository the folder is."""
    desk.spec()
    desk.git("init", "--quiet", "--initial-branch=main")
    desk.git("add", "specs")
    desk.git("commit", "--quiet", "--message", "pools")
    desk.spec("fabrikam-managed-pool", BROKEN)

    assert desk.run("validate", "--specs", "specs").code == 1
    assert desk.run("validate", "--specs", "specs", "--ref", "main").code == 0
    assert desk.run("validate", "--specs", ".#main:specs").code == 0
    assert desk.run("validate", "--specs", "elsewhere#old:pools").code == 1


def test_a_control_character_in_a_spec_does_not_reach_the_terminal(desk: Desk) -> None:
    r"""A file's name, or a value in it, could otherwise clear the screen that shows the problem."""
    desk.spec("x", POOL.format(name="x").replace("mode", "m").replace("kind: ManagedDevOpsPool", 'kind: "\\e[2J"'))

    ended = desk.run("validate", "--specs", "specs")

    assert ended.code == 1
    assert "\x1b" not in ended.out + ended.err


def test_the_schema_is_printed_for_editors(desk: Desk) -> None:
    ended = desk.run("schema")

    assert ended.code == 0
    assert json.loads(ended.out)["title"]
    assert desk.files() == set()


def test_warnings_are_shown_and_are_no_error(desk: Desk) -> None:
    """In each form of output; the spec is used as it is."""
    desk.spec("old", POOL.format(name="fabrikam-old-pool").replace("ubuntu-24.04", "windows-2019"))

    text = desk.run("validate", "--specs", "specs")
    found = json.loads(desk.run("validate", "--specs", "specs", "--output", "json").out)
    table = desk.run("validate", "--specs", "specs", "--output", "markdown")

    line, summary = text.out.splitlines()
    assert (text.code, summary) == (0, "1 spec valid, 1 warning")
    assert line.startswith("specs/old.yaml:")
    assert "wellKnownImageName: warning: is windows-2019, which was withdrawn on 2025-12-31" in line
    assert (found["problems"], found["pools"]) == ([], ["fabrikam-old-pool"])
    assert [one["message"].partition(",")[0] for one in found["warnings"]] == ["is windows-2019"]
    assert table.code == 0
    assert "| file | where | warning |" in table.out
