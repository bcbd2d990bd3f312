"""What arrives on queues: events that become keys, keys that become runs, and what nobody could handle."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from reconciler.engine import causes, load_status
from reconciler.engine.causes import Occurrence
from reconciler.errors import LeaseHeld, ReconcilerError
from reconciler.ports.stores import pool_document
from reconciler.service.events.audit import audit_keys
from reconciler.service.events.pools import Keys, pool_keys
from reconciler.service.queue import messages
from reconciler.service.triggers import logs, tracing
from reconciler.service.triggers.context import TriggerContext

SECONDS = 15.0
"""Lease for writing one status."""


def pool_changed(shop: TriggerContext, text: str, trace: str = "") -> list[str]:
    """ARM told of pools: messages for the work queue. The worker drops those that no spec names."""
    return _asked(shop, "pool_changed", pool_keys(text), "event", trace)


def devops_changed(shop: TriggerContext, text: str, trace: str = "") -> list[str]:
    """The audit stream told of something in an organization: messages for the work queue."""
    found = audit_keys(text, tuple(shop.catalogue.specs().by_key.values()))
    return _asked(shop, "devops_changed", found, "audit", trace)


def work(shop: TriggerContext, text: str, inserted: datetime | None, trace: str = "") -> None:
    """Do what a message asks for. A text that asks for nothing is dropped with a line: no spec could be lost by it.

    `trace` is the invocation's own; it counts where the message carries none, as one that a person put there by hand.
    """
    asked = messages.read(text)
    if asked is None:
        logs.dropped("work", {"a text that names no pools": 1})
        return
    with tracing.handled(shop, asked, trace) as span:
        traced = replace(asked, trace=span.traceparent or asked.trace)
        if not shop.worker.handle(traced, inserted or shop.clock.now()):
            reason = "specs cannot be read"
            logs.event("postponed", trigger=asked.trigger, trace=traced.trace, reason=reason, pools=len(asked.keys))


def quarantine(shop: TriggerContext, text: str, queue: str) -> None:
    """A message that failed too often: its pools say so where a person looks; the sweep tries again all the same."""
    asked = messages.read(text)
    keys = _ours(shop, asked.keys if asked else ())
    shop.telemetry.count("reconciler.quarantined", queue=queue)
    logs.event("quarantined", queue=queue, pools=list(keys))
    for key in keys:
        _stall(shop, key, queue)


def _ours(shop: TriggerContext, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Those that a spec names; all of them while nobody can tell."""
    try:
        known = shop.catalogue.specs().by_key
    except ReconcilerError:
        return keys
    return tuple(key for key in keys if key in known)


def _stall(shop: TriggerContext, key: str, queue: str) -> None:
    text = f"a message for this pool ended in {queue}-poison: look for its errors in the log; the sweep tries again"
    finding = causes.finding([Occurrence(causes.DEAD_LETTER, text)])
    try:
        lease = shop.leases.acquire(key, SECONDS)
    except LeaseHeld:
        # A run is under way: what it will write is newer than this message.
        return
    try:
        name = pool_document(key)
        document = shop.state.load(name)
        status = load_status(shop.state, key).found(finding, shop.clock.now())
        shop.state.save(name, status.to_json(), document.etag if document else None)
    finally:
        lease.release()


def _asked(shop: TriggerContext, function: str, found: Keys, trigger: str, trace: str) -> list[str]:
    for reason, count in found.dropped.items():
        shop.telemetry.count("reconciler.events.dropped", count, trigger=trigger, reason=reason)
    logs.dropped(trigger, found.dropped)
    if not found.keys:
        return []
    with tracing.begun(shop, function, told=found.trace, trace=trace) as span:
        return messages.one_each(found.keys, trigger, span.traceparent)
