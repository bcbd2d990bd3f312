"""Where every run ends: expected errors become lines and exit codes, a bug a short message.

No traceback for expected errors, and none at all without ``--verbose``; it is redacted.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from typer.exceptions import TyperException

from reconciler.cli.app import app
from reconciler.cli.codes import DONE, ERROR, STOPPED
from reconciler.cli.screen import Screen
from reconciler.cli.selection import desk
from reconciler.config import settings
from reconciler.documents.redaction import redact
from reconciler.errors import ReconcilerError

PROGRAM = "python -m reconciler"


def main(arguments: Sequence[str] | None = None, program: typer.Typer = app) -> int:
    """Run the command line and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    screen = Screen(color="--no-color" not in given, verbose="--verbose" in given or "-v" in given)
    try:
        with _libraries(screen):
            code = typer.main.get_command(program)(args=given, prog_name=PROGRAM, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        screen.note("stopped")
        return STOPPED
    except Exception as error:  # noqa: BLE001 - the outermost frame: one line, with --verbose the traceback
        _report(screen, error)
        return ERROR
    return code if isinstance(code, int) else DONE


@contextmanager
def _libraries(screen: Screen) -> Iterator[None]:
    """Log lines of libraries are shown with ``--verbose`` only, and redacted; our own errors contain what matters."""
    handler = _Log(screen)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


class _Log(logging.Handler):
    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.WARNING)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        for line in _without_secrets(record.getMessage()).splitlines():
            self._screen.detail(f"{record.name}: {line}")


def _report(screen: Screen, error: Exception) -> None:
    if isinstance(error, TyperException):
        _usage(screen, error)
    elif isinstance(error, settings.SettingsInvalid):
        for problem in error.problems:
            screen.error(problem)
    elif isinstance(error, ReconcilerError):
        screen.error(f"{error.reason}: {error}")
    elif isinstance(error, BrokenPipeError):
        # The reader of our output has closed it; the interpreter still flushes at its end and must not fail then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        _bug(screen, error)


def _usage(screen: Screen, error: TyperException) -> None:
    screen.error(error.format_message())
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else PROGRAM
    screen.note(f"help: {command} --help")


def _bug(screen: Screen, error: Exception) -> None:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    screen.error(f"this is a bug: {type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}")
    if screen.verbose:
        for line in _without_secrets("".join(traceback.format_exception(error))).splitlines():
            screen.note(line)
    else:
        screen.note("run again with --verbose for a traceback, and report it")


def _without_secrets(text: str) -> str:
    return redact(text, settings.secrets(desk()))
