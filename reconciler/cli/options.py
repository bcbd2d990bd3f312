"""The options that several commands share, each described once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

import typer


class OutputFormat(StrEnum):
    """The forms of a result."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


Names: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Pools by name; none for all.", show_default=False)
]
Specs: TypeAlias = Annotated[
    str,
    typer.Option(
        "--specs", metavar="PLACE", show_default=False,
        help="Folder, or git repository as URL#REF:PREFIX. Default: RECONCILER_SPECS.",
    ),
]  # fmt: skip
Ref: TypeAlias = Annotated[
    str,
    typer.Option(
        "--ref", metavar="REF[:PREFIX]", show_default=False,
        help="Branch, tag or commit to read from git, instead of the files of the folder.",
    ),
]  # fmt: skip
Policy: TypeAlias = Annotated[
    str,
    typer.Option(
        "--policy", metavar="FILE", show_default=False,
        help="What this deployment allows. Default: RECONCILER_POLICY.",
    ),
]  # fmt: skip
Form: TypeAlias = Annotated[OutputFormat, typer.Option("--output", "-o", help="Form of the result on standard output.")]
NoColor: TypeAlias = Annotated[bool, typer.Option("--no-color", help="No colours, also on a terminal.")]
Verbose: TypeAlias = Annotated[
    bool, typer.Option("--verbose", "-v", help="More on standard error; a traceback where the program itself is wrong.")
]
