"""Event Grid events of a write: no body, but the caller, with claims that must not be logged.

Schema: Microsoft Learn, Event Grid, Azure subscriptions and resource groups as sources; Azure Resource Notifications.
"""

from __future__ import annotations

import uuid

from emulator.arm import echo
from emulator.arm.versions import NEWEST
from emulator.frame import Request
from emulator.state.arm import PROVIDER, TENANT, Body, ManagedPool
from emulator.world import World

CANARY = "canary-claim-never-log-this"
"""In every event's claims: if it is in a log, a raw event was logged."""


def written(world: World, pool: ManagedPool, request: Request, *, outcome: str = "Success") -> None:
    """A pool was written. `outcome`: Success, Failure or Cancel."""
    _publish(world, pool, request, event=f"ResourceWrite{outcome}", action="write")
    if world.switches.on("arm.resource-notifications") and outcome == "Success":
        body = echo.shown(world, pool, NEWEST)
        _notify(world, pool, event="CreatedOrUpdated", body=body)


def deleted(world: World, pool: ManagedPool, request: Request, *, outcome: str = "Success") -> None:
    """A pool was deleted."""
    _publish(world, pool, request, event=f"ResourceDelete{outcome}", action="delete")
    if world.switches.on("arm.resource-notifications") and outcome == "Success":
        _notify(world, pool, event="Deleted", body={"id": pool.id, "name": pool.name, "type": f"{PROVIDER}/pools"})


def tagged(world: World, pool: ManagedPool, request: Request) -> None:
    """Tags of a pool were edited through the tags API: no write of the pool itself."""
    extension = "/providers/Microsoft.Resources/tags/default"
    subject = pool.id + (extension if world.switches.word("arm.tags-subject") == "extension" else "")
    operation = "Microsoft.Resources/tags/write"
    _publish_of(world, pool, request, event="ResourceWriteSuccess", operation=operation, subject=subject)


def moved(world: World, pool: ManagedPool, group: str) -> None:
    """Resources of a group (its id) were moved, by the estate's first principal: the event names the group alone."""
    operation = "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action"
    path, caller = f"{group}/moveResources", next(iter(world.principals)).name
    request = Request("arm", "POST", path, {}, {"api-version": "2021-04-01"}, {}, None, b"", "", caller)
    _publish_of(world, pool, request, event="ResourceActionSuccess", operation=operation, subject=group)


def _publish(world: World, pool: ManagedPool, request: Request, *, event: str, action: str) -> None:
    _publish_of(world, pool, request, event=event, operation=f"{PROVIDER}/pools/{action}", subject=pool.id)


def _publish_of(world: World, pool: ManagedPool, request: Request, *, event: str, operation: str, subject: str) -> None:
    principal = world.principals[request.caller]
    data: Body = {
        "authorization": {"scope": subject, "action": operation, "evidence": {"role": "Contributor"}},
        "claims": {
            "aud": "https://management.core.windows.net/",
            "http://schemas.microsoft.com/identity/claims/objectidentifier": principal.oid,
            "name": principal.display_name,
            "canary": CANARY,
        },
        "correlationId": str(uuid.uuid4()),
        "httpRequest": {
            "clientRequestId": request.headers.get("x-ms-client-request-id", str(uuid.uuid4())),
            "clientIpAddress": "127.0.0.1",
            "method": request.method,
            "url": f"https://management.azure.com{request.path}?api-version={request.query.get('api-version', '')}",
        },
        "resourceProvider": operation.partition("/")[0],
        "resourceUri": subject,
        "operationName": operation,
        "status": "Succeeded" if event.endswith("Success") else "Failed",
        "subscriptionId": pool.subscription,
        "tenantId": TENANT,
    }
    _event(world, pool, kind=f"Microsoft.Resources.{event}", data=data, version="2", subject=subject)


def _notify(world: World, pool: ManagedPool, *, event: str, body: Body) -> None:
    data: Body = {
        "resourceInfo": _flags_as_numbers(body),
        "apiVersion": NEWEST,
        "operationalInfo": {"resourceEventTime": world.clock.stamp()},
    }
    _event(world, pool, kind=f"Microsoft.ResourceNotifications.Resources.{event}", data=data, version="1")


def _flags_as_numbers(value: object) -> object:
    """Booleans of a body arrive as 0 and 1 in the published sample."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, dict):
        return {key: _flags_as_numbers(item) for key, item in value.items()}
    return [_flags_as_numbers(item) for item in value] if isinstance(value, list) else value


def _event(world: World, pool: ManagedPool, *, kind: str, data: Body, version: str, subject: str | None = None) -> None:
    event = {
        "id": str(uuid.uuid4()),
        "topic": f"/subscriptions/{pool.subscription}",
        "subject": subject or pool.id,
        "eventType": kind,
        "eventTime": world.clock.stamp(),
        "data": data,
        "dataVersion": version,
        "metadataVersion": "1",
    }
    world.events.publish("arm", event)
