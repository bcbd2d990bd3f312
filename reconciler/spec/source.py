"""YAML text to plain data, with the place of everything, in one pass and within limits.

This is not a general YAML loader: it is fed by people who are less trusted than the operator. It takes the parser's
events and composes them itself, because the ready-made composers count nothing, recurse without end (libyaml's ends the
process at a nesting of some ten thousand), and drop one of two equal keys in silence.

Plain scalars are read as JSON reads them: ``true``, ``false``, ``null`` (in YAML 1.2's spellings) and decimal numbers;
everything else is text. So ``12:30:00``, ``2026-12-31``, ``on``, ``no`` and ``010`` are never anything but what one
sees. Keys are always text. A merge key (``<<``) takes over what the mapping itself does not say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from reconciler.spec.problem import Path, show

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_NODES = 10_000
"""Keys and values of one file, aliases counted as often as they are used."""

PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where the package has it. The pure parser is ten times slower, and refuses JSON that tabs indent."""
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?(?:[eE][-+]?[0-9]{1,3})?")
_ORDINARY = bytes([9, 10, 13, *range(32, 127)])
_UNSEEN = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f"
)
_INVISIBLE, _NOT_ONE_LINE = re.compile(f"[{_UNSEEN}]"), re.compile(f"[\t\n\r{_UNSEEN}]")
"""Control characters, and those that make a text look like another one in a review."""

_REMEDIES = (
    ("unknown escape", "in double quotes a backslash starts an escape: use single quotes"),
    ("mapping values are not allowed", "quote a text that holds a colon, and check the indentation"),
    ("that cannot start any token", "quote a text that starts with @, `, % or a tab, and indent with spaces"),
    ("expected <block end>", "check the indentation, here and above"),
    ("did not find expected key", "check the indentation and the quotes, here and above"),
    ("expected key", "check the indentation and the quotes, here and above"),
    ("expected ',' or", "a bracket, a comma or a quote is missing"),
    ("unexpected end of stream", "a quote or a bracket is not closed"),
)


class Position(NamedTuple):
    """Line and column, from 1."""

    line: int = 1
    column: int = 1


@dataclass(slots=True)
class YamlDocument:
    """One YAML document: its data, and where each part of it was written."""

    value: Any
    start: Position
    places: dict[int, Any] = field(repr=False, default_factory=dict)
    """id of a mapping or list → key or position → the parser's mark."""
    findings: list[tuple[Position, Path, str]] = field(default_factory=list)

    def place(self, path: Path) -> Position:
        """Where the path was written; for something that is missing, where its owner was."""
        place, value = self.start, self.value
        for step in path:
            marks = self.places.get(id(value), {})
            if step not in (range(len(marks)) if isinstance(marks, list) else marks):
                break
            place, value = _place(marks[step]), value[step]
        return place


class Unreadable(Exception):
    """The file as a whole cannot be read: not text, too large, too deep, or not YAML."""

    def __init__(self, message: str, place: Position | None = None, path: Path = ()) -> None:
        super().__init__(message)
        self.message, self.place, self.path = message, place or Position(), path


def plain(text: str) -> Any:
    """What a plain scalar says: a word, a number, or its text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-0123456789":
        if _WHOLE.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            return float(text)
    return text


def documents(data: bytes, parser: Any = PARSER) -> list[YamlDocument]:
    """All documents of a file that hold anything; raises `Unreadable`."""
    text = _text(data)
    try:
        return list(_Composer(parser(text).get_event).documents())
    except yaml.YAMLError as error:
        raise _syntax(error, text) from None


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise Unreadable(f"is {len(data)} bytes, the limit is {MAX_BYTES}; split it, one pool a file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Position(data.count(b"\n", 0, error.start) + 1)
        raise Unreadable("is not UTF-8 text; save it as UTF-8", place) from None
    if data.translate(None, _ORDINARY) and (found := _INVISIBLE.search(text)):
        place = Position(text.count("\n", 0, found.start()) + 1)
        raise Unreadable(f"holds the invisible character U+{ord(found.group()):04X}; remove it", place)
    return text


def _syntax(error: yaml.YAMLError, text: str) -> Unreadable:
    """What the parser says, with what to do about it; it names single characters and never quotes the file."""
    said = str(getattr(error, "problem", None) or "cannot be read")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    remedy = next((remedy for words, remedy in _REMEDIES if words in said), "see YAML 1.2")
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        remedy = "indent with spaces, not with a tab"
    return Unreadable(f"is not YAML: {said}; {remedy}", None if mark is None else _place(mark))


def _place(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)


@dataclass(slots=True)
class _Anchor:
    value: Any
    size: int
    height: int
    open: bool = True


class _Composer:
    """Events to data. Recursion is bounded by `MAX_DEPTH`; most events are plain scalars, which take the short way."""

    def __init__(self, events: Callable[[], Any]) -> None:
        self.next = events
        self.count = 0
        self.deepest = 0
        self.path: list[str | int] = []
        self.step: str | int | None = None
        """Key or position in the innermost mapping or list; `path` leads to that."""
        self.anchors: dict[str, _Anchor] = {}
        self.document = YamlDocument(None, Position())

    def documents(self) -> Iterator[YamlDocument]:
        while type(event := self.next()) is not StreamEndEvent:
            if type(event) is DocumentStartEvent:
                event = self.next()
                self.anchors.clear()
                self.step = None
                self.document = YamlDocument(None, _place(event.start_mark))
                self.document.value = self.node(event, 0)
                if self.document.value is not None or self.document.findings:
                    yield self.document

    def node(self, event: Any, depth: int) -> Any:
        """The value that begins with this event, inside `depth` mappings and lists."""
        if type(event) is ScalarEvent and event.anchor is None and event.tag is None:
            return self.scalar(event)
        if type(event) is AliasEvent:
            return self.alias(event, depth)
        if event.tag is not None:
            self.report(event, f"has the tag {show(event.tag)}; tags are not allowed, write the value alone")
        return self.content(event, depth) if event.anchor is None else self.anchored(event, depth)

    def content(self, event: Any, depth: int) -> Any:
        if type(event) is ScalarEvent:
            return self.scalar(event)
        self.counted(event, 1, depth + 1)
        if self.step is not None:
            self.path.append(self.step)
        inside = self.mapping if type(event) is MappingStartEvent else self.sequence
        outer, value = self.step, inside(depth + 1)
        if outer is not None:
            self.step = self.path.pop()
        return value

    def counted(self, event: Any, nodes: int, level: int) -> None:
        self.count += nodes
        if self.count > MAX_NODES:
            raise self.stop(event, f"holds more than {MAX_NODES} keys and values, aliases counted; split the file")
        if level > self.deepest:
            self.deepest = level
            if level > MAX_DEPTH:
                raise self.stop(event, f"is nested deeper than {MAX_DEPTH} levels")

    def anchored(self, event: Any, depth: int) -> Any:
        anchor = self.anchors[event.anchor] = _Anchor(None, self.count, 0)
        outer, self.deepest = self.deepest, depth
        anchor.value = self.content(event, depth)
        anchor.size, anchor.height, anchor.open = self.count - anchor.size, self.deepest - depth, False
        self.deepest = max(outer, self.deepest)
        return anchor.value

    def alias(self, event: Any, depth: int) -> Any:
        anchor = self.anchors.get(event.anchor)
        if anchor is None:
            raise self.stop(event, f"names the anchor {show(event.anchor)}, which is not defined above")
        if anchor.open:
            raise self.stop(event, f"names the anchor {show(event.anchor)} inside itself")
        self.counted(event, anchor.size, depth + anchor.height)
        return anchor.value

    def scalar(self, event: Any) -> Any:
        self.count += 1
        if self.count > MAX_NODES:
            self.counted(event, 0, 0)
        value = event.value
        if not value.isprintable():
            self.check(event, value)
        return plain(value) if event.implicit[0] else value

    def check(self, event: Any, value: str) -> None:
        """A text is one line; only a description may have several."""
        for found in _NOT_ONE_LINE.finditer(value):
            if found.group() == "\n" and self.step == "description":
                continue
            what = "more than one line" if found.group() == "\n" else f"the character U+{ord(found.group()):04X}"
            self.report(event, f"holds {what}; write one line (a backslash needs single quotes)")
            return

    def sequence(self, depth: int) -> list[Any]:
        items: list[Any] = []
        marks = self.document.places[id(items)] = []
        while type(event := self.next()) is not SequenceEndEvent:
            self.step = len(items)
            marks.append(event.start_mark)
            items.append(self.node(event, depth))
        return items

    def mapping(self, depth: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        marks = self.document.places[id(items)] = {}
        merges: list[Any] = []
        while type(event := self.next()) is not MappingEndEvent:
            self.step = key = self.key(event, depth)
            inner = self.next()
            plain = type(inner) is ScalarEvent and inner.anchor is None and inner.tag is None
            value = self.scalar(inner) if plain else self.node(inner, depth)
            if key == "<<" and event.implicit[0]:
                merges.append((event, value))
            elif key in items:
                self.report(event, f"is written twice, first in line {marks[key].line + 1}; keep one")
            else:
                items[key], marks[key] = value, event.start_mark
        for event, value in merges:
            self.merge(items, event, value)
        return items

    def key(self, event: Any, depth: int) -> str:
        if type(event) is ScalarEvent and event.anchor is None and event.tag is None and event.value.isprintable():
            self.count += 1
        else:
            self.step = None
            if type(event) is not ScalarEvent:
                raise self.stop(event, "has a key that is not plain text; write a name before the colon")
            self.node(event, depth)
        return str(event.value)

    def merge(self, items: dict[str, Any], event: Any, value: Any) -> None:
        self.step = "<<"
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            self.report(event, "has a merge key (<<) that is no mapping; write <<: *anchor")
            return
        marks = self.document.places[id(items)]
        for source in sources:
            for key in [key for key in source if key not in items]:
                items[key], marks[key] = source[key], self.document.places[id(source)][key]

    def where(self) -> Path:
        return tuple(self.path) if self.step is None else (*self.path, self.step)

    def report(self, event: Any, message: str) -> None:
        self.document.findings.append((_place(event.start_mark), self.where(), message))

    def stop(self, event: Any, message: str) -> Unreadable:
        return Unreadable(message, _place(event.start_mark), self.where())
