"""Messages of the work queues: keys of pools, where to look first, and nothing that decides anything.

`trigger` and `trace` say where the request came from, for one log line and the trace. `scopes` say what the request is
about (`reconciler.survey.scopes`); without any, or with one that is not understood, it is about each pool as a whole: a
message of an earlier or of a later release asks for too much, never for too little. A bare key is a message too, so
that an administrator can put one into the queue by hand.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.documents import Json, moment, moment_of

MAX_KEYS = 200
"""Keys in one message; a Storage queue message holds 48 KiB before it is encoded."""
MAX_TEXT = 64 * 1024
"""Characters of a message: no store takes more."""
LATEST = timedelta(days=7)
"""A follow-up is due within this time: no queue hides a message for longer."""
MAX_SCOPES = 64
"""Places in one message."""
MAX_SCOPE = 256
"""Characters of one, as JSON: keys and places stay within what one message holds."""
_KEY = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_TRACE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_ORGANIZATION = re.compile(r"[A-Za-z0-9-]{0,64}")
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
    scopes: tuple[str, ...] = ()
    """What the request is about, as texts; empty: each pool as a whole."""
    since: datetime | None = None
    """When it was put for the first time, by the store's clock, where this message is one that was put back."""
    at: datetime | None = None
    """When that happened which the request is about, by the clock of the service that reported it."""

    organization: str | None = None
    """Set: the message is about all pools of this organization from the first key on, in their order (`spread_out`).
    Its text has the first key alone: it stays short, whatever the number of pools."""

    def put(self, inserted: datetime) -> datetime:
        """When the request was put; `inserted`: when this message was. A `since` of no sense counts for none."""
        known = self.since is not None and timedelta() <= inserted - self.since <= 2 * LATEST
        return self.since if known and self.since is not None else inserted

    def back(self, inserted: datetime, keys: tuple[str, ...] | None = None) -> WorkMessage:
        """This message, or its part for some keys, to be put back: it is as old as before."""
        part = self.keys if keys is None else keys
        tail = part == self.keys[len(self.keys) - len(part) :]
        return replace(self, keys=part, since=self.put(inserted), organization=self.organization if tail else None)

    def text(self) -> str:
        """The message's text. Places that do not fit are left out, all of them."""
        scopes = self.scopes if _fit(self.scopes) else ()
        moments = {"due": self.due, "since": self.since, "at": self.at}
        keys = list(self.keys if self.organization is None else self.keys[:1])
        body: dict[str, Json] = {"keys": keys, "trigger": self.trigger, "trace": self.trace}
        body |= {name: moment(one) for name, one in moments.items() if one is not None}
        body["scopes"] = sorted(set(scopes))
        body = {name: value for name, value in body.items() if value}
        if self.organization is not None:
            body["organization"] = self.organization  # empty for pools without one
        return json.dumps(body, separators=(",", ":"))


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


def _fit(scopes: Json) -> bool:
    """Whether these may be places: a few short texts."""
    short = (isinstance(one, str) and one and len(json.dumps(one)) <= MAX_SCOPE for one in scopes)
    return len(scopes) <= MAX_SCOPES and all(short)


def _work(body: dict[str, Json]) -> WorkMessage | None:
    keys = body.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS:
        return None
    if not all(isinstance(key, str) and _KEY.fullmatch(key) for key in keys):
        return None
    trigger, trace, scopes = body.get("trigger"), body.get("trace"), body.get("scopes")
    organization = body.get("organization")
    return WorkMessage(
        tuple(keys),
        trigger if isinstance(trigger, str) and _TRIGGER.fullmatch(trigger) else "unknown",
        traceparent(trace),
        moment_of(body.get("due")),
        tuple(scopes) if isinstance(scopes, list) and _fit(scopes) else (),
        moment_of(body.get("since")),
        moment_of(body.get("at")),
        organization if isinstance(organization, str) and _ORGANIZATION.fullmatch(organization) else None,
    )


def traceparent(value: Json) -> str:
    """The value where it is a W3C traceparent, empty otherwise."""
    return value if isinstance(value, str) and _TRACE.fullmatch(value) else ""
