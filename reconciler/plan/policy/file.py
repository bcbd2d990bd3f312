"""The YAML file of a policy: policy/v1 and policy/v2, every problem with its line.

In policy/v1, which a file without `apiVersion` is, what is not named is allowed; in policy/v2 it is denied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import yaml

from reconciler.documents.spelling import nearest
from reconciler.errors import SpecInvalid
from reconciler.plan.policy import parts_file
from reconciler.plan.policy.fields import ROWS, Kind, Row
from reconciler.plan.policy.model import NOTHING, Allow, Policy
from reconciler.plan.policy.nodes import (
    MAPPING,
    SEQUENCE,
    Problem,
    flag,
    is_flag,
    is_text,
    line_of,
    name_of,
    whole_number,
)
from reconciler.spec.problem import show

V1, V2 = "policy/v1", "policy/v2"
_FIRST: Mapping[str, Row] = {row.name: row for row in ROWS if row.first == 1}
_ALLOW: Mapping[str, Row] = {row.name: row for row in ROWS}
_SECOND = ("allow", *parts_file.READERS)

Entries: TypeAlias = list[tuple[Any, Any]]


def load(text: bytes) -> Policy:
    """A policy from its YAML file. Raises `SpecInvalid` with every problem, each as ``policy:line: what``."""
    found = problems(text)
    if found:
        raise SpecInvalid("; ".join(found))
    entries = _entries(_compose(text))
    version = next((value.value for key, value in entries if key.value == "apiVersion"), V1)
    return _second(entries) if version == V2 else _first(entries)


def problems(text: bytes) -> tuple[str, ...]:
    """Everything that is wrong with a policy file, in the order of its lines, one line of text each."""
    try:
        root = _compose(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return (
            f"policy:{mark.line + 1 if mark else 1}: is not YAML: {getattr(error, 'problem', None) or 'unreadable'}",
        )
    except UnicodeDecodeError:
        return ("policy:1: is not UTF-8 text",)
    except RecursionError:
        return ("policy:1: is nested too deep",)
    if root is None:
        return (f"policy:1: is empty; write apiVersion: {V2} for a policy that allows nothing",)
    if not isinstance(root, yaml.MappingNode):
        return (f"policy:{line_of(root)}: is not a mapping of apiVersion, {', '.join(_SECOND)}",)
    return tuple(f"policy:{line_of(node)}: {message}" for node, message in _problems(_entries(root)))


def warnings(policy: Policy) -> tuple[str, ...]:
    """What the owner of a policy file should know, one line of text each."""
    found = []
    if policy.version == 1 and policy.from_file:
        found.append(
            f"policy: is {V1}, in which what is not named is allowed, such as identities, subnets and images; "
            f"`policy migrate` writes it as {V2}"
        )
    return tuple(found)


def _compose(text: bytes) -> Any:
    return yaml.compose(text.decode("utf-8-sig"), Loader=yaml.SafeLoader)


def _entries(root: Any) -> Entries:
    return list(root.value)


# --- problems ------------------------------------------------------------------------------------------------


def _problems(entries: Entries) -> Iterator[Problem]:
    version = next((value for key, value in entries if key.value == "apiVersion"), None)
    if version is not None and (not is_text(version) or version.value not in (V1, V2)):
        yield version, f"apiVersion: is not {V1} or {V2}"
        return
    rest = [(key, value) for key, value in entries if key.value != "apiVersion"]
    yield from _twice([one for one in entries if one[0].value == "apiVersion"])
    if version is None or version.value == V1:
        yield from _of_mapping(rest, tuple(_FIRST), lambda name, value: _wrong(_FIRST[name], value, 1))
    else:
        yield from _of_mapping(rest, _SECOND, _wrong_second)


def _of_mapping(
    entries: Entries, known: tuple[str, ...], wrong: Callable[[str, Any], Iterator[Problem]]
) -> Iterator[Problem]:
    seen: set[str] = set()
    for key, value in entries:
        name = name_of(key)
        if name not in known:
            yield key, f"{show(name)}: unknown field; {_hint(name, known)}"
            continue
        if name in seen:
            yield key, f"{name}: is given twice"
        seen.add(name)
        for node, message in wrong(name, value):
            yield node, f"{name}: {message}" if message[:1] not in "[." else f"{name}{message}"


def _hint(name: str, known: tuple[str, ...]) -> str:
    if name in (*_SECOND, *_ALLOW) and known == tuple(_FIRST):
        return f"it is one of {V2}, which begins with apiVersion: {V2}"
    if name in _ALLOW and known == _SECOND:
        return f"it belongs into an entry of allow, beside pools: allow: [{{pools: [...], {name}: ...}}]"
    near = nearest(name, known)
    return f"did you mean {near}?" if near else f"known are {', '.join(known)}"


def _twice(entries: Entries) -> Iterator[Problem]:
    for key, _ in entries[1:]:
        yield key, f"{key.value}: is given twice"


def _wrong_second(name: str, node: Any) -> Iterator[Problem]:
    if name != "allow":
        yield from parts_file.READERS[name].problems(node)
        return
    if not isinstance(node, yaml.SequenceNode) or node.tag != SEQUENCE:
        yield node, "is not a list of entries, each with pools and what they may have"
        return
    for index, entry in enumerate(node.value):
        if not isinstance(entry, yaml.MappingNode) or entry.tag != MAPPING:
            yield entry, f"[{index}]: is not a mapping of pools and what they may have"
            continue
        for where, message in _of_mapping(_entries(entry), tuple(_ALLOW), _wrong_limit):
            yield where, f"[{index}].{message}"
        if all(key.value != "pools" for key, _ in entry.value):
            yield entry, f"[{index}]: has no pools; write pools: ['*'] where it is about every pool"


def _wrong_limit(name: str, node: Any) -> Iterator[Problem]:
    return _wrong(_ALLOW[name], node, 2)


def _wrong(row: Row, node: Any, version: int) -> Iterator[Problem]:
    if row.kind is Kind.NUMBER:
        if whole_number(node, row.most) is None:
            yield node, f"is not a whole number from 0 to {row.most}"
    elif row.kind is Kind.FLAG or (row.flag_first and version == 1):
        if not is_flag(node):
            yield node, "is not true or false"
    elif not isinstance(node, yaml.SequenceNode) or node.tag != SEQUENCE:
        absent = "nothing" if version > 1 or row.attribute in ("replace_pools", "arm_api_versions") else "everything"
        yield node, f"is not a list of patterns; leave it out where {absent} is allowed"
    elif any(not is_text(item) for item in node.value):
        yield node, "holds a value that is not text; put it in quotes"


# --- values --------------------------------------------------------------------------------------------------


def _value(row: Row, node: Any) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return tuple(item.value for item in node.value)
    return whole_number(node, row.most) if row.kind is Kind.NUMBER else flag(node)


def _first(entries: Entries) -> Policy:
    given: dict[str, Any] = {}
    for key, value in entries:
        if key.value in _FIRST:
            row = _FIRST[key.value]
            given[row.attribute] = _value(row, value)
    if "open_access" in given:
        given["open_access"] = None if given["open_access"] else ()
    lines = {_FIRST[key.value].attribute: (line_of(key),) for key, _ in entries if key.value in _FIRST}
    return Policy(**given, lines=lines, from_file=True)


def _second(entries: Entries) -> Policy:
    given: dict[str, Any] = {**NOTHING, "version": 2, "from_file": True}
    lines = {}
    for key, value in entries:
        lines[key.value] = (line_of(key),)
        if key.value == "allow":
            given["allow"] = tuple(map(_entry, value.value))
        elif key.value in parts_file.READERS:
            given[key.value] = parts_file.READERS[key.value].value(value)
    return Policy(**given, lines=lines)


def _entry(node: Any) -> Allow:
    given = {_ALLOW[key.value].attribute: _value(_ALLOW[key.value], value) for key, value in node.value}
    lines = {_ALLOW[key.value].attribute: line_of(key) for key, _ in node.value}
    return Allow(given, line_of(node), lines)
