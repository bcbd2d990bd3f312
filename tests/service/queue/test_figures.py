"""The figures of runs: how long a pool is out of sync and why, how long it took to converge, what was written and refused."""

from __future__ import annotations

from dataclasses import replace

from reconciler.engine.status import PoolStatus
from reconciler.plan.model import Change, Refusal
from reconciler.plan.targets import AgentPoolPlace, RoleAssignmentChange
from reconciler.ports.azure import Operation
from reconciler.service.queue import metrics
from tests.contract.families import Settable
from tests.service.queue.hall import Hall

URL = "https://management.azure.com/operation"


def _changed(place: Hall) -> None:
    """A spec that wants a tag, and a service that takes its time."""
    place.files.files = {"pool-1.yaml": place.files.files["pool-1.yaml"].replace(b"pool: {", b"pool: {tags: {a: b}, ")}
    place.estate.pending, place.estate.operations[URL] = URL, Operation("running", retry_after=2.0)


def _until_rest(place: Hall, clock: Settable) -> None:
    while place.left:
        clock.advance(1)
        place.turn(place.outbox.events)


def test_a_pool_in_sync_has_no_age_out_of_sync_and_took_no_time(one: tuple[Hall, Settable]) -> None:
    place, _ = one
    place.outbox.events.put("pool-1")
    place.turn(place.outbox.events)

    assert place.telemetry.all("reconciler.out_of_sync.age") == []
    assert place.telemetry.all("reconciler.converge.seconds") == []
    assert len(place.telemetry.all("reconciler.run.seconds", result="in-sync")) == 1


def test_the_age_out_of_sync_grows_with_every_read_whatever_its_reasons(one: tuple[Hall, Settable]) -> None:
    """A condition's `since` starts over with each reason; the age does not."""
    place, clock = one
    _changed(place)
    place.outbox.events.put("pool-1")
    place.turn(place.outbox.events)
    for _ in range(12):
        clock.advance(1)
        place.turn(place.outbox.events)

    ages = place.telemetry.all("reconciler.out_of_sync.age", result="progressing")
    assert ages == sorted(ages)
    assert (ages[0], len(ages)) == (0.0, len(place.telemetry.named("reconcile")))
    assert ages[-1] >= 10


def test_the_age_has_the_cause_as_a_label(one: tuple[Hall, Settable]) -> None:
    """Pending work is the operator's own queue; drift was made by others."""
    place, clock = one
    place.outbox.events.put("pool-1")
    place.turn(place.outbox.events)
    _changed(place)
    clock.advance(60)
    place.outbox.events.put("pool-1")
    place.turn(place.outbox.events)

    assert len(place.telemetry.all("reconciler.out_of_sync.age", cause="pending")) == 1
    assert place.telemetry.all("reconciler.out_of_sync.age", cause="drift") == []


def test_time_to_converge_is_from_the_first_look_to_the_proof(one: tuple[Hall, Settable]) -> None:
    place, clock = one
    _changed(place)
    place.outbox.events.put("pool-1")
    place.turn(place.outbox.events)
    clock.advance(30)
    place.estate.operations[URL] = Operation("succeeded")
    _until_rest(place, clock)

    (seconds,) = place.telemetry.all("reconciler.converge.seconds")
    assert 30 <= seconds <= 40
    assert place.told[-1].what == "in-sync"


def test_what_was_written_and_what_was_refused_is_counted_by_aspect(one: tuple[Hall, Settable]) -> None:
    place, clock = one
    change = Change(
        "roles",
        "administrator",
        "prime ann",
        "Administrator",
        None,
        RoleAssignmentChange(AgentPoolPlace("prime", 1), "id-ann", "ann", "Administrator", None),
    )
    place.outbox.events.put("pool-1")
    place.turn(place.outbox.events)
    result = place.told[0].result
    assert result is not None
    assert result.plan is not None
    plan = replace(result.plan, refusals=(Refusal(change, "last-administrator", "text"),))
    metrics.record_run(
        place.telemetry,
        replace(result, plan=plan, verified=(change,), written=(change,)),
        PoolStatus("pool-1"),
        "event",
        clock.now(),
    )

    assert place.telemetry.total("reconciler.changes.verified", facet="roles", action="remove") == 1
    assert place.telemetry.total("reconciler.refusals", facet="roles") == 1


def test_a_follow_up_goes_on_in_the_trace_of_its_event(one: tuple[Hall, Settable]) -> None:
    """What an operation of ARM takes minutes for is still the same request."""
    place, clock = one
    _changed(place)
    place.outbox.events.put("pool-1")
    place.turn(place.outbox.events)
    place.estate.operations[URL] = Operation("succeeded")
    _until_rest(place, clock)
    first, *later = place.telemetry.named("pool")

    assert later != []
    assert later[0].attributes["reconciler.result"] == "in-sync"
    assert place.works[-1].trace == first.traceparent


def test_a_duplicate_links_to_the_run_that_answered_it(one: tuple[Hall, Settable]) -> None:
    place, clock = one
    place.outbox.events.put("pool-1")
    place.outbox.events.put("pool-1")
    clock.advance(60)
    place.turn(place.outbox.events)
    first, second = place.telemetry.named("pool")
    (run,) = place.telemetry.named("reconcile")

    assert (first.links, first.attributes["reconciler.result"]) == ([], "in-sync")
    assert (second.links, second.attributes["reconciler.result"]) == ([run.traceparent], "superseded")
