"""Compares what templates say of each other: parameters and outputs of modules, scopes, names that nothing declares.

Bicep's compiler would say these; it cannot run where the tests run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import tree_sitter

from tests.infra.bicep import _LANGUAGE, INFRA, Declared, Expression, Template, references

_LITERALS: dict[type, str] = {str: "string", int: "int", bool: "bool", list: "array", dict: "object"}
FUNCTIONS = frozenset(
    [
        "cidrSubnet",
        "concat",
        "empty",
        "environment",
        "filter",
        "guid",
        "items",
        "join",
        "last",
        "loadJsonContent",
        "loadTextContent",
        "map",
        "resourceGroup",
        "split",
        "subscription",
        "subscriptionResourceId",
        "tenant",
        "toObject",
        "trim",
        "union",
        "uniqueString",
    ]
)
"""Functions of Bicep that the templates use; a new one is added here when it is looked up."""

Files = dict[str, Template]


def problems(files: Files) -> list[str]:
    """Everything that two places say differently, one line each."""
    found = [line for file in files.values() for line in (*file.problems, *_symbols(file))]
    for file in files.values():
        for module in file.modules.values():
            found.extend(_module(files, file, module))
    return found


def _module(files: Files, file: Template, module: Declared) -> Iterator[str]:
    where = f"{file.path}: {module.name}"
    target = files.get(_target(file.path, module.kind))
    if target is None:
        yield f"{where}: there is no {module.kind}"
        return
    for line in _parameters(files, file, module.value.get("params", {}), target):
        yield f"{where}: {line}"
    for read in references(file.text, module.name):
        kind, _, name = read.partition(".")
        if kind == "outputs" and name.partition(".")[0] not in target.outputs:
            yield f"{where}: {target.path} has no output {name or '(outputs as a whole are not values)'}"
    if target.scope != file.scope and "scope" not in module.value:
        yield f"{where}: {target.path} is for a {target.scope}, and no scope is given"


def _parameters(files: Files, file: Template, given: dict[str, Any], target: Template) -> Iterator[str]:
    for name, value in given.items():
        wanted = target.params.get(name)
        if wanted is None:
            yield f"{target.path} has no parameter {name}"
        elif not _fits(value, wanted):
            yield f"{name} is {value!r}, but {target.path} wants {wanted.kind}"
        elif (kind := _kind(files, file, value)) not in ("", wanted.kind):
            yield f"{name} is of type {kind}, but {target.path} wants {wanted.kind}"
    for name, param in target.params.items():
        if param.value is None and name not in given:
            yield f"{target.path} wants {name}"


def _kind(files: Files, file: Template, value: Any) -> str:
    """Type of a parameter, or of a module's output, that is handed on as it is; empty where Azure computes something."""
    if not isinstance(value, Expression):
        return ""
    if str(value) in file.params:
        return file.params[str(value)].kind
    output = re.fullmatch(r"(\w+)(?:\[\w+\])?!?\.outputs\.(\w+)", str(value))
    module = file.modules.get(output[1]) if output else None
    target = files.get(_target(file.path, module.kind)) if module else None
    return target.outputs[output[2]].kind if target and output and output[2] in target.outputs else ""


def _target(path: str, kind: str) -> str:
    parts: list[str] = []
    for part in (*PurePosixPath(path).parent.parts, *PurePosixPath(kind).parts):
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def _fits(value: Any, param: Declared) -> bool:
    if isinstance(value, Expression) or value is None:
        return True
    allowed = [each for each in param.decorators if each.startswith("@allowed")]
    if allowed and str(value) not in re.findall(r"[\w.-]+", allowed[0]):
        return False
    return _LITERALS[type(value)] == param.kind


def parameter_problems(files: Files, text: str) -> list[str]:
    """What main.parameters.json and main.bicep say differently; `text` is the file's."""
    given = json.loads(text)["parameters"]
    params = files["main.bicep"].params
    found = [f"main.parameters.json: main.bicep has no parameter {name}" for name in given if name not in params]
    for name, param in params.items():
        if name not in given and param.value is None:
            found.append(f"main.parameters.json: {name} is missing")
        elif name in given and "=" not in given[name]["value"] and param.value is not None:
            found.append(f"main.parameters.json: {name} has a default, and azd would ask for it")
        elif name in given and param.kind in ("array", "object"):
            found.append(f"main.parameters.json: {name} is an {param.kind}, and azd hands over text")
    return found


def _symbols(file: Template) -> Iterator[str]:
    """Names that are used and not declared, declared and not used; functions without a look-up."""
    root = tree_sitter.Parser(_LANGUAGE).parse(file.text.encode()).root_node
    used, called, local = set[str](), set[str](), set[str]()
    for node in _walk(root):
        text = node.text.decode() if node.text else ""
        parent = node.parent
        if parent is None or node.type not in ("identifier", "loop_variable", "loop_enumerator"):
            continue
        if node.type != "identifier":
            local |= set(re.findall(r"\w+", text))
        elif parent.type == "call_expression" and parent.children[0] == node:
            called.add(text)
        elif _introduces(node, parent):
            local.add(text)
        elif not (parent.type == "object_property" and parent.children[0] == node) and not _declares(node, parent):
            used.add(text)
    declared = set(file.params) | set(file.variables) | set(file.resources) | set(file.modules)
    yield from (f"{file.path}: {name} is declared nowhere" for name in sorted(used - declared - local))
    idle = (set(file.params) | set(file.variables)) - used
    yield from (f"{file.path}: {name} is never used" for name in sorted(idle))
    yield from (
        f"{file.path}: {name}() is no function that we know"
        for name in sorted(
            called
            - FUNCTIONS
            - {"allowed", "batchSize", "description", "maxLength", "maxValue", "minLength", "minValue"}
        )
    )


def _introduces(node: tree_sitter.Node, parent: tree_sitter.Node) -> bool:
    """A lambda's argument, or the variable of a loop."""
    if parent.type == "for_statement":
        return parent.child_by_field_name("initializer") == node
    return parent.type == "lambda_expression" and parent.children[0] == node


def _declares(node: tree_sitter.Node, parent: tree_sitter.Node) -> bool:
    return parent.type.endswith("_declaration") and parent.named_children[0] == node


def _walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def parameters_file() -> str:
    """The text that azd fills in."""
    return (INFRA / "main.parameters.json").read_text()
