"""Every way in which one place of a document can be wrong: null, absent, of another type, doubled.

`make soak` puts each wrong value in each place; else each place has some of them, and each of them stands in some.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import openapi
from tests.examples import crossed

Json = Any
Place = tuple[str | int, ...]

OTHERS: tuple[Json, ...] = (None, "text", "", 7, -1, 1.5, True, False, [], {}, [None], ["text"], [[]], {"id": None})
"""What stands in place of a value, unless it is of the same type."""
_DEPTH = 4


def mutations(document: Json) -> Iterator[tuple[str, Json]]:
    """A name and a document for each place and each way; `document` itself is left alone."""
    for place, other in crossed(places(document), OTHERS, one_of=3):
        value = at(document, place)
        if type(other) is not type(value) or (isinstance(value, list | dict) and value and other != value):
            yield f"{shown(place)} = {other!r}", replaced(document, place, other)
    for place in places(document):
        if place:
            yield f"{shown(place)} is absent", removed(document, place)


def doubled(document: Json) -> Iterator[tuple[str, Json]]:
    """The same with all entries of one list twice, and with a second entry that differs under the same id."""
    for place in places(document):
        value = at(document, place)
        if isinstance(value, list) and value:
            yield f"{shown(place)} doubled", _counted(replaced(document, place, [*value, *copy.deepcopy(value)]))


def places(value: Json, place: Place = ()) -> Iterator[Place]:
    """Every place of a document, from the top."""
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*place, key))


def at(document: Json, place: Place) -> Json:
    for key in place:
        document = document[key]
    return document


def shown(place: Place) -> str:
    return ".".join(map(str, place)) or "document"


def replaced(document: Json, place: Place, value: Json) -> Json:
    if not place:
        return copy.deepcopy(value)
    made = copy.deepcopy(document)
    at(made, place[:-1])[place[-1]] = copy.deepcopy(value)
    return made


def removed(document: Json, place: Place) -> Json:
    made = copy.deepcopy(document)
    del at(made, place[:-1])[place[-1]]
    return _counted(made)


def _counted(document: Json) -> Json:
    if isinstance(document, dict) and "count" in document and isinstance(document.get("value"), list):
        document["count"] = len(document["value"])
    return document


def enriched(sample: Json, plane: str, path: str) -> Json:
    """The sample with every further property that the published document of its route has, where there is one."""
    operation = openapi.find(plane, "GET", path, {})
    response = operation.raw["responses"].get("200", {}) if operation else {}
    if operation is None or "schema" not in response:
        return sample
    document, schema = openapi.resolve(operation.document, response["schema"])
    if isinstance(sample, dict) and isinstance(sample.get("value"), list) and schema.get("type") == "array":
        return {**sample, "value": [_filled(document, schema["items"], one, _DEPTH) for one in sample["value"]]}
    return _filled(document, schema, sample, _DEPTH)


def _filled(document: Path, raw: Json, sample: Json, depth: int) -> Json:
    document, schema = openapi.resolve(document, raw)
    if isinstance(sample, list) and "items" in schema:
        return [_filled(document, schema["items"], one, depth - 1) for one in sample]
    if not isinstance(sample, dict):
        return sample
    made = dict(sample)
    for name, (place, inner) in openapi.joined(document, schema)["properties"].items():
        if name in made:
            made[name] = _filled(place, inner, made[name], depth - 1)
        elif depth > 0 and (value := _drawn(place, inner, depth - 1)) is not None:
            made[name] = value
    return made


def _drawn(document: Path, raw: Json, depth: int) -> Json:
    """One value of a schema, or None where it has no simple one."""
    _, schema = openapi.resolve(document, raw)
    if "enum" in schema:
        return schema["enum"][0]
    kinds = {"string": "text", "integer": 1, "number": 1, "boolean": False, "array": []}
    if schema.get("format") == "date-time":
        return "2026-11-28T12:00:00Z"
    if schema.get("format") == "uuid":
        return "5d1bd2b9-0d2f-4a5e-9a6d-0f3a2c9d7e11"
    return kinds.get(schema.get("type", ""))
