"""Problems and plans as annotations of a pipeline: at the file and line that a person changed; and its summary."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler import bootstrap
from reconciler.cli.options import ReportFormat
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection, base_of
from reconciler.config.ci import SUMMARY, TEMPORARY
from reconciler.config.settings import Settings, environment
from reconciler.documents.redaction import redact
from reconciler.plan import render
from reconciler.plan.model import GapKind, Plan, Risk
from reconciler.plan.render.annotations import Annotation, AnnotationKind, azure_pipelines, azure_summary, github
from reconciler.plan.sync import SyncCause
from reconciler.spec.model import Spec
from reconciler.spec.problem import Problem

SUMMARY_CHARACTERS = 250_000
"""GitHub takes 1 MiB for the summary of a step, and a character has up to four bytes ("Workflow commands")."""


def annotate(screen: Screen, form: ReportFormat, found: Sequence[Annotation], summary: str) -> None:
    """Write annotations to standard output, and the summary where the service looks for it."""
    for line in github(found) if form is ReportFormat.GITHUB else azure_pipelines(found):
        screen.result(line)
    try:
        uploaded = _summarize(form, redact(summary))
    except OSError as error:
        screen.error(f"summary of the run: {error.filename}: {error.strerror}")
        return
    if uploaded:
        screen.result(azure_summary(uploaded))


def _summarize(form: ReportFormat, text: str) -> str:
    """Write the summary; on Azure Pipelines the path of the file that is to be uploaded."""
    given = environment()
    if form is ReportFormat.GITHUB:
        if path := given.get(SUMMARY):
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(f"{text}\n")
        return ""
    folder = given.get(TEMPORARY)
    if not folder:
        return ""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=folder, prefix="Pools ", suffix=".md", delete=False
    ) as made:
        made.write(f"{text}\n")
    return made.name


def problem_lines(settings: Settings, problems: Sequence[Problem]) -> list[str]:
    """Problems, each in one line, with its file as the repository has it."""
    in_repository = _paths(settings)
    return [str(replace(one, path=in_repository.of_problem(one))) for one in problems]


def of_problems(settings: Settings, selection: Selection) -> Iterator[Annotation]:
    """One for each problem and warning of the files."""
    in_repository = _paths(settings)
    for kind, found in ((AnnotationKind.ERROR, selection.problems), (AnnotationKind.WARNING, selection.warnings)):
        for one in found:
            message = f"{one.where}: {one.message}" if one.where else one.message
            title = "Problem in a spec" if kind is AnnotationKind.ERROR else "Check this spec"
            yield Annotation(kind, in_repository.of_problem(one), one.line, title, message, one.column)


def of_plans(
    settings: Settings, specs: Sequence[Spec], plans: Sequence[tuple[Plan, SyncCause]]
) -> Iterator[Annotation]:
    """What is refused, what could not be read, and what grants or takes away; of each plan in its order."""
    from reconciler.engine.spec_lines import line_of  # noqa: PLC0415 - `validate` needs no engine

    in_repository = _paths(settings)
    by_name = {spec.name: spec for spec in specs}
    for plan, _ in plans:
        spec = by_name[plan.pool]
        path = in_repository.below(spec.path)
        for refusal in plan.refusals:
            kind = AnnotationKind.WARNING if refusal.approvable else AnnotationKind.ERROR
            title = "Held back until the plan is approved" if refusal.approvable else "Refused"
            message = f"{plan.pool}: {render.summary(refusal.change)}: {refusal.message} ({refusal.rule})"
            yield Annotation(kind, path, line_of(spec, refusal.change) or 1, title, message)
        for gap in plan.gaps:
            if gap.kind is GapKind.UNKNOWN:
                message = f"{plan.pool}: {gap.facet} {gap.subject}: {gap.message}"
                yield Annotation(AnnotationKind.ERROR, path, 1, f"Not known: {gap.reason}", message)
        for change in plan.all_changes:
            if change.widens or change.narrows or change.risk is not Risk.NEUTRAL:
                kind = (
                    AnnotationKind.NOTICE
                    if change.narrows and not (change.widens or change.destroys)
                    else AnnotationKind.WARNING
                )
                title = render.effect(change.risk.value).capitalize()
                message = f"{plan.pool}: {render.summary(change)}"
                yield Annotation(kind, path, line_of(spec, change) or 1, title, message)


class _Paths:
    """Paths of files below the root of their repository, where the diff of a pull request has them."""

    def __init__(self, shown: str, folder: str) -> None:
        self._shown = f"{shown}/" if shown else ""
        self._folder = f"{folder}/" if folder else ""

    def below(self, path: str) -> str:
        """Of a file by its path below the folder of the specs."""
        return f"{self._folder}{path}"

    def of_problem(self, problem: Problem) -> str:
        """Of a problem, whose path is the one that an editor opens."""
        return self.below(problem.path.removeprefix(self._shown))


def _paths(settings: Settings) -> _Paths:
    root, folder = bootstrap.place_of(settings)
    shown = base_of(settings.specs)
    return _Paths(shown, folder if root else shown)
