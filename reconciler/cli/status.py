"""`status`: what the last runs found, from stored conditions. Calls no service, except with `--unmanaged`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.cli.codes import DONE, ERROR, PENDING, worst
from reconciler.cli.options import Form, Names, NoColor, OutputFormat, Specs, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import nearest, settings_of
from reconciler.cli.status_view import PoolsOutlook, outlook_of
from reconciler.config.settings import Settings
from reconciler.engine.status import Condition, ConditionKind, PoolStatus, Truth
from reconciler.errors import NotFound
from reconciler.plan import render
from reconciler.plan.sync import SyncCause
from reconciler.safety import ModeSetting, Safety
from reconciler.safety.modes import holding

FORMAT = "reconciler/statuses/v1"
Unmanaged = Annotated[
    bool,
    typer.Option("--unmanaged", help="Read both planes: pools without a spec, and what exists on one plane only."),
]


def status(
    names: Names = None,
    *,
    unmanaged: Unmanaged = False,
    specs: Specs = "",
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Show what the last runs found, and since when it is so. Calls no service, except with --unmanaged."""
    screen = Screen(color=not no_color, verbose=verbose)
    if unmanaged:
        from reconciler.cli.unmanaged import unmanaged as show_unmanaged  # noqa: PLC0415 - the rest reads no plane

        return show_unmanaged(settings_of(specs), output, screen)
    settings = settings_of(specs)
    bootstrap.require_store(settings, "no run is stored there")
    known = bootstrap.statuses(settings)
    wanted = {name.lower() for name in names or []}
    chosen = [one for one in known if not wanted or one.key in wanted]
    missing = sorted(wanted - {one.key for one in chosen})
    if missing:
        raise NotFound(
            f"status: {nearest(missing, [one.key for one in known])}; only pools with a stored run are known"
        )
    (modes, paused), needs = _modes(settings), bootstrap.needs(settings)
    held = [*holding(modes), *map(str, paused)]
    if output is OutputFormat.JSON:
        outlook = outlook_of(settings, chosen, named=bool(wanted))
        pools = [{**one.public(), **outlook.facts(one)} for one in chosen]
        budgets = [one.to_json() for one in needs]
        screen.document(
            {
                "format": FORMAT,
                "modes": [one.to_json() for one in modes],
                "pauses": [one.to_json() for one in paused],
                "pools": pools,
                "budgets": budgets,
            }
        )
    elif output is OutputFormat.MARKDOWN:
        screen.result("\n\n".join([*map(render.escaped, held), _markdown(chosen)]))
    else:
        for line in held:
            screen.bad(line)
        _text(chosen, screen, outlook_of(settings, chosen, named=bool(wanted)))
        for need in needs:
            (screen.bad if need.short or need.too_old else screen.note)(render.clean(need.age_text() or str(need)))
    return worst([exit_code(one) for one in chosen])


def _modes(settings: Settings) -> tuple[tuple[ModeSetting, ...], tuple[ModeSetting, ...]]:
    """The settings of the mode, and what is paused."""
    clock = SystemClock()
    with closing(bootstrap.store(settings, clock)) as stores:
        safety = Safety(stores.safety, clock, settings.mode)
        return safety.settings(), tuple(one for one in safety.pauses() if one.unknown is None)


def exit_code(one: PoolStatus) -> int:
    """Stalled is an error; everything else that is not ready is pending."""
    stalled, ready = one.condition(ConditionKind.STALLED), one.condition(ConditionKind.READY)
    if stalled and stalled.status is Truth.TRUE:
        return ERROR
    return DONE if ready and ready.status is Truth.TRUE else PENDING


def _text(statuses: Sequence[PoolStatus], screen: Screen, outlook: PoolsOutlook) -> None:
    if not statuses:
        screen.note("no run is stored yet")
    for one in statuses:
        applied = f" @ {one.applied[: render.SHORT_REVISION]}" if one.applied else ""
        line = f"{one.key}{applied}   {_word(one)}"
        if exit_code(one) == DONE:
            screen.good(line)
        else:
            screen.bad(line)
        for condition in _shown(one):
            since = f"{condition.since:%Y-%m-%d %H:%M:%S} UTC{_seen(one, condition)}"
            message = f": {condition.message}" if condition.message else ""
            screen.result(
                render.clean(f"  {condition.kind} {condition.status}, {condition.reason}, since {since}{message}")
            )
        if one.pending:
            screen.result(render.clean(f"  waiting for the {one.pending.description}"))
        for line in outlook.lines(one):
            screen.result(render.clean(f"  {line}"))


def _seen(one: PoolStatus, condition: Condition) -> str:
    """The moment of the evidence that Ready rests on."""
    ready = condition.kind is ConditionKind.READY and one.seen is not None
    return f", seen at {one.seen:%Y-%m-%d %H:%M:%S} UTC" if ready else ""


def _shown(one: PoolStatus) -> list[Condition]:
    """Ready always, the other conditions where they are true."""
    return [c for c in one.conditions if c.kind is ConditionKind.READY or c.status is Truth.TRUE]


def _word(one: PoolStatus) -> str:
    ready = one.condition(ConditionKind.READY)
    if ready is None:
        return "not known"
    return ready.reason if one.cause in (None, SyncCause.UNKNOWN) else f"{ready.reason} ({one.cause})"


def _markdown(statuses: Sequence[PoolStatus]) -> str:
    rows = ["| pool | ready | reason | since | seen at | message |", "| --- | --- | --- | --- | --- | --- |"]
    for one in statuses:
        ready = one.condition(ConditionKind.READY)
        if ready is None:
            rows.append(f"| {render.code(one.key)} | Unknown | | | | |")
            continue
        since = f"{ready.since:%Y-%m-%d %H:%M} UTC"
        seen = "" if one.seen is None else f"{one.seen:%Y-%m-%d %H:%M} UTC"
        rows.append(
            f"| {render.code(one.key)} | {ready.status} | {_word(one)} | {render.escaped(since)} "
            f"| {seen} | {render.escaped(ready.message)} |"
        )
    return "\n".join(rows)
