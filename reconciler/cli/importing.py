"""`import`: what is there, as specs. Writes files in a folder of this machine, and nothing anywhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR, PENDING, worst
from reconciler.cli.options import Form, Names, NoColor, OutputFormat, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import nearest, settings_of
from reconciler.documents import Json
from reconciler.errors import Forbidden, NotFound, ReconcilerError, SpecInvalid
from reconciler.plan import render
from reconciler.plan.model import Plan
from reconciler.spec.loader import load
from reconciler.tools.import_ import drafted, find
from reconciler.tools.spec_writer import text

FORMAT = "reconciler/import/v1"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9.-]")

Subscriptions = Annotated[
    list[str] | None,
    typer.Option("--subscription", metavar="ID", show_default=False, help="Subscriptions to read; none for all."),
]
Folder = Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the specs are written, one file a pool.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]
InMode = Annotated[Literal["report", "enforce"], typer.Option("--mode", help="Mode of the specs.")]


@dataclass(frozen=True, slots=True)
class Written:
    """One pool's file."""

    pool: str
    path: Path
    text: str
    notes: tuple[str, ...]
    problems: tuple[str, ...]
    plan: Plan | None
    """Made from what the file says; None where the file is no valid spec."""
    kept: bool = False
    """Whether a file that was there was left alone."""

    @property
    def code(self) -> int:
        """A file that was not written is an error; one whose plan is not empty is pending."""
        if self.kept or self.problems:
            return ERROR
        return DONE if self.plan and self.plan.in_sync else PENDING


def import_pools(
    names: Names = None,
    *,
    subscription: Subscriptions = None,
    to: Folder = Path("specs"),
    mode: InMode = "report",
    force: Force = False,
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Write a spec for every pool there is, with the access that is observed; its plan is empty where that can be."""
    screen = Screen(color=not no_color, verbose=verbose)
    tools = bootstrap.tools(settings_of())
    documents, troubles = documents_of(tools, subscription or ())
    chosen = _chosen(documents, names or ())
    found = find(tools.planner.readers, chosen)
    drafts = [drafted(one, mode) for one in found]
    written = []
    for one, draft in zip(found, drafts, strict=True):
        head = (f"Imported from {one.document.get('id')}.",)
        content = text(draft, head)
        path = to / f"{_NOT_IN_NAMES.sub('_', one.name).lstrip('.')}.yaml"
        kept = not _write(path, content, force=force)
        notes = tuple(note for _, note in draft.notes)
        plan = None if draft.problems else _plan(tools, path.name, content)
        written.append(Written(one.name, path, content, notes, tuple(draft.problems), plan, kept))
    _show(written, list(troubles.values()), output, screen)
    return worst([ERROR if troubles else DONE, *(one.code for one in written)])


def documents_of(tools: bootstrap.Tools, subscriptions: Sequence[str]) -> tuple[list[dict[str, Json]], dict[str, str]]:
    """All pools of these subscriptions, or of all that can be seen; and why others could not be read, by their id."""
    ids = [one.lower() for one in subscriptions] or list(tools.subscriptions.subscriptions())
    if not ids:
        raise NotFound("subscriptions: none is visible; give the identity a role in one, or name it by --subscription")
    documents: list[dict[str, Json]] = []
    troubles = {}
    for one in ids:
        try:
            documents += tools.planner.readers.arm.pools(one)
        except SpecInvalid:
            raise
        except ReconcilerError as error:
            troubles[one] = f"subscription {one}: {error.reason}: {error}"
    return documents, troubles


def _chosen(documents: Sequence[dict[str, Json]], names: Sequence[str]) -> list[dict[str, Json]]:
    if not names:
        return list(documents)
    by_name = {str(one.get("name", "")).lower(): one for one in documents}
    missing = sorted({name.lower() for name in names} - by_name.keys())
    if missing:
        raise NotFound(f"import: {nearest(missing, list(by_name))}; pools of the subscriptions that were read")
    return [by_name[name.lower()] for name in dict.fromkeys(names)]


def _write(path: Path, content: str, *, force: bool) -> bool:
    """Whether the file says it now; a file that is there is not touched without leave."""
    if path.exists() and not force:
        return path.read_text(encoding="utf-8", errors="replace") == content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise Forbidden(f"{path}: {error.strerror}") from None
    return True


def _plan(tools: bootstrap.Tools, name: str, content: str) -> Plan | None:
    """What the operator would do with the file as it stands."""
    specs = load({name: content.encode()}).specs
    return tools.planner.plan(specs[0], tools.planner.survey(specs).fresh(), "") if specs else None


def _show(written: Sequence[Written], troubles: Sequence[str], output: OutputFormat, screen: Screen) -> None:
    if output is OutputFormat.JSON:
        screen.document({"format": FORMAT, "pools": [_document(one) for one in written], "troubles": troubles})
        return
    for one in written:
        _text(one, screen)
    for line in troubles:
        screen.error(line)
    if not written and not troubles:
        screen.note("there is no pool")


def _text(one: Written, screen: Screen) -> None:
    if one.kept:
        screen.bad(f"{one.path}: is there and says something else; --force overwrites it")
    elif one.code == DONE:
        screen.good(f"{one.path}: written, its plan is empty")
    else:
        screen.bad(f"{one.path}: written, its plan is not empty")
    for line in one.problems:
        screen.bad(f"  {line}")
    for line in one.notes:
        screen.result(render.clean(f"  # {line}"))
    if one.plan and not one.plan.in_sync:
        screen.plan(one.plan)


def _document(one: Written) -> Mapping[str, Json]:
    return {
        "pool": one.pool,
        "path": one.path.as_posix(),
        "written": not one.kept,
        "notes": list(one.notes),
        "problems": list(one.problems),
        "plan": render.to_json(one.plan) if one.plan else None,
    }
