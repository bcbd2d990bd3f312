"""docs/tools.md prints the table of exit codes, and the table has every command with codes that it can end with."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from typer.main import get_command

from reconciler.cli import app
from reconciler.cli.codes import DONE, ERROR, MEANINGS, PENDING, STOPPED, table

PAGE = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")
COMMANDS = set(getattr(get_command(app), "commands", {}))


def test_the_page_prints_the_table() -> None:
    section = PAGE.partition("<!-- exit codes: ")[2].partition("<!-- /exit codes -->")[0]
    printed = section.partition("-->")[2].strip()

    assert printed == table(), "run the command in the comment, and replace the table"


def test_every_command_has_its_row() -> None:
    assert set(MEANINGS) >= COMMANDS
    assert set(MEANINGS) - COMMANDS <= {"demo"}, "which is added by the program, not by the app"


@pytest.mark.parametrize("command", MEANINGS)
def test_a_row_has_words_for_known_codes_alone(command: str) -> None:
    codes = MEANINGS[command]

    assert DONE in codes
    assert set(codes) <= {DONE, ERROR, PENDING, STOPPED}
    assert all(meaning and "|" not in meaning for meaning in codes.values())


def test_codes_are_written_as_names_in_the_commands() -> None:
    """A number in a command would be a meaning that the table does not know."""
    for path in (Path(__file__).parents[2] / "reconciler" / "cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant):
                assert type(node.value.value) is not int, f"{path.name}:{node.lineno}"
