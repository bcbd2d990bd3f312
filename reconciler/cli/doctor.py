"""`doctor`: which rights are missing, for which identity, and how to grant them. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR, PENDING
from reconciler.cli.options import Form, Names, NoColor, OutputFormat, Ref, Specs, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import require, select, settings_of
from reconciler.documents.spelling import counted
from reconciler.plan import render
from reconciler.plan.rights.checks import Check, CheckResult
from reconciler.spec.model import Mode
from reconciler.tools.doctor import DoctorReaders, all_checks, capability_checks

FORMAT = "reconciler/doctor/v1"


class For(StrEnum):
    """The mode whose rights are checked."""

    SPEC = "spec"
    REPORT = "report"
    ENFORCE = "enforce"


All = Annotated[bool, typer.Option("--all", help="Show the rights that are held too.")]
ForMode = Annotated[For, typer.Option("--mode", help="Check the rights of this mode, whatever the specs say.")]


def doctor(
    names: Names = None,
    *,
    mode: ForMode = For.SPEC,
    every: All = False,
    specs: Specs = "",
    ref: Ref = "",
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Check which rights the operator lacks, who has to grant them, and where. Exits with 2 if one is missing."""
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(specs, ref)
    for line in bootstrap.state_problems(settings):
        screen.note(line)
    tools = bootstrap.tools(settings)
    selection = select(bootstrap.source(settings), names or [], screen, place=settings.specs)
    whole = require(selection, screen)
    chosen = [spec if mode is For.SPEC else replace(spec, mode=Mode(mode.value)) for spec in selection.specs]
    with screen.progress(f"checking {counted(len(chosen), 'pool')}", None):
        survey = tools.planner.survey(chosen).fresh()  # a right is checked by reading, not by reads that were saved
        tools.sign_in()
        now = tools.clock.now()
        plain = tools.planner.readers
        readers = DoctorReaders(survey, tools.around, plain.devops, tools.members, tools.planner.facets, now)
        found = all_checks(chosen, plain.arm, readers)
    found += capability_checks(chosen, bootstrap.capabilities(settings), now, settings.capabilities_days)
    _show(found, output, screen, every=every)
    return _code(found) if whole else ERROR


def _code(found: Sequence[Check]) -> int:
    verdicts = {check.verdict for check in found}
    if CheckResult.MISSING in verdicts:
        return PENDING
    return ERROR if CheckResult.UNKNOWN in verdicts else DONE


def _show(found: Sequence[Check], output: OutputFormat, screen: Screen, *, every: bool) -> None:
    """Texts for people have what is missing or unknown, and the rest on request; JSON has all of it."""
    if output is OutputFormat.JSON:
        screen.document({"format": FORMAT, "checks": [check.to_json() for check in found]})
        return
    shown = [check for check in found if every or check.verdict is not CheckResult.OK]
    if output is OutputFormat.MARKDOWN:
        rows = ["| place | needed to | for mode | result | grant | how |", "| --- | --- | --- | --- | --- | --- |"]
        screen.result("\n".join([*rows, *map(_row, shown), "", _totals(found)]))
        return
    for check in shown:
        _text(check, screen)
    (screen.good if _code(found) == DONE else screen.bad)(_totals(found))


def _totals(found: Sequence[Check]) -> str:
    missing = sum(check.verdict is CheckResult.MISSING for check in found)
    unknown = sum(check.verdict is CheckResult.UNKNOWN for check in found)
    return f"{len(found)} checks: {len(found) - missing - unknown} ok, {missing} missing, {unknown} unknown"


def _text(check: Check, screen: Screen) -> None:
    line = f"{check.place}: {check.what}"
    if check.verdict is CheckResult.OK:
        screen.good(f"  ok       {line}")
        return
    screen.bad(f"  {check.verdict.value:<8} {line}{': ' + check.detail if check.detail else ''}")
    if check.verdict is CheckResult.MISSING:
        grant = check.grant
        needs = f"{grant.role} {'at' if check.advice else 'on'} {grant.where}"
        screen.result(render.clean(f"           mode {check.mode.value} requires {needs}"))
        screen.result(render.clean(f"           for {grant.whom}"))
        screen.result(render.clean(f"           {grant.remedy}"))


def _row(check: Check) -> str:
    grant = check.grant if check.verdict is CheckResult.MISSING else None
    cells = (check.place, check.what, check.mode.value, check.verdict.value)
    more = (f"{grant.role} on {grant.where}", grant.remedy) if grant else ("", "")
    return f"| {' | '.join(map(render.escaped, (*cells, *more)))} |"
