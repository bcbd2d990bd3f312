"""`apply`: do what the plan says, wait for the services, and read again."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR, STOPPED, worst
from reconciler.cli.following import Following
from reconciler.cli.options import Form, Names, NoColor, Output, Policy, Ref, Specs, Verbose
from reconciler.cli.results import code_of, show
from reconciler.cli.running import Running
from reconciler.cli.screen import Screen
from reconciler.cli.selection import require, select, settings_of
from reconciler.cli.stopping import stopping

PlanHash = Annotated[
    str,
    typer.Option(
        "--plan-hash", metavar="HASH", show_default=False,
        help="Apply this plan of the one pool named, or nothing. `plan --output json` shows the hash.",
    ),
]  # fmt: skip
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0, help="How long to wait for the services in all.")
]


def apply(
    names: Names = None,
    *,
    specs: Specs = "",
    ref: Ref = "",
    policy: Policy = "",
    plan_hash: PlanHash = "",
    timeout: Timeout = 3600.0,
    output: Form = Output.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Make both planes as the specs say, wait for Azure, and read again. Ctrl-C stops after the step under way."""
    if plan_hash and len(names or []) != 1:
        raise typer.BadParameter("a plan is of one pool: give its NAME too", param_hint="--plan-hash")
    screen = Screen(color=not no_color, verbose=verbose)
    following = Following()
    settings = settings_of(specs, ref, policy)
    selection = select(bootstrap.source(settings), names or [], screen, place=settings.specs)
    whole = require(selection, screen)
    with (
        closing(bootstrap.build(settings, following)) as app,
        stopping() as stop,
        screen.progress("reading", None) as track,
        app.telemetry.span("apply", attributes={"reconciler.revision": selection.revision}),
    ):
        following.bind(track, stop)
        running = Running(app, selection, following, track, stop)
        stopped = running.until(timeout, plan_hash or None)
    show(running.results(), output, screen)
    codes = [code_of(result) for result in running.results()]
    if stopped:
        number = len(following.proved)
        screen.note(
            f"stopped; {number} {'change is' if number == 1 else 'changes are'} in force, and nothing more begins"
        )
        codes.append(STOPPED)
    return worst([DONE if whole else ERROR, *codes])
