"""The port over the SDK: what an exporter that hangs, refuses or raises does to whom it watches. Nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from reconciler.adapters.telemetry.otel import OFTEN, Exported
from reconciler.adapters.telemetry.quiet import NOISY, Once, QuietMetrics, QuietSpans
from reconciler.errors import Forbidden

PARENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-00"


class Figures(MetricExporter):
    """Counts what it is asked, and answers as it is told."""

    def __init__(self, answer: MetricExportResult | Exception = MetricExportResult.SUCCESS) -> None:
        super().__init__()
        self.answer = answer
        self.asked = 0

    def export(
        self,
        metrics_data: MetricsData,  # noqa: ARG002 - the SDK's signature
        timeout_millis: float = 10_000,  # noqa: ARG002
        **more: object,  # noqa: ARG002
    ) -> MetricExportResult:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002 - the SDK's signature
        return True

    def shutdown(self, timeout_millis: float = 30_000, **more: object) -> None:
        """Nothing is open."""


class Bad(SpanExporter):
    """Refuses, raises, or hangs until it is let go."""

    def __init__(self, answer: SpanExportResult | Exception | threading.Event) -> None:
        self.answer = answer

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - the SDK's signature
        if isinstance(self.answer, threading.Event):
            self.answer.wait()
            return SpanExportResult.SUCCESS
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Hands:
    """A clock that stands."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _levels() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in NOISY}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_a_trace_goes_on_although_its_parent_was_not_sampled() -> None:
    """The Functions host hands out traceparents that say so; what it began is told all the same."""
    kept = InMemorySpanExporter()
    telemetry = Exported(kept, Figures(), {}, Hands())
    with telemetry.span("event", parent=PARENT, links=("", "no trace", PARENT)) as span:
        told = span.traceparent
    telemetry.close()
    (found,) = kept.get_finished_spans()

    assert told.split("-")[1] == "a" * 32
    assert told.endswith("-01")
    assert found.parent is not None
    assert len(found.links) == 1


def test_an_expected_error_is_told_in_our_words_and_a_bug_by_its_class_alone() -> None:
    kept = InMemorySpanExporter()
    telemetry = Exported(kept, Figures(), {}, Hands())
    with pytest.raises(Forbidden), telemetry.span("write"):
        raise Forbidden("organization prime: PUT role: 403\nmay not")
    with pytest.raises(KeyError), telemetry.span("plan"):
        raise KeyError("canary-1f2e")
    telemetry.close()
    write, plan = kept.get_finished_spans()

    assert write.status.description == "organization prime: PUT role: 403 may not"
    assert plan.status.description == "KeyError"
    assert [event for span in (write, plan) for event in span.events] == []
    assert "canary" not in (write.to_json() + plan.to_json())


def test_a_flush_is_made_now_and_then_and_not_for_every_message() -> None:
    hands, figures = Hands(), Figures()
    telemetry = Exported(InMemorySpanExporter(), figures, {}, hands)
    telemetry.count("reconciler.runs", result="applied", trigger="event")
    for _ in range(100):
        telemetry.flush()
    assert figures.asked == 0

    hands.now = OFTEN
    for _ in range(100):
        telemetry.flush()
    assert figures.asked == 1
    telemetry.close()
    telemetry.close()
    telemetry.flush()


def test_an_exporter_that_hangs_holds_nobody_up_for_long() -> None:
    """It hangs until all is over: nothing of ours would come so far if it waited for it."""
    let_go, hands, late = threading.Event(), Hands(), threading.Event()
    telemetry = Exported(Bad(let_go), Figures(), {}, hands, late.set, patience=0.1)
    with telemetry.span("event"):
        pass
    hands.now = OFTEN
    telemetry.flush()
    hangs = telemetry._sending
    hands.now = 2 * OFTEN
    telemetry.flush()
    assert telemetry._sending is hangs, "who finds another sending does not wait at all"
    telemetry.close()
    assert hangs is not None
    assert hangs.is_alive()
    let_go.set()

    assert late.is_set()


@pytest.mark.parametrize("answer", [SpanExportResult.FAILURE, OSError("http://host/?sig=canary")])
def test_failures_are_said_once_without_their_words(
    answer: SpanExportResult | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    once = Once("a collector")
    figures = QuietMetrics(Figures(OSError("canary")), once)
    telemetry = Exported(QuietSpans(Bad(answer), once), figures, {}, Hands())
    for _ in range(3):
        with telemetry.span("event"):
            telemetry.count("reconciler.runs")
        telemetry._send()
    telemetry.close()

    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert said[0].startswith("telemetry: spans could not be sent to a collector: ")
    assert "canary" not in said[0]


def test_metrics_that_are_refused_are_said_as_well(caplog: pytest.LogCaptureFixture) -> None:
    once = Once("a collector")
    figures = QuietMetrics(Figures(MetricExportResult.FAILURE), once)
    telemetry = Exported(InMemorySpanExporter(), figures, {}, Hands())
    telemetry.gauge("reconciler.sweep.age", 1.0)
    telemetry.close()

    assert ["metrics could not be sent" in record.getMessage() for record in caplog.records] == [True]
