"""`import`: writes specs of existing pools into a local folder, and nothing anywhere else."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR, PENDING
from reconciler.cli.options import Form, Names, NoColor, OutputFormat, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import nearest, settings_of
from reconciler.documents import Json
from reconciler.documents.spelling import counted
from reconciler.errors import NotFound, ReconcilerError, SpecInvalid
from reconciler.plan import render
from reconciler.plan.model import Plan
from reconciler.spec.loader import load
from reconciler.tools.import_ import ImportedPool, draft_spec, observe_pools
from reconciler.tools.spec_writer import Draft, text

FORMAT = "reconciler/import/v1"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9.-]")

Subscriptions = Annotated[
    list[str] | None,
    typer.Option(
        "--subscription", metavar="ID", show_default=False, help="Subscriptions to read. Default: all visible ones."
    ),
]
Folder = Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Folder for the specs, one file per pool.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]
AccessOnly = Annotated[
    bool,
    typer.Option("--access-only", help="Write what holds in Azure DevOps alone; the ARM body stays with another tool."),
]
InMode = Annotated[Literal["report", "enforce"], typer.Option("--mode", help="Mode of the specs.")]


@dataclass(frozen=True, slots=True)
class ImportedSpec:
    """One pool's file, and what came of it."""

    pool: str
    path: Path
    notes: tuple[str, ...]
    unread: tuple[str, ...]
    """Facts that could not be read; each is a comment of the file too."""
    left_out: tuple[str, ...]
    """Parts of the pool that no spec can hold; comments too."""
    problems: tuple[str, ...]
    """Why the file is no valid spec."""
    plan: Plan | None
    """The plan of the file; None where it is no valid spec."""
    kept: str = ""
    """Why the file was not written; empty where it was, or has this content already."""

    @property
    def complete(self) -> bool:
        """Whether the file is written and says everything, and its plan is empty."""
        return (
            not (self.kept or self.unread or self.left_out or self.problems)
            and self.plan is not None
            and self.plan.in_sync
        )


def import_pools(
    names: Names = None,
    *,
    subscription: Subscriptions = None,
    to: Folder = Path("specs"),
    mode: InMode = "report",
    access_only: AccessOnly = False,
    force: Force = False,
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Write a spec for every existing pool, with the access that is observed; comments name what was not read."""
    screen = Screen(color=not no_color, verbose=verbose)
    tools = bootstrap.tools(settings_of())
    with screen.progress("reading pools", None) as progress:
        tools.sign_in()
        documents, errors = documents_of(tools, subscription or ())
        chosen = _chosen(documents, names or ())
        progress.begin(f"reading the access of {counted(len(chosen), 'pool')}", None)
        found = observe_pools(tools.planner.readers, chosen)
        progress.begin("writing and planning", len(found))
        written = []
        for pool in found:
            progress.step(f"planning {pool.name}")
            written.append(_import(tools, pool, draft_spec(pool, mode, access_only=access_only), to, force=force))
    _show(written, list(errors.values()), output, screen)
    return code_of(written, errors)


def code_of(written: Sequence[ImportedSpec], errors: Collection[str]) -> int:
    """0 written and complete, 2 written but incomplete, 1 nothing written. No pool at all is complete."""
    if not errors and all(one.complete for one in written):
        return DONE
    return PENDING if any(not one.kept for one in written) else ERROR


def _import(tools: bootstrap.Tools, pool: ImportedPool, draft: Draft, folder: Path, *, force: bool) -> ImportedSpec:
    path = folder / f"{_NOT_IN_NAMES.sub('_', pool.name).lstrip('.')}.yaml"
    content = text(draft, (f"Imported from {pool.document.get('id')}.",))
    kept = _write(path, content, force=force)
    plan = None if draft.problems else _plan(tools, path.name, content)
    notes, unread = tuple(note for _, note in draft.notes), tuple(map(str, pool.unread))
    return ImportedSpec(pool.name, path, notes, unread, tuple(draft.left_out), tuple(draft.problems), plan, kept)


def documents_of(tools: bootstrap.Tools, subscriptions: Sequence[str]) -> tuple[list[dict[str, Json]], dict[str, str]]:
    """All pools of these subscriptions, or of all visible ones; and an error for each that could not be read, by id."""
    ids = [one.lower() for one in subscriptions] or list(tools.subscriptions.subscriptions())
    if not ids:
        raise NotFound("subscriptions: none is visible; give the identity a role in one, or name it by --subscription")
    documents: list[dict[str, Json]] = []
    errors = {}
    for one in ids:
        try:
            documents += tools.planner.readers.arm.pools(one)
        except SpecInvalid:
            raise
        except ReconcilerError as error:
            errors[one] = f"subscription {one}: {error.reason}: {error}"
    return documents, errors


def _chosen(documents: Sequence[dict[str, Json]], names: Sequence[str]) -> list[dict[str, Json]]:
    """The pools of these names, or all; a name is unique in Azure."""
    if not names:
        return list(documents)
    by_name = {str(one.get("name", "")).lower(): one for one in documents}
    missing = sorted({name.lower() for name in names} - by_name.keys())
    if missing:
        raise NotFound(f"import: {nearest(missing, list(by_name))}; pools of the subscriptions that were read")
    return [by_name[name] for name in dict.fromkeys(name.lower() for name in names)]


def _write(path: Path, content: str, *, force: bool) -> str:
    """Write the file, unless another one is there; why not, or nothing."""
    try:
        if path.exists() and not force:
            same = path.read_text(encoding="utf-8", errors="replace") == content
            return "" if same else "a different file exists; --force overwrites it"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        return str(error.strerror)
    return ""


def _plan(tools: bootstrap.Tools, name: str, content: str) -> Plan | None:
    """The plan of the file as it is."""
    specs = load({name: content.encode()}).specs
    return tools.planner.plan(specs[0], tools.planner.survey(specs).fresh(), "") if specs else None


def _show(written: Sequence[ImportedSpec], errors: Sequence[str], output: OutputFormat, screen: Screen) -> None:
    if output is OutputFormat.JSON:
        screen.document({"format": FORMAT, "pools": [_document(one) for one in written], "troubles": errors})
        return
    for one in written:
        _text(one, screen)
    for line in errors:
        screen.error(line)
    if not written and not errors:
        screen.note("no pool found")


def _text(one: ImportedSpec, screen: Screen) -> None:
    if one.kept:
        screen.error(f"{one.path}: not written: {one.kept}")
        return
    (screen.good if one.complete else screen.bad)(f"{one.path}: {_summary(one)}")
    for line in one.problems:
        screen.bad(f"  {line}")
    for line in one.notes:
        screen.result(render.clean(f"  # {line}"))
    if one.plan and not one.plan.in_sync:
        screen.plan(one.plan)


def _summary(one: ImportedSpec) -> str:
    if one.problems:
        return "written, but it is no valid spec"
    missing = [_counted(len(one.unread), "fact", "could not be read"), _counted(len(one.left_out), "part", "left out")]
    if any(missing):
        return f"written, but incomplete: {', '.join(filter(None, missing))}"
    return "written, its plan is empty" if one.complete else "written, its plan is not empty"


def _counted(count: int, noun: str, what: str) -> str:
    return f"{counted(count, noun)} {what}" if count else ""


def _document(one: ImportedSpec) -> Mapping[str, Json]:
    return {
        "pool": one.pool,
        "path": one.path.as_posix(),
        "written": not one.kept,
        "complete": one.complete,
        "notes": list(one.notes),
        "unread": list(one.unread),
        "leftOut": list(one.left_out),
        "problems": list(one.problems),
        "plan": render.to_json(one.plan) if one.plan else None,
    }
