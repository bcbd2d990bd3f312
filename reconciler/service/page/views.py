"""The pages: overview, organization, pool, and within a pool its organizations and projects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.documents import moment_of
from reconciler.engine.gate import pauses_of
from reconciler.engine.status import ConditionKind, PoolStatus, Truth
from reconciler.errors import ReconcilerError
from reconciler.plan.wording import change_words
from reconciler.safety import ModeScope, ModeSetting
from reconciler.safety.modes import holding
from reconciler.service.http.message import HttpProblem, HttpRequest, HttpResponse
from reconciler.service.page import links, spec_says, writes
from reconciler.service.page.context import PageContext
from reconciler.service.page.pictures import STATES, Line, Picture
from reconciler.service.page.rendering import page, url
from reconciler.spec.model import Organization

ROWS = 50
"""Rows of one table; there are pages for the rest."""
EVERY = 10
"""Seconds after which a page asks for what is new."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a long list."""

    rows: Sequence[Any]
    total: int
    page: int
    pages: int

    @classmethod
    def of(cls, rows: Sequence[Any], asked: str) -> Part:
        """The page of this number; the nearest one where there is none."""
        pages = max(1, -(-len(rows) // ROWS))
        number = min(max(1, int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1), pages)  # noqa: PLR2004 - digits
        return cls(rows[(number - 1) * ROWS : number * ROWS], len(rows), number, pages)


@dataclass(frozen=True, slots=True)
class Awaits:
    """Something that a pool waits for."""

    what: str
    since: datetime | None = None
    until: datetime | None = None


def overview(context: PageContext, picture: Picture, request: HttpRequest) -> HttpResponse:
    """Counts, feeds and all pools, searched and filtered."""
    query, state = request.query.get("q", "").strip()[:100], request.query.get("state", "")
    state = state if state in STATES else ""
    found = [line for line in picture.lines if (not state or line.state == state) and _matches(line, query.casefold())]
    values = {
        "picture": picture,
        "part": Part.of(found, request.query.get("page", "")),
        "feeds": Part.of(picture.feeds, request.query.get("feeds", "")),
        "q": query,
        "state": state,
        "here": url(q=query, state=state),
        "held": _held(context),
        "next_sweep": _next_sweep(context, picture),
    }
    return _shown(context, picture, request, "overview", values)


def organization(context: PageContext, picture: Picture, request: HttpRequest) -> HttpResponse:
    """One organization: its feeds, and the pools that use it."""
    name = request.params["name"].lower()
    feed = next((feed for feed in picture.feeds if feed.name == name), None)
    if feed is None:
        raise HttpProblem(404, "Not Found", f"organizations: no spec names {name[:64]!r}")
    found = [line for line in picture.lines if line.spec and any(one.name == name for one in line.spec.organizations)]
    values = {
        "picture": picture,
        "feed": feed,
        "part": Part.of(found, request.query.get("page", "")),
        "here": url("organizations", name),
    }
    return _shown(context, picture, request, "organization", values)


def pool(context: PageContext, picture: Picture, request: HttpRequest) -> HttpResponse:
    """One pool; with `organization` that part of it, with `project` too the part of one project."""
    return _shown(context, picture, request, "pool", pool_values(context, picture, request))


def pool_values(context: PageContext, picture: Picture, request: HttpRequest) -> dict[str, Any]:
    """What the pages of a pool show; `HttpProblem` 404 for what no spec names."""
    line = known_line(context, picture, request.params["name"])
    within = _within(line, request.query.get("organization", ""))
    project = request.query.get("project", "")
    if project and within is not None and not spec_says.has_project(line, within, project):
        raise HttpProblem(404, "Not Found", f"{line.name}: project {project[:64]!r} is not known in {within.name}")
    days = next((days for days in writes.DAYS if str(days) == request.query.get("days", "")), writes.DAYS[0])
    place = {"organization": within.name if within else "", "project": project if within else ""}
    live = request.query.get("part") == "live"
    record = None if live else writes.of_pool(context.record, line, picture.at - timedelta(days=days), place)
    written = {one.project for one in record.shown if one.project} if record else set()
    stored = _pauses(context, line)
    paused = [*stored, *(pauses_of(line.spec, context.clock.now()) if line.spec else [])]
    projects = spec_says.projects_of(line, within, written) if within else []
    return {
        "picture": picture,
        "at": context.clock.now(),
        "line": line,
        "within": within,
        "project": place["project"],
        "place": place,
        "projects": Part.of(projects, request.query.get("page", "")),
        "spec_says": _spec_says(line, within, place["project"]),
        "days": days,
        "all_days": writes.DAYS,
        "writes": record,
        "awaits": _awaits(line.status),
        "paused": paused,
        "stored_pauses": [one for one in stored if one.scope.pool and one.unknown is None],
        "owns": context.pause is not None and line.spec is not None,
        "next_look": _next_look(context, picture, line),
        "here": url("pools", line.key, **place),
        "commit_of": lambda revision: links.commit(context.repository, revision),
        "file": _file(context, picture, line),
        "conditions": [c for c in line.status.conditions if c.kind is ConditionKind.READY or c.status is Truth.TRUE],
        "operates": context.viewer.operates and line.spec is not None,
        "plans": context.plan is not None,
        "plan": None,
        "requested": request.query.get("requested") == "1",
    }  # fmt: skip


def known_line(context: PageContext, picture: Picture, name: str) -> Line:
    """The pool of this name; `HttpProblem` 404 where neither a spec nor the stored state has it."""
    line = picture.line(name.lower(), context.state)
    if line is None:
        raise HttpProblem(404, "Not Found", f"pools: no spec names {name[:64]!r}, and no run of it is stored")
    return line


def _shown(
    context: PageContext, picture: Picture, request: HttpRequest, name: str, values: dict[str, Any]
) -> HttpResponse:
    """The page; of a page that is open already, its live part alone."""
    live = "_live" if request.query.get("part") == "live" else ""
    updates = request.query.get("live") != "off"
    here = str(values["here"])
    other = f"{here}{'&' if '?' in here else '?'}live=off" if updates else here
    common = {"viewer": context.viewer, "every": EVERY if updates else 0, "at": picture.at, "updates": other}
    return page(f"{name}{live}.html", {**common, **values})


def _matches(line: Line, text: str) -> bool:
    if not text:
        return True
    ready = line.status.condition(ConditionKind.READY)
    said = [line.name, ready.reason if ready else "", ready.message if ready else ""]
    if line.spec is not None:
        said += [line.spec.path, line.spec.resource_group, *(one.name for one in line.spec.organizations)]
    return any(text in one.casefold() for one in said)


def _held(context: PageContext) -> list[str]:
    try:
        organizations = [one for one in context.pauses() if one.scope.organization and one.unknown is None]
        return [*holding(tuple(context.modes())), *map(str, organizations)]
    except ReconcilerError as error:
        return [f"the mode cannot be read: {error}"]


def _pauses(context: PageContext, line: Line) -> list[ModeSetting]:
    """What of a pool is paused in the store: the pool, its fields, its organizations, and what cannot be read."""
    organizations = {one.name for one in line.spec.organizations} if line.spec else set()
    return [
        one
        for one in context.pauses()
        if one.scope.pool == line.key or one.scope.organization in organizations or one.scope == ModeScope()
    ]


def _next_sweep(context: PageContext, picture: Picture) -> datetime | None:
    return None if picture.swept is None else picture.swept + timedelta(seconds=context.sweep_seconds)


def _within(line: Line, name: str) -> Organization | None:
    if not name:
        return None
    found = [one for one in line.spec.organizations if one.name == name.lower()] if line.spec else []
    if not found:
        raise HttpProblem(404, "Not Found", f"{line.name}: its spec does not name the organization {name[:64]!r}")
    return found[0]


def _spec_says(line: Line, within: Organization | None, project: str) -> list[tuple[str, str]]:
    if line.spec is None or within is None:
        return []
    if not project:
        return spec_says.of_organization(line.spec, within)
    return spec_says.of_project(line.spec, within, project)


def _file(context: PageContext, picture: Picture, line: Line) -> str:
    if line.spec is None:
        return ""
    return links.file(context.repository, picture.specs.revision, context.folder + line.spec.path)


def _awaits(status: PoolStatus) -> list[Awaits]:
    """What the pool waits for, as its last run stored it."""
    found = []
    if status.pending is not None:
        found.append(Awaits(f"Azure finishes: {status.pending.description}", status.pending.since))
    if status.replacing is not None:
        found.append(Awaits(f"it is replaced: {status.replacing.description}", status.replacing.since))
    found += [Awaits(what, one.since) for what, one in sorted(status.awaited.items())]
    found += [
        Awaits(f"{change_words(name)}: {rest.message}", until=rest.until)
        for name, rest in sorted(status.resting.items())
    ]
    return found[:ROWS]


def _next_look(context: PageContext, picture: Picture, line: Line) -> tuple[str, datetime | None]:
    """Why the pool is read next, and when; not before that, and an event or a request comes first."""
    if line.spec is None:
        return "never: no spec names it", None
    document = context.state.load(f"follow-ups/{line.key}")
    due = moment_of(document.body.get("at")) if document is not None and isinstance(document.body, dict) else None
    if due is not None and due > context.clock.now():
        return "a follow-up of the last run", due
    return "the next full resync, or an event before it", _next_sweep(context, picture)
