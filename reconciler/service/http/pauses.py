"""The handlers of pauses: shown to operators, set and ended by the owner alone.

A pause holds back the repair of drift, an intruder's as well, and ending one lets writes go: both are the owner's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.documents import Json
from reconciler.safety import ModeScope, Safety
from reconciler.safety.modes import LONGEST_REASON
from reconciler.safety.pauses import end_of
from reconciler.service.catalogue import Specs
from reconciler.service.http.api import known_spec
from reconciler.service.http.message import HttpProblem, HttpRequest, HttpResponse, json_body
from reconciler.spec import parts
from reconciler.spec.model import Spec
from reconciler.spec.names import organization_name

MOST_FIELDS = 50
_FIELDS = frozenset({"organization", "pool", "fields", "until", "reason"})


@dataclass(frozen=True, slots=True)
class Ended:
    """What a caller let go on."""

    response: HttpResponse
    specs: tuple[Spec, ...]
    """The pools that have something to do now, perhaps."""


def show(safety: Safety) -> HttpResponse:
    """Every pause that is not over."""
    return HttpResponse(200, {"pauses": [one.to_json() for one in safety.pauses()]})


def pause(safety: Safety, specs: Specs, request: HttpRequest, by: str) -> HttpResponse:
    """Pause; the response is that of `show`. Nothing is stored where anything of the body is wrong."""
    body = json_body(request)
    if not isinstance(body, dict) or set(body) - _FIELDS:
        raise HttpProblem(400, "Bad Request", f"body: must be an object with {', '.join(sorted(_FIELDS))}")
    given = body.get("fields", [])
    if not isinstance(given, list) or len(given) > MOST_FIELDS or not all(isinstance(one, str) for one in given):
        raise HttpProblem(400, "Bad Request", f"fields: must be a list of up to {MOST_FIELDS} texts")
    if "fields" in body and not given:
        raise HttpProblem(400, "Bad Request", "fields: is empty; leave it out to pause the whole pool")
    scopes = _scopes(specs, body, [str(one) for one in given])
    set_pause(safety, scopes, (body.get("until"), body.get("reason")), by)
    return show(safety)


def set_pause(safety: Safety, scopes: list[ModeScope], said: tuple[Json, Json], by: str) -> datetime:
    """Store a pause of these until a moment, with a reason; returns its end. `HttpProblem` 400 for what is no pause."""
    until, reason = said
    if not isinstance(reason, str) or not 1 <= len(reason.strip()) <= LONGEST_REASON:
        raise HttpProblem(400, "Bad Request", f"reason: must be a text of 1 to {LONGEST_REASON} characters")
    if not isinstance(until, str):
        raise HttpProblem(400, "Bad Request", "until: must be a text; a pause needs an end")
    try:
        end = end_of(until, safety.clock.now())
    except ValueError as error:
        raise HttpProblem(400, "Bad Request", f"until: {error}") from None
    for scope in scopes:
        safety.pause(scope, end, reason=" ".join(reason.split()), by=by)
    return end


def resume(safety: Safety, specs: Specs, request: HttpRequest) -> Ended:
    """End what the query names; `HttpProblem` 404 where nothing of it is paused."""
    query = request.query
    if set(query) - {"organization", "pool", "field"}:
        raise HttpProblem(400, "Bad Request", "query: may hold pool and field, or organization")
    name = query.get("pool", "").lower()
    fields = [query["field"]] if "field" in query else []
    paused = [one.scope for one in safety.pauses()]
    for one in fields:
        stored = any(one == scope.field for scope in paused if scope.field)  # by a release that knows it
        if not stored and (wrong := parts.wrong(one)):
            raise HttpProblem(400, "Bad Request", f"field: {wrong}")
    known = any(scope.pool == name for scope in paused) if name else False
    scopes = [ModeScope(pool=name, field=parts.canonical(one)) for one in fields or [""]] if known else None
    scopes = scopes or _scopes(specs, query, fields)
    ended = [(scope, field) for scope in scopes for field in safety.resume(scope, every=not fields)]
    if not ended:
        raise HttpProblem(404, "Not Found", f"pauses: {scopes[0]} is not paused here; a spec's pause ends in its file")
    body = [{"organization": scope.organization or None, "pool": scope.pool or None, "field": field or None}
            for scope, field in ended]  # fmt: skip
    return Ended(HttpResponse(200, {**show(safety).body, "resumed": body}), concerned(specs, scopes))


def concerned(specs: Specs, scopes: list[ModeScope]) -> tuple[Spec, ...]:
    """The specs of what these govern."""
    pools, organizations = {one.pool for one in scopes}, {one.organization for one in scopes} - {""}
    return tuple(
        spec
        for key, spec in specs.by_key.items()
        if key in pools or any(one.name in organizations for one in spec.organizations)
    )


def _scopes(specs: Specs, given: Mapping[str, Json], fields: list[str]) -> list[ModeScope]:
    organization, pool = given.get("organization"), given.get("pool")
    if (organization is None) is (pool is None):
        raise HttpProblem(400, "Bad Request", "organization, pool: name one of them; mode stop is for the deployment")
    if organization is not None:
        problem = organization_name(organization) if isinstance(organization, str) else "must be a text"
        if problem:
            raise HttpProblem(400, "Bad Request", f"organization: {problem}")
        if fields:
            raise HttpProblem(400, "Bad Request", "fields: are of a pool; an organization is paused as a whole")
        return [ModeScope(organization=str(organization).lower())]
    if not isinstance(pool, str):
        raise HttpProblem(400, "Bad Request", "pool: must be a text")
    for one in fields:
        if wrong := parts.wrong(one):
            raise HttpProblem(400, "Bad Request", f"fields: {wrong}")
    key = known_spec(specs, pool).key
    return [ModeScope(pool=key, field=one) for one in dict.fromkeys(map(parts.canonical, fields)) or [""]]
