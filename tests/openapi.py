"""Checks requests and answers against the published OpenAPI (Swagger 2.0) documents, for tests of both sides.

The documents are not part of the project. Where the environment variable RECONCILER_OPENAPI names the folder that holds
them (laid out as `specification/` in Azure/azure-rest-api-specs and MicrosoftDocs/vsts-rest-api-specs), `documents()`
finds them; without it there are none and nothing is checked.

Beyond plain Draft 4: `x-ms-discriminator-value` is followed, unknown properties are reported, `x-ms-paths` are paths,
and an array that a document declares bare may come as `{"count", "value"}`, as Azure DevOps sends it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft4Validator

Json = Any
VARIABLE = "RECONCILER_OPENAPI"
METHODS = frozenset({"get", "put", "post", "patch", "delete", "head", "options"})


@dataclass(frozen=True)
class Operation:
    """One operation of one document."""

    plane: str
    document: Path
    template: str
    method: str
    raw: Json
    shared: tuple[Json, ...]
    """Parameters of the path as a whole."""
    pattern: re.Pattern[str]
    overload: frozenset[str]
    """Names in the query that make the operation another one on the same path (`x-ms-paths`)."""

    @property
    def parameters(self) -> list[Json]:
        """All parameters, with references followed."""
        return [resolve(self.document, item)[1] for item in (*self.shared, *self.raw.get("parameters", ()))]

    @property
    def demanded(self) -> frozenset[str]:
        """Names that the query must have, the version aside: where a path is two operations, they tell which is meant."""
        required = {p["name"].lower() for p in self.parameters if p["in"] == "query" and p.get("required")}
        return frozenset(required - {"api-version"})


def folder() -> Path | None:
    """Where the documents are; None where the place is not set."""
    given = os.environ.get(VARIABLE)
    return Path(given) if given else None


@cache
def load(path: Path) -> Json:
    """A document; those of Azure DevOps begin with a byte order mark."""
    return json.loads(path.read_text(encoding="utf-8-sig"))


def documents() -> list[tuple[str, Path]]:
    """Plane and path of every document; empty without the variable."""
    root = folder()
    if root is None:
        return []
    arm = sorted(root.glob("devopsinfrastructure/**/stable/*/devopsinfrastructure.json"))
    devops = sorted(root.glob("*/7.*/*.json"))
    return [("arm", path) for path in arm] + [("devops", path) for path in devops]


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of every document."""
    return tuple(op for plane, path in documents() for op in _operations(plane, path))


@cache
def _of_method(plane: str, method: str) -> tuple[Operation, ...]:
    return tuple(op for op in operations() if (op.plane, op.method) == (plane, method))


def _operations(plane: str, document: Path) -> Iterator[Operation]:
    whole = load(document)
    for template, item in {**whole.get("paths", {}), **whole.get("x-ms-paths", {})}.items():
        path, _, query = template.partition("?")
        names = frozenset(part.partition("=")[0].lower() for part in query.split("&") if part)
        pattern = re.compile(_pattern(whole.get("basePath", ""), path), re.IGNORECASE)
        for method in METHODS & set(item):
            shared = tuple(item.get("parameters", ()))
            yield Operation(plane, document, template, method, item[method], shared, pattern, names)


def _pattern(base: str, path: str) -> str:
    whole = base.rstrip("/") + path
    return re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(whole)) + "/?"


def find(plane: str, method: str, path: str, query: dict[str, str]) -> Operation | None:
    """The operation that describes a request: of several, the one with most fixed segments and most of its query given."""
    given = {name.lower() for name in query}
    place = unquote(path).replace(" ", "%20")
    fitting = [op for op in _of_method(plane, method.lower()) if op.pattern.fullmatch(place)]
    fitting = [op for op in fitting if op.overload <= given] or fitting
    fitting = [op for op in fitting if op.demanded <= given] or fitting
    return max(fitting, key=lambda op: (-op.template.partition("?")[0].count("{"), len(op.overload)), default=None)


def resolve(document: Path, raw: Json) -> tuple[Path, Json]:
    """Follow `$ref`, also into other files; says in which document the result stands."""
    while isinstance(raw, dict) and "$ref" in raw:
        file, _, pointer = raw["$ref"].partition("#")
        document = (document.parent / file).resolve() if file else document
        raw = load(document)
        for part in pointer.strip("/").split("/"):
            raw = raw[part.replace("~1", "/").replace("~0", "~")]
    return document, raw


def problems(document: Path, schema: Json, value: Json, where: str = "body") -> Iterator[str]:
    """What in the value does not fit the schema; empty where all does."""
    if isinstance(value, str) and str(schema.get("$ref", "")).endswith("/IdentityDescriptor"):
        return  # declared as an object, a text in every example
    document, schema = resolve(document, schema)
    merged = _merged(document, schema)
    if isinstance(value, dict) and merged["discriminator"]:
        merged = _variant(document, merged, value)
    for error in merged["validator"].iter_errors(value):
        yield f"{where}: {error.message}"
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from problems(document, schema["items"], item, f"{where}[{index}]")
    if isinstance(value, dict):
        yield from _members(merged, value, where)


def _members(merged: Json, value: Json, where: str) -> Iterator[str]:
    properties, rest = merged["properties"], merged["additional"]
    for name, found in value.items():
        if name in properties:
            document, schema = properties[name]
            nullable = found is None and name not in merged["required"]
            if not nullable:
                yield from problems(document, schema, found, f"{where}.{name}")
        elif rest is not None:
            if isinstance(rest[1], dict):
                yield from problems(rest[0], rest[1], found, f"{where}.{name}")
        elif properties:
            yield f"{where}.{name}: is not in the document"
    for name in sorted(merged["required"] - set(value)):
        yield f"{where}.{name}: is required"


_MERGED: dict[int, tuple[Json, Json]] = {}
"""By the identity of a schema, which is kept: what it and its parts say, and what checks it."""


def _merged(document: Path, schema: Json) -> Json:
    """As `joined`, and never made again: a list of ten thousand has one schema of its items."""
    kept = _MERGED.get(id(schema))
    if kept is None:
        found = joined(document, schema)
        kept = _MERGED[id(schema)] = (schema, {**found, "validator": Draft4Validator(found["own"])})
    return kept[1]


def joined(document: Path, schema: Json) -> Json:
    """The schema with those of `allOf` in it: properties with their documents, required names, what else is checked."""
    found: dict[str, Json] = {"properties": {}, "required": set(), "additional": None, "discriminator": "", "own": {}}
    for part in schema.get("allOf", ()):
        place, inner = resolve(document, part)
        other = joined(place, inner)
        found["properties"] |= other["properties"]
        found["required"] |= other["required"]
        found["discriminator"] = found["discriminator"] or other["discriminator"]
        found["additional"] = found["additional"] or other["additional"]
        found["own"] |= other["own"]
    found["properties"] |= {name: (document, raw) for name, raw in schema.get("properties", {}).items()}
    found["required"] |= set(schema.get("required", ()))
    found["discriminator"] = schema.get("discriminator", found["discriminator"])
    if "additionalProperties" in schema:
        found["additional"] = (document, schema["additionalProperties"])
    for key in ("type", "minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems"):
        if key in schema:
            found["own"][key] = schema[key]
    if "enum" in schema and not schema.get("x-ms-enum", {}).get("modelAsString", False):
        found["own"]["enum"] = schema["enum"]
    return found


def _variant(document: Path, merged: Json, value: Json) -> Json:
    """The subtype that the discriminator's value names; the base type where none does."""
    wanted = value.get(merged["discriminator"])
    for name, raw in load(document).get("definitions", {}).items():
        if raw.get("x-ms-discriminator-value", name) == wanted and "allOf" in raw:
            found = _merged(document, raw)
            if found["discriminator"] == merged["discriminator"] and set(merged["properties"]) <= set(
                found["properties"]
            ):
                return found
    return merged


def validate_request(plane: str, method: str, path: str, query: dict[str, str], body: Json) -> list[str]:
    """Problems of a request; a route that no document describes has none."""
    operation = find(plane, method, path, query)
    if operation is None:
        return []
    found = []
    given = {name.lower() for name in query}
    for parameter in operation.parameters:
        name = parameter["name"]
        if parameter["in"] == "query" and parameter.get("required") and name.lower() not in given:
            found.append(f"query.{name}: is required")
        if parameter["in"] == "body":
            if body is None and parameter.get("required"):
                found.append("body: is required")
            elif body is not None:
                found += problems(operation.document, parameter["schema"], body)
    known = {parameter["name"].lower() for parameter in operation.parameters if parameter["in"] == "query"}
    found += [f"query.{name}: is not in the document" for name in sorted(given - known - operation.overload)]
    return found


def validate_response(
    plane: str, method: str, path: str, query: dict[str, str], *, status: int, body: Json
) -> list[str]:
    """Problems of an answer; errors of Azure DevOps are not described and have none."""
    operation = find(plane, method, path, query)
    if operation is None:
        return []
    responses = operation.raw["responses"]
    success = 200 <= status < 300
    # The Azure DevOps documents declare 200 where examples answer 201 or 204, and no errors at all.
    response = responses.get(str(status)) or (responses.get("200") if success and plane == "devops" else None)
    response = response or (None if success else responses.get("default"))
    if response is None:
        return [f"status {status}: is not in the document"] if success or plane == "arm" else []
    if "schema" not in response:
        return [] if body is None or plane == "devops" else [f"status {status}: has a body, the document has none"]
    if body is None:
        return [] if plane == "devops" else [f"status {status}: has no body, the document has one"]
    return list(problems(operation.document, response["schema"], _bare(operation, response, body)))


def _bare(operation: Operation, response: Json, body: Json) -> Json:
    """The array inside `{"count", "value"}`, where the document declares a bare one."""
    schema = resolve(operation.document, response["schema"])[1]
    if schema.get("type") == "array" and isinstance(body, dict) and set(body) == {"count", "value"}:
        return body["value"]
    return body
