"""Exporters whose failures are logged once, in one line, and never raised.

The SDK and the exporters beneath log each failure, some with what they could not send; that is silenced, since a
collector that is down for a night would fill the log.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Lock
from typing import Any

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from reconciler.documents.redaction import redact

_log = logging.getLogger("reconciler.telemetry")
NOISY = ("opentelemetry", "azure.monitor.opentelemetry", "azure.core.pipeline.policies.http_logging_policy")


class Once:
    """Logs the first failure, and no other."""

    def __init__(self, where: str) -> None:
        self._where = redact(where)
        self._lock = Lock()
        self._said = False
        for name in NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    def log(self, what: str, why: str) -> None:
        """Once a process."""
        with self._lock:
            if self._said:
                return
            self._said = True
        _log.warning(
            "telemetry: %s could not be sent to %s: %s; runs continue, and this is logged once", what, self._where, why
        )


class QuietSpans(SpanExporter):
    """Spans to another exporter."""

    def __init__(self, beneath: SpanExporter, once: Once) -> None:
        self._beneath = beneath
        self._once = once

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send; a failure of telemetry is never an error of a run."""
        try:
            result = self._beneath.export(spans)
        except Exception as error:  # noqa: BLE001 - whatever an exporter raises
            self._once.log("spans", type(error).__name__)
            return SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            self._once.log("spans", "the exporter did not accept them")
        return result

    def shutdown(self) -> None:
        """Let connections go."""
        self._beneath.shutdown()


class QuietMetrics(MetricExporter):
    """Metrics to another exporter."""

    def __init__(self, beneath: MetricExporter, once: Once) -> None:
        # What the exporter beneath wants of the SDK, deltas or sums, is known under these names alone.
        super().__init__(beneath._preferred_temporality, beneath._preferred_aggregation)  # noqa: SLF001 - see above
        self._beneath = beneath
        self._once = once

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **more: Any) -> MetricExportResult:
        """Send, as above."""
        try:
            result = self._beneath.export(metrics_data, timeout_millis, **more)
        except Exception as error:  # noqa: BLE001 - whatever an exporter raises
            self._once.log("metrics", type(error).__name__)
            return MetricExportResult.FAILURE
        if result is not MetricExportResult.SUCCESS:
            self._once.log("metrics", "the exporter did not accept them")
        return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is kept here."""
        return self._beneath.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **more: Any) -> None:
        """Let connections go."""
        self._beneath.shutdown(timeout_millis, **more)
