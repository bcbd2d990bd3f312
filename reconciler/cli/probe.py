"""`probe`: what nothing published says of the services, asked by reading. Writes one file of this machine, no more.

The file is the deployment's (`RECONCILER_CAPABILITIES`). An organization that lets nobody in keeps what the file says
of it: no answer is no reason to forget one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR, PENDING
from reconciler.cli.options import Form, NoColor, OutputFormat, Ref, Specs, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import require, select, settings_of
from reconciler.config.settings import Settings
from reconciler.documents import Json
from reconciler.errors import Forbidden, NotFound, ReconcilerError
from reconciler.plan import render
from reconciler.survey.capabilities import QUESTIONS, ProbeQuestion, document
from reconciler.survey.capabilities.answers import Capabilities, OrganizationAnswers
from reconciler.tools.probe import ProbeOrganization, probed

FORMAT = "reconciler/probe/v1"
DEFAULT = Path("capabilities.yaml")

Organizations = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ORGANIZATION]...", help="By bare name; none: those of the specs.", show_default=False),
]
Subscriptions = Annotated[
    list[str] | None,
    typer.Option("--subscription", metavar="ID", show_default=False, help="Whose pools are read; none: the specs'."),
]
To = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="FILE",
        show_default=False,
        help="Where it is written. Default: RECONCILER_CAPABILITIES, else ./capabilities.yaml.",
    ),
]
Check = Annotated[
    Path | None,
    typer.Option("--check", metavar="FILE", show_default=False, help="Ask again and compare; nothing is written."),
]


@dataclass(frozen=True, slots=True)
class ProbeScope:
    """Who is asked."""

    organizations: tuple[str, ...]
    subscriptions: tuple[str, ...]


def probe(
    organizations: Organizations = None,
    *,
    subscription: Subscriptions = None,
    to: To = None,
    check: Check = None,
    specs: Specs = "",
    ref: Ref = "",
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Ask by reading what nothing published says, and write it for the operator. Ends with 2 where --check differs."""
    screen = Screen(color=not no_color, verbose=verbose)
    if to and check:
        raise typer.BadParameter("--check writes nothing, so it does not go with --to")
    settings = settings_of(specs, ref)
    path = check or to or settings.capabilities or DEFAULT
    before = bootstrap.capabilities_at(path) if check or path.exists() else Capabilities()
    scope = _scope(settings, organizations or (), subscription or (), screen)
    found = _asked(settings, scope, screen)
    lines = document.changes(before, Capabilities(organizations=found))
    if not check and found:
        kept = Capabilities(organizations={**before.organizations, **found})
        _write(path, document.text(kept))
        if path != settings.capabilities:
            screen.note(f"{path} is written; it counts where RECONCILER_CAPABILITIES names it")
    _show(found, lines, path, output, screen)
    if len(found) < len(scope.organizations):
        return ERROR
    return PENDING if check and lines else DONE


def _scope(
    settings: Settings, organizations: Sequence[str], subscriptions: Sequence[str], screen: Screen
) -> ProbeScope:
    """Those that were named, else those of the specs."""
    names = sorted({name.strip().lower() for name in organizations})
    ids = sorted({one.lower() for one in subscriptions})
    if (not names or not ids) and (settings.specs or not names):
        selection = select(bootstrap.source(settings), [], screen, place=settings.specs)
        require(selection, screen)
        ids = ids or sorted({spec.subscription for spec in selection.specs})
        names = names or sorted({one.name for spec in selection.specs for one in spec.organizations})
    if not names:
        raise NotFound("probe: no spec names an organization; name one")
    return ProbeScope(tuple(names), tuple(ids))


def _asked(settings: Settings, scope: ProbeScope, screen: Screen) -> dict[str, OrganizationAnswers]:
    """What each organization answered; one that lets nobody in is told, and missing."""
    found: dict[str, OrganizationAnswers] = {}
    with closing(bootstrap.questions(settings)) as desk:
        pools = list(_pools(desk, scope.subscriptions, screen))
        for name in scope.organizations:
            screen.note(f"asking {name}")
            ground = ProbeOrganization(name, desk.enquirer, desk.readers.devops, pools)
            try:
                found[name] = probed(ground, desk.clock.now())
            except ReconcilerError as error:
                screen.error(f"{error.reason}: {error}")
    return found


def _pools(desk: bootstrap.Questions, subscriptions: Iterable[str], screen: Screen) -> Iterable[Mapping[str, Json]]:
    for one in subscriptions:
        try:
            yield from desk.readers.arm.pools(one)
        except ReconcilerError as error:
            screen.note(f"warning: what needs pools of subscription {one} cannot be told: {error.reason}")


def _write(path: Path, content: str) -> None:
    """In one step: whoever reads the file meanwhile sees the old one or the new one, and never half of one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        made = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content)
            made.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
            made.replace(path)
        except BaseException:
            with suppress(OSError):
                made.unlink()
            raise
    except OSError as error:
        raise Forbidden(f"{path}: {error.strerror}") from None


# --- what people see ---------------------------------------------------------------------------------


def _show(
    found: Mapping[str, OrganizationAnswers], lines: Sequence[str], path: Path, output: OutputFormat, screen: Screen
) -> None:
    if output is OutputFormat.JSON:
        screen.document(_document(found, lines, path))
        return
    if output is OutputFormat.MARKDOWN:
        head = ["| organization | # | question | answer | why |", "| --- | --- | --- | --- | --- |"]
        screen.result(
            "\n".join([*head, *(_row(name, one, asked) for name, asked in found.items() for one in QUESTIONS)])
        )
    else:
        for name, asked in found.items():
            _text(name, asked, screen)
        _left(screen)
    screen.result(f"{len(lines)} answers differ from {path}" if lines else f"nothing differs from {path}")
    for line in lines:
        screen.result(render.clean(f"  {line}"))


def _text(name: str, asked: OrganizationAnswers, screen: Screen) -> None:
    screen.result(f"{name}, asked {asked.asked}")
    for question in filter(lambda one: one.asked, QUESTIONS):
        said, why = _said(question, asked)
        line = f"  {question.number:>2}  {question.name:<26} {said}{': ' + why if why else ''}"
        (screen.good if said.startswith("seen") else screen.bad)(line)


def _left(screen: Screen) -> None:
    """What is left to people, the same for every organization."""
    screen.result("not asked")
    for question in filter(lambda one: one.not_asked, QUESTIONS):
        why = f"in part: {question.not_asked}" if question.asked else f"because {question.not_asked}"
        screen.result(f"  {question.number:>2}  {question.name:<26} {why}")
        screen.result(f"      by hand: {question.by_hand}")


def _said(question: ProbeQuestion, asked: OrganizationAnswers) -> tuple[str, str]:
    answer = asked.answers.get(question.name)
    if answer is None:
        return "not asked", ""
    counts = ", ".join(f"{name} {count}" for name, count in answer.evidence.counts.items())
    return str(answer), f"{answer.why} ({counts})" if counts else answer.why


def _row(name: str, question: ProbeQuestion, asked: OrganizationAnswers) -> str:
    said, why = _said(question, asked)
    cells = (name, str(question.number), question.name, said, why or f"because {question.not_asked}")
    return f"| {' | '.join(map(render.escaped, cells))} |"


def _document(found: Mapping[str, OrganizationAnswers], lines: Sequence[str], path: Path) -> Mapping[str, Json]:
    left = {one.name: {"because": one.not_asked, "byHand": one.by_hand} for one in QUESTIONS if one.not_asked}
    return {
        "format": FORMAT,
        "file": path.as_posix(),
        "organizations": {name: asked.model_dump(mode="json") for name, asked in found.items()},
        "notAsked": left,
        "changes": list(lines),
    }
