"""A message as a CloudEvent 1.0 in structured mode, signed by the scheme of Standard Webhooks.

``webhook-id`` is the event's id, the same at each try; ``webhook-timestamp`` the moment of the try; and
``webhook-signature`` holds ``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``, once for each key
(CloudEvents, "JSON event format" and "HTTP protocol binding"; Standard Webhooks, "Webhook headers").
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from reconciler.documents import Json, moment
from reconciler.documents.redaction import redacted
from reconciler.service.notify import wording
from reconciler.service.notify.letters import Letter

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
TYPE = "com.github.pool-reconciler.notice"
"""Of an event, before its kind. What `data` has is in docs/notifications.md; fields are added, never changed."""
LARGEST = 64 * 1024
"""Bytes that every consumer takes (CloudEvents, "Size limits")."""


def body(letter: Letter, page: str, deployment: str) -> bytes:
    """The request's body; with fewer pools where it would be too large."""
    notices = letter.notices
    while True:
        made = json.dumps(_event(letter, notices, page, deployment), separators=(",", ":")).encode()
        if len(made) <= LARGEST or not notices:
            return made
        notices = notices[: len(notices) // 2]


def signed(name: str, content: bytes, keys: Sequence[bytes], now: datetime) -> Mapping[str, str]:
    """The headers of one try."""
    at = str(int(now.timestamp()))
    text = b".".join((name.encode(), at.encode(), content))
    made = [base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode() for key in keys]
    signatures = {"webhook-signature": " ".join(f"v1,{one}" for one in made)} if made else {}
    return {"webhook-id": name, "webhook-timestamp": at, **signatures}


def _event(letter: Letter, notices: Sequence[Json], page: str, deployment: str) -> Json:
    shown = [
        {name: value for name, value in one.to_json().items() if name not in ("kind", "organization", "cause")}
        for one in notices
    ]
    event = {
        "specversion": "1.0",
        "id": letter.id,
        "source": f"/reconciler/{deployment or '-'}",
        "type": f"{TYPE}.{letter.kind.value}",
        "time": moment(letter.made) if letter.made else None,
        "datacontenttype": "application/json",
        "data": {
            "kind": letter.kind.value,
            "title": wording.title(letter),
            "organization": letter.organization,
            "cause": letter.cause,
            "pools": letter.pools,
            "notices": [redacted(one) for one in shown],
            "more": letter.pools - len(shown),
            "page": page,
        },
    }
    return {name: value for name, value in event.items() if value is not None}
