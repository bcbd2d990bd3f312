"""Writes tests/infra/schemas.json: names and types of Azure's resources, which infra/ is checked against.

The facts are what Microsoft's `azmcp bicepschema get` prints for a resource type (npm package @azure/mcp, pinned in
the Makefile; it needs no network). One call takes one to six seconds and there are thirty, so the tests read this
file instead. Descriptions are left out, and types that the templates cannot reach. Run it by `make facts` after a
new resource type or a new version of the package.

Four types are not in that package; their facts are in tests/infra/schemas_read.json, by hand, each with its document.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "tests" / "infra" / "schemas.json"
READ = ROOT / "tests" / "infra" / "schemas_read.json"
DEPTH = 7
"""How far from a resource a type may be; the checker says so where a template goes further."""
_RESOURCE = re.compile(r"'(Microsoft\.[\w./]+)@([\w-]+)'")

Json = Any


def main(arguments: list[str]) -> int:
    """Read the schema of every type that a template names, and write the facts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--azmcp", type=Path, default=ROOT / ".venv/azmcp/node_modules/.bin/azmcp")
    parser.add_argument(
        "--cache", type=Path, default=ROOT / ".venv/azmcp/answers", help="folder with the output of earlier calls"
    )
    options = parser.parse_args(arguments)
    package = json.loads((options.azmcp.parent.parent / "@azure/mcp/package.json").read_text(encoding="utf-8"))
    read = json.loads(READ.read_text(encoding="utf-8"))["resources"] if READ.exists() else {}
    resources = {}
    for name in sorted(set(_named()) - set(read)):
        answer = _schema(options.azmcp, name, options.cache)
        resources[name] = _facts(answer, name)
    lines = [f"{json.dumps(name)}: {json.dumps(facts, sort_keys=True)}" for name, facts in resources.items()]
    source = f"npm @azure/mcp {package['version']}, azmcp bicepschema get"
    TARGET.write_text(
        f'{{"source": {json.dumps(source)}, "resources": {{\n' + ",\n".join(lines) + "\n}}\n", encoding="utf-8"
    )
    print(f"{TARGET.relative_to(ROOT)}: {len(resources)} types from {source}")  # noqa: T201 - a command
    return 0


def _named() -> Iterator[str]:
    for path in sorted((ROOT / "infra").rglob("*.bicep")):
        yield from (found[1] for found in _RESOURCE.finditer(path.read_text(encoding="utf-8")))


def _schema(azmcp: Path, name: str, cache: Path) -> list[Json]:
    kept = cache / (name.replace("/", "_") + ".json")
    if not kept.exists():
        done = subprocess.run(  # noqa: S603 - the pinned tool, with a type's name
            [str(azmcp), "bicepschema", "get", "--resource-type", name],
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        cache.mkdir(parents=True, exist_ok=True)
        kept.write_text(done.stdout, encoding="utf-8")
    found: list[Json] = json.loads(kept.read_text(encoding="utf-8"))["results"]["BicepSchemaResult"]
    return found


def _facts(answer: list[Json], name: str) -> Json:
    bodies = [entry["bodyType"] for entry in answer if entry["$type"] == "Resource" and _is(entry["bodyType"], name)]
    types = {entry["name"]: entry for entry in answer if entry["$type"] in ("Object", "DiscriminatedObject")}
    body = bodies[0]
    kept: dict[str, Json] = {"": _shape(body)}
    edge = _used(body, types)
    for _ in range(DEPTH):
        fresh = {each for each in edge if each not in kept}
        kept |= {each: _shape(types[each]) for each in fresh}
        edge = {follow for each in fresh for follow in _used(types[each], types)}
    return {"version": _version(body, answer), "types": kept}


def _is(body: Json, name: str) -> bool:
    names = [body["name"], *(element["name"] for element in body.get("elements", []))]
    return name.lower() in [each.lower() for each in names]


def _version(body: Json, answer: list[Json]) -> str:
    everywhere = [*_properties(body), *(each for element in body.get("elements", []) for each in _properties(element))]
    stated = next((each["type"] for each in everywhere if each["name"] == "apiVersion"), "")
    found: str = stated or next(entry["apiVersion"] for entry in answer if entry["$type"] == "ResourceInstanceFunction")
    return found


def _properties(shape: Json) -> list[Json]:
    return [*shape.get("properties", []), *shape.get("baseProperties", [])]


def _shape(entry: Json) -> Json:
    """``{property: [type, flags]}``; where one property decides, ``{"by": its name, "of": {value: properties}}``."""
    plain = {each["name"]: [each["type"], each.get("flags", "")] for each in _properties(entry)}
    if "additionalPropertiesType" in entry:
        plain["*"] = [entry["additionalPropertiesType"], ""]
    if entry["$type"] != "DiscriminatedObject":
        return plain
    by = entry["discriminator"]
    of = {}
    for element in entry["elements"]:
        own = _shape(element)
        of[own[by][0]] = {**plain, **own}
    return {"by": by, "of": of}


def _used(entry: Json, types: dict[str, Json]) -> set[str]:
    parts = [entry, *entry.get("elements", [])]
    words = {word for part in parts for each in _properties(part) for word in re.findall(r"\w+", each["type"])}
    words |= {
        word for part in parts for word in re.findall(r"\w+", json.dumps(part.get("additionalPropertiesType", "")))
    }
    return words & set(types)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
