"""Event Grid's way in, where there is no Event Grid: both handshakes, batches, a key, and clear refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator

import azure.functions as func
import pytest

from reconciler.adapters.sqlite.store import Local
from tests.service.host.serving import Serving, hosting, serving

KEY = "key-canary"
HOOK = "/runtime/webhooks/eventgrid/in"


@pytest.fixture
def served(queues: Local) -> Iterator[Serving]:
    """No worker takes from the queue, so that what arrived can be read."""
    app = func.FunctionApp()

    @app.queue_trigger("message", "%IN%", "STORAGE")
    def heard(message: func.QueueMessage) -> None:
        return None

    with serving(hosting(app, queues, key=KEY, workers=0)) as running:
        yield running


def arrived(queues: Local) -> list[object]:
    return sorted((json.loads(message.text) for message in queues.named("in").take(32, 60)), key=str)


def test_event_grid_is_answered_its_validation_code(served: Serving, queues: Local) -> None:
    kind = "Microsoft.EventGrid.SubscriptionValidationEvent"
    event = [{"eventType": kind, "data": {"validationCode": "0000-1"}}]
    answered = served.ask(
        "POST", HOOK, json.dumps(event).encode(), aeg_event_type="SubscriptionValidation", aeg_sas_key=KEY
    )

    assert (answered.status, answered.json) == (200, {"validationResponse": "0000-1"})
    assert arrived(queues) == []


def test_a_validation_without_a_code_is_refused(served: Serving) -> None:
    for body in (b"[]", b'[{"eventType": "x", "data": {}}]'):
        assert served.ask("POST", HOOK, body, aeg_event_type="SubscriptionValidation", aeg_sas_key=KEY).status == 400


def test_cloud_events_ask_whether_they_may_come(served: Serving) -> None:
    allowed = served.ask("OPTIONS", f"{HOOK}?code={KEY}", WebHook_Request_Origin="eventgrid.azure.net")

    assert (allowed.status, allowed.headers["webhook-allowed-origin"]) == (200, "eventgrid.azure.net")
    assert served.ask("OPTIONS", HOOK, WebHook_Request_Origin="eventgrid.azure.net").status == 401


@pytest.mark.parametrize("header", ["aeg_sas_key", "x_functions_key"])
def test_each_event_of_a_batch_is_a_message(served: Serving, queues: Local, header: str) -> None:
    events = [{"id": "1"}, {"id": "2"}]

    assert served.ask("POST", HOOK, json.dumps(events).encode(), **{header: KEY}).status == 200
    assert served.ask("POST", HOOK, json.dumps({"id": "3"}).encode(), **{header: KEY}).status == 200
    assert arrived(queues) == [{"id": "1"}, {"id": "2"}, {"id": "3"}]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ((HOOK, "wrong", b"[]"), 401),
        ((HOOK, "", b"[]"), 401),
        (("/runtime/webhooks/eventgrid/work-poison", KEY, b"[]"), 404),
        ((HOOK, KEY, b"{"), 400),
        ((HOOK, KEY, b"[1]"), 400),
        ((HOOK, KEY, b"[" * 50_000), 400),
        ((HOOK, KEY, b"\xff\xfe"), 400),
        ((HOOK, KEY, b" " * 1_200_000), 413),
    ],
)
def test_what_is_no_delivery_is_a_problem_and_changes_nothing(
    served: Serving, queues: Local, asked: tuple[str, str, bytes], status: int
) -> None:
    path, key, body = asked
    answered = served.ask("POST", path, body, aeg_sas_key=key)

    assert (answered.status, answered.json["status"]) == (status, status)
    assert answered.headers["content-type"].startswith("application/problem+json")
    assert arrived(queues) == []
