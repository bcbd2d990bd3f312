"""Bounds the number of time series and redacts spans, before every exporter.

An unknown label is left out, and a value outside of its set becomes `OTHER`: a metric with a coarse label is better
than an exception in a run. Ten thousand pools, projects or people make no more series than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock

from reconciler.documents.redaction import redact, redacted
from reconciler.telemetry.names import LABELS, MOST, OTHER, metric
from reconciler.telemetry.port import Attribute, Span, Telemetry


class _RedactedSpan:
    """A span whose texts are redacted before they reach an exporter."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        return self._span.traceparent

    def set(self, name: str, value: Attribute) -> None:
        self._span.set(name, redacted({name: value})[name])

    def link(self, traceparent: str) -> None:
        self._span.link(traceparent)

    def fail(self, reason: str, text: str = "") -> None:
        self._span.fail(reason, redact(text))


class Bounded:
    """`Telemetry` over another one, with bounded labels and redacted spans."""

    def __init__(self, beneath: Telemetry, most: int = MOST) -> None:
        self._beneath = beneath
        self._most = most
        self._seen: dict[str, set[str]] = {}
        """Label → values that are kept."""
        self._lock = Lock()

    def count(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        self._beneath.count(name, value, **self._within(name, labels))

    def record(self, name: str, value: float, **labels: str) -> None:
        """Record one value of a distribution."""
        self._beneath.record(name, value, **self._within(name, labels))

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Record a current value."""
        self._beneath.gauge(name, value, **self._within(name, labels))

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
        """A span with redacted texts; spans have no bound, since they are no series."""
        about = redacted(dict(attributes or {}))
        with self._beneath.span(redact(name), parent=parent, links=links, client=client, attributes=about) as span:
            yield _RedactedSpan(span)

    def flush(self) -> None:
        """Send what is buffered."""
        self._beneath.flush()

    def close(self) -> None:
        """Send what is buffered and stop."""
        self._beneath.close()

    def _within(self, name: str, labels: Mapping[str, str]) -> dict[str, str]:
        known = metric(name)
        having = known.labels if known is not None else ()
        return {label: self._value(label, value) for label, value in labels.items() if label in having}

    def _value(self, label: str, value: str) -> str:
        allowed = LABELS[label]
        if allowed is not None:
            return value if value in allowed else OTHER
        folded = value.lower()
        with self._lock:
            seen = self._seen.setdefault(label, set())
            if folded not in seen and len(seen) < self._most:
                seen.add(folded)
            return folded if folded in seen else OTHER
