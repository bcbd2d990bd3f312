"""The usual file at a third of the price: one document in block style, a key or a list entry a line, plain ASCII.

One expression cuts the text into lines, and each line says where it belongs by its indentation. Whatever is not of this
small part of YAML is not judged here: `mapping_of` returns None, and `reconciler.spec.source` reads the file, with the
place of everything and with what is wrong. Nothing may be read here that is read otherwise there, or refused there;
a test compares the two on any text.
"""

from __future__ import annotations

import re
from sys import intern
from typing import Any

from reconciler.spec.source import MAX_DEPTH, plain_scalar

_MOST_BYTES, _MOST_LINES = 64 * 1024, 3_000
"""No file of this size has too many keys and values: a line has three at most."""

_PART = r"[\w./@\\()+,=~-]"
_VALUE = rf"""[A-Za-z0-9/\\]{_PART}*(?: ?:(?=[\w/]){_PART}*| {_PART}+)*|'[ -&(-~]*'|"[ !#-\[\]-~]*"|\[\]|\{{\}}"""
_LINE = re.compile(
    rf"^(?:( *)(- )?(?:([A-Za-z/][\w./-]{{0,200}}):(?: +({_VALUE}))?|({_VALUE})))? *(?:(?<![^ \n])#[ -~]*)?\n",
    re.ASCII | re.MULTILINE,
)
"""Indentation, dash, key, its value, the value of a list entry; all empty for a line without content."""


class _Unusual(Exception):
    """Not of the part of YAML that is read here."""


def mapping_of(data: bytes) -> dict[str, Any] | None:
    """The mapping that the file holds, as `source.documents` reads it; None where the file has to be read by that."""
    if len(data) > _MOST_BYTES or not data.isascii():
        return None
    text = data.decode("ascii").removeprefix("---\n")
    if text[-1:] != "\n":
        text += "\n"
    lines = _LINE.findall(text)
    if len(lines) != text.count("\n") or len(lines) > _MOST_LINES:
        return None
    try:
        return _composed(lines)
    except _Unusual:
        return None


def _composed(lines: list[tuple[str, str, str, str, str]]) -> dict[str, Any]:
    around = _Around()
    for spaces, dash, key, text, item in lines:
        if not key and not item:
            continue
        column = len(spaces)
        if around.waiting:
            around.begin_value(column, dash)
        if column != around.columns[-1] or bool(dash) is not (type(around.opened[-1]) is list):
            around.close_to(column, dash)
        if key:
            if dash:
                around.begin_entry(column)
            around.add(key, text)
        elif dash:
            around.opened[-1].append(_scalar(item, around))
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

    def begin_value(self, column: int, dash: str) -> None:
        """Open what stands below the key that waits; nothing does where the line is outside its mapping."""
        owner, key = self.opened[-1], self.waiting
        self.waiting = ""
        if column > self.columns[-1] or (dash and column == self.columns[-1]):
            self._open(column, [] if dash else {})
            owner[key] = self.opened[-1]
        else:
            owner[key] = None

    def close_to(self, column: int, dash: str) -> None:
        """Close what ends above a line; dashes may stand in the column of the keys of their mapping."""
        columns, opened = self.columns, self.opened
        while column < columns[-1] or (column == columns[-1] and not dash and type(opened[-1]) is list):
            columns.pop()
            opened.pop()
        if column != columns[-1] or bool(dash) is not (type(opened[-1]) is list):
            raise _Unusual

    def begin_entry(self, column: int) -> None:
        """Open the mapping of a list entry whose first key stands behind the dash."""
        entries = self.opened[-1]
        self._open(column + len("- "), {})
        entries.append(self.opened[-1])

    def add(self, key: str, text: str) -> None:
        """A key of the innermost mapping, with its value where that is in the same line."""
        mapping = self.opened[-1]
        if key in mapping:
            raise _Unusual
        if text:
            mapping[intern(key)] = _scalar(text, self)
        else:
            self.waiting = intern(key)

    def whole(self) -> dict[str, Any]:
        """All of it, behind the last line."""
        if self.waiting:
            self.opened[-1][self.waiting] = None
        found: dict[str, Any] = self.opened[0]
        if not found:
            raise _Unusual
        return found

    def _open(self, column: int, inner: Any) -> None:
        if len(self.opened) >= MAX_DEPTH:
            raise _Unusual
        self.columns.append(column)
        self.opened.append(inner)


def _scalar(text: str, around: _Around) -> Any:
    """What a value is; an empty list or mapping counts as a level."""
    first = text[0]
    if first in "'\"":
        return text[1:-1]
    if first in "[{":
        if len(around.opened) >= MAX_DEPTH:
            raise _Unusual
        return [] if first == "[" else {}
    return plain_scalar(text)
