"""The program's name and version, as help texts and `--version` show them."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

from reconciler import __version__

COMMAND = "mdp-reconciler"
"""The command that the installed package provides."""
PROGRAM = COMMAND if Path(sys.argv[0]).stem == COMMAND else "python -m reconciler"
"""The program as the caller started it; usage lines and examples begin with it."""


def _show_version(*, requested: bool) -> None:
    if requested:
        typer.echo(f"{COMMAND} {__version__}")
        raise typer.Exit


ENV_FILE: ContextVar[Path | None] = ContextVar("env_file", default=None)
"""The file that `--env-file` names, for the run of one command."""

EnvFile = Annotated[
    Path | None,
    typer.Option(
        "--env-file",
        metavar="FILE",
        show_default=False,
        help="File with settings, NAME=VALUE on each line; the environment takes precedence. No other file is read.",
    ),
]
Version = Annotated[
    bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
]
