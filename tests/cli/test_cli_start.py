"""The command line starts at once: what is imported for what, in a process of its own. Seconds are not tested."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from reconciler.cli.app import COMMANDS, command
from tests.cli.process import POOL, ROOT, Desk

SERVICES = {"azure", "msrest", "requests", "urllib3", "opentelemetry", "aiohttp", "tenacity"}
"""What talks to services, or tells of it."""


def imported(folder: Path, *arguments: str) -> set[str]:
    """Names of all modules that a run of the command line imports."""
    script = (
        "import sys; from reconciler.cli import main; code = main()\n"
        "print(*sys.modules, file=sys.stderr); raise SystemExit(code)"
    )
    environment = {**Desk(folder).surroundings(), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stderr.split())


def top(modules: set[str]) -> set[str]:
    """The packages that modules belong to."""
    return {name.partition(".")[0] for name in modules}


def ours(modules: set[str]) -> set[str]:
    """The parts of the reconciler among them: ``cli.app``."""
    return {name.removeprefix("reconciler.") for name in modules if name.startswith("reconciler.")}


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_the_list_of_commands_imports_no_command(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    found = imported(tmp_path, *arguments)

    assert ours(found) == {
        "cli",
        "cli.app",
        "cli.boundary",
        "cli.codes",
        "cli.program",
        "documents",
        "documents.redaction",
        "errors",
    }
    assert top(found) & {"rich", "pydantic", "yaml", "dulwich", "dotenv", *SERVICES} == set()


def test_a_help_page_needs_neither_rich_nor_another_command(tmp_path: Path) -> None:
    found = imported(tmp_path, "schema", "--help")

    assert {name for name in ours(found) if name.startswith("cli.")} == {
        "cli.app",
        "cli.boundary",
        "cli.codes",
        "cli.program",
        "cli.schema",
        "cli.screen",
    }
    assert top(found) & {"rich", "yaml", *SERVICES} == set()


def test_validate_needs_the_loader_and_no_engine(desk: Desk) -> None:
    """No SDK, no telemetry, no rich; no git library either where git does not keep the folder."""
    desk.spec()

    found = imported(desk.folder, "validate", "--specs", "specs")

    assert "spec.loader" in ours(found)
    assert top(found) & {"rich", "dulwich", "dotenv", *SERVICES} == set()
    assert {name.partition(".")[0] for name in ours(found)} <= {
        "adapters",
        "bootstrap",
        "cli",
        "config",
        "documents",
        "errors",
        "plan",
        "ports",
        "spec",
    }
    assert {name for name in ours(found) if name.startswith("adapters.")} <= {
        "adapters.git",
        "adapters.git.folder",
        "adapters.git.location",
        "adapters.git.snapshots",
        "adapters.git.source",
        "adapters.allowed_host",
        "adapters.boundary",
        "adapters.clock",
        "adapters.origin",
    }


def test_a_plan_builds_no_models_of_a_missing_file() -> None:
    """Capabilities are read with pydantic; a deployment without such a file does not pay for them."""
    script = "import reconciler.bootstrap.connections, reconciler.engine, sys; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    found = ours(set(done.stdout.split()))
    assert "survey.capabilities.beliefs" in found
    assert {"survey.capabilities.answers", "survey.capabilities.document"} & found == set()


def test_a_file_with_settings_is_read_where_it_is_named(desk: Desk) -> None:
    desk.spec()
    (desk.folder / ".env").write_text("RECONCILER_SPECS=specs\n")

    assert "dotenv" in top(imported(desk.folder, "--env-file", ".env", "validate"))
    assert "dotenv" not in top(imported(desk.folder, "validate", "--specs", "specs"))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_itself_says(name: str) -> None:
    """The line of the table is the beginning of the function's docstring."""
    row = COMMANDS[name]
    module, _, function = row.function.partition(":")
    text = " ".join((inspect.getdoc(getattr(import_module(module), function)) or "").split())

    assert text.startswith(row.summary)
    assert command(name).name == name


def test_every_module_with_a_command_is_in_the_list() -> None:
    """A command that the table lacks cannot be called, and nothing else would say so."""
    listed = {row.function.partition(":")[0] for row in COMMANDS.values()}
    with_options = {
        f"reconciler.cli.{path.stem}"
        for path in (ROOT / "reconciler" / "cli").glob("*.py")
        if "verbose: Verbose" in path.read_text(encoding="utf-8")
    }

    assert with_options <= listed


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("python pl", "plan"), ("python ", "validate"), ("python plan --spe", "--specs"), ("python demo --ke", "--keep")],
)
def test_the_shell_completes_commands_and_options(desk: Desk, typed: str, offered: str) -> None:
    ended = desk.run(
        **{
            "_PYTHON _M RECONCILER_COMPLETE": "complete_bash",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(typed.split(" ")) - 1),
        }
    )

    assert offered in ended.out.split()


@pytest.mark.parametrize(("variable", "colored"), [("NO_COLOR", False), ("FORCE_COLOR", True), ("LANG", False)])
def test_colours_follow_the_terminal_and_the_usual_variables(desk: Desk, variable: str, *, colored: bool) -> None:
    desk.spec()

    ended = desk.run("validate", "--specs", "specs", **{variable: "1"})

    assert ("\x1b[32m" in ended.out) == colored
    assert "1 spec valid" in ended.out


@pytest.mark.parametrize(("variables", "colored"), [({}, True), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, False)])
def test_a_dumb_terminal_gets_no_colours(desk: Desk, variables: dict[str, str], *, colored: bool) -> None:
    desk.spec()
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb"), os.fdopen(theirs, "wb") as terminal:
        subprocess.run(
            [sys.executable, "-m", "reconciler", "validate", "--specs", "specs"],
            cwd=desk.folder,
            env=desk.surroundings({"TERM": "xterm", **variables}),
            stdout=terminal,
            check=True,
        )
        said = os.read(ours, 10_000)

    assert b"1 spec valid" in said
    assert (b"\x1b[" in said) == colored


def test_no_color_counts_more_than_a_variable(desk: Desk) -> None:
    desk.spec("broken", POOL.format(name="fabrikam-broken-pool").replace("eastus", ""))

    ended = desk.run("validate", "--specs", "specs", "--no-color", FORCE_COLOR="1")

    assert "\x1b" not in ended.out + ended.err
