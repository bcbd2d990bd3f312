"""Begins or continues traces: the span around a trigger's work, and the flush at its end.

A message carries the trace of its request beside the key; it influences no decision. A single request continues that
trace, from the event to the verified result. A batch of a full resync gets a trace of its own with a link to the
resync: one trace with every read of all pools would be too large to use.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.service.queue.messages import WorkMessage, traceparent
from reconciler.service.triggers.context import TriggerContext
from reconciler.telemetry import Attribute, Span


@contextmanager
def begun(context: TriggerContext, function: str, *, event_trace: str = "", trace: str = "") -> Iterator[Span]:
    """The span of a function that puts requests on queues.

    `event_trace`: the traceparent that came with the event itself; `trace`: that of the invocation, which is the parent
    where the event has none, and is linked where it has.
    """
    outer, own = traceparent(event_trace), traceparent(trace)
    about: dict[str, Attribute] = {"reconciler.function": function}
    links = (own,) if outer else ()
    try:
        with context.telemetry.span("event", parent=outer or own, links=links, attributes=about) as span:
            yield span
    finally:
        context.telemetry.flush()


@contextmanager
def handled(context: TriggerContext, work: WorkMessage, trace: str = "") -> Iterator[Span]:
    """The span of a message; `trace` is the invocation's."""
    own = traceparent(trace)
    goes_on = work.trigger != "sweep"
    parent, link = (work.trace or own, own if work.trace else "") if goes_on else (own, work.trace)
    about: dict[str, Attribute] = {"reconciler.trigger": work.trigger, "reconciler.keys": len(work.keys)}
    try:
        with context.telemetry.span("message", parent=parent, links=(link,), attributes=about) as span:
            yield span
    finally:
        context.telemetry.flush()
