"""What happens, for those who watch: spans and figures behind a port. Nothing by default, exporters are adapters.

::

    port      spans and metrics as the program sees them (`Telemetry`), and the one that forgets (`NoTelemetry`)
    names     every metric, label, span and attribute there is: the tables of docs/operations.md, alerts and workbook
    bounded   figures whose labels come from closed sets (`Bounded`)
    calls     calls to a service: a span each, a count for every try (`Calls`)
    memory    keeps everything, for tests (`MemoryTelemetry`)

Nothing here tells the time, logs, or imports an SDK. A span says nothing that a log line might not say: names of pools
and organizations, counts, reasons; never a body, a query, a person or a token.
"""

from __future__ import annotations

from reconciler.telemetry.bounded import Bounded
from reconciler.telemetry.calls import Calls, CallSpan
from reconciler.telemetry.memory import MemorySpan, MemoryTelemetry
from reconciler.telemetry.port import NO_TELEMETRY, Attribute, Metrics, NoTelemetry, Span, Telemetry

__all__ = [
    "NO_TELEMETRY",
    "Attribute",
    "Bounded",
    "CallSpan",
    "Calls",
    "MemorySpan",
    "MemoryTelemetry",
    "Metrics",
    "NoTelemetry",
    "Span",
    "Telemetry",
]
