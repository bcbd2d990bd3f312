"""How facts are stored between processes: those of projects, which are many; lists of an organization are read again.

Only kinds that are named here are stored. They hold ids, and names of projects and queues; facts with names or
addresses of people (roles, identities, who authorized what) are never stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from reconciler.documents import Json
from reconciler.ports.devops import Project, Queue
from reconciler.survey.memo import Key, Slot

FORMAT = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class _Codec(NamedTuple):
    write: Callable[[Any], Json]
    read: Callable[[Key, Any], Any]
    """Raises `ValueError`, `TypeError` or `KeyError` for what it did not write."""


def _number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("not a number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _queues(key: Key, stored: Any) -> Mapping[int, Queue]:
    return {int(pool): Queue(_number(one[0]), _text(one[1]), key.project, int(pool)) for pool, one in stored.items()}


_CODECS = {
    "queues": _Codec(lambda found: {str(pool): [one.id, one.name] for pool, one in found.items()}, _queues),
    "authorized": _Codec(sorted, lambda _, stored: frozenset(map(_number, stored))),
    "projects": _Codec(
        lambda found: [[one.id, one.name] for one in found],
        lambda _, stored: tuple(Project(_text(one[0]), _text(one[1])) for one in stored),
    ),
}


def written(facts: Iterable[tuple[Key, Slot]]) -> list[Json]:
    """The stored form of those of a kind that is stored: kind, project, detail, moment in milliseconds, value."""
    return [
        [key.kind, key.project, key.detail, (slot.began - _EPOCH) // _MILLISECOND, _CODECS[key.kind].write(slot.value)]
        for key, slot in facts
        if key.kind in _CODECS
    ]


def read(organization: str, stored: Any) -> dict[Key, Slot]:
    """The facts; `ValueError` where anything of them cannot be read."""
    found: dict[Key, Slot] = {}
    try:
        for kind, project, detail, began, value in stored:
            if kind not in _CODECS:
                continue
            key = Key(kind, organization, _text(project), None if detail is None else _text(detail))
            slot = Slot(_EPOCH + _number(began) * _MILLISECOND)
            slot.settle(_CODECS[kind].read(key, value))
            found[key] = slot
    except (TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"{organization}: stored facts cannot be read: {error}") from error
    return found
