"""Which values are the same, and which entry of a list is which of the list before."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from reconciler.documents import Json

_IDENTITIES = ("project", "organization", "url", "wellKnownImageName", "resourceId", "name")
"""Fields by which an entry of a list is known again."""


def same(one: Json, other: Json) -> bool:
    """Whether two values are the same, types too: 1 is not true."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def paired(old: Sequence[Json], new: Sequence[Json]) -> list[int | None]:
    """For each new entry the old one that it stands for, in rising order; None where it is added."""
    if len(old) == len(new):
        both = list(zip(old, new, strict=True))
        if all(_alike(*one, in_place=True) for one in both) and sum(not same(*one) for one in both) <= 1:
            return list(range(len(old)))
    found: list[int | None] = [None] * len(new)
    matcher = SequenceMatcher(None, [_key(one) for one in old], [_key(one) for one in new], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            found[j1:j2] = range(i1, i2)
        elif tag == "replace":
            left = list(range(i1, i2))
            for j in range(j1, j2):
                in_place = [i for i in left if i2 - i1 == j2 - j1 and i - i1 == j - j1]
                chosen = next((i for i in left if _alike(old[i], new[j], in_place=i in in_place)), None)
                if chosen is not None:
                    found[j] = chosen
                    left = [i for i in left if i > chosen]
    return found


def _key(value: Json) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _alike(old: Json, new: Json, *, in_place: bool) -> bool:
    """Whether a new entry is an old one with another content."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        name = next((name for name in _IDENTITIES if name in old or name in new), None)
        return in_place if name is None else str(old.get(name)).casefold() == str(new.get(name)).casefold()
    return (
        in_place
        and isinstance(old, Mapping) == isinstance(new, Mapping)
        and isinstance(old, list) == isinstance(new, list)
    )
