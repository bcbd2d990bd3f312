"""Metrics are kept where a reader is configured, and cost nothing elsewhere."""

from __future__ import annotations

from reconciler.telemetry import MemoryTelemetry, NoTelemetry


def test_memory_keeps_what_was_counted_by_label() -> None:
    metrics = MemoryTelemetry()
    metrics.count("runs", result="in-sync")
    metrics.count("runs", 2, result="applied")
    metrics.record("seconds", 1.5, result="applied")

    assert metrics.total("runs") == 3
    assert metrics.total("runs", result="applied") == 2
    assert metrics.values == {("seconds", (("result", "applied"),)): [1.5]}


def test_nothing_is_kept_by_default() -> None:
    NoTelemetry().count("runs")
    NoTelemetry().record("seconds", 1.0)

    assert vars(NoTelemetry()) == {}
