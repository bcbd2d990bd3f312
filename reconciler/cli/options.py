"""Options that several commands share, each defined once."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer


class OutputFormat(StrEnum):
    """Formats of a result."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class ReportFormat(StrEnum):
    """Formats of a result that a pipeline may show beside the lines of a change."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    GITHUB = "github"
    AZURE_PIPELINES = "azure-pipelines"


PIPELINES = (ReportFormat.GITHUB, ReportFormat.AZURE_PIPELINES)


Names: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="Names of pools; without one, all.", show_default=False)
]
Specs: TypeAlias = Annotated[
    str,
    typer.Option(
        "--specs", metavar="PLACE", show_default=False,
        help="Folder, file, or git repository as URL#REF:PREFIX. Default: RECONCILER_SPECS.",
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
        help="File with what this deployment allows. Default: RECONCILER_POLICY.",
    ),
]  # fmt: skip
Form: TypeAlias = Annotated[OutputFormat, typer.Option("--output", "-o", help="Format of the result.")]
ReportForm: TypeAlias = Annotated[
    ReportFormat,
    typer.Option(
        "--output", "-o",
        help="Format of the result. github and azure-pipelines: text, annotations at file and line, and a summary.",
    ),
]  # fmt: skip
ChangedSince: TypeAlias = Annotated[
    str,
    typer.Option(
        "--changed-since", metavar="REF", show_default=False,
        help="Only pools whose spec means something else than at the merge base of REF and the planned commit.",
    ),
]  # fmt: skip
Full: TypeAlias = Annotated[
    bool, typer.Option("--full", help="Long values whole; else what differs between them. JSON always has them.")
]
NoColor: TypeAlias = Annotated[bool, typer.Option("--no-color", help="No colours, not even on a terminal.")]
Verbose: TypeAlias = Annotated[
    bool, typer.Option("--verbose", "-v", help="More on standard error; a traceback for a bug of the program.")
]


HASH = re.compile(r"[0-9a-f]{64}")


def plan_hash_of(text: str) -> str:
    """The hash of a plan that an option gives; empty where it is not given."""
    found = text.strip().lower()
    if found and HASH.fullmatch(found) is None:
        problem = f"{text[:100]!r} is not the hash of a plan: 64 hexadecimal digits, as `plan` prints it"
        raise typer.BadParameter(problem, param_hint="--plan-hash")
    return found
