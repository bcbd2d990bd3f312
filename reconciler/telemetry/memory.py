"""Records metrics and spans as lists, for tests."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count

from reconciler.errors import ReconcilerError
from reconciler.telemetry.port import Attribute, Span

Series = tuple[str, tuple[tuple[str, str], ...]]
_within: ContextVar[MemorySpan | None] = ContextVar("span", default=None)


@dataclass(slots=True)
class MemorySpan:
    """A span that was recorded."""

    name: str
    traceparent: str
    parent: str
    client: bool = False
    links: list[str] = field(default_factory=list)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    error: tuple[str, str] | None = None

    @property
    def trace(self) -> str:
        """The trace's id."""
        return self.traceparent.split("-")[1]

    def set(self, name: str, value: Attribute) -> None:
        """Record."""
        self.attributes[name] = value

    def link(self, traceparent: str) -> None:
        """Record."""
        if traceparent:
            self.links.append(traceparent)

    def fail(self, reason: str, text: str = "") -> None:
        """Record."""
        self.error = (reason, text)


class MemoryTelemetry:
    """`Telemetry` in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = count(1)
        self.counters: Counter[Series] = Counter()
        self.values: dict[Series, list[float]] = {}
        self.spans: list[MemorySpan] = []

    def count(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        with self._lock:
            self.counters[_series(name, labels)] += value  # type: ignore[assignment]  # a Counter of floats

    def record(self, name: str, value: float, **labels: str) -> None:
        """Record a value."""
        with self._lock:
            self.values.setdefault(_series(name, labels), []).append(value)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Record a value; the last one counts."""
        self.record(name, value, **labels)

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
        """Record a span; ids are numbers in order."""
        around = _within.get()
        above = parent or (around.traceparent if around is not None else "")
        with self._lock:
            number = next(self._numbers)
        trace = above.split("-")[1] if above else f"{number:032x}"
        made = MemorySpan(name, f"00-{trace}-{number:016x}-01", above, client)
        made.links = [link for link in links if link]
        made.attributes = dict(attributes or {})
        token = _within.set(made)
        try:
            yield made
        except Exception as error:
            made.fail(type(error).__name__, str(error) if isinstance(error, ReconcilerError) else "")
            raise
        finally:
            _within.reset(token)
            with self._lock:
                self.spans.append(made)

    def flush(self) -> None:
        """Nothing is buffered."""

    def close(self) -> None:
        """Nothing runs."""

    def named(self, name: str) -> list[MemorySpan]:
        """The spans of this name, in the order in which they ended."""
        return [span for span in self.spans if span.name == name]

    def total(self, name: str, **labels: str) -> float:
        """Sum of a counter over all labels but the ones given."""
        wanted = set(labels.items())
        with self._lock:
            return sum(value for (key, having), value in self.counters.items() if key == name and wanted <= set(having))

    def all(self, name: str, **labels: str) -> list[float]:
        """Values of a distribution or gauge over all labels but the ones given."""
        wanted = set(labels.items())
        with self._lock:
            found = [kept for (key, having), kept in self.values.items() if key == name and wanted <= set(having)]
        return [value for kept in found for value in kept]

    def series(self) -> set[Series]:
        """Every series."""
        with self._lock:
            return {*self.counters, *self.values}


def _series(name: str, labels: Mapping[str, str]) -> Series:
    return name, tuple(sorted(labels.items()))
