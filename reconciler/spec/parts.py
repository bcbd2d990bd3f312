"""What a pause may be about: a managed part of the pool, or a field of the ARM resource as a plan names it.

A name that stands for nothing would hold nothing back, without a sign of it: so every name is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from reconciler.documents.spelling import nearest
from reconciler.spec.model import PARTS

_BELOW = ("properties.", "pool.properties.", "pool.")
_INDEX = re.compile(r"\[.*?\](?=[.\[]|$)")
"""Of a list's item in a path; the name in it may hold brackets too."""
LONGEST = 600
"""Characters of a name; the key of a tag may have 512."""
_SHOWN = 200
_DEEPEST = 12


def canonical(name: str) -> str:
    """The name as it is stored and compared: ``open_access`` and ``open access`` are ``openAccess``."""
    text = name.strip()
    found = next((part for part in PARTS if _folded(part) == _folded(text)), None)
    if found is not None:
        return found
    return next((text[len(head) :] for head in sorted(_BELOW, key=len, reverse=True) if text.startswith(head)), text)


def wrong(name: str) -> str:
    """Why nothing has this name; empty where something has."""
    text = canonical(name)
    if text in PARTS or len(text) > LONGEST:
        return "" if text in PARTS else f"{name[:_SHOWN]!r}…: has {len(text)} characters, the limit is {LONGEST}"
    known: Any = _fields()
    done = ""
    steps = _steps(text)
    for count, step in enumerate(steps, 1):
        if not step:
            return f"{name[:_SHOWN]!r}: {'a name is missing' if text else 'names nothing'}"
        if not isinstance(known, Mapping) or not known:
            return f"{name[:_SHOWN]!r}: {done[:-1]} has no fields"
        if step.casefold() not in {one.casefold() for one in known}:
            near = nearest(step, [*known, *(() if done else PARTS)])
            hint = f"did you mean {done}{near}?" if near else f"known are {', '.join(sorted([*known])[:12])}"
            return f"{name[:_SHOWN]!r} is no part of a pool and no field of it; {hint}"
        known = next(value for key, value in known.items() if key.casefold() == step.casefold())
        done += f"{step}."
        if known is True:  # the author's own keys, which may hold dots
            return f"{name[:_SHOWN]!r}: a name is missing" if steps[count:] == [""] else ""
    return ""


def covers(field: str, part: str, paths: Iterator[str] | tuple[str, ...], *, whole: bool) -> bool:
    """Whether a pause of the field holds a write of these paths by the part. `whole`: it says no paths, and is ARM's.

    A write of what the field is in, and of what is in the field, are both writes of the field.
    """
    if _folded(field) == _folded(part):
        return True
    if field in PARTS:
        return False
    wanted = _plain(field)
    return whole or any(_within(wanted, path) or _within(path, wanted) for path in map(_plain, paths))


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(f"{outer}.")


def _plain(path: str) -> str:
    return _INDEX.sub("", path).casefold().removeprefix("properties.")


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


def _steps(path: str) -> list[str]:
    return _INDEX.sub("", path).split(".")


@cache
def _fields() -> Mapping[str, Any]:
    """The fields of the ARM body, one mapping in another; an empty one has no fields, True is what has any."""
    from reconciler.spec.schema import json_schema  # noqa: PLC0415 - made for editors, and few specs pause a field

    schema = json_schema()
    definitions: Mapping[str, Any] = schema["$defs"]
    pool = _tree(definitions["Pool"], definitions, 0)
    kept = {name: one for name, one in pool.items() if name in ("location", "tags", "identity")}
    return {**kept, **pool["properties"]}


def _tree(one: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> Any:
    found: dict[str, Any] = {}
    for option in (one, *one.get("anyOf", ()), *one.get("oneOf", ()), *one.get("allOf", ())):
        if "$ref" in option:
            inner = _tree(definitions[option["$ref"].rpartition("/")[2]], definitions, depth)
            if inner is True:
                return True
            found = _merged(found, inner)
        if "items" in option and isinstance(option["items"], Mapping) and "properties" not in option:
            inner = _tree(option["items"], definitions, depth)
            found = _merged(found, inner) if isinstance(inner, dict) else found
        for name, value in option.get("properties", {}).items():
            inner = _tree(value, definitions, depth + 1) if depth < _DEEPEST else {}
            found = _merged(found, {name: inner})
        extra = option.get("additionalProperties")
        if isinstance(extra, Mapping) or extra is True:
            return True
    return found


def _merged(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of both: an object of several kinds has those of each."""
    found = dict(one)
    for name, value in other.items():
        known = found.get(name)
        found[name] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return found
