"""From the event to the proof: `serve` as a process, a collector that speaks OTLP, and what arrives there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.estates import GROUP, SUBSCRIPTION
from reconciler import __version__
from tests.deployment import Deployment, deployed, spec, until
from tests.telemetry.process import Served, serving
from tests.telemetry.receiver import Receiver, Span, receiving

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def tell(served: Served, pool: str, traceparent: str = PARENT) -> None:
    """What Event Grid delivers, with the trace of what caused it."""
    subject = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.DevOpsInfrastructure/pools/{pool}"
    )
    event = {
        "specversion": "1.0", "id": "1", "source": f"/subscriptions/{SUBSCRIPTION}", "subject": subject,
        "type": "Microsoft.Resources.ResourceWriteSuccess", "data": {"resourceUri": subject}, "traceparent": traceparent,
    }  # fmt: skip
    connection = HTTPConnection(urlsplit(served.url).netloc, timeout=30)
    headers = {"Content-Type": "application/cloudevents+json; charset=utf-8", "aeg-event-type": "Notification"}
    connection.request("POST", "/runtime/webhooks/eventgrid/pool-events", json.dumps(event), headers)
    assert connection.getresponse().status == 200
    connection.close()


def on_otlp(receiver: Receiver) -> dict[str, str]:
    return {"RECONCILER_TELEMETRY": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as made:
        yield made


def repaired(deployment: Deployment, receiver: Receiver) -> None:
    """A commit that wants a larger pool and a click that closed a queue, found by one event."""
    deployment.commit(**{"build-pool": spec("build-pool", concurrency=3)})
    deployment.close_access("build-pool", "Web")
    with serving(deployment, **on_otlp(receiver)) as served:
        tell(served, "build-pool")
        until(lambda: '"nextLook"' not in served.text.rpartition('"event": "run"')[2] and '"InSync"' in served.text)
    assert served.code == 0


def beneath(spans: list[Span], top: str) -> set[str]:
    """Names of all spans under the one of this name."""
    ids = {span.id for span in spans if span.name == top}
    while more := {span.id for span in spans if span.parent in ids} - ids:
        ids |= more
    return {span.name for span in spans if span.id in ids and span.name != top}


def test_an_event_is_one_trace_from_the_delivery_to_the_verified_result(deployment: Deployment) -> None:
    with receiving() as receiver:
        repaired(deployment, receiver)
    spans = receiver.spans()

    assert {span.trace for span in spans} == {TRACE}
    (event,) = [span for span in spans if span.name == "event"]
    assert event.parent == PARENT.split("-")[2]
    assert {"message", "pool", "reconcile", "plan", "write", "verify"} <= beneath(spans, "event")
    assert "PUT Pools_CreateOrUpdate" in beneath(spans, "write")
    assert "PATCH pipeline-permissions" in beneath(spans, "write")
    assert {"plan", "GET authorized-resources"} <= beneath(spans, "verify")
    assert {span.trace for span in spans if span.parent not in {one.id for one in spans}} == {TRACE}
    assert {resource["service.name"] for resource in receiver.resources()} == {"pool-reconciler"}
    assert {resource["service.version"] for resource in receiver.resources()} == {__version__}


def test_a_call_says_where_it_went_and_nothing_of_what_it_carried(deployment: Deployment) -> None:
    with receiving() as receiver:
        repaired(deployment, receiver)
    calls = [span for span in receiver.spans() if span.client]

    (put,) = [call for call in calls if call.name == "PUT Pools_CreateOrUpdate"]
    assert put.attributes.pop("reconciler.correlation")
    assert put.attributes == {
        "peer.service": "arm",
        "reconciler.route": "Pools_CreateOrUpdate",
        "http.request.method": "PUT",
        "http.response.status_code": put.attributes["http.response.status_code"],
        "reconciler.attempts": 1,
    }
    assert {call.attributes["peer.service"] for call in calls} == {"arm", "devops"}


def test_figures_say_what_was_done(deployment: Deployment) -> None:
    with receiving() as receiver:
        repaired(deployment, receiver)

    assert receiver.total("reconciler.changes.verified", facet="pool", action="update") <= 1
    assert receiver.total("reconciler.changes.verified", facet="open_access", action="create") == 1
    assert receiver.total("reconciler.calls", target="arm", method="PUT", outcome="ok") == 1
    assert receiver.total("reconciler.calls", target="devops", method="PATCH", outcome="ok") == 1
    assert receiver.total("reconciler.runs", trigger="event") == 1
    assert receiver.total("reconciler.queue.wait", trigger="event") == 1
    assert receiver.total("reconciler.converge.seconds") == 1
    calls = [span for span in receiver.spans() if span.client]
    assert receiver.total("reconciler.calls") == sum(call.attributes["reconciler.attempts"] for call in calls)
    assert receiver.total("reconciler.run.seconds") == len([s for s in receiver.spans() if s.name == "reconcile"])


def test_a_message_that_another_run_has_answered_links_to_that_run(deployment: Deployment) -> None:
    """Coalesced requests keep traces of their own; where their work was done is one step away."""
    other = "00-" + "c" * 32 + "-" + "d" * 16 + "-01"
    deployment.close_access("build-pool", "Web")
    with receiving() as receiver:
        with serving(deployment, **on_otlp(receiver)) as served:
            tell(served, "build-pool")
            until(lambda: served.text.count('"event": "run"') == 1)
            tell(served, "build-pool", other)
            until(lambda: served.text.count('"event": "run"') >= 2)
        spans = receiver.spans()

    (answered,) = [span for span in spans if span.name == "pool" and span.trace == "c" * 32]
    assert answered.attributes["reconciler.result"] == "postponed"
    assert answered.links == (TRACE,)


def test_a_wish_without_a_trace_begins_one(deployment: Deployment) -> None:
    """Its first span has no parent: one that was not recorded would leave a trace without a beginning."""
    deployment.close_access("build-pool", "Web")
    with receiving() as receiver:
        with serving(deployment, **on_otlp(receiver)) as served:
            tell(served, "build-pool", "")
            until(lambda: '"event": "run"' in served.text)
        spans = receiver.spans()
    (top,) = [span for span in spans if not span.parent]

    assert top.name == "event"
    assert {span.trace for span in spans} == {top.trace}
    assert [span.links for span in spans if span.links] == []


def test_a_collector_that_is_away_is_said_once_and_stops_nothing(deployment: Deployment) -> None:
    with receiving() as receiver:
        gone = dict(on_otlp(receiver))
    with serving(deployment, **gone) as served:
        for pool in ("build-pool", "test-pool"):
            deployment.close_access(pool, "Web")
            tell(served, pool)
        until(lambda: deployment.is_open("build-pool", "Web") and deployment.is_open("test-pool", "Web"))
        until(lambda: served.text.count('"event": "run"') >= 2)

    lines = [line for line in served.said if "telemetry" in line]
    assert served.code == 0
    assert len(lines) == 1
    assert "could not be sent to OTLP" in lines[0]
    assert len([line for line in served.said if '"event": "run"' not in line and '"event": "write"' not in line]) == 1
