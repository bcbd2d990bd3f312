"""What telemetry is sent to, on loopback: a collector that speaks OTLP, and Application Insights' ingestion.

Keeps every byte as it came, so that a test can look for what must not be in it.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Wire

KEY = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class Span:
    """One span that arrived."""

    name: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    attributes: dict[str, Any]
    failed: bool
    text: str
    client: bool


@dataclass(frozen=True)
class Point:
    """The last value of one series."""

    name: str
    labels: dict[str, str]
    value: float
    """Of a counter or a gauge; the count of a histogram."""
    sum: float = 0.0


@dataclass
class Receiver:
    """Everything that came, by path."""

    url: str = ""
    status: int = 200
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)

    @property
    def connection(self) -> str:
        """A connection string of Application Insights that leads here."""
        return f"InstrumentationKey={KEY};IngestionEndpoint={self.url}/"

    @property
    def everything(self) -> bytes:
        return b"\n".join(body for _, body in self.bodies)

    def of(self, path: str) -> list[bytes]:
        return [body for where, body in self.bodies if where == path]

    def spans(self) -> list[Span]:
        found = []
        for body in self.of("/v1/traces"):
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    found += [_span(span) for span in scope.spans]
        return found

    def resources(self) -> list[dict[str, Any]]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.of("/v1/traces")]
        return [_attributes(each.resource.attributes) for request in requests for each in request.resource_spans]

    def points(self) -> list[Point]:
        """Sums since the start of the process: the last one counts."""
        found: dict[tuple[str, str], Point] = {}
        for body in self.of("/v1/metrics"):
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for metric in [one for scope in resource.scope_metrics for one in scope.metrics]:
                    for point in _points(metric):
                        found[point.name, json.dumps(point.labels, sort_keys=True)] = point
        return list(found.values())

    def total(self, name: str, **labels: str) -> float:
        """Sum over the series that have these labels."""
        return sum(p.value for p in self.points() if p.name == name and labels.items() <= p.labels.items())

    def tracked(self) -> list[dict[str, Any]]:
        """Envelopes that Application Insights got."""
        return [envelope for body in self.of("/v2.1/track") for envelope in json.loads(body)]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            receiver.bodies.append((self.path, body))
            receiver.headers.append(str(self.headers))
            track = self.path.endswith("/track")
            count = len(json.loads(body)) if track else 0
            said = json.dumps({"itemsReceived": count, "itemsAccepted": count, "errors": []}).encode() if track else b""
            self.send_response(receiver.status)
            self.send_header("Content-Type", "application/json" if track else "application/x-protobuf")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    return Handler


def _span(span: Wire) -> Span:
    return Span(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        tuple(link.trace_id.hex() for link in span.links),
        _attributes(span.attributes),
        span.status.code == 2,
        span.status.message,
        span.kind == Wire.SPAN_KIND_CLIENT,
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair) for pair in pairs}


def _value(pair: KeyValue) -> Any:
    return getattr(pair.value, pair.value.WhichOneof("value") or "string_value")


def _points(metric: Any) -> list[Point]:
    kind = metric.WhichOneof("data")
    points = getattr(metric, kind).data_points
    if kind == "histogram":
        return [Point(metric.name, _attributes(point.attributes), point.count, point.sum) for point in points]
    return [Point(metric.name, _attributes(point.attributes), point.as_double or point.as_int) for point in points]
