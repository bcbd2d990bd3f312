"""Large documents in a small form: compressed JSON within JSON, bounded, and nothing at all where it cannot be read."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

from reconciler.documents import Json, JsonObject

LARGEST = 64 * 1024 * 1024
"""Bytes of the JSON text at most: more is not unpacked."""


def packed(body: Json) -> JsonObject:
    """The stored form."""
    text = json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
    return {"zlib": base64.b64encode(zlib.compress(text, 1)).decode()}


def unpacked(document: Any) -> Json:
    """What was packed; None for anything that is not its stored form."""
    if not isinstance(document, Mapping) or not isinstance(text := document.get("zlib"), str):
        return None
    try:
        whole = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), LARGEST)
        return json.loads(whole)
    except (ValueError, zlib.error, RecursionError):
        return None
