"""`probe`: detects undocumented behaviour with read-only calls and saves the result in one local file.

The file belongs to the deployment (`RECONCILER_CAPABILITIES`). An organization that cannot be read keeps the answers
that the file has.
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
from reconciler.ports.readers_writers import Readers
from reconciler.survey.capabilities import QUESTIONS, ProbeQuestion, document
from reconciler.survey.capabilities.answers import Capabilities, OrganizationAnswers
from reconciler.tools.probe import ProbeOrganization, run_probe

FORMAT = "reconciler/probe/v1"
DEFAULT = Path("capabilities.yaml")

Organizations = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ORGANIZATION]...", help="Names of organizations. Default: those of the specs.", show_default=False
    ),
]
Subscriptions = Annotated[
    list[str] | None,
    typer.Option(
        "--subscription",
        metavar="ID",
        show_default=False,
        help="Subscriptions whose pools are read. Default: those of the specs.",
    ),
]
To = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="FILE",
        show_default=False,
        help="File for the result. Default: RECONCILER_CAPABILITIES, else ./capabilities.yaml.",
    ),
]
Check = Annotated[
    Path | None,
    typer.Option(
        "--check",
        metavar="FILE",
        show_default=False,
        help="Probe again and compare with this file; nothing is written.",
    ),
]


@dataclass(frozen=True, slots=True)
class ProbeScope:
    """Organizations to probe, and subscriptions whose pools are read."""

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
    """Detect undocumented Azure DevOps behaviour with read-only calls and save the result; 2 where --check differs."""
    screen = Screen(color=not no_color, verbose=verbose)
    if to and check:
        raise typer.BadParameter("--check writes nothing; use it without --to")
    settings = settings_of(specs, ref)
    path = check or to or settings.capabilities or DEFAULT
    before = bootstrap.capabilities_at(path) if check or path.exists() else Capabilities()
    scope = _scope(settings, organizations or (), subscription or (), screen)
    found = _probe_all(settings, scope, screen)
    lines = document.changes(before, Capabilities(organizations=found))
    if not check and found:
        kept = Capabilities(organizations={**before.organizations, **found})
        _write(path, document.text(kept))
        if path != settings.capabilities:
            screen.note(f"{path} written; the operator reads it where RECONCILER_CAPABILITIES names it")
    _show(found, lines, path, output, screen)
    if len(found) < len(scope.organizations):
        return ERROR
    return PENDING if check and lines else DONE


def _scope(
    settings: Settings, organizations: Sequence[str], subscriptions: Sequence[str], screen: Screen
) -> ProbeScope:
    """The organizations and subscriptions of the command line, else those of the specs."""
    names = sorted({name.strip().lower() for name in organizations})
    ids = sorted({one.lower() for one in subscriptions})
    if (not names or not ids) and (settings.specs or not names):
        selection = select(bootstrap.source(settings), [], screen, place=settings.specs)
        require(selection, screen)
        ids = ids or sorted({spec.subscription for spec in selection.specs})
        names = names or sorted({one.name for spec in selection.specs for one in spec.organizations})
    if not names:
        raise NotFound("probe: no spec names an organization; give one as an argument")
    return ProbeScope(tuple(names), tuple(ids))


def _probe_all(settings: Settings, scope: ProbeScope, screen: Screen) -> dict[str, OrganizationAnswers]:
    """Answers by organization; one that cannot be read is reported, and missing."""
    found: dict[str, OrganizationAnswers] = {}
    with closing(bootstrap.questions(settings)) as connections, screen.progress("probing", None) as progress:
        connections.sign_in()
        pools = list(_pools(connections.readers, scope.subscriptions, screen))
        for name in scope.organizations:
            progress.now(f"probing {name}")
            organization = ProbeOrganization(name, connections.raw, connections.readers.devops, pools)
            try:
                found[name] = run_probe(organization, connections.clock.now())
            except ReconcilerError as error:
                screen.error(f"{error.reason}: {error}")
    return found


def _pools(readers: Readers, subscriptions: Iterable[str], screen: Screen) -> Iterable[Mapping[str, Json]]:
    for one in subscriptions:
        try:
            yield from readers.arm.pools(one)
        except ReconcilerError as error:
            screen.note(f"warning: subscription {one} not read ({error.reason}): questions about its pools stay open")


def _write(path: Path, content: str) -> None:
    """Replace the file in one step: a reader sees the old one or the new one, never half of one."""
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


# --- output ------------------------------------------------------------------------------------------


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
        _by_hand(screen)
    screen.result(_differences(len(lines), path))
    for line in lines:
        screen.result(render.clean(f"  {line}"))


def _differences(count: int, path: Path) -> str:
    if not count:
        return f"no answer differs from {path}"
    return f"1 answer differs from {path}" if count == 1 else f"{count} answers differ from {path}"


def _text(name: str, asked: OrganizationAnswers, screen: Screen) -> None:
    screen.result(f"{name}, probed {asked.asked}")
    for question in filter(lambda one: one.asked, QUESTIONS):
        said, why = _said(question, asked)
        line = f"  {question.number:>2}  {question.name:<26} {said}{': ' + why if why else ''}"
        (screen.good if said.startswith("seen") else screen.bad)(line)


def _by_hand(screen: Screen) -> None:
    """Questions that a read cannot answer, the same for every organization."""
    screen.result("not probed")
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
