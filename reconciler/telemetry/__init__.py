"""Telemetry: spans and metrics behind a port. Off by default; exporters are adapters.

::

    port      spans and metrics for the program (`Telemetry`), and the one that discards them (`NoTelemetry`)
    names     every metric, label, span and attribute: the tables of docs/operations.md, alerts and workbook
    bounded   labels from closed sets, and redacted spans (`Bounded`)
    calls     calls to a service: one span each, one count for every try (`Calls`)
    memory    records everything, for tests (`MemoryTelemetry`)

Nothing here reads the clock, logs, or imports an SDK. A span contains only what a log line may contain: names of pools
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
