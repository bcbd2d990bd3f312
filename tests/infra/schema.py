"""Compares a template's resources with the published schemas: names, required, read-only, types, enumerations, versions.

The facts are in schemas.json (see scripts/bicep_facts.py) and schemas_read.json. What Azure computes is not judged,
except the two literals of a ternary. An enumeration that the service calls open is taken as closed here: a value that
is not published is more likely a slip than a novelty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.infra.bicep import Declared, Expression, Template, references

_HERE = Path(__file__).parent
_BICEP = {"parent", "scope", "dependsOn"}
"""Properties that belong to the language, not to the resource."""
_SCALARS: dict[str, type] = {"string": str, "int": int, "bool": bool}

Json = Any


@cache
def facts() -> dict[str, Json]:
    """Resource type → ``{"version": …, "types": {name: shape}}``; the resource itself is the type without a name."""
    return {
        name: found
        for file in ("schemas.json", "schemas_read.json")
        for name, found in json.loads((_HERE / file).read_text())["resources"].items()
    }


def problems(template: Template) -> list[str]:
    """Everything that the schemas do not allow, one line each."""
    return [line for resource in template.resources.values() for line in _resource(template, resource)]


def _resource(template: Template, resource: Declared) -> Iterator[str]:
    where = f"{template.path}: {resource.name}"
    name, _, version = resource.kind.partition("@")
    known = facts().get(name)
    if known is None:
        yield f"{where}: nothing is known of {name}"
        return
    if version != known["version"]:
        yield f"{where}: version is {version}, the facts are of {known['version']}"
    yield from _parent(template, resource, name)
    body = {key: value for key, value in resource.value.items() if key not in _BICEP}
    if resource.existing:
        yield from (f"{where}: {key} is set on an existing resource" for key in body if key != "name")
        return
    yield from _object(body, known["types"][""], known["types"], where)


def reads(template: Template) -> Iterator[str]:
    """What a template reads of a resource and no schema knows: ``account.properties.primaryEndpoint.blob``."""
    for resource in template.resources.values():
        known = facts().get(resource.kind.partition("@")[0], {"types": {"": {"*": ["any", ""]}}})
        for path in sorted(references(template.text, resource.name)):
            if not _leads(path.split("."), "", known["types"]):
                yield f"{template.path}: {resource.name}: {path} is no property"


def _leads(path: list[str], kind: str, types: dict[str, Json]) -> bool:
    """Whether a path through the types ends somewhere; scalars have no properties, `any` has all."""
    if not path or kind == "any":
        return True
    if kind not in types:
        return False
    shape = types[kind]
    every: list[dict[str, list[str]]] = [shape]
    if "of" in shape:
        every = [{**each, shape["by"]: ["string", ""]} for each in shape["of"].values()]
    kinds = [(each.get(path[0], each.get("*", [""])))[0] for each in every]
    return any(_leads(path[1:], each, types) for each in kinds if each)


def _parent(template: Template, resource: Declared, name: str) -> Iterator[str]:
    above = name.rpartition("/")[0] if name.count("/") > 1 else ""
    if not above:
        return
    parent = template.resources.get(re.split(r"\W", str(resource.value.get("parent", "")))[0])
    if parent is None or parent.kind.partition("@")[0] != above:
        yield f"{template.path}: {resource.name}: parent is not a resource {above} of this file"


def _object(value: Json, shape: Json, types: dict[str, Json], where: str) -> Iterator[str]:
    if "of" in shape:
        decides = value.get(shape["by"])
        if isinstance(decides, Expression):
            decides = next(iter(shape["of"]))
        if decides not in shape["of"]:
            yield f"{where}.{shape['by']}: {decides!r} is none of {', '.join(shape['of'])}"
            return
        shape = shape["of"][decides]
        value = {key: found for key, found in value.items() if key != _by(shape, value)}
    for key, (_, flags) in shape.items():
        if "Required" in flags and key not in value and key not in ("name", *_deciding(shape)):
            yield f"{where}: {key} is missing"
    for key, found in value.items():
        if key not in shape and "*" not in shape:
            yield f"{where}: {key} is no property"
            continue
        kind, flags = shape.get(key) or shape["*"]
        if "ReadOnly" in flags:
            yield f"{where}.{key}: read-only"
        yield from _value(found, kind, types, f"{where}.{key}")


def _by(shape: Json, value: Json) -> str:
    """The property that decided: its type is its one value, so there is nothing left to check on it."""
    return next((key for key in _deciding(shape) if value.get(key) == shape[key][0]), "")


def _deciding(shape: Json) -> list[str]:
    return [
        key
        for key, (kind, _) in shape.items()
        if re.fullmatch(r"[A-Za-z]\w+", kind)
        and kind not in _SCALARS
        and key in ("name", "kind", "endpointType", "operatorType", "type")
    ]


def _value(value: Json, kind: str, types: dict[str, Json], where: str) -> Iterator[str]:
    if isinstance(value, Expression):
        for literal in re.findall(r"[?:]\s*'([^'$]*)'", value) if "|" in kind else ():
            yield from _value(literal, kind, types, where)
    elif value is None or kind == "any":
        return
    elif kind.endswith("[]"):
        yield from _list(value, kind[:-2].strip("()"), types, where)
    elif kind in _SCALARS:
        if type(value) is not _SCALARS[kind]:
            yield f"{where}: {value!r} is no {kind}"
    elif kind not in types:
        yield from _word(value, kind, where)
    elif isinstance(value, dict):
        yield from _object(value, types[kind], types, where)
    else:
        yield f"{where}: not an object"


def _list(value: Json, kind: str, types: dict[str, Json], where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where}: not a list"
        return
    for index, each in enumerate(value):
        yield from _value(each, kind, types, f"{where}[{index}]")


def _word(value: Json, kind: str, where: str) -> Iterator[str]:
    if isinstance(value, dict | list):
        yield f"{where}: the facts do not reach to {kind}; raise DEPTH in scripts/bicep_facts.py"
        return
    options = [each.strip() for each in kind.split("|")]
    if str(value) not in options or value == "string":
        yield f"{where}: {value!r} is none of {', '.join(each for each in options if each != 'string')}"
