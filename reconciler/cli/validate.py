"""`validate`: reports every problem and warning of every spec, without a call to any service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR
from reconciler.cli.options import PIPELINES, Names, NoColor, Ref, ReportForm, ReportFormat, Specs, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection, select, settings_of
from reconciler.documents.spelling import counted
from reconciler.plan import render
from reconciler.spec.problem import Problem

FORMAT = "reconciler/problems/v1"


def validate(
    names: Names = None,
    *,
    specs: Specs = "",
    ref: Ref = "",
    output: ReportForm = ReportFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Check the specs and list every problem and warning, one line each. Calls no service."""
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(specs, ref)
    selection = select(bootstrap.source(settings), names or [], screen, place=settings.specs)
    if output is ReportFormat.JSON:
        screen.document(_document(selection))
    elif output is ReportFormat.MARKDOWN:
        screen.result(_markdown(selection))
    else:
        _text(selection, screen)
    if output in PIPELINES:
        from reconciler.cli.annotating import annotate, of_problems  # noqa: PLC0415 - most runs start without it

        annotate(screen, output, list(of_problems(settings, selection)), _markdown(selection))
    return ERROR if selection.problems else DONE


def _text(selection: Selection, screen: Screen) -> None:
    for problem in selection.problems:
        screen.bad(str(problem))
    for warning in selection.warnings:
        screen.result(str(replace(warning, message=f"warning: {warning.message}")))
    if selection.problems:
        screen.bad(_summary(selection))
    else:
        screen.good(_summary(selection))


def _summary(selection: Selection) -> str:
    valid = f"{counted(len(selection.specs), 'spec')} valid"
    if selection.warnings:
        valid += f", {counted(len(selection.warnings), 'warning')}"
    if not selection.problems:
        return valid
    files = len({problem.path for problem in selection.problems})
    return f"{counted(len(selection.problems), 'problem')} in {counted(files, 'file')}; {valid}"


def _document(selection: Selection) -> dict[str, object]:
    return {
        "format": FORMAT,
        "revision": selection.revision,
        "pools": [spec.name for spec in selection.specs],
        "problems": [_entry(one) for one in selection.problems],
        "warnings": [_entry(one) for one in selection.warnings],
    }


def _entry(one: Problem) -> dict[str, object]:
    return {"path": one.path, "line": one.line, "column": one.column, "where": one.where, "message": one.message}


def _markdown(selection: Selection) -> str:
    return "\n".join(
        [
            f"### {render.escaped(_summary(selection))}",
            *_table("problem", selection.problems),
            *_table("warning", selection.warnings),
        ]
    )


def _table(what: str, problems: Sequence[Problem]) -> list[str]:
    if not problems:
        return []
    rows = [
        f"| {render.code(f'{one.path}:{one.line}')} | {render.code(one.where)} | {render.escaped(one.message)} |"
        for one in problems
    ]
    return ["", f"| file | where | {what} |", "| --- | --- | --- |", *rows]
