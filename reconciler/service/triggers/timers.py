"""What the clock starts: the sweep, on which correctness rests, and two watches that make it feel instant."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta

from reconciler.documents import Json, moment, moment_of
from reconciler.errors import LeaseHeld, ReconcilerError, Terminal
from reconciler.ports.stores import StoredDocument
from reconciler.service.catalogue import Specs
from reconciler.service.events.audit import log_keys
from reconciler.service.triggers import logs, tracing
from reconciler.service.triggers.context import TriggerContext
from reconciler.spec.model import Spec

AUDIT_BACK = timedelta(minutes=10)
"""How far a first look into an audit log goes back."""
REFUSED_FOR = timedelta(hours=6)
"""How long an organization is left alone that does not let us read its audit log."""


def sweep(shop: TriggerContext, trace: str = "") -> None:
    """Ask for a look at every pool in git, in batches spread over the interval."""
    _sweep_age(shop)
    with tracing.begun(shop, "sweep", trace=trace) as span:
        specs = shop.catalogue.specs()
        spread = shop.options.sweep_seconds * 0.8
        count = shop.outbox.sweep(specs.by_key.values(), spread=spread, trace=span.traceparent)
    _remember(shop, "sweep", {"at": moment(shop.clock.now()), "pools": len(specs.by_key)})
    shop.telemetry.gauge("reconciler.pools", len(specs.by_key))
    logs.event("sweep", revision=specs.revision, stale=specs.snapshot.stale, pools=len(specs.by_key), batches=count)


def watch_git(shop: TriggerContext, trace: str = "") -> None:
    """Ask for a look at the pools whose files changed since the last look at git."""
    _sweep_age(shop)
    with tracing.begun(shop, "watch_git", trace=trace) as span:
        _watch_git(shop, span.traceparent)


def _watch_git(shop: TriggerContext, trace: str) -> None:
    specs = shop.catalogue.specs()
    shop.telemetry.gauge("reconciler.specs.problems", len(specs.problems))
    if specs.snapshot.stale:
        shop.telemetry.count("reconciler.git.stale")
        logs.event("git", revision=specs.revision, stale=specs.snapshot.stale)
    before = shop.state.load("git")
    if before is not None and before.body.get("revision") == specs.revision != "":
        return
    digests = {path: hashlib.sha256(content).hexdigest()[:16] for path, content in specs.snapshot.files.items()}
    changed = _changed(specs, before, digests)
    shop.outbox.ask(changed, "git", trace)
    # After the wishes, never before: a commit that is remembered and was not asked for would wait for the sweep.
    if before is None or before.body.get("files") != digests or before.body.get("revision") != specs.revision:
        _remember(shop, "git", {"revision": specs.revision, "files": digests}, before)
    if changed or specs.problems:
        problems = [str(problem) for problem in specs.problems[:20]]
        logs.event("git", revision=specs.revision, pools=len(changed), problems=problems)


def watch_audit(shop: TriggerContext, trace: str = "") -> None:
    """Ask for a look at the pools that each organization's audit log concerns since the last look."""
    with tracing.begun(shop, "watch_audit", trace=trace) as span:
        _watch_audit(shop, span.traceparent)


def _watch_audit(shop: TriggerContext, trace: str) -> None:
    specs = tuple(shop.catalogue.specs().by_key.values())
    for organization in sorted({organization.name for spec in specs for organization in spec.organizations}):
        try:
            _watch(shop, organization, specs, trace)
        except ReconcilerError as error:
            # One organization that cannot be read does not keep the others from being watched.
            shop.telemetry.count("reconciler.audit.failed", organization=organization, reason=error.reason)
            logs.event("audit", organization=organization, reason=error.reason, message=str(error))


def _watch(shop: TriggerContext, organization: str, specs: tuple[Spec, ...], trace: str) -> None:
    now = shop.clock.now()
    document = shop.state.load(f"audit/{organization}")
    body = document.body if document is not None else {}
    if (refused := moment_of(body.get("refusedUntil"))) is not None and refused > now:
        return
    try:
        since = str(body.get("cursor") or moment(now - AUDIT_BACK))
        entries, following, cut = shop.audit.entries(organization, since)
    except Terminal:
        _remember(shop, f"audit/{organization}", {"refusedUntil": moment(now + REFUSED_FOR)}, document)
        raise
    found = log_keys(entries, specs, organization)
    if cut:
        # What was not read may have been about any pool: all of the organization's are looked at.
        shop.telemetry.count("reconciler.audit.cut", organization=organization)
        logs.event(
            "audit", organization=organization, reason="Cut", entries=len(entries), since=since.partition("|")[0]
        )
    concerned = [spec for spec in specs if spec.key in found.keys or (cut and _uses(spec, organization))]
    shop.outbox.ask(concerned, "audit", trace)
    if following != body.get("cursor"):
        _remember(shop, f"audit/{organization}", {"cursor": following}, document)


def _sweep_age(shop: TriggerContext) -> None:
    """Told by every look at git, so that it is heard of too where no sweep comes any more."""
    document = shop.state.load("sweep")
    if document is not None and (swept := moment_of(document.body.get("at"))) is not None:
        age = shop.clock.now() - swept
        shop.telemetry.gauge("reconciler.sweep.age", max(0.0, age.total_seconds()))


def _uses(spec: Spec, organization: str) -> bool:
    return any(one.name == organization for one in spec.organizations)


def _changed(specs: Specs, before: StoredDocument | None, digests: Mapping[str, str]) -> list[Spec]:
    known = before.body.get("files", {}) if before is not None else {}
    return [spec for spec in specs.by_key.values() if known.get(spec.path) != digests.get(spec.path)]


def _remember(shop: TriggerContext, name: str, body: Json, document: StoredDocument | None = None) -> None:
    """Store what was seen. Where another worker was faster, its answer stands: the wishes are on the queue anyway."""
    known = document if document is not None else shop.state.load(name)
    try:
        shop.state.save(name, body, known.etag if known is not None else None)
    except LeaseHeld:
        return
