"""The events of a write, and how they reach a URL."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from emulator.arm.event_grid import CANARY
from emulator.control import ControlError
from tests.emulator.wire import POOLS, Wire, body, organizations

NOBODY = organizations({"url": "https://dev.azure.com/nobody-here"})


def kinds(wire: Wire, source: str = "arm") -> list[str]:
    return [entry["event"]["eventType"].removeprefix("Microsoft.") for entry in wire.do.events(source)]


def test_a_write_is_told_at_its_end_without_the_body_but_with_claims(wire: Wire) -> None:
    wire.put("p-new", body())
    assert kinds(wire) == []
    wire.do.settle()
    (entry,) = wire.do.events("arm")
    event = entry["event"]
    assert event["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert event["subject"].endswith("/pools/p-new")
    assert event["data"]["operationName"] == "Microsoft.DevOpsInfrastructure/pools/write"
    assert CANARY in json.dumps(event["data"]["claims"])
    assert "maximumConcurrency" not in json.dumps(event)


def test_failures_and_deletions_are_told_too(wire: Wire) -> None:
    wire.put("p-new", body(organizationProfile=NOBODY))
    wire.do.settle()
    wire.arm("DELETE", f"{POOLS}/old-pool")
    wire.do.settle()
    assert kinds(wire) == ["Resources.ResourceWriteFailure", "Resources.ResourceDeleteSuccess"]


def test_a_write_can_be_told_at_acceptance_or_never(wire: Wire) -> None:
    wire.do.switch("arm.events", "acceptance")
    wire.put("p-new", body())
    assert kinds(wire) == ["Resources.ResourceWriteSuccess"]
    wire.do.settle()
    wire.do.switch("arm.events", "none")
    wire.arm("DELETE", f"{POOLS}/p-new")
    wire.do.settle()
    assert kinds(wire) == ["Resources.ResourceWriteSuccess"]


def test_resource_notifications_carry_the_whole_body_with_numbers_for_truths(wire: Wire) -> None:
    wire.do.switch("arm.resource-notifications", True)
    raw = body()
    raw["properties"]["organizationProfile"]["updateDescription"] = True
    wire.created("p-new", raw)
    assert kinds(wire)[1] == "ResourceNotifications.Resources.CreatedOrUpdated"
    info = wire.do.events("arm")[1]["event"]["data"]["resourceInfo"]
    assert info["properties"]["organizationProfile"]["updateDescription"] == 1
    wire.arm("DELETE", f"{POOLS}/p-new")
    wire.do.settle()
    assert kinds(wire)[-1] == "ResourceNotifications.Resources.Deleted"


def test_azure_devops_writes_an_audit_log(wire: Wire) -> None:
    wire.created("p-new", body())
    assert "Library.AgentPoolCreated" in [entry["event"]["actionId"] for entry in wire.do.events("audit")]


def test_events_are_read_from_where_one_stopped(wire: Wire) -> None:
    wire.created("p-new", body())
    last = wire.do.events()[-1]["sequence"]
    assert wire.do.events(since=last) == []


class Receiver:
    """A web hook that remembers what it got and responds as set."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], Any]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = receiver.answers.pop(0) if receiver.answers else 200
                receiver.got.append((dict(self.headers), raw))
                first = raw[0]["data"] if isinstance(raw, list) else {}
                reply = {"validationResponse": first["validationCode"]} if "validationCode" in first else {}
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(reply).encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class names it so
                del format, args

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


def wait(condition: Callable[[], bool]) -> None:
    """Until it holds, a minute at most."""
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.02)


def test_a_subscription_is_validated_and_then_told_as_event_grid_does(wire: Wire, receiver: Receiver) -> None:
    number = wire.do.subscribe(receiver.url, sources=["arm"], headers={"x-key": "k"})
    wire.created("p-new", body())
    wait(lambda: wire.do.subscriptions()[0]["delivered"] == 1)
    (handshake, first), (notice, second) = receiver.got
    assert handshake["aeg-event-type"] == "SubscriptionValidation"
    assert first[0]["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent"
    assert (notice["aeg-event-type"], notice["x-key"]) == ("Notification", "k")
    assert second[0]["subject"].endswith("/p-new")
    wire.do.unsubscribe(number)
    assert wire.do.subscriptions() == []


def test_a_delivery_that_fails_is_tried_again(wire: Wire, receiver: Receiver) -> None:
    receiver.answers = [200, 500, 503]
    wire.do.subscribe(receiver.url, sources=["arm"])
    wire.created("p-new", body())
    wait(lambda: wire.do.subscriptions()[0]["delivered"] == 1)
    assert len(receiver.got) == 4


def test_cloud_events_and_raw_entries_have_no_handshake(wire: Wire, receiver: Receiver) -> None:
    wire.do.subscribe(receiver.url, sources=["arm"], schema="cloudevents")
    wire.do.subscribe(receiver.url, sources=["audit"], schema="raw")
    wire.created("p-new", body())
    wait(lambda: all(found["delivered"] for found in wire.do.subscriptions()))
    cloud = next(raw for _, raw in receiver.got if "specversion" in raw)
    assert (cloud["type"], cloud["specversion"]) == ("Microsoft.Resources.ResourceWriteSuccess", "1.0")
    assert any("actionId" in raw for _, raw in receiver.got)


def test_an_audit_entry_goes_to_event_grid_in_an_envelope(wire: Wire, receiver: Receiver) -> None:
    wire.do.subscribe(receiver.url, sources=["audit"])
    wire.do.edit("create-project", organization="fabrikam-prime", name="later")
    wait(lambda: wire.do.subscriptions()[0]["delivered"] >= 1)
    event = receiver.got[-1][1][0]
    assert (event["eventType"], event["data"]["actionId"]) == ("AzureDevOps.Audit", "Project.CreateCompleted")


def test_audit_entries_can_come_as_lists(wire: Wire, receiver: Receiver) -> None:
    wire.do.switch("devops.audit-event-shape", "list")
    wire.do.subscribe(receiver.url, sources=["audit"])
    wire.do.edit("create-project", organization="fabrikam-prime", name="later")
    wait(lambda: wire.do.subscriptions()[0]["delivered"] >= 1)
    assert receiver.got[-1][1][0]["data"][0]["actionId"] == "Project.CreateCompleted"


def test_a_receiver_that_never_answers_well_is_given_up(wire: Wire, receiver: Receiver) -> None:
    receiver.answers = [202] * 20
    wire.do.subscribe(receiver.url, sources=["arm"])
    wire.created("p-new", body())
    wait(lambda: wire.do.subscriptions()[0]["failed"] == 1)
    assert "202" in wire.do.subscriptions()[0]["error"], "Event Grid takes 200 only for the handshake"


def test_events_go_to_loopback_only(wire: Wire) -> None:
    with pytest.raises(ControlError, match="loopback addresses only"):
        wire.do.subscribe("https://example.com/hook")
    with pytest.raises(ControlError, match="schemas are eventgrid"):
        wire.do.subscribe("http://127.0.0.1:1/", schema="xml")
