"""`operators`: the identities that no run may lock out, and where each is named; drops what the service recorded."""

from __future__ import annotations

from contextlib import closing
from enum import StrEnum
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.cli.codes import DONE
from reconciler.cli.options import Form, NoColor, OutputFormat, Policy, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import settings_of
from reconciler.config.settings import PREFIX, Settings
from reconciler.documents import Json
from reconciler.errors import NotFound
from reconciler.plan import render
from reconciler.safety import Safety
from reconciler.spec.names import organization_name

FORMAT = "reconciler/operators/v1"


class OperatorsAction(StrEnum):
    """What to do with the operators."""

    SHOW = "show"
    CLEAR = "clear"


Action = Annotated[
    OperatorsAction,
    typer.Argument(
        metavar="[show|clear]", show_default=False, help="show (default), or clear what the service recorded."
    ),
]
Where = Annotated[
    str, typer.Argument(metavar="[ORG]", show_default=False, help="With clear: the organization it is recorded for.")
]


def operators(
    action: Action = OperatorsAction.SHOW,
    organization: Where = "",
    *,
    policy: Policy = "",
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Show the identities that no run may lock out, or drop one that the service recorded.

    They are those that settings and policy name, and what the deployed service recorded of itself. Drop a record where
    that service is retired: a run then may remove its identity. A service that runs records itself again.
    """
    screen = Screen(color=not no_color, verbose=verbose)
    if (action is OperatorsAction.CLEAR) is not bool(organization):
        text = "name the organization" if not organization else "an organization is for `operators clear` alone"
        raise typer.BadParameter(text, param_hint="ORG")
    if organization and (problem := organization_name(organization)):
        raise typer.BadParameter(problem, param_hint="ORG")
    settings = settings_of(policy=policy)
    if action is OperatorsAction.CLEAR:
        _clear(settings, organization.lower(), screen)
    else:
        _show(_rows(settings), output, screen)
    return DONE


def _clear(settings: Settings, organization: str, screen: Screen) -> None:
    dropped = None
    if bootstrap.has_store(settings):
        clock = SystemClock()
        with closing(bootstrap.store(settings, clock)) as stores:
            dropped = Safety(stores.safety, clock, settings.mode).forget_operator(organization)
    if dropped is None:
        raise NotFound(f"operators: no operator is recorded for {organization}; `mdp-reconciler operators` shows them")
    screen.good(f"{organization}: {dropped.name or dropped.id} is no longer recorded as the operator")


def _rows(settings: Settings) -> list[dict[str, Json]]:
    """Every operator with the place that names it."""
    named = [(name, f"{PREFIX}OPERATORS") for name in settings.operators.split(",") if name]
    named += [(one.principal, str(settings.policy)) for one in bootstrap.policy(settings).operators]
    rows: list[dict[str, Json]] = [
        {"principal": name, "place": place, "organization": None, "id": None} for name, place in named
    ]
    if bootstrap.has_store(settings):
        clock = SystemClock()
        with closing(bootstrap.store(settings, clock)) as stores:
            found = Safety(stores.safety, clock, settings.mode).recorded_operators()
        rows += [
            {"principal": one.name, "place": "recorded by the service", "organization": organization, "id": one.id}
            for organization, one in found.items()
        ]
    return rows


def _show(rows: list[dict[str, Json]], output: OutputFormat, screen: Screen) -> None:
    if output is OutputFormat.JSON:
        screen.document({"format": FORMAT, "operators": rows})
        return
    if not rows:
        screen.note("no operator is named or recorded: each run protects the identity that runs")
        return
    cells = [[row["organization"] or "every organization", row["principal"], row["id"], row["place"]] for row in rows]
    if output is OutputFormat.MARKDOWN:
        lines = ["| organization | operator | id | named by |", "| --- | --- | --- | --- |"]
        lines += [f"| {' | '.join(render.escaped(str(cell or '')) for cell in row)} |" for row in cells]
        screen.result("\n".join(lines))
        return
    for where, principal, identity, place in cells:
        screen.result(render.clean(f"{where}: {principal}{f' ({identity})' if identity else ''}, {place}"))
