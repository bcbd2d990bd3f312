"""Consent: on a terminal `apply` shows all plans, with a total, and asks before anything is written."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.cli import plan as plans
from reconciler.cli.codes import PENDING
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection, recalled, view
from reconciler.config.settings import Settings
from reconciler.plan.model import Plan
from reconciler.plan.sync import SyncCause
from reconciler.spec.model import Mode

if TYPE_CHECKING:
    from reconciler.engine import Reconciler

QUESTION = "Apply these changes? [y/N] "


def wanted(*, yes: bool) -> bool:
    """Whether there is a person to ask: standard input and standard error are a terminal, and `--yes` is not given."""
    return not yes and sys.stdin.isatty() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def plans_of(reconciler: Reconciler, settings: Settings, selection: Selection, screen: Screen) -> dict[str, Plan]:
    """By name, what the run would begin with; where a pool cannot be planned an empty plan: nothing is written."""
    specs = plans.unpaused(reconciler.planner.clock.now(), selection.specs, screen)
    survey = reconciler.survey(specs)
    known = recalled(settings, specs, screen)
    viewed = {spec.key: (view(survey, spec, known), reconciler.claims(spec)) for spec in specs}
    found, _ = plans.plans_of(reconciler.planner, specs, selection.revision, viewed, screen)
    nothing = {spec.name: Plan(spec.name, selection.revision) for spec in selection.specs}
    return {**nothing, **{one.pool: one for one in found}}


def given(found: Mapping[str, Plan], selection: Selection, screen: Screen) -> bool:
    """Show the plans and ask. True where nothing is to be asked about: every pool is in sync or only reported."""
    planned = [one for one in found.values() if not one.in_sync]
    plans.show_text([(one, SyncCause.UNKNOWN) for one in found.values()], screen, err=True)
    reported = {spec.name for spec in selection.specs if spec.mode is Mode.REPORT}
    if not any(one.all_changes and one.pool not in reported for one in planned):
        return True
    return screen.ask(QUESTION)


def declined(screen: Screen) -> int:
    """The answer was no; returns the exit code."""
    screen.note("the plan was not confirmed; nothing is written")
    return PENDING
