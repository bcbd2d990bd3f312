"""Reads Bicep into plain Python values: what a template declares, without computing anything.

Objects, arrays and literals become dicts, lists and scalars; everything that Azure computes stays as its text in an
`Expression`. This is a reader for checks, not a compiler: types of expressions and the order of a deployment are
Bicep's to judge, and docs/deploy.md asks for `az bicep build` for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_bicep

INFRA = Path(__file__).resolve().parents[2] / "infra"
_LANGUAGE = tree_sitter.Language(tree_sitter_bicep.language())

Value = Any
"""dict, list, str, int, bool, None or `Expression`."""


class Expression(str):
    """The text of something that Azure computes; unequal to the string literal of the same text."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other


@dataclass(frozen=True)
class Declared:
    """A param, var, resource, module or output."""

    name: str
    value: Value
    """Of a resource or module: its body, of one in a loop as well."""
    kind: str = ""
    """A param's or output's type, a resource's type with version, a module's path."""
    existing: bool = False
    condition: str = ""
    loop: str = ""
    decorators: tuple[str, ...] = ()


@dataclass(frozen=True)
class Template:
    """One file."""

    path: str
    text: str
    params: dict[str, Declared] = field(default_factory=dict)
    variables: dict[str, Declared] = field(default_factory=dict)
    resources: dict[str, Declared] = field(default_factory=dict)
    modules: dict[str, Declared] = field(default_factory=dict)
    outputs: dict[str, Declared] = field(default_factory=dict)
    scope: str = "resourceGroup"
    problems: tuple[str, ...] = ()
    """Places that do not parse."""


def templates() -> dict[str, Template]:
    """Every template of infra/, by its path below it."""
    return {str(path.relative_to(INFRA)): parse(path.read_text(), str(path.relative_to(INFRA))) for path in _files()}


def _files() -> list[Path]:
    return sorted(INFRA.rglob("*.bicep"))


def parse(text: str, path: str = "test.bicep") -> Template:
    """Read one template."""
    root = tree_sitter.Parser(_LANGUAGE).parse(text.encode()).root_node
    found = Template(path, text, problems=tuple(_problems(root, path)))
    homes = {
        "parameter_declaration": found.params,
        "variable_declaration": found.variables,
        "resource_declaration": found.resources,
        "module_declaration": found.modules,
        "output_declaration": found.outputs,
    }
    decorators: tuple[str, ...] = ()
    scope = "resourceGroup"
    for node in root.named_children:
        if node.type == "decorators":
            decorators = tuple(_text(each) for each in node.named_children)
            continue
        if node.type in homes:
            declared = _declared(node, decorators)
            homes[node.type][declared.name] = declared
        elif node.type == "target_scope_assignment":
            scope = _text(node).split("'")[1]
        decorators = ()
    return Template(
        path, text, found.params, found.variables, found.resources, found.modules, found.outputs, scope, found.problems
    )


def _problems(node: tree_sitter.Node, path: str) -> Iterator[str]:
    if node.type == "ERROR" or node.is_missing:
        yield f"{path}:{node.start_point.row + 1}: does not parse: {_text(node)[:60]!r}"
    for child in node.children:
        yield from _problems(child, path)


def _declared(node: tree_sitter.Node, decorators: tuple[str, ...]) -> Declared:
    parts = list(node.named_children)
    name, rest = _text(parts[0]), parts[1:]
    kind = ""
    if node.type in ("resource_declaration", "module_declaration"):
        kind, rest = str(_value(rest[0])), rest[1:]
    elif node.type in ("parameter_declaration", "output_declaration"):
        kind, rest = _text(rest[0]), rest[1:]
    existing = any(child.type == "existing" for child in node.children)
    body, loop, condition = (rest[-1] if rest else None), "", ""
    if body is not None and body.type == "for_statement":
        loop, body = _loop(body)
    if body is not None and body.type == "if_statement":
        condition = _text(body.named_children[0])
        body = body.named_children[-1]
    return Declared(name, None if body is None else _value(body), kind, existing, condition, loop, decorators)


def _loop(node: tree_sitter.Node) -> tuple[str, tree_sitter.Node]:
    body = node.named_children[-1]
    head = node.text.decode() if node.text else ""
    return head[: head.index(_text(body))].strip("[ \n:"), body


def _value(node: tree_sitter.Node) -> Value:
    if node.type == "object":
        return dict(_property(each) for each in node.named_children if each.type == "object_property")
    if node.type == "array":
        return [_value(each) for each in node.named_children if each.type != "comment"]
    if node.type == "string" and not any(each.type == "interpolation" for each in node.named_children):
        return _text(node).strip("'")
    if node.type in ("number", "boolean", "null"):
        return {"true": True, "false": False, "null": None}.get(_text(node), _number(_text(node)))
    return Expression(_text(node))


def _number(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdecimal() else text


def _property(node: tree_sitter.Node) -> tuple[str, Value]:
    key, value = node.named_children[0], node.named_children[-1]
    return _text(key).strip("'"), _value(value)


def _text(node: tree_sitter.Node) -> str:
    return node.text.decode() if node.text else ""


def references(text: str, name: str) -> set[str]:
    """What is read of a symbol: ``{'outputs.id'}`` for every ``name.outputs.id``, ``name[index]!.outputs.id``."""
    found = re.findall(rf"(?<![\w.'/]){re.escape(name)}(?:\[\w+\])?!?((?:\.\w+)+)", text)
    return {each.lstrip(".") for each in found}
