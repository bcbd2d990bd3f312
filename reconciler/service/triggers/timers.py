"""Timer triggers: the periodic full resync, on which correctness rests, and two polls that shorten the delay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.documents import Json, moment, moment_of
from reconciler.engine import unnamed
from reconciler.engine.status import PoolStatus
from reconciler.errors import LeaseHeld, ReconcilerError, Terminal
from reconciler.ports.stores import StoredDocument
from reconciler.service.catalogue import Specs
from reconciler.service.events import feed
from reconciler.service.events.audit import log_keys
from reconciler.service.events.sightings import of_audit
from reconciler.service.queue.requests import whole
from reconciler.service.triggers import actors, logs, owned, rates, tracing
from reconciler.service.triggers.changed import changed, digests_of
from reconciler.service.triggers.context import TriggerContext
from reconciler.service.triggers.overdue import AGAIN, GRACE, LOOK, Swept
from reconciler.spec.model import Spec

AUDIT_BACK = timedelta(minutes=10)
"""How far the first read of an audit log goes back."""
REFUSED_FOR = timedelta(hours=6)
"""How long an audit log is not read after the organization denied access."""


def sweep(context: TriggerContext, trace: str = "") -> None:
    """Request a run of every pool in Git, in batches spread over the interval."""
    _sweep_age(context)
    with tracing.begun(context, "sweep", trace=trace) as span:
        specs = context.catalogue.specs()
        spread = context.options.sweep_seconds * 0.8
        count = context.outbox.sweep(specs.by_key.values(), spread=spread, trace=span.traceparent)
    budgets = rates.report(context, specs.by_key.values())
    _remember(context, "sweep", {"at": moment(context.clock.now()), "pools": len(specs.by_key), **budgets})
    _mark_unnamed(context, specs)
    context.telemetry.gauge("reconciler.pools", len(specs.by_key))
    logs.event("sweep", revision=specs.revision, stale=specs.snapshot.stale, pools=len(specs.by_key), batches=count)


def stored_sweep(context: TriggerContext) -> Swept:
    """When the last full resync was requested, as stored."""
    document = context.state.load("sweep")
    return Swept.read(document.body if document is not None else {}, context.clock.now())


def swept(context: TriggerContext) -> Swept:
    """As `stored_sweep`; where nothing usable is stored, the first is awaited from now on, and that is stored."""
    found, now = stored_sweep(context), context.clock.now()
    if found.last is not None:
        return found
    _remember(context, "sweep", {"since": moment(now), "missed": found.missed})
    return replace(found, since=now)


def keep_swept(context: TriggerContext) -> None:
    """Start a full resync where it is overdue. An error is logged; it is not one of the function that looked."""

    def start(last: datetime) -> None:
        logs.event("sweep", reason="Overdue", since=moment(last))
        sweep(context)

    _where_overdue(context, swept, start)


def look_soon(context: TriggerContext) -> None:
    """Let the worker look where a full resync is overdue. Writes no document; an error is logged."""
    _where_overdue(context, stored_sweep, lambda _last: context.outbox.events.put(LOOK))


def _where_overdue(
    context: TriggerContext, read: Callable[[TriggerContext], Swept], act: Callable[[datetime], None]
) -> None:
    now = context.clock.now()
    if not context.watch.due(now):
        return
    try:
        found = read(context)
        if found.last is None:
            return
        due = found.last + timedelta(seconds=GRACE * context.options.sweep_seconds)
        if now < due and not found.missed:
            context.watch.not_before(due)
        else:
            act(found.last)
    except ReconcilerError as error:
        logs.event("sweep", reason=error.reason, message=str(error))


def missed(context: TriggerContext, error: ReconcilerError, trigger: str) -> None:
    """Specs could not be read for an event: a full resync is due as soon as they can be."""
    context.telemetry.count("reconciler.specs.failed", reason=error.reason)
    logs.event("sweep", reason="Missed", trigger=trigger, message=str(error))
    document = context.state.load("sweep")
    _remember(context, "sweep", {**(document.body if document is not None else {}), "missed": True}, document)
    context.watch.not_before(context.clock.now() + AGAIN)


def watch_git(context: TriggerContext, trace: str = "") -> None:
    """Request a run of each pool whose file changed since the last read of Git."""
    _sweep_age(context)
    keep_swept(context)
    with tracing.begun(context, "watch_git", trace=trace) as span:
        _watch_git(context, span.traceparent)


def _watch_git(context: TriggerContext, trace: str) -> None:
    specs = context.catalogue.specs()
    context.telemetry.gauge("reconciler.specs.problems", len(specs.problems))
    if specs.snapshot.stale:
        context.telemetry.count("reconciler.git.stale")
        logs.event("git", revision=specs.revision, stale=specs.snapshot.stale)
    before, today = context.state.load("git"), context.clock.now().date().isoformat()
    same = before is not None and before.body.get("revision") == specs.revision
    warned = same and before is not None and before.body.get("warned") == today
    if not warned:
        logs.spec_warnings(specs.revision, specs.warnings(context.clock.now()))
    if same and before is not None and specs.revision:
        if not warned:
            _remember(context, "git", {**before.body, "warned": today}, before)
        return
    digests = digests_of(specs)
    found = changed(specs, before.body if before is not None else None, digests)
    _mark_unnamed(context, specs)
    context.outbox.request(found, "git", trace)
    # Saved after the requests are queued, never before: a commit saved without requests would wait for the full resync.
    if before is None or before.body.get("files") != digests or not warned:
        body = {"revision": specs.revision, "files": digests, "pools": list(specs.by_key), "warned": today}
        _remember(context, "git", body, before)
    if found or specs.problems:
        problems = [str(problem) for problem in specs.problems[:20]]
        logs.event("git", revision=specs.revision, pools=len(found), problems=problems)


def watch_audit(context: TriggerContext, trace: str = "") -> None:
    """Request a run of each pool that new entries of an organization's audit log concern."""
    keep_swept(context)
    with tracing.begun(context, "watch_audit", trace=trace) as span:
        _watch_audit(context, span.traceparent)


def _watch_audit(context: TriggerContext, trace: str) -> None:
    specs = tuple(context.catalogue.specs().by_key.values())
    for organization in sorted({organization.name for spec in specs for organization in spec.organizations}):
        try:
            _watch(context, organization, specs, trace)
        except ReconcilerError as error:
            # An organization that cannot be read does not stop the others.
            context.telemetry.count("reconciler.audit.failed", organization=organization, reason=error.reason)
            logs.event("audit", organization=organization, reason=error.reason, message=str(error))


def _watch(context: TriggerContext, organization: str, specs: tuple[Spec, ...], trace: str) -> None:
    now, name = context.clock.now(), feed.document(organization)
    document = context.state.load(name)
    body = document.body if document is not None else {}
    if (refused := moment_of(body.get("refusedUntil"))) is not None and refused > now:
        return
    try:
        since = str(body.get("cursor") or moment(now - AUDIT_BACK))
        entries, following, cut = context.audit.entries(organization, since)
    except Terminal:
        # The cursor stays: what happened meanwhile is read once access is granted again.
        _remember(context, name, {"cursor": since, "refusedUntil": moment(now + REFUSED_FOR)}, document)
        raise
    found = log_keys(entries, specs, context.remembered, organization, context.own)
    owned.report_others(context, organization, entries, specs)
    actors.keep_of_organizations(context, filter(None, (of_audit(entry, organization) for entry in entries)))
    if cut:
        # The entries that were not read may concern any pool: all pools of the organization are requested.
        context.telemetry.count("reconciler.audit.cut", organization=organization)
        logs.event(
            "audit", organization=organization, reason="Cut", entries=len(entries), since=since.partition("|")[0]
        )
    everything = whole(spec for spec in specs if cut and _uses(spec, organization))
    context.outbox.concern((*everything, *found.concerns), "audit", trace)
    kept = timedelta(seconds=context.options.max_age)
    read = feed.after_read(body, organization, found.changes, cursor=following, now=now, kept=kept, whole=not cut)
    if read != body:
        _remember(context, name, read, document)


def _sweep_age(context: TriggerContext) -> None:
    """Recorded at every read of Git too, so that a missing full resync shows."""
    if (at := stored_sweep(context).at) is not None:
        age = context.clock.now() - at
        context.telemetry.gauge("reconciler.sweep.age", max(0.0, age.total_seconds()))


def _uses(spec: Spec, organization: str) -> bool:
    return any(one.name == organization for one in spec.organizations)


def _mark_unnamed(context: TriggerContext, specs: Specs) -> None:
    """The status of a pool that no valid spec names any more says so; not while an older commit applies."""
    if specs.snapshot.stale:
        return
    marked: list[PoolStatus] = []
    found = unnamed.mark(
        context.state, context.leases, context.clock, specs.by_key, specs.broken(), listen=marked.append
    )
    context.hand_over(marked)
    context.telemetry.gauge("reconciler.pools.unnamed", len(found))
    if found:
        logs.event("git", revision=specs.revision, unnamed=dict(found))


def _remember(context: TriggerContext, name: str, body: Json, document: StoredDocument | None = None) -> None:
    """Save a document. If another worker saved it first, that version stays: the requests are queued anyway."""
    known = document if document is not None else context.state.load(name)
    try:
        context.state.save(name, body, known.etag if known is not None else None)
    except LeaseHeld:
        return
