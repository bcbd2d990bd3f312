"""What HTTP starts: every door checks who asks, hands over to a handler, and counts what it answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

from reconciler.documents import Json, moment_of
from reconciler.errors import Forbidden, ReconcilerError
from reconciler.safety import ModeScope, WriteMode
from reconciler.safety.modes import of_deployment
from reconciler.service.events import feed
from reconciler.service.http import agent_pools, api, approvals, history, mode, pauses
from reconciler.service.http.access import require_owner, require_role
from reconciler.service.http.message import HttpProblem, HttpRequest, HttpResponse
from reconciler.service.http.webhooks import azure_repos_push, github_push
from reconciler.service.queue.messages import traceparent
from reconciler.service.triggers import logs, owned, pages, rates, seen, timers, tracing
from reconciler.service.triggers.context import TriggerContext
from reconciler.spec.model import Spec
from reconciler.telemetry import NO_TELEMETRY, Span

OVERDUE = 3
"""Intervals after the last full resync after which the service is unhealthy."""
FIRST = 2
"""Intervals without a first full resync after which it is."""


def served(wire: Callable[[], TriggerContext], name: str, request: HttpRequest) -> HttpResponse:
    """As `answer`; invalid settings give a 500 without details, which are in the log."""
    try:
        context = wire()
    except ReconcilerError as error:
        logs.event("http", function=name, status=500, reason=error.reason, detail=str(error))
        return HttpProblem(
            500, "Internal Server Error", "settings: this deployment is not configured correctly; see its log"
        ).response()
    return answer(context, name, request)


def answer(context: TriggerContext, name: str, request: HttpRequest) -> HttpResponse:
    """The response of the function of this name; raises no expected error."""
    with _span(context, name, request) as span:
        traced = replace(request, trace=span.traceparent) if span.traceparent else request
        response = api.answering(lambda: _HANDLERS[name](context, traced))
    context.telemetry.count("reconciler.http", function=name, status=str(response.status))
    timers.look_soon(context)
    if response.status >= 400:  # noqa: PLR2004 - refused or failed
        detail = response.body.get("detail", "") if isinstance(response.body, dict) else ""
        logs.event("http", function=name, status=response.status, detail=detail)
    return response


def _span(context: TriggerContext, name: str, request: HttpRequest) -> AbstractContextManager[Span]:
    """A trace begins where a caller requests work, not at a health probe."""
    if name not in _TRACED:
        return NO_TELEMETRY.span("event", parent=request.trace)
    return tracing.begun(context, name, trace=request.trace)


def _guarded(
    handler: Callable[[api.ApiContext, HttpRequest], HttpResponse],
) -> Callable[[TriggerContext, HttpRequest], HttpResponse]:
    def guarded(context: TriggerContext, request: HttpRequest) -> HttpResponse:
        options = context.options
        require_role(request.headers, options.role, platform_authenticates=options.platform_authenticates)
        return handler(_api_context(context, request), request)

    return guarded


def _mode(context: TriggerContext, request: HttpRequest) -> HttpResponse:
    options = context.options
    require_role(request.headers, options.role, platform_authenticates=options.platform_authenticates)
    return mode.show(context.safety)


def _of_record(
    handler: Callable[[history.HistoryContext, HttpRequest], HttpResponse],
) -> Callable[[TriggerContext, HttpRequest], HttpResponse]:
    def guarded(context: TriggerContext, request: HttpRequest) -> HttpResponse:
        options = context.options
        require_role(request.headers, options.role, platform_authenticates=options.platform_authenticates)
        return handler(history.HistoryContext(context.record, context.state, context.clock), request)

    return guarded


def _set_mode(context: TriggerContext, request: HttpRequest) -> HttpResponse:
    by = require_owner(request.headers, platform_authenticates=context.options.platform_authenticates)
    response = mode.change(context.safety, request, by)
    logs.event("mode", by=by, settings=response.body["settings"])
    return response


def _pauses(context: TriggerContext, request: HttpRequest) -> HttpResponse:
    options = context.options
    require_role(request.headers, options.role, platform_authenticates=options.platform_authenticates)
    return pauses.show(context.safety)


def _set_pause(context: TriggerContext, request: HttpRequest) -> HttpResponse:
    by = require_owner(request.headers, platform_authenticates=context.options.platform_authenticates)
    response = pauses.pause(context.safety, context.catalogue.specs(), request, by)
    logs.event("pause", by=by, pauses=response.body["pauses"])
    return response


def _resume(context: TriggerContext, request: HttpRequest) -> HttpResponse:
    by = require_owner(request.headers, platform_authenticates=context.options.platform_authenticates)
    ended = pauses.resume(context.safety, context.catalogue.specs(), request)
    logs.event("resume", by=by, resumed=ended.response.body["resumed"])
    if ended.specs:  # what was held back is done at once
        context.outbox.request(ended.specs, "http", traceparent(request.trace))
    return ended.response


def _approve(context: TriggerContext, request: HttpRequest) -> HttpResponse:
    by = require_owner(request.headers, platform_authenticates=context.options.platform_authenticates)
    response = approvals.approve(context.approvals, request, by)
    logs.event("approve", **response.body)
    return response


def _approve_agent_pool(context: TriggerContext, request: HttpRequest) -> HttpResponse:
    by = require_owner(request.headers, platform_authenticates=context.options.platform_authenticates)
    response = agent_pools.approve(context.catalogue.specs(), context.approve_agent_pool, request, by)
    logs.event("approve", by=by, **response.body)
    return response


def _api_context(context: TriggerContext, request: HttpRequest) -> api.ApiContext:
    def enqueue(specs: Sequence[Spec], trigger: str) -> None:
        context.outbox.request(specs, trigger, traceparent(request.trace))

    options = context.options
    return api.ApiContext(
        context.catalogue, context.state, context.clock, context.plan, enqueue, options.ref, options.max_age
    )


def _health(context: TriggerContext, _request: HttpRequest) -> HttpResponse:
    checks = [_check("specs", lambda: _specs(context)), _check("state", lambda: _sweep(context))]
    checks.append(_check("deployment", lambda: owned.check(context)))
    checks.append(_check("mode", lambda: _modes(context)))
    checks.append(_check("evidence", lambda: _evidence(context)))
    checks.append(_check("budget", lambda: _budget(context)))
    if context.options.capabilities.organizations:
        checks.append(_check("capabilities", lambda: _capabilities(context)))
    healthy = all(check["ok"] for check in checks)
    return HttpResponse(200 if healthy else 503, {"healthy": healthy, "checks": checks})


def _check(name: str, look: Callable[[], tuple[bool, str]]) -> dict[str, Json]:
    try:
        ok, detail = look()
    except ReconcilerError as error:
        ok, detail = False, error.reason
    return {"name": name, "ok": ok, "detail": detail}


def _specs(context: TriggerContext) -> tuple[bool, str]:
    specs = context.catalogue.specs()
    if specs.snapshot.stale:
        return False, "Git cannot be read; the last good commit applies"
    if specs.snapshot.beyond is not None:
        return False, f"{len(specs.snapshot.beyond.paths):,} spec files are left out: {specs.snapshot.beyond.why}"
    return True, f"{len(specs.by_key)} pools, {len(specs.problems)} problems"


def _sweep(context: TriggerContext) -> tuple[bool, str]:
    found, now = timers.stored_sweep(context), context.clock.now()
    interval = timedelta(seconds=context.options.sweep_seconds)
    if found.at is None:
        waited = now - (found.since or context.watch.awaited(now))
        return waited <= FIRST * interval, f"no full resync yet, for {int(waited.total_seconds() // 60)} minutes"
    age = now - found.at
    return age <= OVERDUE * interval, f"last full resync {int(age.total_seconds() // 60)} minutes ago"


def _evidence(context: TriggerContext) -> tuple[bool, str]:
    """A pool in sync that no run has read for several intervals is no longer known to be. No name is shown."""
    oldest, count = seen.oldest_seen(context)
    if oldest is None:
        return True, "no pool is known to be in sync"
    age, interval = context.clock.now() - oldest, timedelta(seconds=context.options.sweep_seconds)
    limit = OVERDUE * interval
    if age > limit and _audited(context):
        # Where an audit log is read, a resync reads projects in turn.
        limit = max(limit, timedelta(seconds=context.options.max_age) + interval)
    known = context.worker.evidence
    distrusted = 0 if known is None else len(known.distrusted())
    text = f"; {distrusted} audit logs left out changes, so every resync reads everything" if distrusted else ""
    return age <= limit, f"oldest of {count} pools in sync seen {int(age.total_seconds() // 60)} minutes ago{text}"


def _audited(context: TriggerContext) -> bool:
    """Whether the audit log of an organization was read a short while ago."""
    now, specs = context.clock.now(), context.catalogue.specs().by_key.values()
    names = sorted({organization.name for spec in specs for organization in spec.organizations})
    stored = [context.state.load(feed.document(name)) for name in names]
    reads = (moment_of(document.body.get("read")) for document in stored if document is not None)
    return any(read is not None and timedelta() <= now - read <= 2 * feed.INTERVAL for read in reads)


def _budget(context: TriggerContext) -> tuple[bool, str]:
    document = context.state.load("sweep")
    return rates.check(document.body if document is not None else {})


def _modes(context: TriggerContext) -> tuple[bool, str]:
    """A stop, and a setting that cannot be read, are unhealthy. No key is needed, so no name or reason is shown."""
    settings = context.safety.settings()
    unread = [one.unknown for one in settings if one.unknown is not None]
    if unread and all(isinstance(error, Forbidden) for error in unread):
        return True, "this app has no right to read the mode"  # the ingress; a worker without it stalls every pool
    others = sum(one.scope != ModeScope() for one in settings)
    text = f"mode {of_deployment(settings).mode}" + (f", {others} of organizations and pools" if others else "")
    stopped = any(one.mode is WriteMode.STOP for one in settings)
    return not stopped and not unread, f"{text}; {len(unread)} cannot be read" if unread else text


def _capabilities(context: TriggerContext) -> tuple[bool, str]:
    """Expired results of `probe` are healthy: conservative defaults apply. No key is needed, so no name is shown."""
    options = context.options
    stale = options.capabilities.stale(context.clock.now(), options.capabilities_days)
    total = len(options.capabilities.organizations)
    if stale:
        return True, f"results of probe have expired for {len(stale)} of {total} organizations; run probe again"
    return True, f"results of probe are valid for {total} organizations"


def _github(context: TriggerContext, request: HttpRequest) -> HttpResponse:
    pushes = github_push(request, context.options.github_secrets)
    return api.pushed(_api_context(context, request), pushes, lambda: timers.watch_git(context, request.trace))


def _azure_repos(context: TriggerContext, request: HttpRequest) -> HttpResponse:
    pushes = azure_repos_push(request, context.options.azure_repos_secrets)
    return api.pushed(_api_context(context, request), pushes, lambda: timers.watch_git(context, request.trace))


_HANDLERS: dict[str, Callable[[TriggerContext, HttpRequest], HttpResponse]] = {
    "reconcile": _guarded(api.reconcile),
    "reconcile_pool": _guarded(api.reconcile_pool),
    "pools": _guarded(lambda context, _request: api.pools(context)),
    "pool": _guarded(api.pool),
    "history": _of_record(history.history),
    "run": _of_record(history.run),
    "mode": _mode,
    "set_mode": _set_mode,
    "pauses": _pauses,
    "set_pause": _set_pause,
    "resume": _resume,
    "approve": _approve,
    "approve_agent_pool": _approve_agent_pool,
    "plan": _guarded(api.plan),
    "health": _health,
    "openapi": lambda _context, _request: api.openapi(),
    "github_push": _github,
    "azure_repos_push": _azure_repos,
    **pages.HANDLERS,
}
_TRACED = frozenset({
    "reconcile", "reconcile_pool", "plan", "set_mode", "set_pause", "resume", "approve", "approve_agent_pool",
    "github_push", "azure_repos_push", "page_reconcile", "page_plan", "page_pause",
})  # fmt: skip
