"""The port for spans and metrics, and the implementation that discards them.

A span is a piece of work with a beginning and an end, by the adapter's clock. Inside another span it is its child;
`parent` and `links` join spans across a queue, as W3C traceparents (W3C Recommendation "Trace Context", section 3.2).
The traceparent of a discarded span is its parent's, so that a message keeps its trace even without telemetry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self, TypeAlias

Attribute: TypeAlias = str | int | float | bool


class Metrics(Protocol):
    """Metrics. Names and labels are those of `reconciler.telemetry.names`."""

    def count(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Add to a counter."""

    def record(self, name: str, value: float, **labels: str) -> None:
        """Record one value of a distribution."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Record a current value; the last one counts."""


class Span(Protocol):
    """A piece of work that has begun."""

    @property
    def traceparent(self) -> str:
        """For a message, a status or a log line; empty without a trace."""

    def set(self, name: str, value: Attribute) -> None:
        """Set an attribute. Names are those of `reconciler.telemetry.names`."""

    def link(self, traceparent: str) -> None:
        """Link it to another span, which is not its parent. An empty text is ignored."""

    def fail(self, reason: str, text: str = "") -> None:
        """Mark it as failed: the error's class, and one line of our own text."""


class Telemetry(Metrics, Protocol):
    """Metrics and spans."""

    def span(
        self,
        name: str,
        *,
        parent: str = "",
        links: Iterable[str] = (),
        client: bool = False,
        attributes: Mapping[str, Attribute] | None = None,
    ) -> AbstractContextManager[Span]:
        """Begin a span, and end it with the block.

        Without `parent` it is a child of the span around it, or begins a trace. `client`: it is a call to a service.
        An exception that passes marks it as failed: an expected error by class and text, any other by class alone.
        """

    def flush(self) -> None:
        """Send what is buffered, if the last time is a while ago. Takes seconds at most, and never raises."""

    def close(self) -> None:
        """Send what is buffered and stop; bounded as well. Nothing is recorded afterwards."""


class _NoSpan:
    """A discarded span; a context manager too, since it has nothing to end."""

    __slots__ = ("traceparent",)

    def __init__(self, traceparent: str = "") -> None:
        self.traceparent = traceparent

    def set(self, name: str, value: Attribute) -> None:
        """Discard."""

    def link(self, traceparent: str) -> None:
        """Discard."""

    def fail(self, reason: str, text: str = "") -> None:
        """Discard."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class NoTelemetry:
    """Discards everything."""

    def count(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Discard."""

    def record(self, name: str, value: float, **labels: str) -> None:
        """Discard."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Discard."""

    def span(
        self,
        name: str,  # noqa: ARG002 - the port's signature
        *,
        parent: str = "",
        links: Iterable[str] = (),  # noqa: ARG002
        client: bool = False,  # noqa: ARG002
        attributes: Mapping[str, Attribute] | None = None,  # noqa: ARG002
    ) -> AbstractContextManager[Span]:
        """A span that only knows its parent."""
        return _NoSpan(parent) if parent else _NOTHING

    def flush(self) -> None:
        """Nothing is buffered."""

    def close(self) -> None:
        """Nothing runs."""


_NOTHING = _NoSpan()
NO_TELEMETRY: Telemetry = NoTelemetry()
"""The default everywhere."""
