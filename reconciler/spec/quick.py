"""The usual file at a fifth of the price: one document in block style, a key or a list entry a line, plain ASCII.

One expression takes a line apart, and the line says where it belongs by its indentation. Files of one deployment are
alike, so what a short line says is remembered. Whatever is not of this small part of YAML is not judged here:
`mapping_of` returns None, and `reconciler.spec.source` reads the file, with the place of everything and with what is
wrong. Nothing may be read here that is read otherwise there, or refused there; a test compares the two on any text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from reconciler.spec.source import MAX_DEPTH, plain_scalar

_MOST_BYTES, _MOST_LINES = 64 * 1024, 3_000
"""No file of this size has too many keys and values: a line has three at most."""

_REMEMBERED, _SHORT = 4_096, 120
"""Lines that are remembered, and their length at most: less than two MiB together."""

_PART = r"[\w./@\\()+,=~-]"
_VALUE = rf"""[A-Za-z0-9/\\]{_PART}*(?: ?:(?=[\w/]){_PART}*| {_PART}+)*|'[ -&(-~]*'|"[ !#-\[\]-~]*"|\[\]|\{{\}}"""
_LINE = re.compile(
    rf"(?:( *)(- )?(?:([A-Za-z/][\w./-]{{0,200}}):(?: +({_VALUE}))?|({_VALUE})))? *(?:(?<![^ ])#[ -~]*)?", re.ASCII
)
"""Indentation, dash, key, its value, the value of a list entry; all missing for a line without content."""

_BELOW, _LIST, _MAPPING = object(), object(), object()
"""In place of a value: what follows in the next line, and an empty list or mapping, of which each file has its own."""
_WITHOUT_CONTENT = (0, False, "", None)
_Line: TypeAlias = tuple[int, bool, str, Any]
"""Column, whether there is a dash, key, value."""


class _Unusual(Exception):
    """Not of the part of YAML that is read here."""


def mapping_of(data: bytes) -> dict[str, Any] | None:
    """The mapping that the file holds, as `source.documents` reads it; None where the file has to be read by that."""
    if len(data) > _MOST_BYTES or not data.isascii():
        return None
    lines = data.decode("ascii").removeprefix("---\n").split("\n")
    try:
        return _composed(lines) if len(lines) <= _MOST_LINES else None
    except _Unusual:
        return None


def _taken_apart(line: str) -> _Line:
    found = _LINE.fullmatch(line)
    if found is None:
        raise _Unusual
    spaces, dash, key, text, item = found.groups()
    if key is None and item is None:
        return _WITHOUT_CONTENT
    value = _BELOW if key and text is None else _value(text or item)
    return len(spaces), dash is not None, key or "", value


_of_a_short_line = lru_cache(_REMEMBERED)(_taken_apart)


def _value(text: str) -> Any:
    first = text[0]
    if first in "'\"":
        return text[1:-1]
    if first in "[{":
        return _LIST if first == "[" else _MAPPING
    return plain_scalar(text)


def _composed(lines: Sequence[str]) -> dict[str, Any]:
    around = _Around()
    for line in lines:
        parts = _of_a_short_line(line) if len(line) <= _SHORT else _taken_apart(line)
        if parts is _WITHOUT_CONTENT:
            continue
        column, dash, key, value = parts
        if around.waiting:
            around.begin_value(column, dash=dash)
        if column != around.columns[-1] or dash is not (type(around.opened[-1]) is list):
            around.close_to(column, dash=dash)
        if key:
            if dash:
                around.begin_entry(column)
            mapping = around.opened[-1]
            if key in mapping:
                raise _Unusual
            if value is _BELOW:
                around.waiting = key
            else:
                mapping[key] = around.own(value) if value is _LIST or value is _MAPPING else value
        elif dash:
            around.opened[-1].append(around.own(value))
        else:
            raise _Unusual
    return around.whole()


class _Around:
    """Mappings and lists around a line, each with the column in which its keys or dashes stand."""

    __slots__ = ("columns", "opened", "waiting")

    def __init__(self) -> None:
        self.columns: list[int] = [0]
        self.opened: list[Any] = [{}]
        self.waiting = ""
        """The key of the innermost mapping whose value has to follow in the next line."""

    def begin_value(self, column: int, *, dash: bool) -> None:
        """Open what stands below the key that waits; nothing does where the line is outside its mapping."""
        owner, key = self.opened[-1], self.waiting
        self.waiting = ""
        if column > self.columns[-1] or (dash and column == self.columns[-1]):
            if len(self.opened) >= MAX_DEPTH:
                raise _Unusual
            inner: Any = [] if dash else {}
            owner[key] = inner
            self.columns.append(column)
            self.opened.append(inner)
        else:
            owner[key] = None

    def close_to(self, column: int, *, dash: bool) -> None:
        """Close what ends above a line; dashes may stand in the column of the keys of their mapping."""
        columns, opened = self.columns, self.opened
        while column < columns[-1] or (column == columns[-1] and not dash and type(opened[-1]) is list):
            columns.pop()
            opened.pop()
        if column != columns[-1] or dash is not (type(opened[-1]) is list):
            raise _Unusual

    def begin_entry(self, column: int) -> None:
        """Open the mapping of a list entry whose first key stands behind the dash."""
        if len(self.opened) >= MAX_DEPTH:
            raise _Unusual
        inner: dict[str, Any] = {}
        self.opened[-1].append(inner)
        self.columns.append(column + len("- "))
        self.opened.append(inner)

    def own(self, value: Any) -> Any:
        """The value, with a list or mapping of its own; an empty one counts as a level too."""
        if value is not _LIST and value is not _MAPPING:
            return value
        if len(self.opened) >= MAX_DEPTH:
            raise _Unusual
        return [] if value is _LIST else {}

    def whole(self) -> dict[str, Any]:
        """All of it, behind the last line."""
        if self.waiting:
            self.opened[-1][self.waiting] = None
        found: dict[str, Any] = self.opened[0]
        if not found:
            raise _Unusual
        return found
