"""The audit log, its actions and its streams (vsts-rest-api-specs audit 7.2)."""

from __future__ import annotations

from datetime import UTC, datetime

from emulator.devops import access, audit_log, refusals, responses
from emulator.documents import Json
from emulator.frame import ApiError, Request, Response
from emulator.world import World

CONSUMERS = ("Splunk", "AzureMonitorLogs", "AzureEventGrid")
STREAMS = 2
"""The most streams to one kind of target."""
_STATES = {"enabled": 1, "disabledByUser": 2, "1": 1, "2": 2}
STARS = "*" * 24
_SECRETS = ("token", "key", "secret", "password")


def _entered(world: World, request: Request) -> access.RequestScope:
    place = access.enter(world, request)
    place.require_administrator("the audit log")
    return place


def query(world: World, request: Request) -> Response:
    """Newest first, between two moments, in batches."""
    place = _entered(world, request)
    start, end = _moment(request, "starttime"), _moment(request, "endtime")
    size = access.number(request.query.get("batchsize") or 200, "batchSize")
    token = request.query.get("continuationtoken", "")
    entries = [e for e in reversed(place.organization.audit) if _between(e, start, end)]
    if token:
        entries = [e for e in entries if e["id"] < token]
    batch = entries[:size]
    body: Json = {
        "decoratedAuditLogEntries": batch,
        "continuationToken": batch[-1]["id"] if batch else None,
        "hasMore": len(entries) > len(batch),
    }
    return Response(body={"value": body} if world.switches.on("devops.audit-wrapped") else body)


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query.get(name)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise refusals.bad_argument(f"The value '{text}' is not valid for {name}.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _between(entry: Json, start: datetime | None, end: datetime | None) -> bool:
    at = datetime.fromisoformat(entry["timestamp"])
    return (start is None or at >= start) and (end is None or at <= end)


def actions(world: World, request: Request) -> Response:
    """What can be in the log."""
    access.enter(world, request)
    area = request.query.get("areaname", "").lower()
    found = [
        {"area": key.split(".")[0], "category": word, "actionId": key} for key, word in audit_log.CATEGORIES.items()
    ]
    return responses.wrapped(one for one in found if not area or one["area"].lower() == area)


def list_streams(world: World, request: Request) -> Response:
    """Every stream."""
    return responses.wrapped(_entered(world, request).organization.streams.values())


def create_stream(world: World, request: Request) -> Response:
    """A stream to one target; secrets come back masked."""
    place = _entered(world, request)
    fields = place.fields("stream")
    consumer, inputs = fields.get("consumerType"), access.mapping(fields.get("consumerInputs"), "consumerInputs")
    if consumer not in CONSUMERS or not inputs or not _are_texts(inputs):
        raise refusals.bad_argument(f"The value '{consumer}' is not valid for consumerType.")
    streams = place.organization.streams
    if sum(1 for one in streams.values() if one["consumerType"] == consumer) >= STREAMS:
        raise refusals.bad_argument(f"There are {STREAMS} streams of type {consumer} already.")
    number = place.organization.next_id("stream")
    shown = {key: masked(key, value) for key, value in inputs.items()}
    streams[number] = {
        "id": number,
        "consumerType": consumer,
        "displayName": str(fields.get("displayName") or next((v for v in shown.values() if v != STARS), consumer)),
        "consumerInputs": shown,
        "status": "enabled",
        "statusReason": None,
        "updatedTime": world.clock.stamp(),
    }
    return Response(body=streams[number])


def _are_texts(inputs: dict[str, Json]) -> bool:
    return all(isinstance(value, str) for value in inputs.values())


def masked(name: str, value: Json) -> Json:
    """Stars in place of a secret."""
    return STARS if any(word in name.lower() for word in _SECRETS) else value


def _stream(place: access.RequestScope) -> dict[str, Json]:
    number = access.number(place.request.params["streamId"], "streamId")
    if number not in place.organization.streams:
        raise ApiError(404, "AuditStreamNotFoundException", f"The audit stream {number} does not exist.")
    return place.organization.streams[number]


def get_stream(world: World, request: Request) -> Response:
    """One stream."""
    return Response(body=_stream(_entered(world, request)))


def set_stream_status(world: World, request: Request) -> Response:
    """Enable or disable a stream."""
    stream = _stream(_entered(world, request))
    word = request.query.get("status", "")
    if word not in _STATES:
        raise refusals.bad_argument(f"The value '{word}' is not valid for status.")
    stream["status"] = "enabled" if _STATES[word] == 1 else "disabledByUser"
    return Response(body=stream)


def delete_stream(world: World, request: Request) -> Response:
    """No more stream."""
    place = _entered(world, request)
    del place.organization.streams[_stream(place)["id"]]
    return Response()
