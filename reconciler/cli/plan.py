"""`plan`: what would be done. Holds nothing that could do it.

It knows what earlier runs remember of names, where the state that they keep can be read: a renamed project is then told
as the service tells it, and not missed. What they learned about cheap lists it leaves aside, and reads pair by pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR, PENDING, worst
from reconciler.cli.options import Form, Names, NoColor, OutputFormat, Policy, Ref, Specs, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection, recalled, require, select, settings_of, view
from reconciler.errors import NotFound, NotReady, ReconcilerError
from reconciler.plan import render
from reconciler.plan.model import GapKind, Plan
from reconciler.survey.names import RememberedNames


def plan(
    names: Names = None,
    *,
    specs: Specs = "",
    ref: Ref = "",
    policy: Policy = "",
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Show what would be changed, over which API, and what it does to people. Writes nothing."""
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(specs, ref, policy)
    with closing(bootstrap.look(settings)) as look:
        selection = select(look.source, names or [], screen, place=settings.specs)
        whole = require(selection, screen)
        known = recalled(settings, selection.specs, screen)
        plans, codes = _plans(look, selection, known, screen)
    _strangers(plans, known, screen)
    show(plans, output, screen)
    return worst([DONE if whole else ERROR, *codes, *(code_of(one) for one in plans)])


def show(plans: Sequence[Plan], output: OutputFormat, screen: Screen) -> None:
    """Plans in the form asked for."""
    if output is OutputFormat.JSON:
        screen.document(render.plans_to_json(plans))
    elif output is OutputFormat.MARKDOWN:
        screen.result("\n\n".join(render.markdown(one) for one in plans))
    else:
        for one in plans:
            screen.plan(one)


def code_of(one: Plan) -> int:
    """A read that failed is an error, and everything else that is not in sync is pending."""
    if any(gap.kind is GapKind.UNKNOWN for gap in one.gaps):
        return ERROR
    return DONE if one.in_sync else PENDING


def _strangers(plans: Sequence[Plan], known: Mapping[str, RememberedNames], screen: Screen) -> None:
    """Say where a thing may be missed only because it was renamed, and nothing here remembers its id."""
    missed = [one.pool for one in plans if one.pool.lower() not in known and _misses(one)]
    if missed:
        screen.note(
            f"{', '.join(missed)}: no earlier run is known here, so what was renamed looks like missing; "
            "RECONCILER_STATE names the state that the service keeps"
        )


def _misses(one: Plan) -> bool:
    """Whether a name of the spec leads nowhere; a queue that is still to come has no name of its own."""
    return any(
        gap.reason == NotFound.__name__ or (gap.reason == NotReady.__name__ and "/" not in gap.subject)
        for gap in one.gaps
    )


def _plans(
    look: bootstrap.Look, selection: Selection, known: Mapping[str, RememberedNames], screen: Screen
) -> tuple[list[Plan], list[int]]:
    """One plan a pool, from one shared survey; a pool that cannot be planned does not stop the others."""
    plans: list[Plan] = []
    codes: list[int] = []
    survey = look.planner.survey(selection.specs)
    with screen.progress("reading", len(selection.specs)) as track:
        for spec in selection.specs:
            if spec.paused_on(look.clock.now().date()):
                screen.note(f"{spec.name}: paused by its spec until {spec.until}: {spec.reason}")
                continue
            try:
                plans.append(look.planner.plan(spec, view(survey, spec, known), selection.revision))
            except ReconcilerError as error:
                screen.error(f"{spec.name}: {error.reason}: {error}")
                codes.append(ERROR)
            track.step(f"reading {spec.name}")
    return plans, codes
