"""`approve`: record what the deployment's owner approves."""

from __future__ import annotations

import getpass
import re
from contextlib import closing
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR
from reconciler.cli.options import HASH, NoColor, Policy, Ref, Specs, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import require, select, settings_of
from reconciler.config.settings import Settings
from reconciler.plan.render import clean
from reconciler.spec.model import Spec

Subject = Annotated[
    str, typer.Argument(metavar="HASH|NAME", help="Hash of a plan, or name of a pool.", show_default=False)
]
Pools = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="With a HASH: the pools to look among; all by default."),
]
AgentPoolOption = Annotated[
    str,
    typer.Option(
        "--agent-pool", metavar="ORG/ID", show_default=False,
        help="Take this agent pool for the pool's own, where a proof of that is missing.",
    ),
]  # fmt: skip
OutsideWindows = Annotated[
    bool, typer.Option("--outside-windows", help="With a HASH: its changes wait for no window of the policy.")
]
_PLACE = re.compile(r"([A-Za-z0-9-]+)/([1-9][0-9]{0,9})")


def approve(
    subject: Subject,
    names: Pools = None,
    *,
    agent_pool: AgentPoolOption = "",
    outside_windows: OutsideWindows = False,
    specs: Specs = "",
    ref: Ref = "",
    policy: Policy = "",
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Record an approval of a plan (for 24 hours), or of an agent pool. Only the owner of the deployment can.

    The owner is an identity that may write the deployment's safety store.
    """
    screen = Screen(color=not no_color, verbose=verbose)
    if HASH.fullmatch(subject.lower()):
        if agent_pool:
            raise typer.BadParameter("belongs to the NAME of a pool, not to a plan", param_hint="--agent-pool")
        settings = settings_of(specs, ref, policy)
        return _approve_plan(settings, subject.lower(), names or [], screen, outside_windows=outside_windows)
    if outside_windows:
        raise typer.BadParameter("is for the HASH of a plan", param_hint="--outside-windows")
    if not agent_pool:
        problem = f"{clean(subject[:100])!r} is no hash of a plan (64 hexadecimal digits, as `plan` prints it); for an "
        raise typer.BadParameter(problem + "agent pool add --agent-pool ORG/ID", param_hint="HASH|NAME")
    if names:
        raise typer.BadParameter("an agent pool belongs to one pool: give one NAME", param_hint="NAME")
    place = _place_of(agent_pool)
    settings = settings_of(specs, ref, policy)
    selection = select(bootstrap.source(settings), [subject], screen, place=settings.specs)
    require(selection, screen)
    with closing(bootstrap.build(settings)) as app:
        _approve_agent_pool(app, selection.specs[0], place, screen)
    return DONE


def _approve_plan(
    settings: Settings, plan_hash: str, names: list[str], screen: Screen, *, outside_windows: bool
) -> int:
    from reconciler.engine.approving_plans import approve_plan  # noqa: PLC0415 - a misspelt option needs no engine

    source = bootstrap.source(settings)
    selection = select(source, names, screen, place=settings.specs)
    complete = require(selection, screen)
    with closing(bootstrap.build(settings)) as app:
        parts = (app.planner, app.safety, app.state)
        done = approve_plan(parts, selection.specs, source.snapshot(), plan_hash, outside_windows=outside_windows)
    screen.plan(done.plan)
    windows = ", outside of windows too" if outside_windows else ""
    screen.good(f"this plan of pool {done.spec.name} is approved for 24 hours{windows}")
    return DONE if complete else ERROR


def _place_of(text: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(text)
    if found is None:
        problem = f"{text[:100]!r} is not ORG/ID, as in fabrikam-prime/42; findings of `plan` and `status` name it"
        raise typer.BadParameter(problem, param_hint="--agent-pool")
    return found[1], int(found[2])


def _approve_agent_pool(app: bootstrap.App, spec: Spec, place: tuple[str, int], screen: Screen) -> None:
    from reconciler.engine.approving import approve_agent_pool  # noqa: PLC0415 - a misspelt option needs no engine

    done = approve_agent_pool(app.planner, app.safety, spec, place, getpass.getuser())
    if not done.recorded:
        screen.good(f"{done.place} is proven to be pool {spec.name}'s own: nothing to approve")
        return
    instead = f", in place of a proof: {done.missing}" if done.missing else ""
    screen.good(f"{done.place} is approved as pool {spec.name}'s own{instead}")
    if done.former:
        screen.note(f"pool {done.former} had it on record, and has it no longer")
    screen.note(f"`mdp-reconciler apply {spec.name}` goes on")
