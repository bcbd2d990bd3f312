"""Where every run ends: expected errors become lines and exit codes, a bug a short message.

No traceback for expected errors, and none at all without ``--verbose``; it is redacted.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from reconciler.cli.app import app
from reconciler.cli.codes import DONE, ERROR, STOPPED
from reconciler.cli.program import PROGRAM
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.cli.screen import Screen


def main(arguments: Sequence[str] | None = None, program: typer.Typer = app) -> int:
    """Run the command line and return its exit code."""
    if arguments is None:
        _start_light()
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        with _library_logs(given):
            code = get_command(program)(args=given, prog_name=PROGRAM, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        _screen(given).note("stopped")
        return STOPPED
    except ModuleNotFoundError:  # a package that is not installed: reconciler/__main__.py names the remedy
        raise
    except Exception as error:  # noqa: BLE001 - the outermost frame: people get a line, --verbose the traceback
        _report(_screen(given), error)
        return ERROR
    return code if isinstance(code, int) else DONE


def _start_light() -> None:
    """Settings of this process that imports are faster with; a caller's own settings count more."""
    gc.set_threshold(20_000, *gc.get_threshold()[1:])  # imports make many objects and drop few
    logging.lastResort = None  # a sign-in in the background may still log when the handler below is gone
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # else it reads the metadata of all packages


def _screen(given: Sequence[str]) -> Screen:
    from reconciler.cli.screen import Screen  # noqa: PLC0415 - see the module's docstring

    return Screen(color="--no-color" not in given, verbose=_verbose(given))


def _verbose(given: Sequence[str]) -> bool:
    return "--verbose" in given or "-v" in given


@contextmanager
def _library_logs(given: Sequence[str]) -> Iterator[None]:
    """Show what libraries log with `--verbose` only, and without secrets; our own errors say what matters."""
    handler = _LogHandler(given)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


DOCUMENTS = "reconciler.documents"
"""Logger of `reconciler.adapters.owned.state`, which is not imported for its name."""


class _LogHandler(logging.Handler):
    def __init__(self, given: Sequence[str]) -> None:
        super().__init__(logging.WARNING)
        self._given = given

    def emit(self, record: logging.LogRecord) -> None:
        lines = _without_secrets(record.getMessage()).splitlines()
        if record.name == DOCUMENTS:  # a person has to know that something counts as never stored
            for line in lines:
                _screen(self._given).note(line)
        elif _verbose(self._given):
            for line in lines:
                _screen(self._given).detail(f"{record.name}: {line}")


def _report(screen: Screen, error: Exception) -> None:
    from reconciler.config.settings import SettingsInvalid  # noqa: PLC0415 - see the module's docstring

    if isinstance(error, TyperException):
        _usage(screen, error)
    elif isinstance(error, SettingsInvalid):
        for problem in error.problems:
            screen.error(problem)
    elif isinstance(error, ReconcilerError):
        screen.error(f"{error.reason}: {error}")
    elif isinstance(error, BrokenPipeError):
        # The reader of our output has closed it; the interpreter still flushes at its end and must not fail then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif isinstance(error, OSError) and error.errno is not None:
        # Disk, rights or a device: the environment's, not ours. What was written to standard output has no name.
        screen.error(f"{error.filename or 'standard output'}: {error.strerror}")
        if screen.verbose:
            _traceback(screen, error)
    else:
        _bug(screen, error)


def _usage(screen: Screen, error: TyperException) -> None:
    message = " ".join(error.format_message().split())  # a list of choices comes in lines
    screen.error(message.replace("Value error, ", ""))  # the prefix says nothing to a person
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else PROGRAM
    if "--env-file" in message:
        screen.note(f"--env-file stands before the command: {PROGRAM} --env-file FILE COMMAND")
    screen.note(f"help: {command} --help")


def _bug(screen: Screen, error: Exception) -> None:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    screen.error(f"this is a bug: {type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}")
    if screen.verbose:
        _traceback(screen, error)
    else:
        screen.note("run again with --verbose for a traceback, and report it")


def _traceback(screen: Screen, error: Exception) -> None:
    for line in _without_secrets("".join(traceback.format_exception(error))).splitlines():
        screen.note(line)


def _without_secrets(text: str) -> str:
    from reconciler.cli.program import ENV_FILE  # noqa: PLC0415 - see the module's docstring
    from reconciler.config import settings  # noqa: PLC0415
    from reconciler.documents.redaction import redact  # noqa: PLC0415

    if ENV_FILE.get() is None:
        return redact(text, settings.secrets())
    from reconciler.cli import env_file  # noqa: PLC0415 - most runs name no file

    return redact(text, settings.secrets(env_file.values(ENV_FILE.get())))
