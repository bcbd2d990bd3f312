"""Where telemetry goes: standard error, an OTLP collector, or Application Insights.

Application Insights is spoken to by the exporter that Microsoft's distribution (azure-monitor-opentelemetry) is made
of, without the distribution: that brings instrumentations of ten web frameworks and of `requests`, whose spans hold
whole URLs. Habits of the exporter are off: it writes what it cannot send to the disk, reports on itself to another
account and to ours, asks a third host for settings, and adds a row to the metrics with every batch of spans (variables
of its `_constants.py`, 1.0.0b58).

Both take the route of all other calls (`reconciler.adapters.network`). Imported only where telemetry is on.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Sequence

from azure.core.credentials import TokenCredential
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, MetricExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind

from reconciler.adapters.telemetry.otel import PATIENCE, Exported
from reconciler.adapters.telemetry.quiet import Once, QuietMetrics, QuietSpans
from reconciler.config.settings import PREFIX, SettingsInvalid

NAME = "pool-reconciler"
SECONDS = 5
"""How long one sending may take."""
QUIET = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
}
"""Variables of the Azure exporter, unless they are set. See the top."""


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
        raise SettingsInvalid((f"{PREFIX}TELEMETRY: {text}",)) from None
    from reconciler.adapters.telemetry.routes import collector_session  # noqa: PLC0415 - the console needs none

    spans = OTLPSpanExporter(timeout=SECONDS, session=collector_session())
    metrics = OTLPMetricExporter(timeout=SECONDS, session=collector_session())
    return _quiet(spans, metrics, "OTLP", resource, monotonic)


def azure(
    connection: str, credential: TokenCredential | None, resource: dict[str, str], monotonic: Callable[[], float]
) -> Exported:
    """Application Insights; `credential` None for one that takes telemetry without a token."""
    from azure.monitor.opentelemetry.exporter import (  # noqa: PLC0415 - psutil and more, for Azure alone
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )

    from reconciler.adapters import network  # noqa: PLC0415 - the console needs none

    more = {
        "connection_string": connection,
        "credential": credential,
        "disable_offline_storage": True,
        "timeout": SECONDS,
        "read_timeout": SECONDS,
        "retry_total": 1,
    }
    # Each closes its own when it ends.
    spans: SpanExporter = _Named(AzureMonitorTraceExporter(**more, transport=network.azure_transport(SECONDS, SECONDS)))
    metrics: MetricExporter = AzureMonitorMetricExporter(**more, transport=network.azure_transport(SECONDS, SECONDS))
    return _quiet(spans, metrics, "Application Insights", resource, monotonic)


class _Named(SpanExporter):
    """Calls as Application Insights names them: it takes the name from the URL's path, and we send no URL.

    Without one, every call would be ``GET /``. It gets one that is made of the service and the route's name:
    ``arm:/Pools_Get`` (`_get_target_and_path_for_http_dependency` of the exporter, 1.0.0b58).
    """

    def __init__(self, beneath: SpanExporter) -> None:
        self._beneath = beneath

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them, named."""
        return self._beneath.export([_named(span) if span.kind is SpanKind.CLIENT else span for span in spans])

    def shutdown(self) -> None:
        """Let connections go."""
        self._beneath.shutdown()


def _named(span: ReadableSpan) -> ReadableSpan:
    about = dict(span.attributes or {})
    about["url.full"] = f"{about.get('peer.service', '')}:/{about.get('reconciler.route', '')}"
    return ReadableSpan(
        span.name,
        span.context,
        span.parent,
        span.resource,
        about,
        span.events,
        span.links,
        span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def resource(version: str, instance: str = "") -> dict[str, str]:
    """Who speaks: semantic conventions of OpenTelemetry, "Service". Name and instance become the cloud role's.

    Each process is an instance of its own: two that share one would overwrite each other's sums at a collector.
    """
    return {
        "service.name": NAME,
        "service.version": version,
        "service.instance.id": f"{instance or socket.gethostname()}:{os.getpid()}",
    }


def _quiet(
    spans: SpanExporter, metrics: MetricExporter, where: str, about: dict[str, str], monotonic: Callable[[], float]
) -> Exported:
    once = Once(where)

    def late() -> None:
        once.log("what was left", f"not within {PATIENCE:g} s")

    return Exported(QuietSpans(spans, once), QuietMetrics(metrics, once), about, monotonic, late)
