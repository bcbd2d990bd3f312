"""`apply`: make the changes of the plan, wait for the services, and read again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli import consent
from reconciler.cli.apply_run import ApplyRun
from reconciler.cli.codes import DONE, ERROR, STOPPED, worst
from reconciler.cli.options import (
    Form,
    Names,
    NoColor,
    OutputFormat,
    Policy,
    Ref,
    ReportFormat,
    Specs,
    Verbose,
    plan_hash_of,
)
from reconciler.cli.plan import plan
from reconciler.cli.results import exit_code, show
from reconciler.cli.run_reporter import PoolWrites, RunReporter
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection, note_policy, require, select, settings_of
from reconciler.cli.stopping import stop_on_signals
from reconciler.engine import Planner, unnamed
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
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask. Without a terminal nothing is asked either.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be changed and write nothing: the same as `plan`.")
]


def apply(
    names: Names = None,
    *,
    specs: Specs = "",
    ref: Ref = "",
    policy: Policy = "",
    plan_hash: PlanHash = "",
    allow_replace: AllowReplace = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    timeout: Timeout = 3600.0,
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Bring both planes in sync with the specs, wait for Azure, and read again.

    Shows the plan first, and asks on a terminal. Nothing is written that the plan did not show. Ctrl-C stops after the
    current step.
    """
    plan_hash = plan_hash_of(plan_hash)
    if plan_hash and len(names or []) != 1:
        raise typer.BadParameter("a plan hash belongs to one pool: give its NAME too", param_hint="--plan-hash")
    if dry_run:
        if plan_hash:
            raise typer.BadParameter("nothing is written, so no plan is approved", param_hint="--plan-hash")
        shown = ReportFormat(output.value)
        return plan(names, specs=specs, ref=ref, policy=policy, output=shown, no_color=no_color, verbose=verbose)
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(specs, ref, policy)
    reporter = RunReporter(settings.wait_once)
    selection = select(bootstrap.source(settings), names or [], screen, place=settings.specs)
    complete = require(selection, screen)
    with closing(bootstrap.build(settings, reporter)) as app:
        note_policy(app.planner.policy, screen)
        app.sign_in()
        if not allow_replace:
            _forbid_replacement(app.planner, selection.specs, screen)
        _create_safety(app.safety, screen)
        if not plan_hash and consent.wanted(yes=yes):
            found = consent.shown(app.reconciler, settings, selection, screen)
            reporter.shown = found.agreed
            if not consent.given(found, screen):
                return consent.declined(screen)
        with (
            stop_on_signals() as stop,
            screen.progress("reading", None) as progress,
            app.telemetry.span("apply", attributes={"reconciler.revision": selection.revision}),
        ):
            reporter.bind(progress, stop)
            run = ApplyRun(app.reconciler, selection, reporter, progress, stop, as_planned=True)
            try:
                stopped = run.until(timeout, plan_hash or None)
            except Exception:  # a bug: what was written is said before it is reported
                show(run.results(), output, screen, _cut_off(run, reporter))
                raise
        if not (names or specs or ref or stopped):
            _mark_unnamed(app, selection, screen)
    show(run.results(), output, screen, _cut_off(run, reporter) if stopped else None)
    codes = [exit_code(result) for result in run.results()]
    if stopped:
        screen.note(_stopped(run, reporter, selection.specs))
        codes.append(STOPPED)
    return worst([DONE if complete else ERROR, *codes])


def _mark_unnamed(app: bootstrap.App, selection: Selection, screen: Screen) -> None:
    """After an apply of all pools: the status of a pool that no valid spec names any more says so."""
    if selection.stale:
        return
    try:
        found = unnamed.mark(app.state, app.leases, app.clock, selection.known, selection.broken)
    except ReconcilerError as error:
        screen.note(f"the statuses of pools without a spec cannot be stored: {error}")
        return
    for name, why in found.items():
        screen.note(f"{name}: {why}: no valid spec names it; nothing of it is read or written")


def _create_safety(safety: Safety, screen: Screen) -> None:
    """Mark a new safety store; where that fails nothing is written, and each run says so."""
    try:
        safety.create()
    except ReconcilerError as error:
        screen.note(f"the safety store cannot be created or read: {error}")


def _cut_off(run: ApplyRun, reporter: RunReporter) -> dict[str, PoolWrites]:
    """The writes of the pool whose run did not come to an end."""
    return {pool: writes for pool, writes in reporter.writes.items() if pool == run.running}


def _stopped(run: ApplyRun, reporter: RunReporter, specs: Sequence[Spec]) -> str:
    """The three numbers of the whole apply, and the pools that were not begun."""
    writes = reporter.writes.values()
    written, verified = sum(len(one.written) for one in writes), sum(len(one.verified) for one in writes)
    done = {result.pool for result in run.results()} | {run.running}
    left = ", ".join(spec.name for spec in specs if spec.name not in done)
    planned = sum(len(one.plan.all_changes) for one in writes)
    text = f"stopped; {planned} planned, {written} written, {verified} verified; no other change is begun"
    return f"{text}; pools not begun: {left}" if left else text


def _forbid_replacement(planner: Planner, specs: Iterable[Spec], screen: Screen) -> None:
    """Ignore the policy's `replace_pools` in this run: without --allow-replace no pool is deleted."""
    planner.policy = planner.policy.without_replacement()
    names = ", ".join(spec.name for spec in specs if spec.replace)
    if names:
        screen.note(f"{names}: replace: allowed needs --allow-replace here; no pool is deleted")
