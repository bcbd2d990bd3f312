"""`forget`: drop the stored status of a pool that was retired on purpose. Calls neither ARM nor Azure DevOps."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.cli.codes import DONE
from reconciler.cli.options import NoColor, Specs
from reconciler.cli.screen import Screen
from reconciler.cli.selection import nearest, select, settings_of
from reconciler.config.settings import Settings
from reconciler.engine import unnamed
from reconciler.errors import NotFound, Refused

Pools = Annotated[list[str], typer.Argument(help="Pools that no spec names any more.", metavar="POOL...")]


def forget(names: Pools, *, specs: Specs = "", no_color: NoColor = False) -> int:
    """Drop the stored status of pools that no spec names any more. Nothing in Azure or Azure DevOps is changed."""
    screen = Screen(color=not no_color)
    settings = settings_of(specs)
    wanted = sorted({name.lower() for name in names})
    known = {one.key: one.path for one in bootstrap.statuses(settings)}
    if missing := [name for name in wanted if name not in known]:
        raise NotFound(f"forget: {nearest(missing, sorted(known))}; only pools with a stored run are known")
    desired, broken = _desired(settings, screen)
    if named := [f"{name} ({desired[name]})" for name in wanted if name in desired]:
        raise Refused(f"forget: a spec names {', '.join(named)}; delete it first, or set mode: pause")
    if unread := [f"{name} ({known[name]})" for name in wanted if known[name] in broken]:
        raise Refused(
            f"forget: the file of {', '.join(unread)} has errors, and may name it; correct or delete it first"
        )
    with closing(bootstrap.store(settings, SystemClock())) as store:
        for name in wanted:
            unnamed.forget(store.state, store.leases, SystemClock(), name)
            screen.good(f"{name}   forgotten; nothing of it was removed")
    return DONE


def _desired(settings: Settings, screen: Screen) -> tuple[dict[str, str], frozenset[str]]:
    """Key → file of every spec, and the files with problems; both empty where the last spec was deleted."""
    try:
        found = select(bootstrap.source(settings), (), screen, place="")
    except NotFound:
        return {}, frozenset()
    return {spec.key: spec.path for spec in found.specs}, frozenset(found.broken)
