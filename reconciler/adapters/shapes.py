"""Parts of documents that another service sent: each of the type that it must have, or `Unavailable`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from reconciler.documents import Json
from reconciler.errors import Unavailable


def text_of(entry: Mapping[str, Json], name: str, where: str) -> str:
    """A text that must be there."""
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise Unavailable(f"{where}: {name} in the response is no text")
    return value


def text_or_none(entry: Mapping[str, Json], name: str, where: str) -> str:
    """A text, or empty where it is absent or null."""
    return text_of(entry, name, where) if entry.get(name) not in (None, "") else ""


def object_of(entry: Mapping[str, Json], name: str, where: str) -> dict[str, Json]:
    """An object that must be there."""
    value = entry.get(name)
    if not isinstance(value, dict):
        raise Unavailable(f"{where}: {name} in the response is no object")
    return value


def objects_of(entry: Mapping[str, Json], name: str, where: str) -> list[dict[str, Json]]:
    """A list of objects, empty where it is absent or null."""
    value = entry.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Unavailable(f"{where}: {name} in the response is no list of objects")
    return value


def object_or_none(entry: Mapping[str, Json], name: str, where: str) -> dict[str, Json] | None:
    """An object, or None where it is absent or null."""
    return None if entry.get(name) is None else object_of(entry, name, where)


def flag_of(entry: Mapping[str, Json], name: str, where: str) -> bool:
    """A truth value that must be there."""
    value = entry.get(name)
    if not isinstance(value, bool):
        raise Unavailable(f"{where}: {name} in the response is neither true nor false")
    return value


def flag_or_none(entry: Mapping[str, Json], name: str, where: str) -> bool | None:
    """A truth value, or None where it is absent or null."""
    return None if entry.get(name) is None else flag_of(entry, name, where)


def number_of(entry: Mapping[str, Json], name: str, where: str) -> int:
    """A whole number that must be there."""
    value = entry.get(name)
    if type(value) is not int:
        raise Unavailable(f"{where}: {name} in the response is no whole number")
    return value


def shown(entry: Mapping[str, Json], *names: str) -> str:
    """The first of several texts, for people alone; empty where none of them is one."""
    return next((value for name in names if isinstance(value := entry.get(name), str) and value), "")


def distinct(entries: Sequence[dict[str, Json]], where: str) -> list[dict[str, Json]]:
    """The entries of one page, each once; `Unavailable` where two of them have the same id and differ."""
    known: dict[str, dict[str, Json]] = {}
    for entry in entries:
        id_ = entry.get("id")
        key = str(id_).lower() if isinstance(id_, str | int) else json.dumps(entry, sort_keys=True)
        if known.setdefault(key, entry) != entry:
            raise Unavailable(f"{where}: two entries of the response have the same id and differ")
    return list(known.values())
