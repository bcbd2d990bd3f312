"""Posts published events to subscribed URLs, as Event Grid does: handshake, headers, retries; at least once.

Event Grid's webhook delivery (Microsoft Learn, Event Grid webhook event delivery): an array in the Event Grid schema
with `aeg-event-type: Notification`, and before it a SubscriptionValidation whose code must come back with a 200.
"""

from __future__ import annotations

import asyncio
import uuid

from aiohttp import ClientError, ClientSession, ClientTimeout

from emulator.documents import Json
from emulator.events import Events, EventSubscription, PublishedEvent
from emulator.switch import Switches

ATTEMPTS = 5
FIRST_PAUSE = 0.05
"""Seconds before the second attempt; doubles. Event Grid itself begins with 10 s."""


class Delivery:
    """Tasks that post; one per event and subscription."""

    def __init__(self, events: Events, switches: Switches) -> None:
        self._events, self._switches = events, switches
        self._pending: list[tuple[EventSubscription, PublishedEvent]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._confirmed: set[int] = set()
        events.hooks.append(self._address)

    def _address(self, event: PublishedEvent) -> None:
        """To the subscriptions of this moment; a later one gets later events."""
        self._pending += [(one, event) for one in self._events.subscriptions if event.source in one.sources]

    def pump(self) -> None:
        """Send out what was published since the last time."""
        waiting, self._pending[:] = list(self._pending), []
        for subscription, event in waiting:
            task = asyncio.create_task(self._deliver(subscription, event))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(self, subscription: EventSubscription, event: PublishedEvent) -> None:
        pause = FIRST_PAUSE
        for _ in range(ATTEMPTS):
            subscription.error = await self._attempt(subscription, event)
            if not subscription.error:
                subscription.delivered += 1
                return
            await asyncio.sleep(pause)
            pause *= 2
        subscription.failed += 1

    async def _attempt(self, subscription: EventSubscription, event: PublishedEvent) -> str:
        """What went wrong; empty where nothing did."""
        try:
            async with ClientSession(timeout=ClientTimeout(total=10)) as session:
                error = await self._confirm(session, subscription)
                return error or await self._post(session, subscription, event)
        except (ClientError, TimeoutError, ValueError) as error:
            return f"{type(error).__name__}: {error}"

    async def _confirm(self, session: ClientSession, subscription: EventSubscription) -> str:
        if subscription.schema != "eventgrid" or subscription.number in self._confirmed:
            return ""
        code = str(uuid.uuid4())
        headers = {**subscription.headers, "aeg-event-type": "SubscriptionValidation"}
        async with session.post(subscription.url, json=[_validation(code)], headers=headers) as answer:
            found = await answer.json(content_type=None) if answer.status == 200 else None  # noqa: PLR2004 as Event Grid
        if not isinstance(found, dict) or found.get("validationResponse") != code:
            return f"the handshake was answered {answer.status} without the validation code"
        self._confirmed.add(subscription.number)
        return ""

    async def _post(self, session: ClientSession, subscription: EventSubscription, event: PublishedEvent) -> str:
        headers = dict(subscription.headers)
        if subscription.schema == "eventgrid":
            headers["aeg-event-type"] = "Notification"
        listed = self._switches.word("devops.audit-event-shape") == "list"
        body = wrapped(subscription.schema, event, listed=listed)
        if subscription.schema == "cloudevents":
            headers["Content-Type"] = "application/cloudevents+json; charset=utf-8"
        async with session.post(subscription.url, json=body, headers=headers) as answer:
            return "" if answer.ok else f"answered {answer.status}"


def wrapped(schema: str, published: PublishedEvent, *, listed: bool = False) -> Json:
    """The event as it goes over the wire; `listed`: audit entries come as lists."""
    event = published.event if "eventType" in published.event else _enveloped(published, listed=listed)
    if schema == "raw":
        return published.event
    if schema == "eventgrid":
        return [event]
    return {
        "id": event["id"],
        "source": event["topic"],
        "subject": event["subject"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "data": event["data"],
    }


def _enveloped(published: PublishedEvent, *, listed: bool) -> dict[str, Json]:
    """An audit entry in the Event Grid schema. The true shape is not published."""
    entry = published.event
    return {
        "id": str(entry.get("id") or uuid.uuid4()),
        "topic": f"/organizations/{published.organization}",
        "subject": f"{published.organization}/{entry.get('actionId', '')}",
        "eventType": "AzureDevOps.Audit" if published.source == "audit" else "AzureDevOps.Hook",
        "eventTime": published.at,
        "data": [entry] if listed else entry,
        "dataVersion": "1.0",
        "metadataVersion": "1",
    }


def _validation(code: str) -> dict[str, Json]:
    return {
        "id": str(uuid.uuid4()),
        "topic": "",
        "subject": "",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": "",
        "data": {"validationCode": code, "validationUrl": ""},
        "dataVersion": "2",
        "metadataVersion": "1",
    }
