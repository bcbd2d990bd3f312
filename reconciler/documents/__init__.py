"""JSON documents: their type, and how values are read from documents that may be damaged.

`redaction` masks secrets in texts and documents; `spelling` finds the name that a misspelt one stands for; `packing`
compresses large ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON value. `Any` crosses the border here, in one place: documents of the services are open-ended."""
JsonObject: TypeAlias = Mapping[str, Any]
"""A JSON object that is only read."""


def json_text(document: Json, *, indent: int | None = None, sort_keys: bool = False) -> str:
    """A document as text in ASCII, in which no pipeline that prints it finds a command.

    Every JSON value has the same meaning in it: ``#`` after ``#`` is written as its escape, and the two only stand
    inside of texts.
    """
    return json.dumps(document, indent=indent, sort_keys=sort_keys).replace("##", "#\\u0023")


def moment(time: datetime) -> str:
    """A moment as it is stored: UTC, ending in Z."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_of(value: Any) -> datetime | None:
    """The moment that a stored text says; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A text of a stored document; empty where it has none."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def number_of(body: Mapping[str, Any], name: str) -> float:
    """A number of a stored document that is not negative; 0 where it has none."""
    value = body.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else 0


def list_of(body: Mapping[str, Any], name: str) -> list[Any]:
    """A list of a stored document; empty where it has none."""
    value = body.get(name)
    return value if isinstance(value, list) else []
