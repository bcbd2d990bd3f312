"""`policy`: writes and checks the file with what a deployment allows. Calls no service."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR
from reconciler.cli.files import content_of
from reconciler.cli.options import NoColor, Ref, Specs, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import note_policy, require, select, settings_of
from reconciler.errors import NotFound, Refused
from reconciler.plan.policy import load, problems


class PolicyAction(StrEnum):
    """What is done."""

    INIT = "init"
    MIGRATE = "migrate"
    CHECK = "check"
    SCHEMA = "schema"


What = Annotated[
    PolicyAction,
    typer.Argument(
        metavar="ACTION",
        help="init: what the specs use, as policy/v2. migrate: a policy/v1 FILE as policy/v2, with the same meaning. "
        "check: the problems of FILE. schema: the JSON Schema of policy/v2.",
    ),
]
File = Annotated[
    Path | None, typer.Argument(metavar="FILE", show_default=False, help="The policy file; for migrate and check.")
]
To = Annotated[
    Path | None,
    typer.Option("--to", metavar="FILE", show_default=False, help="File to write; without it, standard output."),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")]


def policy(
    action: What,
    file: File = None,
    *,
    specs: Specs = "",
    ref: Ref = "",
    to: To = None,
    force: Force = False,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Write a policy that allows what the specs use, migrate one to policy/v2, or check one. Calls no service."""
    screen = Screen(color=not no_color, verbose=verbose)
    if (file is None) is (action in (PolicyAction.MIGRATE, PolicyAction.CHECK)):
        raise typer.BadParameter("a FILE goes with migrate and check, and with nothing else", param_hint="FILE")
    if action is PolicyAction.SCHEMA:
        from reconciler.plan.policy.schema import json_schema  # noqa: PLC0415 - other actions do not need it

        screen.document(json_schema())
        return DONE
    if action is PolicyAction.INIT:
        return _init(specs, ref, to, screen, force=force)
    text = content_of(file or Path())
    found = problems(text)
    for line in found:
        screen.error(line)
    if found:
        return ERROR
    return _check(text, screen) if action is PolicyAction.CHECK else _migrate(text, to, screen, force=force)


def _init(specs: str, ref: str, to: Path | None, screen: Screen, *, force: bool) -> int:
    from reconciler.tools.policy import draft_policy, text  # noqa: PLC0415 - other actions do not need it

    settings = settings_of(specs, ref)
    selection = select(bootstrap.source(settings), [], screen, place=settings.specs)
    if not require(selection, screen):
        raise Refused("policy init: a spec with a problem would be left out of the policy; correct it first")
    draft = draft_policy(selection.specs)
    _put(text(draft.allow, draft.notes), to, screen, force=force)
    for note in draft.notes:
        screen.note(note)
    return DONE


def _migrate(content: bytes, to: Path | None, screen: Screen, *, force: bool) -> int:
    from reconciler.tools.policy import migrated  # noqa: PLC0415 - other actions do not need it

    found = load(content)
    if found.version > 1:
        screen.note("this is policy/v2 already; nothing is written")
        return DONE
    _put(migrated(found), to, screen, force=force)
    screen.note("comments of the old file are not carried over; every '*' allows everything, so narrow it")
    return DONE


def _check(content: bytes, screen: Screen) -> int:
    found = load(content)
    note_policy(found, screen)
    screen.good(f"policy/v{found.version}, valid; digest {found.digest[:12]}")
    return DONE


def _put(content: str, to: Path | None, screen: Screen, *, force: bool) -> None:
    if to is None:
        screen.result(content.rstrip("\n"))
        return
    try:
        with to.open("w" if force else "x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise Refused(f"{to}: the file exists; --force overwrites it") from None
    except OSError as error:
        raise NotFound(f"{to}: {error.strerror}") from None
    screen.good(f"{to}: written")
