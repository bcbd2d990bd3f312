"""What a message is about: a place, several, or whole pools; a message that is not understood asks for too much."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.ports import pacing
from reconciler.ports.pacing import Priority, Work
from reconciler.service.queue.batch import Batch, batches, spread_out
from reconciler.service.queue.coverage import demand_of, holds, is_whole, scopes_of
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.urgency import paced, priority_of
from reconciler.service.queue.worker import Report
from reconciler.survey import scopes
from reconciler.survey.demand import MAX_AGE, Demand
from tests.plan.guarded import SPEC

T = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEB, API = (scopes.organization(name) for name in ("fabrikam", "contoso"))


@pytest.mark.parametrize(
    ("texts", "places", "whole"),
    [
        ((), ("pool-1", "pool-2"), True),
        ((WEB.text(),), (WEB,), False),
        ((WEB.text(), API.text()), (WEB, API), False),
        ((WEB.text(), "of a later release"), ("pool-1", "pool-2"), True),
        (("of a later release",), ("pool-1", "pool-2"), True),
    ],
)
def test_one_place_that_is_not_understood_means_whole_pools(
    texts: tuple[str, ...], places: tuple[object, ...], whole: bool
) -> None:
    work = WorkMessage(("pool-1", "pool-2"), scopes=texts)

    assert scopes_of(work) == tuple(scopes.pool(one) if isinstance(one, str) else one for one in places)
    assert is_whole(work) is whole


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ((), (), True),
        ((), ("a",), True),
        (("a",), (), False),
        (("a",), ("a",), True),
        (("a", "b"), ("a",), True),
        (("a",), ("a", "b"), False),
        (("a", "b"), ("b", "a"), True),
        (("a",), ("b",), False),
    ],
)
def test_a_request_covers_another_only_where_it_is_about_all_of_its_places(
    wide: tuple[str, ...], narrow: tuple[str, ...], covered: bool
) -> None:
    """No place at all is the whole pool, which no place covers."""
    assert holds(wide, narrow) is covered


def test_a_request_demands_facts_of_its_places_younger_than_itself() -> None:
    work = WorkMessage(("pool-1",), scopes=(WEB.text(),))
    since = T - timedelta(minutes=5)

    assert demand_of(work, T, since) == Demand.of_request(T, since, (WEB,), MAX_AGE)
    hour = timedelta(hours=1)
    assert demand_of(work, T, since, hour) == Demand.of_request(T, since, (WEB,), hour)


def test_every_pool_is_in_one_batch_of_its_organization() -> None:
    def spec(name: str, *organizations: str) -> object:
        used = tuple(replace(SPEC.organizations[0], name=one) for one in organizations)
        return replace(SPEC, name=name, organizations=used)

    specs = [spec("c", "fabrikam"), spec("a", "fabrikam"), spec("b", "contoso")]
    found = batches(specs)  # type: ignore[arg-type]

    assert [(one.organization, len(one.keys)) for one in found] == [("contoso", 1), ("fabrikam", 2)]
    assert [key for one in found for key in one.keys] == sorted(found[0].keys) + sorted(found[1].keys)
    assert {key for one in found for key in one.keys} == {one.key for one in specs}  # type: ignore[attr-defined]

    of_fabrikam = found[1].work("sweep")
    assert spread_out(replace(of_fabrikam, keys=of_fabrikam.keys[:1]), specs) == of_fabrikam  # type: ignore[arg-type]
    later = replace(of_fabrikam, keys=of_fabrikam.keys[1:])
    assert spread_out(later, specs) == later  # type: ignore[arg-type]
    gone = replace(of_fabrikam, keys=("zz",))
    assert spread_out(gone, specs) == gone  # type: ignore[arg-type]
    single = WorkMessage(of_fabrikam.keys[:1])
    assert spread_out(single, specs) == single  # type: ignore[arg-type]


def test_a_batch_is_one_message_with_its_trigger_and_trace() -> None:
    batch = Batch("fabrikam", ("a", "b"))

    assert batch.work("sweep", "00-trace") == WorkMessage(("a", "b"), "sweep", "00-trace", organization="fabrikam")
    assert batch.work("sweep") == WorkMessage(("a", "b"), "sweep", "", organization="fabrikam")


def test_batches_are_spread_over_the_whole_interval_and_each_keeps_its_point() -> None:
    names = [f"organization-{number}" for number in range(500)]
    delays = [Batch(name, ()).delay(600) for name in names]

    assert [Batch(name, ()).delay(1000) for name in ("fabrikam", "contoso", "")] == [608, 309, 998], "as ever"
    assert all(0 <= delay < 600 for delay in delays)
    assert [sum(60 * tenth <= delay < 60 * (tenth + 1) for delay in delays) > 25 for tenth in range(10)] == [True] * 10
    assert delays == [Batch(name, ("a",)).delay(600) for name in names]
    assert [Batch(name, ()).delay(60) * 10 for name in names] == pytest.approx(delays)


@pytest.mark.parametrize(
    ("trigger", "priority"),
    [("sweep", Priority.SWEEP), ("http", Priority.PERSON), ("event", Priority.EVENT), ("of a later release", Priority.EVENT)],
)  # fmt: skip
def test_a_person_goes_before_an_event_and_an_event_before_the_resync(trigger: str, priority: Priority) -> None:
    assert priority_of(trigger) is priority


@pytest.mark.parametrize(
    ("reported", "finished"),
    [
        (["in sync", "applied"], True),
        (["in sync"], False),
        (["in sync", "later"], False),
        (["busy", "in sync"], False),
        (["apart", "in sync"], False),
        (["in sync", "postponed", "one more"], True),
    ],
)
def test_a_message_is_one_piece_of_work_and_unfinished_where_keys_are_left(reported: list[str], finished: bool) -> None:
    seen: list[tuple[Priority, Work | None]] = []
    reports = tuple(Report(what, what) for what in reported)

    def handle(worker: str, given: WorkMessage, inserted: datetime) -> tuple[Report, ...]:
        assert (worker, given, inserted) == ("worker", work, T)
        seen.append(pacing.current())
        return reports

    work = WorkMessage(("a", "b"), "sweep")
    assert paced(handle)("worker", work, T) == reports
    ((level, begun),) = seen
    assert level is Priority.SWEEP
    assert begun is not None
    assert begun.complete("fabrikam") is finished
