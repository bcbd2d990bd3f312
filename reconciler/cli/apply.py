"""`apply`: make the changes of the plan, wait for the services, and read again."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli.apply_run import ApplyRun
from reconciler.cli.codes import DONE, ERROR, STOPPED, worst
from reconciler.cli.options import Form, Names, NoColor, OutputFormat, Policy, Ref, Specs, Verbose
from reconciler.cli.results import exit_code, show
from reconciler.cli.run_reporter import RunReporter
from reconciler.cli.screen import Screen
from reconciler.cli.selection import note_policy, require, select, settings_of
from reconciler.cli.stopping import stop_on_signals
from reconciler.engine import Planner
from reconciler.errors import ReconcilerError
from reconciler.safety import Safety
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
        help="Allow pools to be deleted and recreated where their spec and the policy allow it. Without it none is.",
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
    """Bring both planes in sync with the specs, wait for Azure, and read again. Ctrl-C stops after the current step."""
    if plan_hash and len(names or []) != 1:
        raise typer.BadParameter("a plan hash belongs to one pool: give its NAME too", param_hint="--plan-hash")
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(specs, ref, policy)
    reporter = RunReporter(settings.wait_once)
    selection = select(bootstrap.source(settings), names or [], screen, place=settings.specs)
    complete = require(selection, screen)
    with (
        closing(bootstrap.build(settings, reporter)) as app,
        stop_on_signals() as stop,
        screen.progress("reading", None) as progress,
        app.telemetry.span("apply", attributes={"reconciler.revision": selection.revision}),
    ):
        reporter.bind(progress, stop)
        note_policy(app.planner.policy, screen)
        if not allow_replace:
            _forbid_replacement(app.planner, selection.specs, screen)
        _create_safety(app.safety, screen)
        run = ApplyRun(app.reconciler, selection, reporter, progress, stop)
        stopped = run.until(timeout, plan_hash or None)
    show(run.results(), output, screen)
    codes = [exit_code(result) for result in run.results()]
    if stopped:
        number = len(reporter.verified)
        screen.note(f"stopped; {number} {'change is' if number == 1 else 'changes are'} verified, no other is started")
        codes.append(STOPPED)
    return worst([DONE if complete else ERROR, *codes])


def _create_safety(safety: Safety, screen: Screen) -> None:
    """Mark a new safety store; where that fails nothing is written, and each run says so."""
    try:
        safety.create()
    except ReconcilerError as error:
        screen.note(f"the safety store cannot be created or read: {error}")


def _forbid_replacement(planner: Planner, specs: Iterable[Spec], screen: Screen) -> None:
    """Ignore the policy's `replace_pools` in this run: without --allow-replace no pool is deleted."""
    planner.policy = planner.policy.without_replacement()
    names = ", ".join(spec.name for spec in specs if spec.replace)
    if names:
        screen.note(f"{names}: replace: allowed needs --allow-replace here; no pool is deleted")
