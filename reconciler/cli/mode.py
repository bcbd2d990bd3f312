"""`mode`: how far writing goes, shown and set. Who can write the deployment's safety store is its owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.cli.codes import DONE, ERROR
from reconciler.cli.options import Form, NoColor, OutputFormat, Policy, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import settings_of
from reconciler.config.settings import Settings
from reconciler.plan import render
from reconciler.safety import ModeScope, ModeSetting, Safety, WriteMode
from reconciler.safety.modes import LONGEST_REASON, of_deployment
from reconciler.spec.names import organization_name, pool_name

FORMAT = "reconciler/modes/v1"


class ModeAction(StrEnum):
    """What to do with the mode."""

    SHOW = "show"
    SET = "set"
    CLEAR = "clear"
    REPAIR = "repair"


Action = Annotated[
    ModeAction,
    typer.Argument(
        metavar="[show|set|clear|repair]", show_default=False,
        help="show (default); set MODE; clear a setting; repair the index of the safety store.",
    ),
]  # fmt: skip
Value = Annotated[
    WriteMode | None,
    typer.Argument(metavar="[MODE]", show_default=False, help="With set: stop, report, approved or enforce."),
]
OfOrganization = Annotated[
    str, typer.Option("--organization", metavar="NAME", show_default=False, help="For this organization alone.")
]
OfPool = Annotated[str, typer.Option("--pool", metavar="NAME", show_default=False, help="For this pool alone.")]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", show_default=False, help="Why; shown wherever the mode is shown.")
]


def mode(
    action: Action = ModeAction.SHOW,
    value: Value = None,
    *,
    organization: OfOrganization = "",
    pool: OfPool = "",
    reason: Reason = "",
    policy: Policy = "",
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Show how far writing goes, or set it for the deployment, an organization or a pool. Counts before the next write.

    The strictest setting counts: RECONCILER_MODE, the deployment's, the organization's, the pool's, the spec's.
    """
    screen = Screen(color=not no_color, verbose=verbose)
    scope = _scope(action, organization, pool)
    _check(action, value, reason)
    with opened(policy, create=action is not ModeAction.SHOW) as (safety, settings):
        if action in (ModeAction.SET, ModeAction.CLEAR):
            safety.set_mode(scope, value, reason=" ".join(reason.split()), by=bootstrap.caller(settings))
        elif action is ModeAction.REPAIR:
            names = safety.documents.repair()
            screen.note(f"the index names {len(names)} documents: {', '.join(names) or 'none'}")
        found = safety.settings()
    show(found, output, screen)
    return ERROR if any(one.unknown is not None for one in found) else DONE


def show(settings: tuple[ModeSetting, ...], output: OutputFormat, screen: Screen) -> None:
    """Every setting in the chosen format, and what counts for the deployment."""
    counts = of_deployment(settings)
    if output is OutputFormat.JSON:
        document = {"format": FORMAT, "mode": counts.mode.value, "settings": [one.to_json() for one in settings]}
        screen.document(document)
        return
    if output is OutputFormat.MARKDOWN:
        rows = ["| for | mode | set | reason |", "| --- | --- | --- | --- |"]
        rows += [
            f"| {render.code(str(one.scope))} | {one.mode} | {render.escaped(_place(one))} "
            f"| {render.escaped(one.reason)} |"
            for one in settings
        ]
        screen.result("\n".join(rows))
        return
    (screen.good if counts.mode.writes else screen.bad)(f"mode {counts.mode}")
    for one in settings:
        screen.result(
            render.clean(f"  {one.scope}: {one.mode}, {_place(one)}{f': {one.reason}' if one.reason else ''}")
        )


def _place(one: ModeSetting) -> str:
    return one.place if one.unknown is None else f"cannot be read: {one.unknown}"


def _check(action: ModeAction, value: WriteMode | None, reason: str) -> None:
    if (action is ModeAction.SET) is (value is None):
        text = f"name one of {', '.join(WriteMode)}" if value is None else "a mode is for `mode set` alone"
        raise typer.BadParameter(text, param_hint="MODE")
    if action in (ModeAction.SET, ModeAction.CLEAR):
        check_reason(reason)


def check_reason(reason: str) -> None:
    """`typer.BadParameter` for what is no reason of a mode or a pause, as over HTTP."""
    if not reason.strip():
        raise typer.BadParameter("say why: others will read it", param_hint="--reason")
    if len(reason.strip()) > LONGEST_REASON:
        text = f"has {len(reason.strip())} characters, the limit is {LONGEST_REASON}"
        raise typer.BadParameter(text, param_hint="--reason")


def _scope(action: ModeAction, organization: str, pool: str) -> ModeScope:
    if organization and pool:
        raise typer.BadParameter("name an organization or a pool, not both", param_hint="--pool")
    if (organization or pool) and action not in (ModeAction.SET, ModeAction.CLEAR):
        raise typer.BadParameter("for `mode set` and `mode clear` alone", param_hint="--organization, --pool")
    for name, problem, hint in ((organization, organization_name, "--organization"), (pool, pool_name, "--pool")):
        if name and (found := problem(name)):
            raise typer.BadParameter(found, param_hint=hint)
    return ModeScope(organization.lower(), pool.lower())


@contextmanager
def opened(policy: str, specs: str = "", *, create: bool) -> Iterator[tuple[Safety, Settings]]:
    """The safety facts of the deployment that the settings name."""
    settings = settings_of(specs, policy=policy)
    if not create:
        bootstrap.require_store(settings, "no mode and no pause is in it")
    clock = SystemClock()
    with closing(bootstrap.store(settings, clock)) as stores:
        yield Safety(stores.safety, clock, settings.mode), settings
