"""The handlers of the record of writes: what was done to pools, and one run of one of them."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.engine import load_status
from reconciler.engine.history import DEFAULT_LIMIT, DEFAULT_SINCE, Query, QueryInvalid, page, run_of, since_of
from reconciler.errors import NotFound
from reconciler.ports.clock import Clock
from reconciler.ports.stores import StateStore
from reconciler.ports.write_log import WriteLog
from reconciler.service.http.message import HttpProblem, HttpRequest, HttpResponse
from reconciler.spec.names import pool_name

LONGEST = 200
"""Characters of a parameter."""
_PARAMETERS = frozenset({"pool", "since", "project", "actor", "limit", "before"})
_KEY = "code"
"""The function key, which a query may carry too."""


@dataclass(frozen=True, slots=True)
class HistoryContext:
    """What the handlers need."""

    record: WriteLog
    state: StateStore
    clock: Clock


def history(context: HistoryContext, request: HttpRequest) -> HttpResponse:
    """Writes, newest first; of one pool with its conditions."""
    query = _query(context, request)
    status = load_status(context.state, query.pool) if query.pool else None
    return HttpResponse(200, page(context.record, query).to_json(query, status))


def run(context: HistoryContext, request: HttpRequest) -> HttpResponse:
    """One run with its writes."""
    try:
        return HttpResponse(200, run_of(context.record, request.params["id"]))
    except QueryInvalid as error:
        raise HttpProblem(400, "Bad Request", str(error)) from None
    except NotFound as error:
        raise HttpProblem(404, "Not Found", str(error)) from None


def _query(context: HistoryContext, request: HttpRequest) -> Query:
    given = {name: value for name, value in request.query.items() if name != _KEY}
    if unknown := sorted(set(given) - _PARAMETERS):
        known = ", ".join(sorted(_PARAMETERS))
        raise HttpProblem(400, "Bad Request", f"{unknown[0][:60]}: is no parameter; known are {known}")
    for name, value in given.items():
        if not 1 <= len(value) <= LONGEST:
            raise HttpProblem(400, "Bad Request", f"{name}: must be a text of 1 to {LONGEST} characters")
    pool, limit = given.get("pool", ""), given.get("limit", str(DEFAULT_LIMIT))
    if pool and (problem := pool_name(pool)):
        raise HttpProblem(400, "Bad Request", f"pool: {problem}")
    try:
        return Query(
            since_of(given.get("since", DEFAULT_SINCE), context.clock.now()),
            pool.lower(),
            given.get("project", ""),
            given.get("actor", ""),
            int(limit) if limit.isascii() and limit.isdecimal() else 0,
            given.get("before", ""),
        )
    except QueryInvalid as error:
        raise HttpProblem(400, "Bad Request", str(error)) from None
