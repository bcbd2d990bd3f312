"""However large the estate, the number of time series has a bound."""

from __future__ import annotations

from math import prod

from hypothesis import given
from hypothesis import strategies as st

from reconciler.telemetry import Bounded, MemoryTelemetry
from reconciler.telemetry.names import LABELS, METRICS, MOST, OTHER

BOUND = sum(prod(len(LABELS[label] or range(MOST)) + 1 for label in m.labels) for m in METRICS)
"""Every series there could be, each label's set with `other` in it."""


def tell(bounded: Bounded, word: str) -> None:
    """Each metric once, each label with this word for its value, and one label that no metric has."""
    for metric in METRICS:
        bounded.count(metric.name, 1.0, pool=word, **dict.fromkeys(metric.labels, word))


def closed(kept: MemoryTelemetry) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """The series without an open label."""
    return {(name, labels) for name, labels in kept.series() if all(LABELS[label] for label, _ in labels)}


def test_ten_thousand_pools_projects_and_people_make_no_series_more() -> None:
    kept = MemoryTelemetry()
    bounded = Bounded(kept)
    tell(bounded, "first")
    few = closed(kept)
    for number in range(10_000):
        tell(bounded, f"pool-{number}")
    many = closed(kept)

    assert many == few
    assert {value for _, labels in many for _, value in labels} == {OTHER}


def test_organizations_are_told_apart_up_to_a_number() -> None:
    kept = MemoryTelemetry()
    bounded = Bounded(kept, most=3)
    for name in ("Prime", "prime", "tailspin", "web", "late", "later"):
        bounded.record("reconciler.gate.seconds", 1.0, organization=name)

    assert {dict(labels)["organization"] for _, labels in kept.series()} == {"prime", "tailspin", "web", OTHER}
    assert len(kept.all("reconciler.gate.seconds", organization=OTHER)) == 2


@given(st.lists(st.tuples(st.sampled_from(METRICS), st.text(max_size=8)), max_size=50))
def test_no_words_make_more_series_than_the_table_allows(words: list[tuple[object, str]]) -> None:
    kept = MemoryTelemetry()
    bounded = Bounded(kept)
    for _, word in words:
        tell(bounded, word)

    assert len(kept.series()) <= BOUND


def test_known_words_pass() -> None:
    kept = MemoryTelemetry()
    bounded = Bounded(kept)
    bounded.count("reconciler.runs", 2, result="applied", trigger="event")
    bounded.gauge("reconciler.sweep.age", 7.0)

    assert kept.total("reconciler.runs", result="applied", trigger="event") == 2
    assert kept.all("reconciler.sweep.age") == [7.0]


def test_a_metric_that_no_table_knows_has_no_labels() -> None:
    kept = MemoryTelemetry()
    Bounded(kept).count("reconciler.guess", pool="build-pool")

    assert kept.series() == {("reconciler.guess", ())}


def test_the_bound_is_one_that_application_insights_bears() -> None:
    """Recorded so that a label that multiplies it is seen in review."""
    assert BOUND < 6_000
