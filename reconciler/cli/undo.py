"""`undo`: put back what a run changed, by its entries in the record, guarded and verified like an apply."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli import consent
from reconciler.cli.apply_run import ApplyRun
from reconciler.cli.codes import DONE, ERROR, PENDING, STOPPED, worst
from reconciler.cli.options import Form, NoColor, OutputFormat, Policy, Ref, Specs, Verbose
from reconciler.cli.plan import show as show_plans
from reconciler.cli.plan import show_text
from reconciler.cli.results import exit_code, show
from reconciler.cli.run_reporter import RunReporter
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection, note_policy, require, select, settings_of
from reconciler.cli.stopping import stop_on_signals
from reconciler.documents import JsonObject, moment, text_of
from reconciler.engine import load_status
from reconciler.engine.approving_plans import caller_name
from reconciler.engine.ending import UNDO
from reconciler.engine.gate import annotated, gate_now
from reconciler.engine.history import QueryInvalid, run_of
from reconciler.engine.undoing import UndoPlan, reversed_spec, undo_plan
from reconciler.errors import NotFound, Refused
from reconciler.plan.render import clean
from reconciler.plan.sync import SyncCause
from reconciler.plan.wording import change_words
from reconciler.safety.undone import Undone

QUESTION = "Undo these changes? [y/N] "
Run = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, as `history` shows it.")]
Changes = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CHANGE]...", show_default=False,
        help="Only these of its writes: the number after the run in `id`, or the whole id. Default: all.",
    ),
]  # fmt: skip
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask. Without a terminal nothing is asked either.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be undone, and write nothing.")]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0, help="How long to wait for the services in all.")
]


def undo(
    run: Run,
    changes: Changes = None,
    *,
    specs: Specs = "",
    ref: Ref = "",
    policy: Policy = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    timeout: Timeout = 3600.0,
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Put back what a run changed, as far as that is possible, and hold it so until the spec agrees.

    Shows the plan first, says what cannot be undone and why, and asks on a terminal.
    """
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(specs, ref, policy)
    reporter = RunReporter(settings.wait_once)
    with closing(bootstrap.build(settings, reporter)) as app:
        note_policy(app.planner.policy, screen)
        writes = _writes(app, run, changes or [])
        selection = select(app.source, [text_of(writes[0], "pool")], screen, place=settings.specs)
        require(selection, screen)
        with screen.progress("reading", None):
            app.sign_in()
            if not dry_run:
                app.safety.create()
            found = _planned(app, selection, writes)
        left = [f"{subject}: cannot be undone: {why}" for subject, why in found.impossible]
        if dry_run or not found.plan.changes:
            show_plans([(found.plan, SyncCause.UNKNOWN)], output, screen)
            for line in left:
                screen.bad(line)
            return PENDING if found.plan.changes else ERROR
        show_text([(found.plan, SyncCause.UNKNOWN)], screen, err=True)
        for line in left:
            screen.bad(line)
        if found.plan.not_applied:
            raise Refused(f"{found.spec.name}: nothing is undone: {'; '.join(found.plan.not_applied)}")
        if consent.wanted(yes=yes) and not screen.ask(QUESTION):
            return consent.declined(screen)
        app.safety.hold_undone(found.spec.key, found.held)
        reporter.shown = {found.spec.name: found.plan}
        chosen = Selection((found.spec,), (), selection.revision, 0, named=True)
        with stop_on_signals() as stop, screen.progress("reading", None) as progress:
            reporter.bind(progress, stop)
            going = ApplyRun(app.reconciler, chosen, reporter, progress, stop, as_planned=True, trigger=UNDO)
            stopped = going.until(timeout, None)
        show(going.results(), output, screen)
        undone = {change.id for result in going.results() for change in result.verified}
    complete = undone >= {change.id for change in found.plan.changes}
    screen.note(f"held until the spec agrees: {', '.join(map(change_words, sorted(found.held)))}")
    codes = [DONE] if complete else [exit_code(result) for result in going.results()]
    return worst([*codes, STOPPED if stopped else DONE, PENDING if left else DONE])


def _writes(app: bootstrap.App, run: str, changes: Sequence[str]) -> list[JsonObject]:
    """The writes of a run that are to be undone."""
    try:
        found = run_of(app.record, run)
    except QueryInvalid as error:
        raise typer.BadParameter(clean(str(error).removeprefix("run: ")), param_hint="RUN") from None
    if found["problems"]:
        raise Refused(f"run {run}: {found['problems'][0]}; nothing is undone from a damaged record")
    known = {text_of(one, "id"): one for one in found["writes"]}
    wanted = [name if name in known else f"{run}.{name}" for name in changes] or list(known)
    if missing := [name for name in wanted if name not in known]:
        raise NotFound(f"run {run}: has no write {clean(missing[0][:60])}; it has {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(wanted)]


def _planned(app: bootstrap.App, selection: Selection, writes: Sequence[JsonObject]) -> UndoPlan:
    """The reversals, planned on reads of this moment by a spec that says what was there before."""
    (spec,) = selection.specs
    facts = app.reconciler.facts(spec)
    if app.safety.undo_interrupted(spec.key):
        facts = replace(facts, undone=Undone())  # it ended before it held anything; this one holds before it writes
    status = load_status(app.state, spec.key)
    gate = gate_now(app.planner, spec, facts, status)
    other, reversals, impossible = reversed_spec(gate.spec, writes)
    survey = app.reconciler.survey([other]).knowing(other, status.remembered, status.owed)
    claims, caps = app.reconciler.claims(other, facts), app.reconciler.caps(other, facts)
    plan = app.planner.plan(other, survey, selection.revision, claims, caps=caps)
    by = caller_name(survey, spec) or "the command line"
    found = undo_plan(other, plan, reversals, impossible, by=by, at=moment(app.clock.now()))
    return UndoPlan(other, annotated(found.plan, replace(gate, spec=other)), found.held, found.impossible)
