"""Where telemetry goes: standard error, an OTLP collector, or Application Insights.

Application Insights is spoken to by the exporter that Microsoft's distribution (azure-monitor-opentelemetry) is made
of, without the distribution: that brings instrumentations of ten web frameworks and of `requests`, whose spans hold
whole URLs. Three habits of the exporter are off: it writes what it cannot send to the disk, reports on itself to
another account, and asks a third host for settings (`STATSBEAT_DISABLED_ALL`, `CONTROLPLANE_DISABLED` in its
`_constants.py`, 1.0.0b58); a fourth adds a row to the metrics with every batch of spans.

Imported only where telemetry is on.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable

from azure.core.credentials import TokenCredential
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, MetricExporter
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter

from reconciler.adapters.telemetry_otel import Exported
from reconciler.adapters.telemetry_quiet import Once, QuietMetrics, QuietSpans
from reconciler.errors import SpecInvalid

NAME = "pool-reconciler"
SECONDS = 5
"""How long one sending may take."""
QUIET = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
}
"""Variables of the exporter for its Azure side, where nobody said otherwise. See the top."""


def console(resource: dict[str, str], monotonic: Callable[[], float]) -> Exported:
    """One JSON object a span, one a batch of metrics, each on a line of standard error."""
    spans = ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: f"{span.to_json(indent=None)}\n")
    metrics = ConsoleMetricExporter(out=sys.stderr, formatter=lambda data: f"{data.to_json(indent=None)}\n")
    return _quiet(spans, metrics, "standard error", resource, monotonic)


def otlp(resource: dict[str, str], monotonic: Callable[[], float]) -> Exported:
    """OTLP over HTTP; its endpoint and headers are the SDK's own variables, ``OTEL_EXPORTER_OTLP_…``."""
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415 - extra
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    except ImportError:
        text = "otlp needs a package that is not installed: pip install opentelemetry-exporter-otlp-proto-http"
        raise SpecInvalid(f"RECONCILER_TELEMETRY: {text}") from None
    return _quiet(OTLPSpanExporter(timeout=SECONDS), OTLPMetricExporter(timeout=SECONDS), "OTLP", resource, monotonic)


def azure(
    connection: str, credential: TokenCredential | None, resource: dict[str, str], monotonic: Callable[[], float]
) -> Exported:
    """Application Insights; `credential` None for one that takes telemetry without a token."""
    from azure.monitor.opentelemetry.exporter import (  # noqa: PLC0415 - psutil and more, for Azure alone
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )

    more = {
        "connection_string": connection,
        "credential": credential,
        "disable_offline_storage": True,
        "timeout": SECONDS,
        "read_timeout": SECONDS,
        "retry_total": 1,
    }
    spans: SpanExporter = AzureMonitorTraceExporter(**more)
    metrics: MetricExporter = AzureMonitorMetricExporter(**more)
    return _quiet(spans, metrics, "Application Insights", resource, monotonic)


def resource(version: str, instance: str = "") -> dict[str, str]:
    """Who speaks: semantic conventions of OpenTelemetry, "Service". Name and instance become the cloud role's."""
    return {
        "service.name": NAME,
        "service.version": version,
        "service.instance.id": instance or socket.gethostname(),
    }


def _quiet(
    spans: SpanExporter, metrics: MetricExporter, where: str, about: dict[str, str], monotonic: Callable[[], float]
) -> Exported:
    once = Once(where)
    return Exported(QuietSpans(spans, once), QuietMetrics(metrics, once), about, monotonic)
