"""Counting what happens, behind a port: nothing by default, in memory for tests, exporters elsewhere.

Labels are few and bounded: results, triggers, organizations, outcomes; never a project, a person or a message.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Protocol


class Metrics(Protocol):
    """Where counts and durations go."""

    def count(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Add to a counter."""

    def record(self, name: str, value: float, **labels: str) -> None:
        """Note one value of a distribution: seconds, sizes."""


class NoMetrics:
    """Forgets everything."""

    def count(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Forget."""

    def record(self, name: str, value: float, **labels: str) -> None:
        """Forget."""


class MemoryMetrics:
    """Keeps everything, for tests and for the local server's health page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counters: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self.values: dict[tuple[str, tuple[tuple[str, str], ...]], list[float]] = {}

    def count(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        with self._lock:
            self.counters[name, tuple(sorted(labels.items()))] += value  # type: ignore[assignment]  # a Counter of floats

    def record(self, name: str, value: float, **labels: str) -> None:
        """Keep a value."""
        with self._lock:
            self.values.setdefault((name, tuple(sorted(labels.items()))), []).append(value)

    def total(self, name: str, **labels: str) -> float:
        """Sum of a counter over all labels but the ones given."""
        wanted = set(labels.items())
        with self._lock:
            return sum(value for (key, having), value in self.counters.items() if key == name and wanted <= set(having))
