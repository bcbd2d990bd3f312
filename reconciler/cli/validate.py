"""`validate`: reports every problem of every spec, without a call to any service."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR
from reconciler.cli.options import Form, Names, NoColor, OutputFormat, Ref, Specs, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection, select, settings_of
from reconciler.plan import render
from reconciler.spec.problem import Problem

FORMAT = "reconciler/problems/v1"


def validate(
    names: Names = None,
    *,
    specs: Specs = "",
    ref: Ref = "",
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Check the specs and list every problem, one line each. Calls no service."""
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(specs, ref)
    selection = select(bootstrap.source(settings), names or [], screen, place=settings.specs)
    if output is OutputFormat.JSON:
        screen.document(_document(selection))
    elif output is OutputFormat.MARKDOWN:
        screen.result(_markdown(selection))
    else:
        _text(selection, screen)
    return ERROR if selection.problems else DONE


def _text(selection: Selection, screen: Screen) -> None:
    for problem in selection.problems:
        screen.bad(str(problem))
    if selection.problems:
        screen.bad(_summary(selection))
    else:
        screen.good(_summary(selection))


def _summary(selection: Selection) -> str:
    valid = f"{len(selection.specs)} spec{'' if len(selection.specs) == 1 else 's'} valid"
    if not selection.problems:
        return valid
    number = len(selection.problems)
    files = len({problem.path for problem in selection.problems})
    return f"{number} problem{'' if number == 1 else 's'} in {files} file{'' if files == 1 else 's'}; {valid}"


def _document(selection: Selection) -> dict[str, object]:
    return {
        "format": FORMAT,
        "revision": selection.revision,
        "pools": [spec.name for spec in selection.specs],
        "problems": [
            {"path": one.path, "line": one.line, "column": one.column, "where": one.where, "message": one.message}
            for one in selection.problems
        ],
    }


def _markdown(selection: Selection) -> str:
    return "\n".join([f"### {render.escaped(_summary(selection))}", *_table(selection.problems)])


def _table(problems: Sequence[Problem]) -> list[str]:
    if not problems:
        return []
    rows = [
        f"| {render.code(f'{one.path}:{one.line}')} | {render.code(one.where)} | {render.escaped(one.message)} |"
        for one in problems
    ]
    return ["", "| file | where | problem |", "| --- | --- | --- |", *rows]
