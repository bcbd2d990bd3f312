"""`convert`: a template, a Bicep file or profiles of `az mdp` as specs. Asks no service anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from reconciler.cli.codes import DONE, ERROR, PENDING
from reconciler.cli.options import Form, NoColor, OutputFormat, Verbose
from reconciler.cli.screen import Screen
from reconciler.errors import NotFound
from reconciler.plan.render import clean
from reconciler.tools.convert import Given, drafts, pieces
from reconciler.tools.convert.piece import parameters_of
from reconciler.tools.spec_writer import Draft, text

FORMAT = "reconciler/convert/v1"

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="ARM template, Bicep file, or profile files of one pool.")
]
Subscription = Annotated[str, typer.Option("--subscription", metavar="ID", help="Subscription of the pools.")]
Group = Annotated[str, typer.Option("--resource-group", metavar="NAME", help="Resource group of the pools.")]
Name = Annotated[
    str, typer.Option("--name", metavar="NAME", show_default=False, help="The pool's name, where no file says it.")
]
Location = Annotated[
    str, typer.Option("--location", metavar="REGION", show_default=False, help="Where no file says it as a value.")
]
Parameters = Annotated[
    list[Path] | None,
    typer.Option("--parameters", metavar="FILE", show_default=False, help="Parameter files of the template."),
]
InMode = Annotated[Literal["report", "enforce"], typer.Option("--mode", help="Mode of the specs.")]


def convert(
    files: Files,
    *,
    subscription: Subscription,
    resource_group: Group,
    name: Name = "",
    location: Location = "",
    parameters: Parameters = None,
    mode: InMode = "report",
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Print what another form says as specs; what is left out is named on standard error and ends with code 2."""
    screen = Screen(color=not no_color, verbose=verbose)
    given = Given(subscription, resource_group, name, location, mode)
    values = {key: value for one in parameters or () for key, value in parameters_of(str(one), _read(one)).items()}
    found = drafts(pieces({str(one): _read(one) for one in files}, values), given)
    _show(found, output, screen)
    return _code(found)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(f"{path}: {error.strerror}") from None


def _code(found: Sequence[Draft]) -> int:
    if any(draft.problems for draft in found):
        return ERROR
    return PENDING if any(note.startswith("left out: ") for draft in found for _, note in draft.notes) else DONE


def _show(found: Sequence[Draft], output: OutputFormat, screen: Screen) -> None:
    if output is OutputFormat.JSON:
        specs = [
            {"document": one.document, "notes": [note for _, note in one.notes], "problems": one.problems}
            for one in found
        ]
        screen.document({"format": FORMAT, "specs": specs})
        return
    screen.result("---\n".join(text(one) for one in found).rstrip("\n"))
    for one in found:
        name = one.document["name"]
        for _, note in one.notes:
            screen.note(f"{name}: {clean(note)}")
        for problem in one.problems:
            screen.error(f"{name}: {clean(problem)}")
