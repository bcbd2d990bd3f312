"""`apply`: do what the plan says, wait for the services, and read again."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR, STOPPED, worst
from reconciler.cli.following import Following
from reconciler.cli.options import Form, Names, NoColor, OutputFormat, Policy, Ref, Specs, Verbose
from reconciler.cli.results import code_of, show
from reconciler.cli.running import Running
from reconciler.cli.screen import Screen
from reconciler.cli.selection import require, select, settings_of
from reconciler.cli.stopping import stopping
from reconciler.engine import Planner
from reconciler.spec.model import Spec

PlanHash = Annotated[
    str,
    typer.Option(
        "--plan-hash", metavar="HASH", show_default=False,
        help="Apply this plan of the one pool named, or nothing. `plan --output json` shows the hash.",
    ),
]  # fmt: skip
AllowReplace = Annotated[
    bool,
    typer.Option(
        "--allow-replace",
        help="Let pools be deleted and made anew where their spec and the policy allow it. Without it none is.",
    ),
]
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
    allow_replace: AllowReplace = False,
    timeout: Timeout = 3600.0,
    output: Form = OutputFormat.TEXT,
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
        if not allow_replace:
            _keep_pools(app.planner, selection.specs, screen)
        running = Running(app, selection, following, track, stop)
        stopped = running.until(timeout, plan_hash or None)
    show(running.results(), output, screen)
    codes = [code_of(result) for result in running.results()]
    if stopped:
        number = len(following.verified)
        screen.note(
            f"stopped; {number} {'change is' if number == 1 else 'changes are'} in force, and nothing more begins"
        )
        codes.append(STOPPED)
    return worst([DONE if whole else ERROR, *codes])


def _keep_pools(planner: Planner, specs: Iterable[Spec], screen: Screen) -> None:
    """Take the word of the policy back for this run: who sits here has to say it once more."""
    planner.policy = replace(planner.policy, replace_pools=())
    names = ", ".join(spec.name for spec in specs if spec.replace)
    if names:
        screen.note(f"{names}: replace: allowed counts here with --allow-replace alone; no pool is deleted")
