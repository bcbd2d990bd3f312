"""Queue triggers: events become keys of pools, keys become runs, and dead letters become a condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.engine import causes, load_status
from reconciler.engine.causes import Occurrence
from reconciler.engine.notices import with_finding
from reconciler.errors import Forbidden, LeaseHeld, NotFound, ReconcilerError, Transient
from reconciler.ports.stores import pool_document
from reconciler.service.events.audit import audit_keys
from reconciler.service.events.pools import Keys, in_groups, pool_keys
from reconciler.service.events.sightings import of_arm, of_stream
from reconciler.service.notify.flush import is_flush
from reconciler.service.queue import messages
from reconciler.service.queue.batch import spread_out
from reconciler.service.queue.requests import works
from reconciler.service.triggers import actors, logs, owned, timers, tracing
from reconciler.service.triggers.context import TriggerContext
from reconciler.service.triggers.overdue import LOOK
from reconciler.spec.model import Spec

SECONDS = 15.0
"""Lease for writing one status."""
AWAY = 60.0
"""Seconds until a message comes again for which the state could not be read or written."""
AWAY_LONGEST = timedelta(days=1)
"""Age of such a message from which its failures count: a person is needed then, and a dead letter calls one."""


def pool_changed(context: TriggerContext, text: str, trace: str = "", inserted: datetime | None = None) -> list[str]:
    """Messages for the work queue after ARM reported changed pools. The worker drops pools without a spec.

    `inserted`: when the report was put on its queue. The requests are as old as that: what was read since serves them,
    specs as well; otherwise each of a thousand reports would need a read of Git of its own.
    """
    found = pool_keys(text)
    actors.keep_of_pools(context, of_arm(text, context.clock.now()))
    if found.groups:
        specs = _specs(context, "event", inserted)
        if specs is None:
            return []
        found = in_groups(found, specs.values())
    return _requests(context, "pool_changed", replace(found, put=inserted), "event", trace)


def devops_changed(context: TriggerContext, text: str, trace: str = "", inserted: datetime | None = None) -> list[str]:
    """The same after the audit stream reported a change in an organization."""
    specs = _specs(context, "audit", inserted)
    if specs is None:
        return []
    found = audit_keys(text, tuple(specs.values()), context.remembered, context.own)
    named = {organization.name for spec in specs.values() for organization in spec.organizations}
    actors.keep_of_organizations(context, (one for one in of_stream(text) if one[0] in named))
    return _requests(context, "devops_changed", replace(found, put=inserted), "audit", trace)


def _specs(context: TriggerContext, trigger: str, put: datetime | None) -> Mapping[str, Spec] | None:
    """By key; None where they cannot be read: retrying the event would make it a dead letter within a minute."""
    try:
        return context.catalogue.specs(put).by_key
    except ReconcilerError as error:
        timers.missed(context, error, trigger)
        return None


def work(context: TriggerContext, text: str, inserted: datetime | None, trace: str = "") -> None:
    """Reconcile the pools that a message names. A text that names none, or is due in years, is counted and dropped.

    `trace` is the invocation's own; it is used where the message has none, as one that was put there by hand.
    """
    if text == LOOK:
        timers.keep_swept(context)
        return
    if is_flush(text):
        if context.ownership.refusal() is None:
            context.flush()
        return
    if owned.not_ours(context, text):
        return
    work_message = messages.read(text)
    if work_message is None:
        _drop(context, "unknown", "a text that names no pools")
        return
    if work_message.due is not None and work_message.due - context.clock.now() > messages.LATEST:
        # No run puts such a message; it would come back week after week. The next full resync covers its pools.
        _drop(context, work_message.trigger, "a follow-up that is due in more than seven days")
        return
    timers.keep_swept(context)
    with tracing.handled(context, work_message, trace) as span:
        traced = replace(work_message, trace=span.traceparent or work_message.trace)
        _handled(context, traced, inserted or context.clock.now())


def _handled(context: TriggerContext, work_message: messages.WorkMessage, put: datetime) -> None:
    try:
        if not owned.refused(context, work_message) and not context.worker.handle(work_message, put):
            _postponed(work_message, "specs cannot be read")
    except (Transient, Forbidden, NotFound) as error:
        if context.clock.now() - work_message.put(put) > AWAY_LONGEST:
            raise
        # The state is away. No pool causes this, so it must not count as an attempt: five are used up in a minute.
        context.outbox.again(work_message.back(put), max(AWAY, error.retry_after or 0.0))
        context.telemetry.count("reconciler.state.away", reason=error.reason)
        _postponed(work_message, error.reason, str(error))


def _postponed(work_message: messages.WorkMessage, reason: str, said: str = "") -> None:
    trigger, trace = work_message.trigger, work_message.trace
    logs.event("postponed", trigger=trigger, trace=trace, reason=reason, message=said, pools=len(work_message.keys))


def _drop(context: TriggerContext, trigger: str, reason: str) -> None:
    context.telemetry.count("reconciler.events.dropped", trigger=trigger, reason=reason)
    logs.dropped("work", {reason: 1})


def quarantine(context: TriggerContext, text: str, queue: str) -> None:
    """Mark the pools of a dead letter as `Stalled`; the next full resync retries them."""
    if other := owned.dead_letter_of(context, text):
        context.telemetry.count("reconciler.quarantined", queue=queue)
        logs.event("quarantined", queue=queue, deployment=other, taker=context.ownership.name)
        return
    work_message = messages.read(text)
    keys = _ours(context, work_message) if work_message else ()
    context.telemetry.count("reconciler.quarantined", queue=queue)
    logs.event("quarantined", queue=queue, pools=list(keys))
    for key in keys:
        _stall(context, key, queue)


def _ours(context: TriggerContext, work_message: messages.WorkMessage) -> tuple[str, ...]:
    """The keys of the message that a spec names; those of its text while specs cannot be read."""
    try:
        known = context.catalogue.specs().by_key
    except ReconcilerError:
        return work_message.keys
    return tuple(key for key in spread_out(work_message, known.values()).keys if key in known)


def _stall(context: TriggerContext, key: str, queue: str) -> None:
    text = f"a message for this pool failed too often (dead letter in {queue}-poison); its errors are in the log; "
    text += "the next full resync retries"
    finding = causes.finding([Occurrence(causes.DEAD_LETTER, text)])
    try:
        lease = context.leases.acquire(key, SECONDS)
    except LeaseHeld:
        # A run is in progress: the status that it writes will be newer than this message.
        return
    try:
        name = pool_document(key)
        document = context.state.load(name)
        status = with_finding(load_status(context.state, key), finding, context.clock.now())
        context.state.save(name, status.to_json(), document.etag if document else None)
    finally:
        lease.release()
    context.hand_over([status])


def _requests(context: TriggerContext, function: str, found: Keys, trigger: str, trace: str) -> list[str]:
    for reason, count in found.dropped.items():
        context.telemetry.count("reconciler.events.dropped", count, trigger=trigger, reason=reason)
    logs.dropped(trigger, found.dropped)
    timers.keep_swept(context)
    if not found.keys:
        return []
    with tracing.begun(context, function, event_trace=found.trace, trace=trace) as span:
        found_works = works(found.concerns, trigger, span.traceparent)
        return [replace(work, since=found.put).text() for work in found_works]
