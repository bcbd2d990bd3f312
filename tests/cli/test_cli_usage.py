"""What is told before anything is done: usage, settings, and where specs are. Each as a real process."""

from __future__ import annotations

import pytest

from tests.cli.process import Desk

COMMANDS = ("validate", "plan", "apply", "status", "schema", "demo")


def test_without_a_command_the_help_is_shown(desk: Desk) -> None:
    ended = desk.run()

    assert ended.code == 0
    assert all(command in ended.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(desk: Desk, command: str) -> None:
    """Somebody on call reads this at night; an example says more than a list of options."""
    ended = desk.run(command, "--help")

    assert ended.code == 0
    assert f"python -m reconciler {command}" in ended.out.partition("Examples")[2]


@pytest.mark.parametrize(
    ("arguments", "line", "reason"),
    [
        (("paln",), "error: No such command 'paln'.", "a misspelt command"),
        (("plan", "--forse"), "error: No such option: --forse", "a misspelt option"),
        (
            ("plan", "--output", "xml"),
            "error: Invalid value for '--output' / '-o': 'xml' is not one of 'text', 'json', 'markdown', 'github', 'azure-pipelines'.",
            "a form that is none",
        ),
        (
            ("apply", "--plan-hash", "0f3a" * 16),
            "error: Invalid value for --plan-hash: a plan hash belongs to one pool: give its NAME too",
            "one hash for all pools",
        ),
        (
            ("apply", "a", "b", "--plan-hash", "0f3a" * 16),
            "error: Invalid value for --plan-hash: a plan hash belongs to one pool: give its NAME too",
            "one hash for two pools",
        ),
        (
            ("apply", "--timeout", "soon"),
            "error: Invalid value for '--timeout'",
            "a time that is none",
        ),
        *(
            ((name,), "error: Missing argument", "nothing chosen, where there is a choice")
            for name in ("notify", "policy", "undo", "explain", "forget", "onboard")
        ),
        (
            ("apply", "--timeout", "-1"),
            "error: Invalid value for '--timeout'",
            "a time before now",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_1(
    desk: Desk, arguments: tuple[str, ...], line: str, reason: str
) -> None:
    """2 would mean drift: a pipeline must not take a slip for a plan."""
    ended = desk.run(*arguments)

    assert ended.code == 1, reason
    assert ended.out == ""
    assert [error for error in ended.errors if error.startswith(line)], ended.err
    assert "Traceback" not in ended.err
    assert "\\x0" not in ended.err
    assert "--help" in ended.err
    assert desk.files() == set()


@pytest.mark.parametrize("command", ["validate", "plan", "apply"])
def test_missing_specs_are_told_with_the_remedy(desk: Desk, command: str) -> None:
    ended = desk.run(command)

    assert ended.code == 1
    assert ended.errors == [
        "error: SpecInvalid: RECONCILER_SPECS: not set; name a folder or a git repository there, or by --specs"
    ]
    assert desk.files() == set()


def test_all_wrong_settings_are_told_at_once_and_no_secret_with_them(desk: Desk) -> None:
    ended = desk.run(
        "plan",
        RECONCILER_CREDENTIAL="static",
        RECONCILER_ARM_TOKEN="canary-token",
        RECONCILER_BUDGET="soon",
        RECONCILER_POLCY="policy.yaml",
    )

    assert ended.code == 1
    assert [line.split(": ")[1] for line in ended.errors] == [
        "RECONCILER_BUDGET",
        "RECONCILER_DEVOPS_TOKEN",
        "RECONCILER_ARM_ENDPOINT",
        "RECONCILER_DEVOPS_ENDPOINT",
        "RECONCILER_IDENTITY_ENDPOINT",
        "RECONCILER_MEMBERS_ENDPOINT",
        "RECONCILER_POLCY",
    ]
    assert "canary" not in ended.out + ended.err


def test_a_file_gives_settings_and_the_environment_counts_more(desk: Desk) -> None:
    """What is set for this run takes precedence."""
    (desk.folder / "my.env").write_text("RECONCILER_BUDGET=from-file\nRECONCILER_PARALLEL=from-file\n")

    ended = desk.run("--env-file", "my.env", "plan", RECONCILER_PARALLEL="typed")

    assert [line.partition(": ")[2] for line in ended.errors] == [
        "RECONCILER_BUDGET: 'from-file' is not a number from 5 to 3600",
        "RECONCILER_PARALLEL: 'typed' is not a whole number from 1 to 16",
    ]


@pytest.mark.parametrize(
    ("place", "words", "reason"),
    [
        ("missing", ("missing", "no such folder"), "a folder that is not there"),
        ("specs#main", ("specs", "no repository"), "a folder that is no repository"),
        ("ssh://git@github.com/fabrikam/pools.git", ("RECONCILER_SPECS", "ssh"), "a scheme that is not spoken"),
        ("http://127.0.0.1:9/pools.git", ("127.0.0.1",), "loopback without leave"),
    ],
)
def test_a_place_without_specs_is_named(desk: Desk, place: str, words: tuple[str, ...], reason: str) -> None:
    (desk.folder / "specs").mkdir()

    ended = desk.run("validate", "--specs", place)

    assert ended.code == 1, reason
    (line,) = ended.errors
    assert all(word in line for word in words), line
    assert "Traceback" not in ended.err


def test_a_folder_without_specs_is_an_error_and_not_in_sync(desk: Desk) -> None:
    """An empty checkout must not look like an estate that is as wanted."""
    (desk.folder / "specs").mkdir()

    ended = desk.run("validate", "--specs", "specs")

    assert ended.code == 1
    assert ended.errors == ["error: NotFound: folder specs: no .yaml, .yml, .json file"]


def test_an_unknown_ref_is_named(desk: Desk) -> None:
    desk.spec()
    desk.git("init", "--quiet", "--initial-branch=main")
    desk.git("add", ".")
    desk.git("commit", "--quiet", "--message", "pools")

    ended = desk.run("validate", "--specs", "specs", "--ref", "release")

    assert ended.code == 1
    (line,) = ended.errors
    assert "release" in line
