"""Bicep: the pools of a file, or a part of one such as ``organizationProfile: { … }``, where values are literal.

Parsed with the Bicep grammar for tree-sitter. Texts, numbers, truth values, lists and objects are taken; a parameter
or variable is put in where it is literal itself, a parameter file counting first. A nullable parameter without a value
is null. Interpolation, conditions, calls and loops are left out and named with their line: nothing is computed
(Microsoft Learn: Bicep data types).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.documents import Json
from reconciler.errors import SpecInvalid
from reconciler.spec.problem import show
from reconciler.tools.convert import printed
from reconciler.tools.convert.bicep_values import COMMENTS, BicepValues, first_error, line_of, parsed, raw
from reconciler.tools.convert.piece import KIND, LEFT, Piece, Remarks

if TYPE_CHECKING:
    from tree_sitter import Node

_PARTS = ("organizationProfile", "fabricProfile", "agentProfile", "properties", "identity", "osProfile")
_LOOP = ("for_statement", "if_statement")
_DECLARED = re.compile(r"^\s*resource\s[^'\n]*'microsoft\.devopsinfrastructure/pools@", re.IGNORECASE | re.MULTILINE)
_COMMENT = re.compile(r"'''.*?'''|//[^\n]*|/\*.*?\*/", re.DOTALL)


def read(path: str, text: str, parameters: Mapping[str, Json]) -> list[Piece]:
    """All pools of a file, or the part that it is. `SpecInvalid` where it is neither, or not Bicep."""
    root = parsed(text)
    declared = [node for node in root.named_children if node.type == "resource_declaration" and _is_pool(node)]
    if len(declared) < len(_DECLARED.findall(_COMMENT.sub("", text))):
        raise SpecInvalid(_unreadable(path, text, root))
    made = [node for node in declared if not _is_existing(node)]
    found = [piece for node in made if (piece := _pool(path, text, node, root, parameters)) is not None]
    if found:
        return found
    modules = [node for node in root.named_children if node.type == "module_declaration"]
    if made or declared or modules or re.search(r"\bresource\s+\w+\s+'", text):
        raise SpecInvalid(_without_pool(path, made, declared, modules))
    return [_part(path, text, parameters)]


def _is_pool(node: Node) -> bool:
    kind = next((one for one in node.named_children if one.type == "string"), None)
    return kind is not None and raw(kind).strip("'").partition("@")[0].casefold() == KIND


def _is_existing(node: Node) -> bool:
    return any(one.type == "existing" or raw(one) == "existing" for one in node.children)


def _unreadable(path: str, text: str, root: Node) -> str:
    line, sentence = printed.missing_bracket(text)
    if line:
        return f"{path}:{line}: is not Bicep: {sentence}"
    return f"{path}:{first_error(root) or 1}: is not Bicep that convert can read"


def _without_pool(path: str, made: list[Node], declared: list[Node], modules: list[Node]) -> str:
    if made:
        return f"{path}:{line_of(made[0])}: the condition of the pool is false, so it is not made"
    if declared:
        return f"{path}:{line_of(declared[0])}: the pool is marked `existing`: this file does not make it"
    message = f"{path}: has no resource of type Microsoft.DevOpsInfrastructure/pools that it makes"
    if not modules:
        return message
    module = next((one for one in modules if "devops" in raw(one).casefold()), modules[0])
    source = next((raw(one).strip("'") for one in module.named_children if one.type == "string"), "")
    return (
        f"{message}; it may be in the module {show(source)} of line {line_of(module)}: "
        f"run `az bicep build --file {path}` and convert the JSON"
    )


def _pool(path: str, text: str, node: Node, root: Node, parameters: Mapping[str, Json]) -> Piece | None:
    """The pool of a declaration; None where its condition is false."""
    where = f"{path}:{line_of(node)}"
    if any(one.is_error or one.is_missing for one in node.children):
        raise SpecInvalid(_unreadable(path, text, node))
    remarks = Remarks()
    reader = BicepValues(path, root, parameters, remarks)
    holder = node
    while (inner := next((one for one in holder.named_children if one.type in _LOOP), None)) is not None:
        holder = inner
        if inner.type == "for_statement":
            remarks.leave_out((), where, "a loop makes the pool; what stands inside is written once")
            continue
        condition = next(one for one in inner.named_children if one.type not in COMMENTS)
        made = BicepValues(path, root, parameters, Remarks()).value(condition, ())
        if made is False:
            return None
        if made is not True:
            words = f"condition {show(raw(condition))} decides whether the pool is made; it is written as if it held"
            remarks.leave_out((), where, words)
    found = next((one for one in holder.named_children if one.type == "object"), None)
    if found is None:
        raise SpecInvalid(f"{where}: the pool has no body between braces; convert reads literal values only")
    if any(one.is_missing for one in found.children):
        raise SpecInvalid(_unreadable(path, text, found))
    body = reader.value(found, ())
    name = body.pop("name", "")
    if not isinstance(name, str):
        remarks.leave_out(("name",), where, f"is {show(name)}, and a name is a text")
        name = ""
    return Piece(where, body, name, whole=True, left_out=remarks.left_out, where=reader.where)


def _part(path: str, text: str, parameters: Mapping[str, Json]) -> Piece:
    """Properties without a resource around them; read as an object on the same lines."""
    root = parsed(f"var part = {{ // \n{text}\n}}\n")
    remarks = Remarks()
    reader = BicepValues(path, root, parameters, remarks, shift=1)
    node = next((one for one in root.named_children if one.type == "variable_declaration"), None)
    body: Json = LEFT
    if node and not root.has_error:
        body = reader.value(node.named_children[-1], ())
    if not isinstance(body, dict) or not any(key in body for key in _PARTS):
        line, sentence = printed.missing_bracket(text)
        place = line or (first_error(root, shift=1) if root.has_error else 0)
        raise SpecInvalid(
            f"{path}{f':{place}' if place else ''}: is neither a Bicep file with a pool nor a part of one"
            f"{f': {sentence}' if line else ''}"
        )
    if "osProfile" in body and node:
        remarks.left_out.clear()
        body = {"fabricProfile": reader.value(node.named_children[-1], ("fabricProfile",))}
    return Piece(path, body, left_out=remarks.left_out, where=reader.where)
