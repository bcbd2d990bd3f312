"""One YAML document as a tree of places in its text: where each key and value begins and ends, and what is an alias.

`reconciler.spec.source` has read the text before, within its limits; here its events are kept with their offsets.
Block collections end where the last thing in them ends, so that comments below belong to no value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from yaml import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.spec.source import PARSER

MERGE = "<<"


@dataclass(slots=True, eq=False)
class Node:
    """A value and its place; offsets count characters of the text."""

    start: int
    end: int
    column: int
    kind: str
    """``scalar``, ``mapping``, ``sequence`` or ``alias``."""
    flow: bool = True
    style: str = ""
    """Of a scalar: ``'``, ``"``, ``|``, ``>``, or empty."""
    text: str = ""
    """Of a scalar."""
    items: list[tuple[Node, Node]] = field(default_factory=list)
    """Of a mapping: keys and values, merge keys too."""
    entries: list[Node] = field(default_factory=list)
    """Of a sequence."""
    target: Node | None = None
    """Of an alias."""
    anchored: bool = False

    def merges(self) -> list[tuple[Node, Node]]:
        """The merge keys of a mapping."""
        return [item for item in self.items if _is_merge(item[0])]

    def own(self) -> dict[str, tuple[Node, Node]]:
        """Its own keys, as written."""
        return {item[0].text: item for item in self.items if not _is_merge(item[0])}

    def sources(self) -> list[Node]:
        """The mappings that it takes over, the first one first."""
        found: list[Node] = []
        for _, value in self.merges():
            found += value.entries if value.kind == "sequence" else [value]
        return [one.target if one.target is not None else one for one in found]

    def walk(self) -> Iterator[Node]:
        """This node, and all below it."""
        yield self
        for key, value in self.items:
            yield from key.walk()
            yield from value.walk()
        for entry in self.entries:
            yield from entry.walk()


def trees(text: str) -> list[Node]:
    """The documents of a text that hold anything, in the order of `reconciler.spec.source.documents`."""
    return list(_TreeComposer(PARSER(text).get_event, text).documents())


def _offset(mark: Any) -> int:
    return int(mark.index)


def _is_merge(key: Node) -> bool:
    return key.text == MERGE and not key.style


class _TreeComposer:
    def __init__(self, events: Callable[[], Any], text: str) -> None:
        self._next, self._text = events, text
        self._anchors: dict[str, Node] = {}

    def documents(self) -> Iterator[Node]:
        while type(event := self._next()) is not StreamEndEvent:
            if type(event) is DocumentStartEvent:
                self._anchors.clear()
                root = self._node(self._next())
                if not (root.kind == "scalar" and not root.style and root.text in {"", "~", "null", "Null", "NULL"}):
                    yield root

    def _node(self, event: Any) -> Node:
        start, end, anchor = event.start_mark, event.end_mark, str(getattr(event, "anchor", None) or "")
        made = Node(start.index, end.index, start.column, "scalar")
        if type(event) is AliasEvent:
            made.kind, made.target = "alias", self._anchors[anchor]
            return made
        if anchor:
            self._anchors[anchor], made.anchored = made, True
        if type(event) is ScalarEvent:
            made.style, made.text = event.style or "", event.value
            made.flow = made.style not in {"|", ">"}
            if not made.flow:
                made.end = made.start + len(self._text[made.start : made.end].rstrip("\r\n \t"))
        elif type(event) in {MappingStartEvent, SequenceStartEvent}:
            made.flow = bool(event.flow_style)
            self._fill(made, type(event) is MappingStartEvent)
        return made

    def _fill(self, made: Node, is_mapping: bool) -> None:
        event: Any
        made.kind = "mapping" if is_mapping else "sequence"
        ends = MappingEndEvent if is_mapping else SequenceEndEvent
        last, event = made.end, self._next()
        while type(event) is not ends:
            inner = self._node(event)
            if is_mapping:
                value = self._node(self._next())
                made.items.append((inner, value))
                last = max(inner.end, value.end)
            else:
                made.entries.append(inner)
                last = inner.end
            event = self._next()
        made.end = last if not made.flow else _offset(event.end_mark)
        if made.anchored and not made.flow:  # the parser's mark is that of the anchor
            first = made.items[0][0].start if is_mapping else made.entries[0].start
            line = self._text[self._text.rfind("\n", 0, first) + 1 :]
            made.column = made.items[0][0].column if is_mapping else len(line) - len(line.lstrip(" "))
