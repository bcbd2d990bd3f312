"""The envelopes in which events travel: Event Grid's own schema or CloudEvents 1.0, one or many, plain or base64.

A Storage queue holds text, and Event Grid writes it there either plain or base64-encoded; a Functions host hands it
over as its `messageEncoding` says. Both are accepted, so a wrong setting does no harm.
Schemas: Microsoft Learn, "Azure Event Grid event schema" and "CloudEvents v1.0 schema with Azure Event Grid".
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.documents import Json, moment_of

MAX_BYTES = 1_048_576
"""Event Grid's limit for one batch; a queue message is far smaller."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event, with what both schemas share."""

    id: str
    type: str
    subject: str
    source: str
    """`topic` in Event Grid's schema."""
    data: Json = field(repr=False)
    """The payload. It may carry claims, so it is never printed, stored or logged."""
    time: str = ""
    """When it happened, as sent."""
    trace: str = ""
    """`traceparent`, the attribute of CloudEvents' distributed tracing extension; as sent, not checked."""
    at: datetime | None = None
    """When it happened: `eventTime`, in CloudEvents `time`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The events of one document, and what could not be read."""

    events: tuple[Envelope, ...]
    dropped: tuple[str, ...] = ()
    """One short reason each, without content."""


def open_document(body: bytes | str) -> Opened:
    """Read a document that holds one event or an array of them. Never raises; what is unreadable is dropped."""
    items, problem = decode(body)
    if problem:
        return Opened((), (problem,))
    read = [envelope(item) for item in items]
    events = tuple(event for event in read if event is not None)
    return Opened(events, ("an item that is no event",) * (len(read) - len(events)))


def decode(body: bytes | str) -> tuple[list[Json], str]:
    """The items of a document, plain or base64 JSON, and one short reason where it cannot be read."""
    text = body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body
    if len(text) > MAX_BYTES:
        return [], f"document of {len(text)} characters, the limit is {MAX_BYTES}"
    document = _parse(text)
    if document is None:
        return [], "not JSON, neither plain nor base64"
    return (document if isinstance(document, list) else [document]), ""


def _parse(text: str) -> Json:
    """The JSON value of plain or base64 text; None where it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(base64.b64decode(text.strip(), validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None


def envelope(item: Json) -> Envelope | None:
    """The event in one item, in either schema; None where it is none."""
    if not isinstance(item, dict):
        return None
    kind = item.get("eventType") or item.get("type")
    if not isinstance(kind, str) or not kind:
        return None
    source = item.get("topic") or item.get("source")
    return Envelope(
        id=_text(item.get("id")),
        type=kind,
        subject=_text(item.get("subject")),
        source=_text(source),
        data=_data(item),
        time=_text(item.get("eventTime") or item.get("time")),
        trace=_text(item.get("traceparent")),
        at=moment_of(item.get("eventTime") or item.get("time")),
    )


def _data(item: dict[str, Json]) -> Json:
    """The payload, also where CloudEvents carries it as base64 or the sender wrote it as JSON text."""
    data = item.get("data")
    if data is None and isinstance(item.get("data_base64"), str):
        data = item["data_base64"]
    return _parse(data) if isinstance(data, str) else data


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
