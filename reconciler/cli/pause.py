"""`pause` and `resume`: hold back the writes of pools, an organization, or fields of pools, until a moment.

Who can write the deployment's safety store may, as for modes; who did it is told by the token, never by an option.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.cli.codes import DONE, ERROR, PENDING
from reconciler.cli.mode import check_reason, opened
from reconciler.cli.options import Form, NoColor, OutputFormat, Policy, Specs
from reconciler.cli.screen import Screen
from reconciler.cli.selection import nearest, select, settings_of
from reconciler.documents import moment
from reconciler.documents.spelling import similar
from reconciler.errors import NotFound, ReconcilerError
from reconciler.plan import render
from reconciler.safety import ModeScope, ModeSetting
from reconciler.safety.pauses import FORMS, end_of
from reconciler.spec import parts
from reconciler.spec.names import organization_name

FORMAT = "reconciler/pauses/v1"
SHOWN = 20
"""Pools that a question lists by name."""

Pools = Annotated[list[str] | None, typer.Argument(metavar="[POOL]...", show_default=False, help="Pools by name.")]
OfOrganization = Annotated[
    str, typer.Option("--organization", metavar="NAME", show_default=False, help="All writes in this organization.")
]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--field", metavar="NAME", show_default=False,
        help="This part or field of the pools alone, such as roles or fabricProfile.images; may be given again.",
    ),
]  # fmt: skip
Match = Annotated[
    str,
    typer.Option("--match", metavar="PATTERN", show_default=False, help="All pools with such a name, by * and ?."),
]
Until = Annotated[str, typer.Option("--until", metavar="WHEN", show_default=False, help=f"When it ends: {FORMS}.")]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", show_default=False, help="Why; shown wherever the pause is shown.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="With --match: do not ask. Without a terminal it is needed.")]


def pause(
    names: Pools = None,
    *,
    organization: OfOrganization = "",
    field: Fields = None,
    match: Match = "",
    until: Until = "",
    reason: Reason = "",
    yes: Yes = False,
    specs: Specs = "",
    policy: Policy = "",
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
) -> int:
    """Show what is paused, or pause pools, an organization, or fields of pools until a moment. Drift is still reported.

    Counts before the next write, in runs under way as well, and ends by itself; `resume` ends it before.
    """
    screen = Screen(color=not no_color)
    showing = not (names or organization or match)
    if showing:
        if field or until or reason:
            raise typer.BadParameter("name POOLs, --organization or --match PATTERN", param_hint="POOL")
        return show([*_stored(policy, specs), *_of_specs(policy, specs, screen)], output, screen)
    check_reason(reason)
    if not until.strip():
        raise typer.BadParameter(f"say when it ends: {FORMS}", param_hint="--until")
    try:
        end = end_of(until, SystemClock().now())
    except ValueError as error:
        raise typer.BadParameter(f"{render.clean(until[:60])!r} {error}", param_hint="--until") from None
    of = _Chosen(policy, specs, screen)
    chosen = of.scopes(names or [], organization, field or [], match)
    with opened(policy, specs, create=True) as (safety, settings):
        if match and not _agreed(f"Pause these until {moment(end)}?", chosen, screen, yes=yes):
            return PENDING
        by = bootstrap.caller(settings)
        if organization:
            of.warn_of_strange(organization)
        for scope in chosen:
            safety.pause(scope, end, reason=" ".join(reason.split()), by=by)
        return show(safety.pauses(), output, screen)


def resume(
    names: Pools = None,
    *,
    organization: OfOrganization = "",
    field: Fields = None,
    match: Match = "",
    yes: Yes = False,
    specs: Specs = "",
    policy: Policy = "",
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
) -> int:
    """End pauses of pools, of an organization, or of fields of pools. Without --field all of a pool.

    What a spec pauses ends in its file.
    """
    screen = Screen(color=not no_color)
    with opened(policy, specs, create=False) as (safety, _):
        of = _Chosen(policy, specs, screen, [one.scope for one in safety.pauses()])
        chosen = of.scopes(names or [], organization, field or [], match)
        of.require_known(chosen)
        if match and not _agreed("End the pauses of these?", chosen, screen, yes=yes):
            return PENDING
        for scope in chosen:
            ended = safety.resume(scope, every=not field)
            if not ended:
                screen.note(f"{scope}: was not paused here; a pause by its spec ends in the spec's file")
            for name in ended:
                screen.good(f"{ModeScope(scope.organization, scope.pool, name)}   resumed")
        return show(safety.pauses(), output, screen)


def show(found: Sequence[ModeSetting], output: OutputFormat, screen: Screen) -> int:
    """Every pause in the chosen format; returns the exit code."""
    if output is OutputFormat.JSON:
        screen.document({"format": FORMAT, "pauses": [one.to_json() for one in found]})
    elif output is OutputFormat.MARKDOWN:
        rows = [f"| {render.code(str(one.scope))} | {render.escaped(str(one))} |" for one in found]
        screen.result("\n".join(["| for | pause |", "| --- | --- |", *rows]))
    elif not found:
        screen.good("nothing is paused")
    for one in found if output is OutputFormat.TEXT else ():
        screen.bad(render.clean(str(one)))
    return ERROR if any(one.unknown is not None for one in found) else DONE


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Finds what a call is about."""

    policy: str
    specs: str
    screen: Screen
    known: Sequence[ModeScope] | None = None
    """What is paused; then no spec has to name it."""

    def scopes(self, names: Sequence[str], organization: str, fields: Sequence[str], match: str) -> list[ModeScope]:
        """What the options name, each pool with each field."""
        if sum(map(bool, (names, organization, match))) != 1:
            raise typer.BadParameter("give POOLs, or --organization, or --match PATTERN", param_hint="POOL")
        if organization:
            if problem := organization_name(organization):
                raise typer.BadParameter(problem, param_hint="--organization")
            if fields:
                raise typer.BadParameter("is of pools; an organization is paused as a whole", param_hint="--field")
            return [ModeScope(organization=organization.lower())]
        for name in fields:
            if problem := parts.wrong(name):
                raise typer.BadParameter(problem, param_hint="--field")
        wanted = list(dict.fromkeys(map(parts.canonical, fields))) or [""]
        return [ModeScope(pool=pool, field=name) for pool in self._pools(names, match) for name in wanted]

    def warn_of_strange(self, organization: str) -> None:
        """Say so where no spec names it: a slip would hold nothing back. It counts all the same, for specs to come."""
        settings = settings_of(self.specs, policy=self.policy)
        try:
            specs = select(bootstrap.source(settings), (), self.screen, place=settings.specs).specs
        except ReconcilerError:
            return
        known = sorted({one.name for spec in specs for one in spec.organizations})
        if organization.lower() not in known:
            near = similar(organization, known, 3) or known[:SHOWN]
            self.screen.note(f"warning: no spec names the organization {organization}; nearest: {', '.join(near)}")

    def require_known(self, chosen: Sequence[ModeScope]) -> None:
        """`NotFound` with the nearest name for what is not paused, has no status, and no spec names: a slip."""
        paused = self.known or ()
        pools, organizations = {one.pool for one in paused} - {""}, {one.organization for one in paused} - {""}
        if all(one.pool in pools or one.organization in organizations for one in chosen):
            return
        settings = settings_of(self.specs, policy=self.policy)
        pools |= {one.key for one in bootstrap.statuses(settings)}
        try:
            specs = select(bootstrap.source(settings), (), self.screen, place=settings.specs).specs
        except ReconcilerError as error:
            specs = ()
            self.screen.note(f"specs are not read, so their names are not known: {error}")
        pools |= {spec.key for spec in specs}
        organizations |= {one.name for spec in specs for one in spec.organizations}
        strange = sorted({one.pool for one in chosen} - pools - {""})
        if strange:
            raise NotFound(f"resume: {nearest(strange, sorted(pools))}")
        strange = sorted({one.organization for one in chosen} - organizations - {""})
        if strange:
            raise NotFound(f"resume: {nearest(strange, sorted(organizations), what='organization')}")

    def _pools(self, names: Sequence[str], match: str) -> list[str]:
        pattern = match.lower()
        if self.known is not None:
            paused = sorted({one.pool for one in self.known if one.pool})
            found = [one for one in paused if fnmatchcase(one, pattern)] if match else [one.lower() for one in names]
        else:
            settings = settings_of(self.specs, policy=self.policy)
            selection = select(bootstrap.source(settings), names, self.screen, place=settings.specs)
            found = [one.key for one in selection.specs if not match or fnmatchcase(one.key, pattern)]
        if match and not found:
            what = "no pool of the specs" if self.known is None else "no pool that is paused"
            raise NotFound(f"--match {render.clean(match[:100])}: {what} has such a name")
        return list(dict.fromkeys(found))


def _stored(policy: str, specs: str) -> tuple[ModeSetting, ...]:
    """What is paused in the store; creates none."""
    if not bootstrap.has_store(settings_of(specs, policy=policy)):
        return ()
    with opened(policy, specs, create=False) as (safety, _):
        return safety.pauses()


def _of_specs(policy: str, specs: str, screen: Screen) -> list[ModeSetting]:
    """What specs pause, as far as specs can be read."""
    from reconciler.engine.gate import pauses_of  # noqa: PLC0415 - a misspelt option needs no engine

    settings = settings_of(specs, policy=policy)
    try:
        selection = select(bootstrap.source(settings), (), screen, place=settings.specs)
    except ReconcilerError as error:
        screen.note(f"specs are not read, so their pauses are not listed: {error}")
        return []
    now = SystemClock().now()
    return [one for spec in selection.specs for one in pauses_of(spec, now)]


def _agreed(question: str, chosen: Sequence[ModeScope], screen: Screen, *, yes: bool) -> bool:
    """Show what is meant, and ask; without a terminal only `--yes` is an answer."""
    for scope in chosen[:SHOWN]:
        screen.note(f"  {scope}")
    if len(chosen) > SHOWN:
        screen.note(f"  and {len(chosen) - SHOWN} more")
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise typer.BadParameter("there is no terminal to ask at; add --yes", param_hint="--match")
    return screen.ask(f"{question} [y/N] ")
