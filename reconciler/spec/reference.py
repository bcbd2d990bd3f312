"""The tables of docs/spec.md, made from the schema, so that every field is documented once: where it is checked.

``python -m reconciler.spec.reference < docs/spec.md > new.md`` puts fresh tables between the two marks of the page; a
test fails where they differ.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from reconciler.spec.schema import json_schema

BEGIN, END = "<!-- fields: made by python -m reconciler.spec.reference -->", "<!-- end of fields -->"
_HEAD = "| field | form | | meaning |\n| --- | --- | --- | --- |"


def weave(page: str) -> str:
    """The page with fresh tables between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def tables() -> str:
    """One table an object, from the outermost inwards."""
    schema = json_schema()
    definitions = schema["$defs"]
    order = ["Document"]
    for name in order:
        found = _referred((schema if name == "Document" else definitions[name])["properties"])
        order += [one for one in dict.fromkeys(found) if one not in order]
    for definition in definitions.values():
        for one in definition.get("properties", {}).values():
            if one.keys() == {"$ref"} | (one.keys() & {"title"}):
                one["description"] = definitions[one["$ref"].rpartition("/")[2]].get("description", "")
    return "\n".join(_table(name, schema if name == "Document" else definitions[name]) for name in order)


def _table(name: str, definition: dict[str, Any]) -> str:
    rows = [
        f"| `{field}` | {_form(one)} | {_presence(field, one, definition)} | {_cell(one.get('description', ''))} |"
        for field, one in definition["properties"].items()
    ]
    return "\n".join([f"### {name}", "", definition.get("description", ""), "", _HEAD, *rows, ""])


def _presence(field: str, one: dict[str, Any], definition: dict[str, Any]) -> str:
    if field in definition.get("required", ()):
        return "required"
    return f"default `{_plain(one['default'])}`" if "default" in one else ""


def _form(one: dict[str, Any]) -> str:
    """The JSON type, the range, the known values, or the object that is meant."""
    if found := list(_referred(one)):
        many = {"array": "list of ", "object": "map of ", "['object', 'array']": "map of "}.get(
            str(one.get("type")), ""
        )
        return many + " or ".join(f"[{name}](#{name.lower()})" for name in found)
    if values := _values(one):
        return ", ".join(f"`{value}`" for value in values)
    if one.get("type") == "array":
        return f"list of {_form(one['items'])}"
    if one.get("type") == "object":
        values = one.get("additionalProperties") or next(iter(one["patternProperties"].values()))
        return f"map to {_form(values)}"
    names = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    kind = names.get(one.get("type", ""), "text or whole number" if "anyOf" in one else "anything")
    low, high = one.get("minimum"), one.get("maximum")
    return f"{kind}, {low} to {high}" if high is not None else kind


def _values(one: dict[str, Any]) -> list[str]:
    if "const" in one:
        return [one["const"]]
    return list(one.get("enum") or next((part["enum"] for part in one.get("anyOf", ()) if "enum" in part), ()))


def _referred(value: Any) -> Iterator[str]:
    """Names of the objects that a piece of schema refers to, in order."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "$ref":
                name = one.rpartition("/")[2]
                if not name.startswith("az."):
                    yield name
            else:
                yield from _referred(one)
    elif isinstance(value, list):
        for one in value:
            yield from _referred(one)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(weave(sys.stdin.read()))
