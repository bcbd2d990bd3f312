"""A webhook that puts events into a queue as Event Grid would, for places without Event Grid.

In Azure a subscription delivers each event into a Storage queue. Here a sender posts to
``/runtime/webhooks/eventgrid/{queue}`` and each event becomes one message of that queue. Both handshakes are
supported, so that a real subscription can point here as well. Source: Microsoft Learn, "Webhook event delivery"
and "CloudEvents v1.0 schema with Azure Event Grid" (abuse protection).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping

from aiohttp import web

from reconciler.documents import Json
from reconciler.errors import ReconcilerError
from reconciler.ports.stores import MessageQueue
from reconciler.service.host.entrance import Entrance

PATH = "/runtime/webhooks/eventgrid/{queue}"
_VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"


MAX_EVENTS = 1000
"""Events of one request; Event Grid sends at most 5,000 where a subscription asks for so many, and 1 by default."""
MAX_EVENT = 48 * 1024
"""Bytes of one event: a Storage queue takes no larger message."""


def add_to(
    app: web.Application, queues: Mapping[str, MessageQueue], entrance: Entrance, delivered: Callable[[], None]
) -> None:
    """Add the webhook for these queues; its key as for functions (`aeg-sas-key`, `x-functions-key` or `?code=`).

    `delivered` is called when messages were put.
    """

    async def deliver(request: web.Request) -> web.Response:
        entrance.check(request)
        queue = queues.get(request.match_info["queue"])
        if queue is None:
            raise web.HTTPNotFound
        events = _events(await entrance.body(request))
        validation = _validation_code(request.headers, events)
        if validation is not None:
            return web.json_response({"validationResponse": validation})
        try:
            await asyncio.to_thread(queue.put_all, _texts(events))
        except ReconcilerError as error:
            raise web.HTTPServiceUnavailable from error
        delivered()
        return web.Response(status=200)

    async def allow(request: web.Request) -> web.Response:
        entrance.check(request)
        origin = request.headers.get("WebHook-Request-Origin", "*")
        return web.Response(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"})

    app.router.add_post(PATH, deliver, expect_handler=entrance.expecting(needs_key=True))
    app.router.add_options(PATH, allow, expect_handler=entrance.expecting(needs_key=True))


def _events(body: bytes) -> list[Json]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest from error
    events = document if isinstance(document, list) else [document]
    if not all(isinstance(event, dict) for event in events):
        raise web.HTTPBadRequest
    if len(events) > MAX_EVENTS:
        raise web.HTTPRequestEntityTooLarge(MAX_EVENTS, len(events))
    return events


def _texts(events: list[Json]) -> list[str]:
    try:
        texts = [json.dumps(event) for event in events]
    except RecursionError as error:
        raise web.HTTPBadRequest from error
    longest = max(map(len, texts), default=0)
    if longest > MAX_EVENT:
        raise web.HTTPRequestEntityTooLarge(MAX_EVENT, longest)
    return texts


def _validation_code(headers: Mapping[str, str], events: list[Json]) -> str | None:
    """The code to send back where this is Event Grid's handshake; None otherwise."""
    if headers.get("aeg-event-type") != "SubscriptionValidation":
        return None
    for event in events:
        data = event.get("data")
        if event.get("eventType") == _VALIDATION and isinstance(data, dict):
            return str(data.get("validationCode", ""))
    raise web.HTTPBadRequest
