"""What pydantic found, in the words of the people who write specs.

Locations that pydantic gives name the member of a union; they are brought back to keys and positions of the data. For a
name that nobody knows, the nearest one of the same object is offered, or the place where that name belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic_core import ErrorDetails, ValidationError

from reconciler.spec.document import Document
from reconciler.spec.problem import Finding, Path, listing, nearest, show, spell

_TYPES = {
    "string_type": "a text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
}
_UNION = "union_tag_invalid"
_KINDS = (_UNION, "union_tag_not_found")


def translate(error: ValidationError, data: Any) -> Iterator[Finding]:
    """One finding an error, with paths of the data that was validated."""
    seen: set[Path] = set()
    for one in error.errors(include_url=False):
        path = data_path(one["loc"], data)
        if path not in seen:
            seen.add(path)
            yield path, sentence(one, path, data)


def data_path(loc: tuple[str | int, ...], data: Any) -> Path:
    """pydantic's location without the members of unions that it went through."""
    path: list[str | int] = []
    value = data
    for index, step in enumerate(loc):
        if isinstance(value, dict) and step in value:
            path.append(step)
            value = value[step]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            path.append(step)
            value = value[step]
        elif isinstance(value, dict) and index == len(loc) - 1 and step != "[key]":
            path.append(step)
    return tuple(path)


def sentence(error: ErrorDetails, path: Path, data: Any) -> str:
    """What is wrong, with both values and the remedy."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "form":
        return str(context["message"])
    if kind == "extra_forbidden":
        return unknown(error["loc"], path)
    if kind == "missing":
        return "is missing; add it"
    if value is None:
        return "has no value; write one, or remove the field, which is then not managed"
    if kind in _TYPES:
        return wrong_type(_TYPES[kind], value)
    if kind == "literal_error":
        return not_one_of(value, [one.strip("'") for one in str(context["expected"]).replace(" or ", ", ").split(", ")])
    if kind in _KINDS:
        return wrong_kind(error, path, data)
    return limits(kind, value, context)


def wrong_type(wanted: str, value: Any) -> str:
    """A value of another JSON type, with what to do about the usual slips."""
    if wanted == "a text" and isinstance(value, bool | int | float):
        return f"is read as {kind_of(value)}, {show(value)}; write it in quotes: '{show(value)}'"
    if wanted == "a list" and not isinstance(value, dict):
        return f"is {kind_of(value)}; write a list: [{show(value)}]"
    return f"is {kind_of(value)}{'' if isinstance(value, dict | list) else f', {show(value)}'}; write {wanted}"


def kind_of(value: Any) -> str:
    """The JSON type of a value, with its article."""
    if isinstance(value, bool):
        return "a truth value"
    names = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return names.get(type(value), "a value of another kind")


def not_one_of(value: Any, known: list[str]) -> str:
    """A value outside a closed set."""
    meant = nearest(str(value), known)
    if len(known) == 1:
        return f"is {show(value)}; write {known[0]}"
    return f"is {show(value)}; " + (
        f"did you mean {meant}? It is {listing(known)}" if meant else f"write {listing(known)}"
    )


def wrong_kind(error: ErrorDetails, path: Path, data: Any) -> str:
    """An object whose `kind` is missing or unknown: its fields cannot be checked then."""
    tags = [tag.strip("'") for tag in str(error.get("ctx", {}).get("expected_tags", "")).split(", ")]
    if error["type"] == _UNION:
        return f"kind {not_one_of(error['ctx']['tag'], tags)}"
    names = known_names(error["loc"])
    return f"has no kind; write kind: {listing(names.get('kind', ('…',)))}"


def limits(kind: str, value: Any, context: Mapping[str, Any]) -> str:
    """Numbers out of range, lists and texts of the wrong length."""
    if kind == "greater_than_equal":
        return f"is {show(value)}; the least is {context['ge']}"
    if kind == "less_than_equal":
        return f"is {show(value)}; the most is {context['le']}"
    if kind == "greater_than":
        return f"is {show(value)}; write a number above {context['gt']}"
    if kind in ("too_short", "string_too_short"):
        return "is empty; give at least one"
    return f"is too long; the most is {context.get('max_length', '…')} characters"


def unknown(loc: tuple[str | int, ...], path: Path) -> str:
    """A field that nobody knows: the nearest name, else where a field of that name belongs, else all names."""
    name, known = str(path[-1]), known_names(loc[:-1])
    if meant := nearest(name, known):
        return f"is not a field; did you mean {meant}?"
    if home := homes().get(name):
        return f"is not a field here; it belongs {home}"
    return f"is not a field; known here are {listing(sorted(known))}"


def known_names(loc: tuple[str | int, ...]) -> Mapping[str, tuple[str, ...]]:
    """Fields of the object at pydantic's location, each with its values where they are a closed set."""
    kind: Any = Document
    for step in loc:
        kind = _member(kind, step)
    fields: dict[str, tuple[str, ...]] = {}
    for member in _members(kind):
        for name, hint in _fields(member).items():
            literal = plain(hint)
            fields[name] = fields.get(name, ()) + (get_args(literal) if get_origin(literal) is Literal else ())
    return fields


@cache
def homes() -> Mapping[str, str]:
    """Field → where it belongs, for every field of the format; the first place counts."""
    found: dict[str, str] = {}
    todo: list[tuple[Path, Any]] = [((), Document)]
    for where, kind in todo:
        for member in _members(kind):
            for name, hint in _fields(member).items():
                found.setdefault(name, f"under {spell(where)}" if where else "at the top of the file")
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
    for member in _members(kind):
        fields = _fields(member)
        if step in fields:
            return fields[str(step)]
        if step in get_args(plain(fields.get("kind"))):
            return member
    return None


def _members(kind: Any) -> tuple[Any, ...]:
    kind = plain(kind)
    return tuple(one for one in (get_args(kind) or (kind,)) if hasattr(one, "__total__"))


@cache
def _fields(model: Any) -> Mapping[str, Any]:
    return get_type_hints(model, include_extras=True)
