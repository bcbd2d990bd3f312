"""Bicep: the pools of a file, or a part of one such as ``organizationProfile: { … }``, where values are literal.

Parsed with the Bicep grammar for tree-sitter. Texts, numbers, truth values, lists and objects are taken; a parameter
or variable is put in where it is literal itself, a parameter file counting first. Interpolation, conditions, calls
and loops are left out and named with their line: nothing is computed (Microsoft Learn: Bicep data types).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.errors import SpecInvalid
from reconciler.spec.problem import show
from reconciler.tools.convert.piece import Piece

if TYPE_CHECKING:
    from tree_sitter import Node

Json = Any
KIND = "microsoft.devopsinfrastructure/pools"
DEEPEST = 8
_PARTS = ("organizationProfile", "fabricProfile", "agentProfile", "properties", "identity", "osProfile")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", "$": "$"}
_LOOP = ("for_statement", "if_statement")


class _Left:
    """Stands where a value was left out."""


LEFT = _Left()


def read(path: str, text: str, parameters: Mapping[str, Json]) -> list[Piece]:
    """All pools of a file, or the part that it is. `SpecInvalid` where it is neither, or no Bicep."""
    root = _parsed(text)
    found = [piece for piece in (_pool(path, node, root, parameters) for node in _declared(root)) if piece]
    if found:
        return found
    if re.search(r"\bresource\s+\w+\s+'", text):
        raise SpecInvalid(f"{path}: holds no resource of type Microsoft.DevOpsInfrastructure/pools that is made here")
    return [_part(path, text, parameters)]


def _parsed(text: str) -> Node:
    try:
        import tree_sitter  # noqa: PLC0415 - no other command needs them
        import tree_sitter_bicep  # noqa: PLC0415
    except ImportError:
        raise SpecInvalid(
            "bicep: reading Bicep needs packages that are not installed: pip install tree-sitter tree-sitter-bicep"
        ) from None
    language = tree_sitter.Language(tree_sitter_bicep.language())
    return tree_sitter.Parser(language).parse(text.encode()).root_node


def _declared(root: Node) -> Iterator[Node]:
    yield from (node for node in root.named_children if node.type == "resource_declaration")


def _pool(path: str, node: Node, root: Node, parameters: Mapping[str, Json]) -> Piece | None:
    kind = next((one for one in node.named_children if one.type == "string"), None)
    if kind is None or _raw(kind).strip("'").partition("@")[0].casefold() != KIND:
        return None
    if any(one.type == "existing" or _raw(one) == "existing" for one in node.children):
        return None
    where = f"{path}:{_line(node)}"
    reader = _BicepReader(path, root, parameters)
    holder = next((one for one in node.named_children if one.type in _LOOP), node)
    if holder is not node:
        reader.notes.append(f"left out: {where}: a loop or a condition makes it; what stands inside is written")
    found = next((reader.value(one) for one in holder.named_children if one.type == "object"), None)
    body: dict[str, Json] = found if isinstance(found, dict) else {}
    name = body.pop("name", "")
    return Piece(where, body, name if isinstance(name, str) else "", whole=True, notes=tuple(reader.notes))


def _part(path: str, text: str, parameters: Mapping[str, Json]) -> Piece:
    """Properties without a resource around them; read as an object on the same lines."""
    root = _parsed(f"var part = {{ // \n{text}\n}}\n")
    reader = _BicepReader(path, root, parameters, shift=1)
    node = next((one for one in root.named_children if one.type == "variable_declaration"), None)
    body = reader.value(node.named_children[-1]) if node and not root.has_error else None
    if not isinstance(body, dict) or not any(key in body for key in _PARTS):
        place = _first_error(root)
        raise SpecInvalid(
            f"{path}{f':{place}' if place else ''}: is neither a Bicep file with a pool nor a part of one"
        )
    if "osProfile" in body:
        body = {"fabricProfile": body}
    return Piece(path, body, notes=tuple(reader.notes))


def _first_error(root: Node) -> int:
    """Line in the file; 0 where there is none."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            return max(_line(node) - 1, 1)
        stack += reversed(node.children)
    return 0


class _BicepReader:
    """Values of one file; notes what it leaves out."""

    def __init__(self, path: str, root: Node, parameters: Mapping[str, Json], *, shift: int = 0) -> None:
        self.notes: list[str] = []
        self._path = path
        self._shift = shift
        self._given = parameters
        self._named = _names(root)
        self._depth = 0

    def value(self, node: Node) -> Json:
        """The value of an expression, or `LEFT`."""
        if node.type == "object":
            return self._object(node)
        if node.type == "array":
            entries = [self.value(one) for one in node.named_children if one.type != "comment"]
            return [one for one in entries if one is not LEFT]
        if node.type == "string":
            return self._string(node)
        if node.type == "identifier":
            return self._reference(node)
        plain = {"true": True, "false": False, "null": None}
        text = _raw(node)
        if node.type in ("boolean", "null"):
            return plain[text]
        return int(text) if node.type == "number" and re.fullmatch(r"-?\d+", text) else self._left(node, "is computed")

    def _object(self, node: Node) -> dict[str, Json]:
        result: dict[str, Json] = {}
        for one in node.named_children:
            if one.type == "comment":
                continue
            if one.type != "object_property" or len(one.named_children) < 2:  # noqa: PLR2004 - a name and a value
                self._left(one, "is no property")
                continue
            name, value = one.named_children[0], one.named_children[-1]
            key = self._string(name) if name.type == "string" else _raw(name)
            read = self.value(value)
            if isinstance(key, str) and read is not LEFT:
                result[key] = read
        return result

    def _string(self, node: Node) -> Json:
        text = _raw(node)
        if text.startswith("'''"):
            return text[3:-3].removeprefix("\r").removeprefix("\n")
        if any(one.type == "interpolation" for one in node.named_children):
            return self._left(node, "is put together from parts")
        return re.sub(r"\\(u\{([0-9a-fA-F]+)\}|.)", _unescaped, text[1:-1])

    def _reference(self, node: Node) -> Json:
        name = _raw(node)
        if name in self._given:
            return self._given[name]
        target = self._named.get(name)
        if target is None or self._depth >= DEEPEST:
            return self._left(node, "has no value here")
        self._depth += 1
        try:
            return self.value(target)
        finally:
            self._depth -= 1

    def _left(self, node: Node, why: str) -> Json:
        holder = node.parent
        prop = _raw(holder.named_children[0]) if holder is not None and holder.type == "object_property" else ""
        where = f"{self._path}:{_line(node) - self._shift}"
        self.notes.append(f"left out: {where}: {prop + ': ' if prop else ''}{show(_raw(node))} {why}")
        return LEFT


def _names(root: Node) -> dict[str, Node]:
    """Parameters and variables that have a value."""
    found = {}
    for node in root.named_children:
        parts = [one for one in node.named_children if one.type not in ("decorators", "type", "comment")]
        if node.type in ("parameter_declaration", "variable_declaration") and len(parts) > 1:
            found[_raw(parts[0])] = parts[-1]
    return found


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[2], 16)) if found[2] else _ESCAPES.get(found[1], found[1])


def _raw(node: Node) -> str:
    return (node.text or b"").decode()


def _line(node: Node) -> int:
    return node.start_point[0] + 1
