"""`notify`: test the receivers of notices, show what waits and what could not be sent, send it again."""

from __future__ import annotations

from contextlib import closing
from enum import StrEnum
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.cli.codes import DONE, ERROR
from reconciler.cli.options import NoColor
from reconciler.cli.screen import Screen
from reconciler.cli.selection import file_settings, settings_of
from reconciler.config.settings import Settings, SettingsInvalid, environment
from reconciler.config.triggers import Hosting
from reconciler.documents.spelling import counted
from reconciler.plan.render import clean
from reconciler.service.notify import letters, waiting
from reconciler.service.notify.flush import Receivers, resend, trial


class NotifyAction(StrEnum):
    """What to do."""

    TEST = "test"
    LIST = "list"
    RESEND = "resend"


Action = Annotated[
    NotifyAction,
    typer.Argument(
        metavar="test|list|resend", show_default=False,
        help="test: send one message to each receiver of these settings. list: what waits in the deployment's state, "
        "and the dead letters. resend: put dead letters on their way again; the service sends them.",
    ),
]  # fmt: skip
Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID...]", show_default=False, help="With resend: ids that list shows; all by default."),
]


def notify(action: Action, ids: Ids = None, *, no_color: NoColor = False) -> int:
    """Test the receivers of notices, show messages that could not be sent, and send them again."""
    if ids and action is not NotifyAction.RESEND:
        raise typer.BadParameter(f"{action.value} takes no ID", param_hint="ID")
    screen = Screen(color=not no_color)
    settings = settings_of()
    hosting = Hosting.read({**file_settings(), **environment()})
    if action is NotifyAction.TEST:
        return _test(hosting, settings, screen)
    bootstrap.require_store(settings, "no notice is in it")
    with closing(bootstrap.store(settings, SystemClock())) as store:
        if action is NotifyAction.LIST:
            return _list(store, screen)
        count = resend(store.state, store.leases, store.named(hosting.work_queue), ids or [])
        screen.good(f"{counted(count, 'message')} on the way again; the service sends within a minute")
        return DONE


def _test(hosting: Hosting, settings: Settings, screen: Screen) -> int:
    """One line for each receiver."""
    if not hosting.notify:
        names = ", ".join(f"RECONCILER_NOTIFY_{name}" for name in ("TEAMS", "SLACK", "WEBHOOK"))
        raise SettingsInvalid((f"notify test: no receiver is set; set one of {names}",))
    clock = SystemClock()
    receivers = Receivers(hosting.notify, bootstrap.notice_sender(clock), hosting.page, settings.deployment)
    failed = False
    for target in hosting.notify:
        now = clock.now()
        delivery = receivers.send(trial(target, now), now)
        failed = failed or not delivery.accepted
        if delivery.accepted:
            screen.good(f"{target.name}: accepted")
        else:
            screen.bad(f"{target.name}: {clean(delivery.why)}")
    return ERROR if failed else DONE


def _list(store: bootstrap.Store, screen: Screen) -> int:
    """One line for each message."""
    found = {name: store.state.load(name) for name in (waiting.DOCUMENT, letters.DOCUMENT)}
    bodies = {name: None if one is None else one.body for name, one in found.items()}
    notices = waiting.WaitingNotices.from_json(bodies[waiting.DOCUMENT]).notices
    known = letters.Letters.from_json(bodies[letters.DOCUMENT])
    if not (notices or known.open or known.dead):
        screen.good("nothing waits, and there are no dead letters")
        return DONE
    if notices:
        screen.result(f"{counted(len(notices), 'notice')} will be sent within a minute")
    for what, group in (("waits", known.open), ("dead", known.dead)):
        for one in group:
            pools = counted(one.pools, "pool")
            tries = f"after {one.attempts} tries: {one.why}" if one.attempts else "not tried yet"
            where = f" in {one.organization}" if one.organization else ""
            screen.result(clean(f"{what}   {one.id}   {one.target}   {one.kind.value}   {pools}{where}   {tries}"))
    return DONE
