"""`approve`: record what the deployment's owner approves."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli.codes import DONE
from reconciler.cli.options import NoColor, Policy, Ref, Specs, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import require, select, settings_of
from reconciler.spec.model import Spec

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the pool.", show_default=False)]
AgentPoolOption = Annotated[
    str,
    typer.Option(
        "--agent-pool", metavar="ORG/ID", show_default=False,
        help="Take this agent pool for the pool's own, where a proof of that is missing.",
    ),
]  # fmt: skip
_PLACE = re.compile(r"([A-Za-z0-9-]+)/([1-9][0-9]{0,9})")


def approve(
    name: Name,
    *,
    agent_pool: AgentPoolOption = "",
    specs: Specs = "",
    ref: Ref = "",
    policy: Policy = "",
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Record an approval. Only the deployment's owner can: whoever may write its safety facts or its state file."""
    screen = Screen(color=not no_color, verbose=verbose)
    if not agent_pool:
        raise typer.BadParameter("say what is approved: --agent-pool ORG/ID", param_hint="--agent-pool")
    place = _place_of(agent_pool)
    settings = settings_of(specs, ref, policy)
    selection = select(bootstrap.source(settings), [name], screen, place=settings.specs)
    require(selection, screen)
    with closing(bootstrap.build(settings)) as app:
        _approve_agent_pool(app, selection.specs[0], place, screen)
    return DONE


def _place_of(text: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(text)
    if found is None:
        problem = f"{text[:100]!r} is not ORG/ID, as in fabrikam-prime/42; findings of `plan` and `status` name it"
        raise typer.BadParameter(problem, param_hint="--agent-pool")
    return found[1], int(found[2])


def _approve_agent_pool(app: bootstrap.App, spec: Spec, place: tuple[str, int], screen: Screen) -> None:
    from reconciler.engine.approving import approve_agent_pool  # noqa: PLC0415 - a misspelt option needs no engine

    done = approve_agent_pool(app.planner, app.safety, spec, place)
    if not done.recorded:
        screen.good(f"{done.place} is proven to be pool {spec.name}'s own: nothing to approve")
        return
    instead = f", in place of a proof: {done.missing}" if done.missing else ""
    screen.good(f"{done.place} is approved as pool {spec.name}'s own{instead}")
    if done.former:
        screen.note(f"pool {done.former} had it on record, and has it no longer")
    screen.note(f"`reconciler apply {spec.name}` goes on")
