"""Where a trace begins or goes on: the span around what a trigger does, and what is sent when it is over.

A wish carries the trace of whoever asked for it in its message, beside the key; whatever it says decides nothing. A
single wish goes on in that trace, from the event to the proof. A batch of a sweep gets a trace of its own with a link
to the sweep: one trace with every read of an estate would be of no use to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.service.queue.messages import WorkMessage, traceparent
from reconciler.service.triggers.context import TriggerContext
from reconciler.telemetry import Attribute, Span


@contextmanager
def begun(shop: TriggerContext, function: str, *, told: str = "", trace: str = "") -> Iterator[Span]:
    """The span of a function that puts wishes on queues.

    `told`: the traceparent that came with the event itself; `trace`: that of the invocation, its parent where the event
    has none, and linked where it has.
    """
    outer, own = traceparent(told), traceparent(trace)
    about: dict[str, Attribute] = {"reconciler.function": function}
    links = (own,) if outer else ()
    try:
        with shop.telemetry.span("event", parent=outer or own, links=links, attributes=about) as span:
            yield span
    finally:
        shop.telemetry.flush()


@contextmanager
def handled(shop: TriggerContext, work: WorkMessage, trace: str = "") -> Iterator[Span]:
    """The span of a message; `trace` is the invocation's."""
    own = traceparent(trace)
    goes_on = work.trigger != "sweep"
    parent, link = (work.trace or own, own if work.trace else "") if goes_on else (own, work.trace)
    about: dict[str, Attribute] = {"reconciler.trigger": work.trigger, "reconciler.keys": len(work.keys)}
    try:
        with shop.telemetry.span("message", parent=parent, links=(link,), attributes=about) as span:
            yield span
    finally:
        shop.telemetry.flush()
