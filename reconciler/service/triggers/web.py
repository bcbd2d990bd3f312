"""What HTTP starts: every door checks who asks, hands over to a handler, and counts what it answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

from reconciler.documents import Json, moment_of
from reconciler.errors import ReconcilerError
from reconciler.service.http import api
from reconciler.service.http.access import require_role
from reconciler.service.http.message import HttpProblem, HttpRequest, HttpResponse
from reconciler.service.http.webhooks import azure_repos_push, github_push
from reconciler.service.queue.messages import traceparent
from reconciler.service.triggers import logs, timers, tracing
from reconciler.service.triggers.context import TriggerContext
from reconciler.spec.model import Spec
from reconciler.telemetry import NO_TELEMETRY, Span

OVERDUE = 3
"""Intervals without a sweep after which the service is not healthy."""


def served(wire: Callable[[], TriggerContext], name: str, request: HttpRequest) -> HttpResponse:
    """As `answer`; where the settings make no shop, that is answered too: which ones is in the log, not in the open."""
    try:
        shop = wire()
    except ReconcilerError as error:
        logs.event("http", function=name, status=500, reason=error.reason, detail=str(error))
        return HttpProblem(
            500, "Internal Server Error", "settings: this deployment is not set up; see its log"
        ).response()
    return answer(shop, name, request)


def answer(shop: TriggerContext, name: str, request: HttpRequest) -> HttpResponse:
    """The response of the function of this name; never raises an expected error."""
    with _span(shop, name, request) as span:
        asked = replace(request, trace=span.traceparent) if span.traceparent else request
        response = api.answering(lambda: _DOORS[name](shop, asked))
    shop.telemetry.count("reconciler.http", function=name, status=str(response.status))
    if response.status >= 400:  # noqa: PLR2004 - refused or failed
        detail = response.body.get("detail", "") if isinstance(response.body, dict) else ""
        logs.event("http", function=name, status=response.status, detail=detail)
    return response


def _span(shop: TriggerContext, name: str, request: HttpRequest) -> AbstractContextManager[Span]:
    """A trace begins where somebody asks for work, not where a probe asks how things are."""
    if name not in _ASKING:
        return NO_TELEMETRY.span("event", parent=request.trace)
    return tracing.begun(shop, name, trace=request.trace)


def _guarded(
    handler: Callable[[api.ApiContext, HttpRequest], HttpResponse],
) -> Callable[[TriggerContext, HttpRequest], HttpResponse]:
    def door(shop: TriggerContext, request: HttpRequest) -> HttpResponse:
        options = shop.options
        require_role(request.headers, options.role, platform_authenticates=options.platform_authenticates)
        return handler(_desk(shop, request), request)

    return door


def _desk(shop: TriggerContext, request: HttpRequest) -> api.ApiContext:
    def ask(specs: Sequence[Spec], trigger: str) -> None:
        shop.outbox.ask(specs, trigger, traceparent(request.trace))

    return api.ApiContext(shop.catalogue, shop.state, shop.clock, shop.plan, ask, shop.options.ref)


def _health(shop: TriggerContext, _request: HttpRequest) -> HttpResponse:
    checks = [_check("specs", lambda: _specs(shop)), _check("state", lambda: _sweep(shop))]
    if shop.options.capabilities.organizations:
        checks.append(_check("capabilities", lambda: _capabilities(shop)))
    healthy = all(check["ok"] for check in checks)
    return HttpResponse(200 if healthy else 503, {"healthy": healthy, "checks": checks})


def _check(name: str, look: Callable[[], tuple[bool, str]]) -> dict[str, Json]:
    try:
        ok, detail = look()
    except ReconcilerError as error:
        ok, detail = False, error.reason
    return {"name": name, "ok": ok, "detail": detail}


def _specs(shop: TriggerContext) -> tuple[bool, str]:
    specs = shop.catalogue.specs()
    if specs.snapshot.stale:
        return False, "git cannot be read; the last good commit counts"
    return True, f"{len(specs.by_key)} pools, {len(specs.problems)} problems"


def _sweep(shop: TriggerContext) -> tuple[bool, str]:
    document = shop.state.load("sweep")
    if document is None:
        return True, "no sweep yet"
    swept = moment_of(document.body.get("at"))
    if swept is None:
        return True, "no sweep yet"
    age = shop.clock.now() - swept
    fresh = age <= timedelta(seconds=OVERDUE * shop.options.sweep_seconds)
    return fresh, f"last sweep {int(age.total_seconds() // 60)} minutes ago"


def _capabilities(shop: TriggerContext) -> tuple[bool, str]:
    """Old answers make nothing unhealthy: the careful way is taken. They are told, by number: anybody may ask here."""
    options = shop.options
    stale = options.capabilities.stale(shop.clock.now(), options.capabilities_days)
    total = len(options.capabilities.organizations)
    if stale:
        return True, f"answers of {len(stale)} of {total} organizations are too old to count; run probe again"
    return True, f"answers of {total} organizations count"


def _github(shop: TriggerContext, request: HttpRequest) -> HttpResponse:
    pushes = github_push(request, shop.options.github_secrets)
    return api.pushed(_desk(shop, request), pushes, lambda: timers.watch_git(shop, request.trace))


def _azure_repos(shop: TriggerContext, request: HttpRequest) -> HttpResponse:
    pushes = azure_repos_push(request, shop.options.azure_repos_secrets)
    return api.pushed(_desk(shop, request), pushes, lambda: timers.watch_git(shop, request.trace))


_DOORS: dict[str, Callable[[TriggerContext, HttpRequest], HttpResponse]] = {
    "reconcile": _guarded(api.reconcile),
    "reconcile_pool": _guarded(api.reconcile_pool),
    "pools": _guarded(lambda desk, _request: api.pools(desk)),
    "pool": _guarded(api.pool),
    "plan": _guarded(api.plan),
    "health": _health,
    "openapi": lambda _shop, _request: api.openapi(),
    "github_push": _github,
    "azure_repos_push": _azure_repos,
}
_ASKING = frozenset({"reconcile", "reconcile_pool", "plan", "github_push", "azure_repos_push"})
