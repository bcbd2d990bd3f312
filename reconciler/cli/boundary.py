"""Where every run ends: expected errors become lines and exit codes, a bug a short message.

No traceback for what is expected, and none at all without ``--verbose``; secrets are struck out of it.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import typer
from typer.exceptions import TyperException

from reconciler import settings
from reconciler.cli.app import app
from reconciler.cli.codes import DONE, ERROR, STOPPED
from reconciler.cli.screen import Screen
from reconciler.errors import ReconcilerError

PROGRAM = "python -m reconciler"


def main(arguments: Sequence[str] | None = None, program: typer.Typer = app) -> int:
    """Run the command line and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    screen = Screen(color="--no-color" not in given, verbose="--verbose" in given or "-v" in given)
    try:
        code = typer.main.get_command(program)(args=given, prog_name=PROGRAM, standalone_mode=False)
    except TyperException as error:
        return _usage(screen, error)
    except settings.SettingsInvalid as error:
        for problem in error.problems:
            screen.error(problem)
        return ERROR
    except ReconcilerError as error:
        screen.error(f"{error.reason}: {error}")
        return ERROR
    except (KeyboardInterrupt, typer.Abort):
        screen.note("stopped")
        return STOPPED
    except Exception as error:  # noqa: BLE001 - the outermost frame: people get a line, --verbose the traceback
        return _bug(screen, error)
    return code if isinstance(code, int) else DONE


def _usage(screen: Screen, error: TyperException) -> int:
    screen.error(error.format_message())
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else PROGRAM
    screen.note(f"help: {command} --help")
    return ERROR


def _bug(screen: Screen, error: Exception) -> int:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    screen.error(f"this is a bug: {type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}")
    if screen.verbose:
        for line in _without_secrets("".join(traceback.format_exception(error))).splitlines():
            screen.note(line)
    else:
        screen.note("run again with --verbose for a traceback, and report it; nothing more will be written until then")
    return ERROR


def _without_secrets(text: str) -> str:
    for secret in settings.secrets():
        text = text.replace(secret, "***")
    text = re.sub(r"(?i)\b(bearer|basic) +[\w.~+/=-]+", r"\1 ***", text)
    return re.sub(r"(https?://[^\s?'\"]+)\?[^\s'\"]*", r"\1?***", text)
