"""How a message looks in a storage queue: base64 of ``{"key": …, "trace": …}``.

That is what the queue trigger of Azure Functions reads by default (Microsoft Learn, host.json, queues,
messageEncoding), and the trigger then hands on the JSON inside. Plain JSON and a bare key are understood as well, so
that a person can put a message by hand. Light on purpose: triggers read messages without the storage packages.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass

_KEY = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Work:
    """What a message says."""

    key: str
    trace: str = ""


def encode(key: str, trace: str = "") -> str:
    """The text to put."""
    body = {"key": key, "trace": trace} if trace else {"key": key}
    return base64.b64encode(json.dumps(body, ensure_ascii=False).encode()).decode()


def decode(text: str) -> Work | None:
    """What a text says, in any of the three forms; None where it is none of them."""
    for candidate in (text, _plain(text)):
        work = _work(candidate)
        if work is not None:
            return work
    return Work(text.strip()) if _KEY.fullmatch(text.strip()) else None


def _plain(text: str) -> str:
    try:
        return base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _work(text: str) -> Work | None:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    key = body.get("key") if isinstance(body, dict) else None
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return None
    trace = body.get("trace")
    return Work(key, trace if isinstance(trace, str) else "")
