"""Values of Bicep: literals, and parameters and variables that are literal; the rest is left out with its line."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.documents import Json
from reconciler.errors import SpecInvalid
from reconciler.spec.problem import Path, show
from reconciler.tools.convert.piece import DEEPEST, LEFT, MOST_LEVELS, MOST_VALUES, Remarks
from reconciler.tools.convert.printed import DOTS, DOTS_AMONG, DOTS_REASON, SPREAD

if TYPE_CHECKING:
    from tree_sitter import Node

COMMENTS = ("comment", "diagnostic_comment")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", "$": "$"}
_UNKNOWN_KEY = "?"


class BicepValues:
    """Values of one file; what it leaves out goes to the remarks."""

    def __init__(
        self, path: str, root: Node, parameters: Mapping[str, Json], remarks: Remarks, *, shift: int = 0
    ) -> None:
        self._path = path
        self._given = parameters
        self._named = _names(root)
        self._remarks = remarks
        self._shift = shift
        self._lines: dict[Path, int] = {}
        self._depth = 0
        self._read = 0

    def value(self, node: Node, path: Path) -> Json:
        """The value of an expression at a path of the pool, or `LEFT`."""
        self._read += 1
        if self._read > MOST_VALUES:
            raise SpecInvalid(f"{self._path}: has more than {MOST_VALUES} values; a pool has fewer")
        if len(path) > MOST_LEVELS:
            raise SpecInvalid(f"{self._path}:{line_of(node)}: is nested deeper than {MOST_LEVELS} levels")
        self._lines[path] = line_of(node) - self._shift
        if node.type == "object":
            return self._remarks.whole(path, lambda: self._object(node, path))
        if node.type == "array":
            return self._remarks.whole(path, lambda: self._array(node, path))
        if node.has_error:
            return self._left(node, path, "cannot be read")
        if node.type in ("nullable_type", "parenthesized_expression") and len(node.named_children) == 1:
            return self.value(node.named_children[0], path)
        return self._scalar(node, path)

    def where(self, path: Path) -> str:
        """File and line of a part that was read; of the nearest one around it where it was not."""
        while path and path not in self._lines:
            path = path[:-1]
        return f"{self._path}:{self._lines.get(path, 1)}"

    def _scalar(self, node: Node, path: Path) -> Json:
        if node.type == "string":
            return self._string(node, path)
        if node.type == "identifier":
            return self._reference(node, path)
        text = raw(node)
        if node.type in ("boolean", "null"):
            return {"true": True, "false": False, "null": None}[text]
        if node.type == "number" and re.fullmatch(r"-?\d+", text):
            return int(text)
        return self._left(node, path, "is computed")

    def _array(self, node: Node, path: Path) -> list[Json]:
        entries = [one for one in node.children if (one.is_named or one.is_missing) and one.type not in COMMENTS]
        return [
            self._left(one, (*path, index), "cannot be read")
            if one.is_error or one.is_missing
            else self.value(one, (*path, index))
            for index, one in enumerate(entries)
        ]

    def _object(self, node: Node, path: Path) -> dict[str, Json]:
        result: dict[str, Json] = {}
        own: set[str] = set()
        """Keys that the object writes itself; those that it spreads may come again."""
        for one in node.children:
            if one.is_missing or (one.is_named and one.type != "object_property" and one.type not in COMMENTS):
                self._left(one, (*path, _UNKNOWN_KEY), "is not a property")
            elif one.type == "object_property":
                self._property(one, path, result, own)
        return result

    def _property(self, node: Node, path: Path, result: dict[str, Json], own: set[str]) -> None:
        parts = [one for one in node.named_children if one.type not in COMMENTS]
        if len(parts) != 2 or any(one.is_error or one.is_missing for one in node.children):  # noqa: PLR2004 - a name and a value
            self._left(node, (*path, _UNKNOWN_KEY), "is not a property")
            return
        name, value = parts
        key = self._string(name, (*path, _UNKNOWN_KEY)) if name.type == "string" else raw(name)
        if key is LEFT:
            return
        if isinstance(key, str) and key.startswith(SPREAD):
            self._spread(value, path, result)
        elif key in own:
            self._left(node, (*path, key), "is given twice")
        else:
            own.add(key)
            result.pop(key, None)
            if (found := self.value(value, (*path, key))) is not LEFT:
                result[key] = found

    def _spread(self, node: Node, path: Path, result: dict[str, Json]) -> None:
        """Dots of a page, or an object whose properties belong here and replace those before it."""
        if raw(node) == f"'{DOTS}'":
            self._left(node, (*path, _UNKNOWN_KEY), DOTS_AMONG, shown="")
            return
        before = len(self._remarks.left_out)
        found = self.value(node, path)
        lost = {one.path[len(path) :][:1] for one in self._remarks.left_out[before:]}
        known = found if isinstance(found, dict) else {}
        if () in lost or not isinstance(found, dict | None):
            lost |= {(key,) for key in result}
        for key in [key for key in result if (key,) in lost and key not in known]:
            del result[key]
            self._left(node, (*path, key), "may replace it", shown=f"{SPREAD}{raw(node)}")
        result.update(known)

    def _string(self, node: Node, path: Path) -> Json:
        text = raw(node)
        if text.startswith("'''"):
            return text[3:-3].removeprefix("\r").removeprefix("\n")
        if any(one.type == "interpolation" for one in node.named_children):
            return self._left(node, path, "is put together from parts")
        if text == f"'{DOTS}'":
            return self._left(node, path, DOTS_REASON, shown="")
        return re.sub(r"\\(u\{([0-9a-fA-F]+)\}|.)", _unescaped, text[1:-1])

    def _reference(self, node: Node, path: Path) -> Json:
        name = raw(node)
        if name in self._given:
            return self._given[name]
        if name not in self._named or self._depth >= DEEPEST:
            return self._left(node, path, "has no value here")
        target = self._named[name]
        if target is None:
            return None
        self._depth += 1
        try:
            return self.value(target, path)
        finally:
            self._depth -= 1

    def _left(self, node: Node, path: Path, reason: str, *, shown: str | None = None) -> Json:
        text = raw(node) if shown is None else shown
        if shown is None and node.type == "unary_expression" and text.startswith("!"):
            text = SPREAD + text[1:]
        known = path[:-1] if path[-1:] == (_UNKNOWN_KEY,) else path
        words = f"{show(text)} {reason}" if text else reason
        return self._remarks.leave_out(known, f"{self._path}:{line_of(node) - self._shift}", words)


def parsed(text: str) -> Node:
    """The syntax tree; `SpecInvalid` where the grammar is not installed."""
    try:
        import tree_sitter  # noqa: PLC0415 - an extra of the command line; nothing else needs it
        import tree_sitter_bicep  # noqa: PLC0415
    except ImportError:
        raise SpecInvalid("bicep: reading Bicep needs the extra `cli`: pip install 'mdp-reconciler[cli]'") from None
    language = tree_sitter.Language(tree_sitter_bicep.language())
    return tree_sitter.Parser(language).parse(text.encode()).root_node


def first_error(root: Node, *, shift: int = 0) -> int:
    """Line in the file of the first part that is not Bicep; 0 where there is none."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            return max(line_of(node) - shift, 1)
        stack += reversed(node.children)
    return 0


def line_of(node: Node) -> int:
    """Line on which it begins, from 1."""
    return node.start_point[0] + 1


def raw(node: Node) -> str:
    """The text of a node."""
    return (node.text or b"").decode()


def _names(root: Node) -> dict[str, Node | None]:
    """Parameters and variables that have a value; None for a nullable parameter without one."""
    found: dict[str, Node | None] = {}
    for node in root.named_children:
        if node.type not in ("parameter_declaration", "variable_declaration"):
            continue
        parts = [one for one in node.named_children if one.type not in ("decorators", "type", *COMMENTS)]
        if len(parts) > 1:
            found[raw(parts[0])] = parts[-1]
        elif parts and any(raw(one).rstrip().endswith("?") for one in node.named_children if one.type == "type"):
            found[raw(parts[0])] = None
    return found


def _unescaped(found: re.Match[str]) -> str:
    if found[2]:
        code = int(found[2], 16)
        return chr(code) if code <= sys.maxunicode else found[0]
    return _ESCAPES.get(found[1], found[1])
