"""A webhook that puts events into a queue as Event Grid would, for places without Event Grid.

In Azure a subscription delivers each event into a Storage queue. Here a sender posts to
``/runtime/webhooks/eventgrid/{queue}`` and each event becomes one message of that queue. Both handshakes are
supported, so that a real subscription can point here as well. Source: Microsoft Learn, "Webhook event delivery"
and "CloudEvents v1.0 schema with Azure Event Grid" (abuse protection).
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable, Mapping

from aiohttp import web

from reconciler.documents import Json
from reconciler.errors import ReconcilerError
from reconciler.ports.stores import MessageQueue

PATH = "/runtime/webhooks/eventgrid/{queue}"
_VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"


def add_to(app: web.Application, queues: Mapping[str, MessageQueue], key: str, delivered: Callable[[], None]) -> None:
    """Add the webhook for these queues; `key` as for functions (`aeg-sas-key`, `x-functions-key` or `?code=`).

    `delivered` is called when messages were put.
    """

    async def deliver(request: web.Request) -> web.Response:
        queue = queues.get(request.match_info["queue"])
        if queue is None:
            raise web.HTTPNotFound
        if key and not _has_key(request, key):
            raise web.HTTPUnauthorized
        events = _events(await request.read())
        validation = _validation_code(request.headers, events)
        if validation is not None:
            return web.json_response({"validationResponse": validation})
        try:
            for event in events:
                await asyncio.to_thread(queue.put, json.dumps(event))
        except ReconcilerError as error:
            raise web.HTTPServiceUnavailable from error
        delivered()
        return web.Response(status=200)

    async def allow(request: web.Request) -> web.Response:
        if key and not _has_key(request, key):
            raise web.HTTPUnauthorized
        origin = request.headers.get("WebHook-Request-Origin", "*")
        return web.Response(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"})

    app.router.add_post(PATH, deliver)
    app.router.add_options(PATH, allow)


def _events(body: bytes) -> list[Json]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest from error
    events = document if isinstance(document, list) else [document]
    if not all(isinstance(event, dict) for event in events):
        raise web.HTTPBadRequest
    return events


def _validation_code(headers: Mapping[str, str], events: list[Json]) -> str | None:
    """The code to send back where this is Event Grid's handshake; None otherwise."""
    if headers.get("aeg-event-type") != "SubscriptionValidation":
        return None
    for event in events:
        data = event.get("data")
        if event.get("eventType") == _VALIDATION and isinstance(data, dict):
            return str(data.get("validationCode", ""))
    raise web.HTTPBadRequest


def _has_key(request: web.Request, key: str) -> bool:
    names = ("aeg-sas-key", "x-functions-key")
    given = next((request.headers[name] for name in names if name in request.headers), request.query.get("code", ""))
    return hmac.compare_digest(given.encode(), key.encode())
