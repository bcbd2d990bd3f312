"""The seam for spans and figures: what the program may say, and the implementation that forgets it.

A span is a stretch of work with a beginning and an end, told by the adapter's clock. Where one is begun inside another
it is its child; `parent` and `links` join what a queue lies between, as W3C traceparents (W3C Recommendation "Trace
Context", section 3.2). The traceparent of a span that nobody records is its parent's, so that a message carries on
what it came with whether or not this process tells anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self, TypeAlias

Attribute: TypeAlias = str | int | float | bool


class Metrics(Protocol):
    """Where figures go. Names and labels are those of `reconciler.telemetry.names`."""

    def count(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Add to a counter."""

    def record(self, name: str, value: float, **labels: str) -> None:
        """Note one value of a distribution."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Note how high something stands now; the last one counts."""


class Span(Protocol):
    """A stretch of work that has begun."""

    @property
    def traceparent(self) -> str:
        """For a message, a status or a log line; empty where nothing is known of a trace."""

    def set(self, name: str, value: Attribute) -> None:
        """Say something about it. Names are those of `reconciler.telemetry.names`."""

    def link(self, traceparent: str) -> None:
        """It has to do with that one, which is not its parent. An empty text says nothing."""

    def fail(self, reason: str, text: str = "") -> None:
        """It went wrong: the error's class, and one line of our own."""


class Telemetry(Metrics, Protocol):
    """Figures and spans."""

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
        """Send what waits, if the last time is a while ago. Never takes more than seconds, and never raises."""

    def close(self) -> None:
        """Send what waits and stop; bounded as well. Nothing is recorded afterwards."""


class _NoSpan:
    """A span that nobody records; a context manager too, since it has nothing to end."""

    __slots__ = ("traceparent",)

    def __init__(self, traceparent: str = "") -> None:
        self.traceparent = traceparent

    def set(self, name: str, value: Attribute) -> None:
        """Forget."""

    def link(self, traceparent: str) -> None:
        """Forget."""

    def fail(self, reason: str, text: str = "") -> None:
        """Forget."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class NoTelemetry:
    """Forgets everything."""

    def count(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Forget."""

    def record(self, name: str, value: float, **labels: str) -> None:
        """Forget."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Forget."""

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
        """Nothing waits."""

    def close(self) -> None:
        """Nothing runs."""


_NOTHING = _NoSpan()
NO_TELEMETRY: Telemetry = NoTelemetry()
"""The default everywhere."""
