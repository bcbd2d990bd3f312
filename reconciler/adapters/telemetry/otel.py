"""The port for spans and metrics over the OpenTelemetry SDK: one tracer, one meter, two exporters that may fail.

Providers of our own, not the process's: no library's instrumentation speaks through them, so no URL, query, header or
body of a request can get into a span. Everything is recorded, whatever the caller's trace says of sampling: the
Functions host hands out traceparents whose flag says *not recorded*.

What an exporter cannot send is lost, logged once, and no error of a run. Nothing waits for it for longer than
`PATIENCE`. The SDK's own bounds do not hold (open-telemetry/opentelemetry-python #4555 and #4568: a batch's time-outs
are not used), so what may take long is done in a thread that is not waited for.

Imported only where telemetry is on.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace import Span as Recorded
from opentelemetry.trace.propagation import set_span_in_context

from reconciler.errors import ReconcilerError
from reconciler.telemetry import Attribute, Span
from reconciler.telemetry.names import METRICS, MetricKind

SCOPE = "reconciler"
PATIENCE = 2.0
"""Seconds that the end of a run, or of the process, waits for what is being sent."""
OFTEN = 10.0
"""Seconds between two flushes at the ends of runs: ten thousand messages in a row are sent in batches."""
SPANS_EVERY, METRICS_EVERY = 5_000, 60_000
"""Milliseconds between two sendings by themselves."""
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400)
"""Upper bounds of a histogram in seconds, from a request to a drift of a day."""
LONGEST = 300
"""Characters of an error's text."""


class _Span:
    """A span of the SDK, behind the port."""

    __slots__ = ("_span",)

    def __init__(self, span: Recorded) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        known = self._span.get_span_context()
        return f"00-{known.trace_id:032x}-{known.span_id:016x}-{int(known.trace_flags):02x}"

    def set(self, name: str, value: Attribute) -> None:
        self._span.set_attribute(name, value)

    def link(self, traceparent: str) -> None:
        known = _known(traceparent)
        if known is not None:
            self._span.add_link(known)

    def fail(self, reason: str, text: str = "") -> None:
        self._span.set_attribute("error.type", reason)
        self._span.set_status(Status(StatusCode.ERROR, " ".join(text.split())[:LONGEST] or reason))


class Exported:
    """`reconciler.telemetry.Telemetry` that is sent somewhere."""

    def __init__(
        self,
        spans: SpanExporter,
        metrics: MetricExporter,
        resource: Mapping[str, str],
        monotonic: Callable[[], float],
        late: Callable[[], None] = lambda: None,
        *,
        patience: float = PATIENCE,
    ) -> None:
        """`resource`: this process. `late`: called where the end did not wait until everything was sent."""
        about = Resource.create(dict(resource))
        self._monotonic = monotonic
        self._late = late
        self._patience = patience
        self._lock = threading.Lock()
        self._flushed = monotonic()
        self._sending: threading.Thread | None = None
        self._closed = False
        self._traces = TracerProvider(sampler=ALWAYS_ON, resource=about, shutdown_on_exit=False)
        self._traces.add_span_processor(BatchSpanProcessor(spans, schedule_delay_millis=SPANS_EVERY))
        reader = PeriodicExportingMetricReader(metrics, export_interval_millis=METRICS_EVERY)
        self._figures = MeterProvider([reader], resource=about, shutdown_on_exit=False)
        self._tracer = self._traces.get_tracer(SCOPE)
        self._instruments = self._made()
        atexit.register(self.close)

    def _made(self) -> dict[str, Any]:
        meter = self._figures.get_meter(SCOPE)
        made: dict[str, Any] = {}
        for metric in METRICS:
            about = {"unit": metric.unit or "1", "description": metric.meaning}
            if metric.kind is MetricKind.COUNTER:
                made[metric.name] = meter.create_counter(metric.name, **about)
            elif metric.kind is MetricKind.GAUGE:
                made[metric.name] = meter.create_gauge(metric.name, **about)
            else:
                made[metric.name] = meter.create_histogram(
                    metric.name, unit=about["unit"], description=about["description"],
                    explicit_bucket_boundaries_advisory=BUCKETS,
                )  # fmt: skip
        return made

    def count(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Add to a counter; a name that no table knows is left out."""
        if name in self._instruments:
            self._instruments[name].add(value, labels)

    def record(self, name: str, value: float, **labels: str) -> None:
        """Note one value of a distribution."""
        if name in self._instruments:
            self._instruments[name].record(value, labels)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Note how high something stands now."""
        if name in self._instruments:
            self._instruments[name].set(value, labels)

    @contextmanager
    def span(
        self,
        name: str,
        *,
        parent: str = "",
        links: Iterable[str] = (),
        client: bool = False,
        attributes: Mapping[str, Attribute] | None = None,
    ) -> Iterator[Span]:
        """A span around the block."""
        above, joined = _known(parent), [Link(known) for known in map(_known, links) if known is not None]
        with self._tracer.start_as_current_span(
            name,
            context=set_span_in_context(NonRecordingSpan(above), Context()) if above is not None else None,
            kind=SpanKind.CLIENT if client else SpanKind.INTERNAL,
            attributes=attributes,
            links=joined,
            # The SDK would keep the exception's whole text and traceback; neither may leave this process.
            record_exception=False,
            set_status_on_exception=False,
        ) as recorded:
            span = _Span(recorded)
            try:
                yield span
            except Exception as error:
                span.fail(type(error).__name__, str(error) if isinstance(error, ReconcilerError) else "")
                raise

    def flush(self) -> None:
        """Send what waits, every `OFTEN` seconds at most. Returns where another thread sends."""
        now = self._monotonic()
        with self._lock:
            busy = self._sending is not None and self._sending.is_alive()
            if self._closed or busy or now - self._flushed < OFTEN:
                return
            self._flushed = now
        self._bounded(self._send)

    def close(self) -> None:
        """Send what waits and stop."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self.close)
        if not self._bounded(self._stop):
            self._late()

    def _send(self) -> None:
        self._traces.force_flush()
        self._figures.force_flush()

    def _stop(self) -> None:
        self._send()
        self._traces.shutdown()
        self._figures.shutdown(timeout_millis=self._patience * 1000)

    def _bounded(self, work: Callable[[], None]) -> bool:
        """Whether it ended in time."""
        thread = threading.Thread(target=work, name="telemetry", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False  # the interpreter is ending and starts no thread any more
        self._sending = thread
        thread.join(self._patience)
        return not thread.is_alive()


def _known(traceparent: str) -> SpanContext | None:
    """The span that a traceparent names; None where it names none. It is as good as recorded: see the top."""
    parts = traceparent.split("-")
    if len(parts) != 4:  # noqa: PLR2004 - version, trace, span, flags
        return None
    flags = TraceFlags(TraceFlags.SAMPLED)
    found = SpanContext(int(parts[1], 16), int(parts[2], 16), is_remote=True, trace_flags=flags)
    return found if found.is_valid else None
