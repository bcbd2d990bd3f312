"""Consent: on a terminal `apply` shows all plans, with a total, and asks before anything is written."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.cli import plan as plans
from reconciler.cli.codes import PENDING
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection, recalled, view
from reconciler.config.settings import Settings
from reconciler.engine.gate import annotated, gate_now, goes_out
from reconciler.plan.model import Plan
from reconciler.plan.sync import SyncCause

if TYPE_CHECKING:
    from reconciler.engine import Reconciler

QUESTION = "Apply these changes? [y/N] "


def wanted(*, yes: bool) -> bool:
    """Whether there is a person to ask: standard input and standard error are a terminal, and `--yes` is not given."""
    return not yes and sys.stdin.isatty() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person is asked about."""

    plans: Mapping[str, Plan]
    """By name, what the run of each pool begins with; empty where a pool cannot be planned: nothing is written."""
    writes: bool
    """Whether anything of it may be written, now or as what follows, by modes, pauses and windows of this moment."""

    @property
    def agreed(self) -> Mapping[str, Plan]:
        """What a person agrees to: nothing where nothing is asked, also where a window opens meanwhile."""
        if self.writes:
            return self.plans
        return {name: Plan(one.pool, one.revision) for name, one in self.plans.items()}


def shown(reconciler: Reconciler, settings: Settings, selection: Selection, screen: Screen) -> Shown:
    """The plans that the runs would begin with: of the specs that they apply, with caps and modes as they are."""
    specs = selection.specs
    facts = {spec.key: reconciler.facts(spec) for spec in specs}
    known = recalled(settings, specs, screen)
    gates = {spec.key: gate_now(reconciler.planner, spec, facts[spec.key], known.get(spec.key)) for spec in specs}
    specs = tuple(gates[spec.key].spec for spec in specs)
    survey = reconciler.survey(specs)
    viewed = {
        spec.key: plans.Viewed(
            view(survey, spec, known),
            reconciler.claims(spec, facts[spec.key]),
            reconciler.caps(spec, facts[spec.key]),
        )
        for spec in specs
    }
    made, _ = plans.plans_of(reconciler.planner, specs, selection.revision, viewed, screen)
    found = {one.pool: annotated(one, gates[one.pool.lower()]) for one in made}
    open_ = any(goes_out(gates[one.pool.lower()], change, one) for one in made for change in one.all_changes)
    nothing = {spec.name: Plan(spec.name, selection.revision) for spec in selection.specs}
    return Shown({**nothing, **found}, open_)


def given(found: Shown, screen: Screen) -> bool:
    """Show the plans and ask. True where nothing is to be asked about: nothing of any pool may be written now."""
    plans.show_text([(one, SyncCause.UNKNOWN) for one in found.plans.values()], screen, err=True)
    return not found.writes or screen.ask(QUESTION)


def declined(screen: Screen) -> int:
    """The answer was no; returns the exit code."""
    screen.note("the plan was not confirmed; nothing is written")
    return PENDING
