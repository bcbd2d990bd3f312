"""Messages of the work queues: keys of pools, and nothing that decides anything.

`trigger` and `trace` say where the request came from, for one log line and the trace. A bare key is a message too, so
that an administrator can put one into the queue by hand.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.documents import Json, moment, moment_of

MAX_KEYS = 200
"""Keys in one message; a Storage queue message holds 48 KiB before it is encoded."""
MAX_TEXT = 64 * 1024
"""Characters of a message: no store takes more."""
LATEST = timedelta(days=7)
"""A follow-up is due within this time: no queue hides a message for longer."""
_KEY = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_TRACE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_TRIGGER = re.compile(r"[a-z-]{1,31}")


@dataclass(frozen=True, slots=True)
class WorkMessage:
    """Pools to reconcile."""

    keys: tuple[str, ...]
    trigger: str = "unknown"
    """``event``, ``audit``, ``git``, ``http``, ``sweep``, ``follow-up``."""
    trace: str = ""
    """W3C traceparent, or empty."""
    due: datetime | None = None
    """When a follow-up is due, by the clock of the worker that queued it."""

    def text(self) -> str:
        """The message's text."""
        due = moment(self.due) if self.due is not None else ""
        body = {"keys": list(self.keys), "trigger": self.trigger, "trace": self.trace, "due": due}
        return json.dumps({name: value for name, value in body.items() if value}, separators=(",", ":"))


def read(text: str) -> WorkMessage | None:
    """The work that a text requests; None where it names no pools."""
    if len(text) > MAX_TEXT:
        return None
    stripped = text.strip()
    if _KEY.fullmatch(stripped.lower()):
        return WorkMessage((stripped.lower(),))
    try:
        body = json.loads(stripped)
    except (ValueError, RecursionError):
        return None
    return _work(body) if isinstance(body, dict) else None


def one_each(keys: tuple[str, ...], trigger: str, trace: str = "") -> list[str]:
    """Texts of messages with one key each: for an event, an HTTP request or a push."""
    return [WorkMessage((key,), trigger, trace).text() for key in keys]


def _work(body: dict[str, Json]) -> WorkMessage | None:
    keys = body.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS:
        return None
    if not all(isinstance(key, str) and _KEY.fullmatch(key) for key in keys):
        return None
    trigger, trace = body.get("trigger"), body.get("trace")
    return WorkMessage(
        tuple(keys),
        trigger if isinstance(trigger, str) and _TRIGGER.fullmatch(trigger) else "unknown",
        traceparent(trace),
        moment_of(body.get("due")),
    )


def traceparent(value: Json) -> str:
    """The value where it is a W3C traceparent, empty otherwise."""
    return value if isinstance(value, str) and _TRACE.fullmatch(value) else ""
