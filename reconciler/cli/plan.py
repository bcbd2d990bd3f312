"""`plan`: what `apply` would do. Holds no object that can write.

Where the state of earlier runs can be read, their ids of projects are used: a renamed project is then found as the
service finds it. What earlier runs learned about cheap lists is not used; open access is read pair by pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler import bootstrap
from reconciler.cli.annotating import SUMMARY_CHARACTERS, annotate, of_plans, of_problems
from reconciler.cli.changed import change_since
from reconciler.cli.codes import DONE, ERROR, PENDING, worst
from reconciler.cli.options import (
    PIPELINES,
    ChangedSince,
    Full,
    Names,
    NoColor,
    OutputFormat,
    Policy,
    Ref,
    ReportForm,
    ReportFormat,
    Specs,
    Verbose,
)
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection, note_policy, recalled, require, select, settings_of, view
from reconciler.config.settings import Settings
from reconciler.engine.attribution import Attribution
from reconciler.engine.fights import Quarantine
from reconciler.engine.gate import annotated, gate_now
from reconciler.engine.ownership import Claims
from reconciler.engine.spending import cap_check
from reconciler.engine.status import PoolStatus
from reconciler.engine.unnamed import finding_of
from reconciler.errors import Forbidden, NotFound, NotReady, ReconcilerError, Rejected, Transient
from reconciler.plan import render
from reconciler.plan.caps import CapCheck
from reconciler.plan.model import GapKind, Plan
from reconciler.plan.render.comment import comment
from reconciler.plan.sync import SyncCause
from reconciler.safety import SafetyFacts
from reconciler.safety.facts import NOT_CHECKED
from reconciler.spec.model import Spec

if TYPE_CHECKING:
    from reconciler.engine import Planner
    from reconciler.survey import SharedSurvey


@dataclass(frozen=True, slots=True)
class Viewed:
    """What one pool's plan is made from."""

    survey: SharedSurvey
    claims: Claims
    caps: CapCheck


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of several pools."""

    plans: Sequence[tuple[Plan, SyncCause]]
    """Each with why its pool is out of sync."""
    failures: Sequence[str]
    """Why a pool could not be planned."""
    known: Mapping[str, PoolStatus]
    """What earlier runs stored, by pool."""


def plan(
    names: Names = None,
    *,
    specs: Specs = "",
    ref: Ref = "",
    policy: Policy = "",
    changed_since: ChangedSince = "",
    full: Full = False,
    output: ReportForm = ReportFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Show what would be changed, over which API, and what it does to people. Writes nothing."""
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(specs, ref, policy)
    with closing(bootstrap.look(settings)) as look, screen.progress("reading", None):
        look.start_sign_in()
        note_policy(look.policy, screen)
        selection = select(look.source, names or [], screen, place=settings.specs)
        complete = require(selection, screen)
        change = change_since(settings, selection, look.policy, changed_since)
        made = planned(look, settings, change.selection, screen)
    _note_without_state([one for one, _ in made.plans], made.known, screen)
    change.note(screen)
    gone = {} if names else _unnamed(settings, selection, screen)
    if output in PIPELINES:
        show(made.plans, OutputFormat.TEXT, screen, gone, full=full)
        found = [*of_problems(settings, selection), *of_plans(settings, change.selection.specs, made.plans)]
        annotate(
            screen,
            output,
            found,
            comment(change.report(settings, made.plans, made.failures), SUMMARY_CHARACTERS),
        )
    else:
        show(made.plans, OutputFormat(output.value), screen, gone, full=full)
    codes = [ERROR] * len(made.failures) + [exit_code(one) for one, _ in made.plans]
    return worst([DONE if complete else ERROR, *codes])


def planned(look: bootstrap.Look, settings: Settings, selection: Selection, screen: Screen) -> Planned:
    """The plans of the selected pools, with what the deployment's state says of them."""
    specs_to_plan = selection.specs
    survey = look.survey(selection.specs)
    survey.begin(specs_to_plan)  # what follows is done while the services respond
    known = recalled(settings, selection.specs, screen)
    if specs_to_plan:
        look.sign_in()
    facts = facts_by_pool(settings, specs_to_plan, screen)
    record, owner = bootstrap.recorded_writes(settings), bootstrap.owners_of(settings)
    clock, digest, state = look.clock, look.policy.digest, bootstrap.ReadState(settings)
    viewed = {
        spec.key: Viewed(
            view(survey, spec, known),
            Claims(facts[spec.key], owner=owner),
            replace(
                cap_check(record if facts[spec.key].checked else None, spec, facts[spec.key], clock, digest),
                fought=Quarantine(state, spec).held,
            ),
        )
        for spec in specs_to_plan
    }
    plans, failures = plans_of(look.planner, specs_to_plan, selection.revision, viewed, screen)
    keyed = {spec.name: spec for spec in specs_to_plan}
    plans = [_annotated(look.planner, one, keyed[one.pool], facts[one.pool.lower()], known) for one in plans]
    by_name, now = {spec.name: spec for spec in selection.specs}, look.clock.now()
    causes = {
        one.pool: known[one.pool.lower()].sync_cause(by_name[one.pool], now, one)
        for one in plans
        if one.pool.lower() in known
    }
    plans = [
        Attribution(state, keyed[one.pool], viewed[one.pool.lower()].survey, causes[one.pool]).remarks(one)
        if one.pool in causes
        else one
        for one in plans
    ]
    return Planned([(one, causes.get(one.pool, SyncCause.UNKNOWN)) for one in plans], failures, known)


def facts_by_pool(settings: Settings, specs: Sequence[Spec], screen: Screen) -> Mapping[str, SafetyFacts]:
    """What the deployment's owner allows, by pool; where no state can be read, nothing of it is checked."""
    try:
        return bootstrap.facts_of(settings, specs)
    except (Transient, Forbidden, NotFound, Rejected) as error:
        screen.note(f"the state cannot be read: {error}")
        return {spec.key: NOT_CHECKED for spec in specs}


def _unnamed(settings: Settings, selection: Selection, screen: Screen) -> dict[str, tuple[str, str]]:
    """Pools with a stored status that no spec names any more, with reason and text; no error ends a plan."""
    if selection.stale:
        return {}
    try:
        found = bootstrap.unnamed_pools(settings, selection.known)
    except ReconcilerError as error:
        screen.detail(f"the state cannot be read, so pools without a spec are not named: {error}")
        return {}
    return {status.key: finding_of(status, selection.broken) for status in found}


def _annotated(planner: Planner, one: Plan, spec: Spec, facts: SafetyFacts, known: Mapping[str, PoolStatus]) -> Plan:
    return annotated(one, gate_now(planner, spec, facts, known.get(spec.key)), checked=facts.checked)


def show(
    plans: Sequence[tuple[Plan, SyncCause]],
    output: OutputFormat,
    screen: Screen,
    unnamed: Mapping[str, tuple[str, str]] | None = None,
    *,
    full: bool = False,
) -> None:
    """Plans in the chosen format, each with why its pool is out of sync; `unnamed`: pools without a spec, and why.

    `full`: long values are whole, as they always are in JSON.
    """
    lines = [f"{name}   {why}: {text}" for name, (why, text) in (unnamed or {}).items()]
    if output is OutputFormat.JSON:
        screen.document(render.plans_to_json(plans, unnamed))
    elif output is OutputFormat.MARKDOWN:
        shown, folded = _folded(plans)
        parts = [render.markdown(one, cause, full=full) for one, cause in shown]
        screen.result("\n\n".join([*parts, *map(render.escaped, [*lines, *folded])]))
    else:
        for line in lines:
            screen.bad(line)
        show_text(plans, screen, full=full)


def show_text(
    plans: Sequence[tuple[Plan, SyncCause]], screen: Screen, *, err: bool = False, full: bool = False
) -> None:
    """Plans as text, with those in sync and the total behind them; `err`: on standard error."""
    shown, folded = _folded(plans)
    for one, cause in shown:
        screen.plan(one, cause, err=err, full=full)
    for line in folded:
        screen.total(line, err=err)


def _folded(plans: Sequence[tuple[Plan, SyncCause]]) -> tuple[list[tuple[Plan, SyncCause]], list[str]]:
    """Of several plans those that say something, and lines about the rest: the pools in sync, and the total."""
    if len(plans) < 2:  # noqa: PLR2004 - one plan is shown as it is
        return list(plans), []
    quiet = [one for one, _ in plans if one.in_sync and not one.remarks]
    return [row for row in plans if row[0] not in quiet], list(render.total([one for one, _ in plans], quiet))


def exit_code(one: Plan) -> int:
    """A failed read is an error; everything else that is not in sync is 2."""
    if any(gap.kind is GapKind.UNKNOWN for gap in one.gaps):
        return ERROR
    return DONE if one.in_sync else PENDING


def _note_without_state(plans: Sequence[Plan], known: Mapping[str, PoolStatus], screen: Screen) -> None:
    """Say where something may be missing only because it was renamed, and no state holds its id."""
    missed = [one.pool for one in plans if one.pool.lower() not in known and _misses_a_name(one)]
    if missed:
        screen.note(
            f"{', '.join(missed)}: no saved state: renamed projects appear as missing. "
            "Set RECONCILER_STATE to the deployment's state"
        )


def _misses_a_name(one: Plan) -> bool:
    """Whether a name of the spec was not found; a queue that is still to be created has no name of its own."""
    return any(
        gap.reason == NotFound.__name__ or (gap.reason == NotReady.__name__ and "/" not in gap.subject)
        for gap in one.gaps
    )


def plans_of(
    planner: Planner,
    specs: Sequence[Spec],
    revision: str,
    viewed: Mapping[str, Viewed],
    screen: Screen,
) -> tuple[list[Plan], list[str]]:
    """One plan a pool, from one shared survey; a pool that cannot be planned does not stop the others, and is named."""
    plans: list[Plan] = []
    failures: list[str] = []
    with screen.progress("reading", len(specs)) as progress:
        for spec in specs:
            try:
                seen = viewed[spec.key]
                plans.append(planner.plan(spec, seen.survey, revision, seen.claims, caps=seen.caps))
            except ReconcilerError as error:
                failures.append(f"{spec.name}: {error.reason}: {error}")
                screen.error(failures[-1])
            progress.step(f"reading {spec.name}")
    return plans, failures
