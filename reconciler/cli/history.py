"""`history`: check the record of writes, and let its owner go on after damage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.bootstrap.stores import in_storage
from reconciler.cli.codes import DONE, ERROR
from reconciler.cli.options import NoColor, Policy, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import settings_of
from reconciler.documents.chain import problems
from reconciler.errors import NotFound, Refused, Rejected
from reconciler.plan.render import clean
from reconciler.ports.write_log import WriteLog


class HistoryAction(StrEnum):
    """What to do with the record."""

    VERIFY = "verify"
    SEAL = "seal"


Action = Annotated[
    HistoryAction,
    typer.Argument(
        metavar="verify|seal", show_default=False,
        help="verify: check every entry. seal: go on after a damaged end, as the deployment's owner.",
    ),
]  # fmt: skip
Chain = Annotated[
    str,
    typer.Argument(
        metavar="[CHAIN]", show_default=False, help="devops/ORGANIZATION or arm/SUBSCRIPTION; all by default."
    ),
]
Reason = Annotated[
    str,
    typer.Option("--reason", metavar="TEXT", show_default=False, help="With seal: what happened; kept in the record."),
]


def history(
    action: Action,
    chain: Chain = "",
    *,
    reason: Reason = "",
    policy: Policy = "",
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Check the record of writes: every entry that was edited, is missing or not in its place is found."""
    screen = Screen(color=not no_color, verbose=verbose)
    if action is HistoryAction.SEAL and not (chain and reason.strip()):
        raise typer.BadParameter("give the CHAIN, and say by --reason what happened to it", param_hint="seal")
    settings = settings_of(policy=policy)
    clock = SystemClock()
    if not in_storage(settings.state) and not Path(settings.state).exists():
        raise NotFound(f"state file {settings.state}: does not exist, so nothing is on record")
    with closing(bootstrap.store(settings, clock)) as store:
        log = store.record
        known = log.chains()
        if chain and chain not in known:
            raise NotFound(f"record {clean(chain)}: there is no such chain; known are {', '.join(known) or 'none'}")
        if action is HistoryAction.SEAL:
            _seal(log, chain, " ".join(reason.split()), clock.now())
            screen.good(f"{chain}: sealed; the next write begins a new segment, and `history verify` keeps the damage")
            return DONE
        return _verify(log, [chain] if chain else known, clock.now(), screen)


def _verify(log: WriteLog, chains: Sequence[str], now: datetime, screen: Screen) -> int:
    found = False
    for chain in chains:
        count = 0

        def counted(entries: Iterator[object]) -> Iterator[object]:
            nonlocal count
            for entry in entries:
                count += 1
                yield entry

        wrong = list(problems(counted(log.entries(chain))))
        if (stopped := _stopped(log, chain, now)) is not None:
            wrong.append(str(stopped).partition(": ")[2])
        for line in wrong:
            screen.bad(f"{chain}: {line}")
        if not wrong:
            screen.good(f"{chain}: {count} {'entry' if count == 1 else 'entries'}, all in their place")
        found = found or bool(wrong)
    if not chains:
        screen.note("nothing is on record yet")
    return ERROR if found else DONE


_COUNTED = timedelta(hours=24)
"""What caps over time count."""


def _stopped(log: WriteLog, chain: str, now: datetime) -> Rejected | None:
    """Why nothing can be added to a chain, or counted for caps over 24 hours; None where both can be done."""
    try:
        log.since(chain, now - _COUNTED)
    except Rejected as error:
        return error
    return None


def _seal(log: WriteLog, chain: str, reason: str, now: datetime) -> None:
    if _stopped(log, chain, now) is None:
        raise Refused(f"record {chain}: its end is whole, so entries can be added: there is nothing to seal")
    log.seal(chain, reason, now)
