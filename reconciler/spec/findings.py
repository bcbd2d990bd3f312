"""The errors of pydantic, in the words of the people who write specs.

Locations of pydantic name the member of a union; they are translated to keys and positions of the data. For a
name that is not known, the nearest one of the same object is offered, or the place where that name belongs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic_core import ErrorDetails, ValidationError

from reconciler.documents.spelling import nearest
from reconciler.spec.document import SpecDocument
from reconciler.spec.problem import MOST_PROBLEMS, Finding, Path, listing, show, spell

_TYPES = {
    "string_type": "a text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_LIMITS = {
    "greater_than_equal": "is {value}; the least is {ge}",
    "less_than_equal": "is {value}; the most is {le}",
    "too_short": "is empty; give at least one",
    "string_too_short": "is empty; write a text",
    "string_too_long": "is too long; the most is {max_length} characters",
}


def translate(error: ValidationError, data: Any) -> Iterator[Finding]:
    """One finding an error, with paths of the data that was validated; sentences for as many as are reported."""
    for index, one in enumerate(error.errors(include_url=False)):
        yield data_path(one["loc"], data), sentence(one) if index < MOST_PROBLEMS else "is wrong, too"


def unknown_fields(error: ValidationError, data: Any, version: str) -> dict[Path, str]:
    """Fields of the pool that the format does not have, with the warning where a newer api-version may have them."""
    found: dict[Path, str] = {}
    for one in error.errors(include_url=False):
        path = data_path(one["loc"], data)
        if one["type"] == "extra_forbidden" and path[:1] == ("pool",):
            meant = nearest(str(path[-1]), known_names(one["loc"][:-1]))
            hint = f"; did you mean {meant}?" if meant else ""
            found[path] = f"is not known to this release; it is sent as written, with armApiVersion {version}{hint}"
    return found


def data_path(loc: tuple[str | int, ...], data: Any) -> Path:
    """The location without the members of unions that pydantic went through."""
    path: list[str | int] = []
    value: Any = data
    for index, step in enumerate(loc):
        if isinstance(step, int) if isinstance(value, list) else isinstance(value, dict) and step in value:
            path.append(step)
            value = value[step]
        elif index == len(loc) - 1 and step != "[key]":
            path.append(step)
    return tuple(path)


def sentence(error: ErrorDetails) -> str:
    """What is wrong, with both values and the remedy."""
    kind, value = error["type"], error["input"]
    if value is None and kind != "extra_forbidden":
        return "has no value; write one, or remove the field, which is then not managed"
    if kind in _TYPES:
        return wrong_type(_TYPES[kind], value)
    if kind in _LIMITS:
        return _LIMITS[kind].format(value=show(value), **error["ctx"])
    return _SENTENCES[kind](error)


def wrong_type(wanted: str, value: Any) -> str:
    """A value of another JSON type, with what to do about the usual slips."""
    if wanted == "a text" and isinstance(value, bool | int | float):
        return f"is read as {kind_of(value)}, {show(value)}; write it in quotes: '{show(value)}'"
    if wanted == "a list" and not isinstance(value, dict):
        return f"is {kind_of(value)}; write a list: [{show(value)}]"
    return f"is {kind_of(value)}{'' if isinstance(value, dict | list) else f', {show(value)}'}; write {wanted}"


def kind_of(value: Any) -> str:
    """The JSON type of a value, with its article."""
    names = {bool: "a truth value", str: "a text", list: "a list", dict: "a mapping"}
    return names.get(type(value), "a number")


def closed_set(error: ErrorDetails) -> str:
    """A value outside a closed set; pydantic gives the set as text."""
    return not_one_of(error["input"], re.findall("'([^']*)'", error["ctx"]["expected"]))


def not_one_of(value: Any, known: list[str]) -> str:
    """A value that is none of the known ones."""
    if len(known) == 1:
        return f"is {show(value)}; write {known[0]}"
    meant = nearest(str(value), known)
    return f"is {show(value)}; " + (f"did you mean {meant}? Known are" if meant else "write") + f" {listing(known)}"


def wrong_kind(error: ErrorDetails) -> str:
    """An object of an unknown kind: its fields cannot be checked."""
    known = re.findall("'([^']*)'", error["ctx"]["expected_tags"])
    return f"has a kind that {not_one_of(error['ctx']['tag'], known)}"


def no_kind(error: ErrorDetails) -> str:
    """An object that does not say its kind, which decides about its fields."""
    return f"has no kind; write kind: {listing(known_names(error['loc'])['kind'])}"


def unknown(error: ErrorDetails) -> str:
    """An unknown field: the nearest name, else where a field of that name belongs, else all names."""
    *owner, name = error["loc"]
    known = known_names(tuple(owner))
    if meant := nearest(str(name), known):
        return f"is not a field; did you mean {meant}?"
    if str(name) in homes():
        return f"is not a field here; it belongs {home(str(name), error['loc'])}"
    if meant := nearest(str(name), homes()):
        return f"is not a field; did you mean {meant}? It belongs {home(meant, error['loc'])}"
    return f"is not a field; known here are {listing(sorted(known))}"


_SENTENCES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "form": lambda error: str(error["ctx"]["message"]),
    "missing": lambda _: "is missing; add it",
    "extra_forbidden": unknown,
    "literal_error": closed_set,
    "union_tag_invalid": wrong_kind,
    "union_tag_not_found": no_kind,
}


def known_names(loc: tuple[str | int, ...]) -> Mapping[str, tuple[str, ...]]:
    """Fields of the object at pydantic's location, each with its values where they are a closed set."""
    kind: Any = SpecDocument
    for step in loc:
        kind = _member(kind, step)
    fields: dict[str, tuple[str, ...]] = {}
    for member in _members(kind):
        for name, hint in _fields(member).items():
            literal = plain(hint)
            fields[name] = fields.get(name, ()) + (get_args(literal) if get_origin(literal) is Literal else ())
    return fields


def hint_at(path: tuple[str, ...]) -> Any:
    """The annotated type of a field by its names alone; None where the format has no such field."""
    kind: Any = SpecDocument
    for step in path:
        kind = _item(kind)
        kind = next((fields[step] for fields in map(_fields, _members(kind)) if step in fields), None)
    return kind


def home(name: str, loc: tuple[str | int, ...]) -> str:
    """Where a field belongs; of several places the one that is nearest to where it was written."""
    owner = [step for step in loc[:-1] if isinstance(step, str)]

    def shared(where: Path) -> int:
        return next((i for i, (one, other) in enumerate(zip(where, owner, strict=False)) if one != other), len(where))

    where = max(homes()[name], key=shared)
    return f"under {spell(where)}" if where else "at the top of the file"


@cache
def homes() -> Mapping[str, list[Path]]:
    """Field → the objects that have it, for every field of the format, from the outermost inwards."""
    found: dict[str, list[Path]] = {}
    todo: list[tuple[Path, Any]] = [((), SpecDocument)]
    for where, kind in todo:
        for member in _members(kind):
            for name, hint in _fields(member).items():
                found.setdefault(name, []).append(where)
                todo.append(((*where, name), _item(hint)))
    return found


def plain(hint: Any) -> Any:
    """A type without what is said about it."""
    while hasattr(hint, "__metadata__") or str(get_origin(hint)).endswith("Required"):
        hint = hint.__origin__ if hasattr(hint, "__metadata__") else get_args(hint)[0]
    return hint


def _item(hint: Any) -> Any:
    """What a list or a map of a type holds, else the type."""
    hint = plain(hint)
    return _item(get_args(hint)[-1]) if get_origin(hint) in (list, dict) else hint


def _member(kind: Any, step: str | int) -> Any:
    kind = plain(kind)
    if get_origin(kind) in (list, dict):
        return get_args(kind)[-1]
    found = [
        fields[str(step)] if step in fields else member
        for member, fields in ((one, _fields(one)) for one in _members(kind))
        if step in fields or step in get_args(plain(fields.get("kind")))
    ]
    return found[0] if found else None


def _members(kind: Any) -> tuple[Any, ...]:
    kind = plain(kind)
    return tuple(one for one in (get_args(kind) or (kind,)) if hasattr(one, "__total__"))


@cache
def _fields(model: Any) -> Mapping[str, Any]:
    return get_type_hints(model, include_extras=True)
