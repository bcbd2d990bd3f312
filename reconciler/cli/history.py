"""`history`: what was written and why; check the record, go on after damage, add the record of onboarding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.cli.codes import DONE, ERROR
from reconciler.cli.history_view import now_of, show_run, show_writes
from reconciler.cli.options import NoColor, Policy, Verbose
from reconciler.cli.screen import Screen
from reconciler.cli.selection import settings_of
from reconciler.documents.chain import problems
from reconciler.engine import load_status
from reconciler.engine.history import DEFAULT_LIMIT, DEFAULT_SINCE, MOST, Query, QueryInvalid, page, run_of, since_of
from reconciler.engine.record_import import import_record
from reconciler.engine.status import PoolStatus
from reconciler.errors import NotFound, Refused, Rejected
from reconciler.plan.render import clean
from reconciler.ports.write_log import WriteLog
from reconciler.spec.names import pool_name


class HistoryAction(StrEnum):
    """What to do beside showing writes. A pool of such a name is shown with its name in capitals."""

    SHOW = "show"
    VERIFY = "verify"
    SEAL = "seal"
    IMPORT = "import"


class HistoryFormat(StrEnum):
    """Formats of writes."""

    TABLE = "table"
    JSON = "json"


What = Annotated[
    str,
    typer.Argument(
        metavar="[POOL|show|verify|seal|import]", show_default=False,
        help="A pool, all by default. show RUN: one run. verify [CHAIN]: check every entry. seal CHAIN: go on after a "
        "damaged end, as the deployment's owner. import FILE: add what onboarding recorded before the deployment.",
    ),
]  # fmt: skip
About = Annotated[
    str,
    typer.Argument(
        metavar="[RUN|CHAIN|FILE]", show_default=False,
        help="A chain is devops/ORGANIZATION or arm/SUBSCRIPTION; all by default.",
    ),
]  # fmt: skip
Since = Annotated[
    str, typer.Option("--since", metavar="TIME", help="30m, 12h, 7d or 2w back, a date (UTC), or a moment.")
]
Project = Annotated[
    str,
    typer.Option(
        "--project", metavar="[ORGANIZATION/]PROJECT", show_default=False, help="Only what was written in a project."
    ),
]
Actor = Annotated[
    str,
    typer.Option(
        "--actor", metavar="NAME", show_default=False,
        help="Only corrections of drift by this person: part of the name, or the id.",
    ),
]  # fmt: skip
Limit = Annotated[int, typer.Option("--limit", min=1, max=MOST, help="Writes that are shown, the newest first.")]
Before = Annotated[
    str, typer.Option("--before", metavar="NEXT", show_default=False, help="`next` of the JSON before: what is older.")
]
Form = Annotated[HistoryFormat, typer.Option("--output", "-o", help="Format of the writes.")]
Reason = Annotated[
    str,
    typer.Option("--reason", metavar="TEXT", show_default=False, help="With seal: what happened; kept in the record."),
]


def history(
    what: What = "",
    about: About = "",
    *,
    since: Since = DEFAULT_SINCE,
    project: Project = "",
    actor: Actor = "",
    limit: Limit = DEFAULT_LIMIT,
    before: Before = "",
    reason: Reason = "",
    policy: Policy = "",
    output: Form = HistoryFormat.TABLE,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Show what was written, by whom it was caused and why; check the record, or add to it."""
    screen = Screen(color=not no_color, verbose=verbose)
    action = HistoryAction(what) if what in list(HistoryAction) else None
    _check_usage(action, about, reason)
    settings = settings_of(policy=policy)
    clock = SystemClock()
    query = None
    if action is None:
        if what and (problem := pool_name(what)):
            raise typer.BadParameter(f"{clean(what[:60])}: {problem}", param_hint="POOL")
        query = _query(since, clock.now(), pool=what, project=project, actor=actor, limit=limit, before=before)
    if action is not HistoryAction.IMPORT:
        bootstrap.require_store(settings, "nothing is on record")
    with closing(bootstrap.store(settings, clock)) as store:
        log = store.record
        if query is not None:
            return _show(log, query, load_status(store.state, query.pool.lower()) if what else None, output, screen)
        if action is HistoryAction.SHOW:
            return _show_run(log, about, output, screen)
        if action is HistoryAction.IMPORT:
            return _import(log, Path(about), screen)
        known = log.chains()
        if about and about not in known:
            raise NotFound(f"record {clean(about)}: there is no such chain; known are {', '.join(known) or 'none'}")
        if action is HistoryAction.SEAL:
            _seal(log, about, " ".join(reason.split()), clock.now())
            screen.good(f"{about}: sealed; the next write begins a new segment, and `history verify` keeps the damage")
            return DONE
        return _verify(log, [about] if about else known, clock.now(), screen)


def _check_usage(action: HistoryAction | None, about: str, reason: str) -> None:
    if action is HistoryAction.SEAL and not (about and reason.strip()):
        raise typer.BadParameter("give the CHAIN, and say by --reason what happened to it", param_hint="seal")
    if action is HistoryAction.SHOW and not about:
        raise typer.BadParameter("give the RUN, as `history` shows it", param_hint="show")
    if action is HistoryAction.IMPORT and not about:
        raise typer.BadParameter("give the FILE that `onboard` wrote", param_hint="import")
    if action is None and about:
        raise typer.BadParameter(f"{clean(about[:60])}: give one pool; or show, verify, seal or import before it")


def _query(since: str, now: datetime, **fields: Any) -> Query:
    try:
        return Query(since_of(since, now), **fields)
    except QueryInvalid as error:
        field, _, problem = str(error).partition(": ")
        raise typer.BadParameter(clean(problem), param_hint=f"--{field}") from None


def _show(log: WriteLog, query: Query, status: PoolStatus | None, output: HistoryFormat, screen: Screen) -> int:
    found = page(log, query)
    if output is HistoryFormat.JSON:
        screen.document(found.to_json(query, status))
    else:
        show_writes(found.writes, screen)
        if status is not None and (line := now_of(status)):
            screen.note(line)
        if not found.writes:
            screen.note(f"nothing is on record for this since {query.since:%Y-%m-%d %H:%M} UTC")
        if found.next:
            screen.note(f"there is more; it goes on with --before '{found.next}'")
    for problem in found.problems:
        screen.bad(f"{problem}; what can be read is shown")
    return ERROR if found.problems else DONE


def _show_run(log: WriteLog, run: str, output: HistoryFormat, screen: Screen) -> int:
    try:
        found = run_of(log, run)
    except QueryInvalid as error:
        raise typer.BadParameter(clean(str(error).removeprefix("run: ")), param_hint="RUN") from None
    if output is HistoryFormat.JSON:
        screen.document(found)
    else:
        show_run(found, screen)
    return ERROR if found["problems"] else DONE


def _import(log: WriteLog, path: Path, screen: Screen) -> int:
    if not path.is_file():
        raise NotFound(f"{clean(str(path))}: there is no such file; `onboard --apply` names the one that it wrote")
    with closing(bootstrap.record_file(path)) as source:
        added = import_record(source.record, log)
    for chain, count in sorted(added.items()):
        screen.good(f"{chain}: {count} {'entry' if count == 1 else 'entries'} added")
    if not any(added.values()):
        screen.note("nothing is new: every entry was imported before" if added else f"{path}: holds no record")
    return DONE


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
