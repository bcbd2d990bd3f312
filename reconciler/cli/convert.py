"""`convert`: a template, a Bicep file or JSON of `az mdp` as specs. Reads files only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from reconciler.cli.codes import DONE, ERROR, PENDING
from reconciler.cli.files import content_of
from reconciler.cli.options import Form, NoColor, OutputFormat, Verbose
from reconciler.cli.screen import Screen
from reconciler.documents import Json
from reconciler.plan.render import clean
from reconciler.tools.convert import ConvertOptions, drafts, parameters_of, pieces
from reconciler.tools.spec_writer import Draft, text

FORMAT = "reconciler/convert/v1"

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="ARM template, Bicep file, or JSON files of az mdp of one pool.")
]
Subscription = Annotated[str, typer.Option("--subscription", metavar="ID", help="Subscription of the pools.")]
Group = Annotated[str, typer.Option("--resource-group", metavar="NAME", help="Resource group of the pools.")]
Name = Annotated[
    str,
    typer.Option("--name", metavar="NAME", show_default=False, help="The pool's name, if no file has it."),
]
Location = Annotated[
    str,
    typer.Option("--location", metavar="REGION", show_default=False, help="The region, if no file has it."),
]
Parameters = Annotated[
    list[Path] | None,
    typer.Option("--parameters", metavar="FILE", show_default=False, help="Parameter files of the template."),
]
InMode = Annotated[Literal["report", "enforce"], typer.Option("--mode", help="Mode of the specs.")]
Partial = Annotated[
    bool, typer.Option("--partial", help="Write specs that lack something; what they lack stands in them as comments.")
]


def convert(
    files: Files,
    *,
    subscription: Subscription,
    resource_group: Group,
    name: Name = "",
    location: Location = "",
    parameters: Parameters = None,
    mode: InMode = "report",
    partial: Partial = False,
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Print pools of templates, Bicep or az mdp as specs. 0: written, 1: nothing written, 2: written with --partial."""
    screen = Screen(color=not no_color, verbose=verbose)
    options = ConvertOptions(subscription, resource_group, name, location, mode)
    values = {key: value for one in parameters or () for key, value in parameters_of(str(one), content_of(one)).items()}
    found = drafts(pieces({str(one): content_of(one) for one in files}, values), options)
    incomplete = any(draft.left_out for draft in found)
    invalid = any(draft.problems for draft in found)
    written = not invalid and (partial or not incomplete)
    _show(found, output, screen, written=written)
    if not written:
        return ERROR
    return PENDING if incomplete else DONE


def _show(found: Sequence[Draft], output: OutputFormat, screen: Screen, *, written: bool) -> None:
    if output is OutputFormat.JSON:
        screen.document({"format": FORMAT, "specs": [_document(one, written=written) for one in found]})
        return
    if written:
        screen.result("---\n".join(text(one) for one in found).rstrip("\n"))
    for one in found:
        name = clean(str(one.document["name"]))
        for line in _notes(one):
            screen.note(f"{name}: {clean(line)}")
        for line in one.left_out:
            (screen.note if written else screen.error)(f"{name}: {clean(line)}")
        for problem in one.problems:
            screen.error(f"{name}: {clean(problem)}")
    if not written and not any(one.problems for one in found):
        screen.error("nothing written: a spec would lack what is left out; give values, or write it by --partial")


def _notes(draft: Draft) -> list[str]:
    """Comments that make no spec incomplete."""
    return [note for _, note in draft.notes if note not in draft.left_out]


def _document(draft: Draft, *, written: bool) -> Mapping[str, Json]:
    return {
        "name": draft.document["name"],
        "document": draft.document if written else None,
        "leftOut": draft.left_out,
        "notes": _notes(draft),
        "problems": draft.problems,
    }
