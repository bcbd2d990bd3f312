"""Random bodies of one definition of a published (Swagger 2.0) document, whatever properties it has.

References are followed, bases (`allOf`) merged in, a discriminator becomes a choice of its kinds, what is read-only is
left out, and every optional property is there or not. What the document does not say of a value and the service does is
given by the end of its path (`Said`).

Two libraries were tried for it: of schemathesis' bodies most lack most optional properties (of 600 a fifth of the
properties were in none), and hypothesis-jsonschema does not run with this hypothesis. Its own strategies are enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests import openapi

Json = Any
Drawn = st.SearchStrategy[Json]
Said = Mapping[str, Drawn | None]
"""The end of a property's path (`sku.name`, `alias`) → its values; None: only the service sets it."""

WORDS = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789.-äß ", max_size=12)
"""For a text of which nothing is known."""


def values(document: Path, raw: Json, said: Said, where: str = "") -> Drawn:
    """Values that a schema allows and that `said` leaves; `where` is the path of property names and kinds."""
    if (found := _told(said, where)) is not None:
        return found
    place, meant = openapi.resolve(document, raw)
    joined = openapi.joined(place, meant)
    if joined["discriminator"]:
        return st.one_of([_object(place, one, said, f"{where}.{kind}") for kind, one in kinds(place, raw, joined)])
    if joined["properties"] or joined["additional"]:
        return _object(place, joined, said, where)
    if "items" in meant:
        return st.lists(values(place, meant["items"], said, where), max_size=3)
    return _scalar(meant)


def known(document: Path, raw: Json, said: Said, where: str = "") -> Iterator[str]:
    """The path of every property that `values` may draw, without kinds."""
    place, meant = openapi.resolve(document, raw)
    joined = openapi.joined(place, meant)
    if joined["discriminator"]:
        for kind, one in kinds(place, raw, joined):
            yield from (path.replace(f".{kind}.", ".") for path in _names(one, said, f"{where}.{kind}"))
    elif "items" in meant:
        yield from known(place, meant["items"], said, where)
    else:
        yield from _names(joined, said, where)


def paths(value: Json, where: str = "") -> Iterator[str]:
    """The path of every property that a body has; positions in lists are left out of it."""
    for one in value if isinstance(value, list) else ():
        yield from paths(one, where)
    for name, inner in value.items() if isinstance(value, dict) else ():
        here = f"{where}.{name}".lstrip(".")
        yield here
        yield from paths(inner, here)


def kinds(document: Path, raw: Json, base: Json) -> Iterator[tuple[str, Json]]:
    """Value of the discriminator, and what is derived from the base with that value fixed."""
    name = str(raw["$ref"]).rpartition("/")[2]
    for other, definition in openapi.load(document)["definitions"].items():
        if any(part.get("$ref", "").endswith(f"/{name}") for part in definition.get("allOf", ())):
            value = definition.get("x-ms-discriminator-value", other)
            found = openapi.joined(document, definition)
            fixed = {**found["properties"], base["discriminator"]: (document, {"enum": [value]})}
            yield value, {**found, "properties": fixed, "required": found["required"] | {base["discriminator"]}}


def _told(said: Said, where: str) -> Drawn | None:
    fitting = [end for end in said if f".{where}".endswith(f".{end}")]
    return said[max(fitting, key=len)] if fitting else None


def _drawn(joined: Json, said: Said, where: str) -> Iterator[tuple[str, Path, Json]]:
    """Properties that a body may have: name, document and schema."""
    for name, (document, raw) in joined["properties"].items():
        here = f"{where}.{name}".lstrip(".")
        fitting = [end for end in said if f".{here}".endswith(f".{end}")]
        left = any(said[end] is None for end in fitting)
        if not (left or raw.get("readOnly") or openapi.resolve(document, raw)[1].get("readOnly")):
            yield name, document, raw


def _object(document: Path, joined: Json, said: Said, where: str) -> Drawn:
    fields = {
        name: values(place, raw, said, f"{where}.{name}".lstrip("."))
        for name, place, raw in _drawn(joined, said, where)
    }
    if not fields and isinstance(rest := joined["additional"], tuple):
        return st.dictionaries(WORDS, values(rest[0], rest[1], said, where), max_size=3)
    needed = {name: found for name, found in fields.items() if name in joined["required"]}
    others = {name: found for name, found in fields.items() if name not in needed}  # in order: the same in each process
    return st.fixed_dictionaries(needed, optional=others)


def _names(joined: Json, said: Said, where: str) -> Iterator[str]:
    for name, document, raw in _drawn(joined, said, where):
        here = f"{where}.{name}".lstrip(".")
        yield here
        if _told(said, here) is None:
            yield from known(document, raw, said, here)


def _scalar(meant: Json) -> Drawn:
    if "enum" in meant:
        return st.sampled_from(meant["enum"])
    low, high = meant.get("minimum", -(2**31)), meant.get("maximum", 2**31 - 1)
    of: dict[str, Drawn] = {"integer": st.integers(low, high), "boolean": st.booleans(), "string": WORDS}
    return of[meant["type"]]
