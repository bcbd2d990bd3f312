"""Puts other values into the text of a spec, and leaves every line alone that says the same as before.

The file is not written out again: each difference becomes one edit at its place, in the style of what stands around
it. So comments, order, quotes, indentation and line ends stay as people wrote them. What an alias or a merge key brings
is written out only where it has to differ from its anchor. The result is read back, and anything but exactly the
required values is an error.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from reconciler.documents import Json
from reconciler.spec.source import Unreadable, documents, plain_scalar
from reconciler.tools.adopt.pairing import paired, same
from reconciler.tools.adopt.tree import Node, trees
from reconciler.tools.spec_writer import flow, scalar

_Span: TypeAlias = tuple[int, int, bool]
"""Where an item begins and ends, and whether it goes."""
_BOM = b"\xef\xbb\xbf"
_LONGEST = 100
"""Characters of a collection that is put on one line."""


_ANCHOR = re.compile(r"&[^\s,\[\]{}]+")
_SAFE = re.compile(r"[A-Za-z0-9\\](?:[\w.:\\/@+-]*[\w/])?")
"""Texts that need no quotes where the one before had none."""
_COLON = re.compile(r"\s*:")
_BEHIND = re.compile(r"(?:\s+|#[^\n]*)*")
"""Blanks and comments."""


class CannotWrite(Exception):
    """The values cannot be put into this text."""


def rewritten(data: bytes, index: int, new: Mapping[str, Json]) -> bytes:
    """The file with other values in its document number `index`, from 0; every other document stays."""
    before = [one.value for one in documents(data)]
    bom = _BOM if data.startswith(_BOM) else b""
    text = data[len(bom) :].decode()
    roots = trees(text)
    if len(roots) != len(before) or not isinstance(before[index], dict):
        raise CannotWrite("its documents cannot be told apart")
    made = bom + _Splicer(text, roots[index], before[index]).run(new).encode()
    try:
        after = [one.value for one in documents(made)]
    except Unreadable as error:
        raise CannotWrite(f"an edit would not be readable: {error.message}") from None
    before[index] = dict(new)
    if not same(after, before):
        raise CannotWrite("an edit would say something else")
    return made


class _Splicer:
    def __init__(self, text: str, root: Node, value: Json) -> None:
        self.text, self.root, self.value = text, root, value
        self.edits: list[tuple[int, int, str]] = []
        self.values: dict[int, Json] = {}
        """id of an anchored node → what it says afterwards."""
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.json = root.flow and all(key.style == '"' for key, _ in root.items)
        self.step, self.dash = _indents(root)

    def run(self, new: Mapping[str, Json]) -> str:
        self.put(self.root, dict(new))
        result = self.text
        for start, end, text in sorted(self.edits, reverse=True):
            result = result[:start] + text + result[end:]
        return result

    # --- one value ---

    def put(self, node: Node, new: Json, column: int = 0, behind: int = 0) -> None:
        """Let a node say `new`; `column`: of the mapping or list around it, `behind`: after the colon or dash."""
        if node.anchored:
            self.values[id(node)] = new
        if node.kind == "alias":
            target = node.target
            assert target is not None  # noqa: S101 - for the type checker: an alias has one
            if not same(self.said(target), new):
                self.edit(node.start, node.end, self.inline(new))
        elif node.kind == "mapping" and isinstance(new, dict) and new:
            self.mapping(node, new)
        elif node.kind == "sequence" and isinstance(new, list) and new:
            self.sequence(node, new)
        elif not same(_value(node), new):
            self.replace(node, new, column, behind)

    def said(self, node: Node) -> Json:
        """What an anchored node says afterwards."""
        return self.values[id(node)] if id(node) in self.values else _value(node)

    def replace(self, node: Node, new: Json, column: int, behind: int) -> None:
        """Another value in place of a whole node."""
        start = self.inside(node)
        if node.kind == "scalar":
            text = self.scalar(new, node) if not isinstance(new, dict | list) else self.laid_out(new, column, node)
            space = " " if start == node.end and start and self.text[start - 1] in ":-" else ""
            self.edit(start, node.end, space + text)
            return
        first = 0 if node.flow else self.line_of(self.first_of(node))
        if node.flow or first <= behind:
            self.edit(start, node.end, self.inline(new))
            return
        # A block below its key: the value goes behind the colon, or behind the anchor there, and the block's lines go.
        place = self.anchor_end(node) if node.anchored else behind
        self.edit(place, place, f" {self.inline(new)}")
        self.edit(first, self.below(node.end), "")

    def inside(self, node: Node) -> int:
        """Where a node begins behind its anchor."""
        if not node.anchored:
            return node.start
        if not node.flow and node.kind != "scalar":
            return self.first_of(node)
        found = _BEHIND.match(self.text, self.anchor_end(node), node.end)
        return node.end if found is None else found.end()

    def first_of(self, node: Node) -> int:
        """Where the first key, or the first dash, of a block is."""
        return node.items[0][0].start if node.items else self.dash_of(node, node.entries[0].start)

    def anchor_end(self, node: Node) -> int:
        """Where the name of its anchor ends."""
        found = _ANCHOR.match(self.text, node.start)
        return node.start if found is None else found.end()

    # --- mappings ---

    def mapping(self, node: Node, new: dict[str, Json]) -> None:
        own, below = node.own(), self.merged(node, new)
        broken = below is None or any(key not in new for key in below)
        if below is None or broken:
            below = {}
        gone = [key for key in own if key not in new]
        if len(gone) == len(own) and (broken or not node.merges()):
            self.replace_with_block(node, new)
            return
        for key, (name, value) in own.items():
            if key in new and node.flow and value.start == value.end and not _COLON.match(self.text, name.end):
                if new[key] is not None:  # a key alone, as in {a, b: 1}
                    self.edit(name.end, name.end, f": {self.inline(new[key])}")
            elif key in new:
                self.put(value, new[key], node.column, self.text.index(":", name.end) + 1)
        added = [key for key in new if key not in own and not (key in below and same(below[key], new[key]))]
        dropped = {id(own[key][0]) for key in gone} | ({id(key) for key, _ in node.merges()} if broken else set())
        spans = [(key.start, value.end, id(key) in dropped) for key, value in node.items]
        texts = [(f"{self.name(key)}:", new[key]) for key in added]
        if node.flow:
            kept = max(index for index, span in enumerate(spans) if not span[2])
            self.in_flow(node, spans, {kept: [f"{name} {self.inline(value)}" for name, value in texts]})
        else:
            lines = [line for name, value in texts for line in self.member(name, value, node.column)]
            self.in_block(spans, {len(spans) - 1: lines})

    def merged(self, node: Node, new: Mapping[str, Json]) -> dict[str, Json] | None:
        """What merge keys bring afterwards, without its own keys that stay; None where a source is no mapping then."""
        own, found = node.own().keys() & new.keys(), dict[str, Json]()
        for source in node.sources():
            value = self.said(source)
            if not isinstance(value, dict):
                return None
            found |= {key: value[key] for key in value if key not in own and key not in found}
        return found

    def replace_with_block(self, node: Node, new: dict[str, Json]) -> None:
        if node.flow:
            self.edit(self.inside(node), node.end, self.inline(new))
            return
        lines = [line for key, value in new.items() for line in self.member(f"{self.name(key)}:", value, node.column)]
        first, *rest = lines
        self.edit(self.inside(node), node.end, self.newline.join([first.lstrip(), *rest]))

    def member(self, name: str, value: Json, column: int) -> list[str]:
        """The lines of a key in a block mapping."""
        pad = " " * column
        if self.is_short(value):
            return [f"{pad}{name} {self.inline(value)}"]
        return [f"{pad}{name}", *self.block(value, column)]

    def block(self, value: Json, column: int) -> Iterator[str]:
        """A collection in lines, below a key in this column."""
        if isinstance(value, dict):
            for key, item in value.items():
                yield from self.member(f"{self.name(key)}:", item, column + self.step)
        else:
            for item in value:
                yield from self.entry(item, column + self.dash)

    def entry(self, value: Json, column: int) -> list[str]:
        """The lines of an entry of a block list."""
        pad = " " * column
        if not isinstance(value, dict) or self.is_short(value):
            return [f"{pad}- {self.inline(value)}"]
        first, *rest = [
            line for key, item in value.items() for line in self.member(f"{self.name(key)}:", item, column + 2)
        ]
        return [f"{pad}- {first.lstrip()}", *rest]

    # --- lists ---

    def sequence(self, node: Node, new: list[Json]) -> None:
        old = [_value(entry) for entry in node.entries]
        pairs = paired(old, new)
        if not any(pair is not None for pair in pairs):
            if node.flow:
                self.edit(self.inside(node), node.end, self.inline(new))
            else:
                lines = [line for item in new for line in self.entry(item, node.column)]
                self.edit(self.inside(node), node.end, self.newline.join(lines).lstrip())
            return
        stay = {pair: new[at] for at, pair in enumerate(pairs) if pair is not None}
        for index, entry in enumerate(node.entries):
            if index in stay:
                behind = 0 if node.flow else self.dash_of(node, entry.start) + 1
                self.put(entry, stay[index], node.column, behind)
        spans = [(entry.start, entry.end, index not in stay) for index, entry in enumerate(node.entries)]
        extra: dict[int, list[Json]] = {}
        last = -1
        for at, pair in enumerate(pairs):
            if pair is None:
                extra.setdefault(last, []).append(new[at])
            else:
                last = pair
        if node.flow:
            self.in_flow(node, spans, {at: [self.inline(one) for one in items] for at, items in extra.items()})
            return
        starts = [(self.dash_of(node, start), end, gone) for start, end, gone in spans]
        below = {at: [line for one in items for line in self.entry(one, node.column)] for at, items in extra.items()}
        self.in_block(starts, below)

    def dash_of(self, node: Node, start: int) -> int:
        """Where the dash of an entry is."""
        line = self.line_of(start)
        while line > 0 and self.text[line + node.column : line + node.column + 1] != "-":
            line = self.line_of(line - 1)
        return line + node.column

    # --- taking out and putting in ---

    def in_flow(self, node: Node, spans: list[_Span], extra: Mapping[int, list[str]]) -> None:
        """Items between commas: runs of those that go, then what is added behind others; index -1: before all."""
        kept = [index for index, span in enumerate(spans) if not span[2]]
        gap = self.gap(node, spans)
        head = extra.get(-1, [])
        if kept[0] > 0 or head:
            self.edit(spans[0][0], spans[kept[0]][0], "".join(f"{text},{gap}" for text in head))
        for at, index in enumerate(kept):
            end = spans[index][1]
            following = kept[at + 1] if at + 1 < len(kept) else None
            texts = "".join(f",{gap}{text}" for text in extra.get(index, []))
            last_gone = spans[-1][1] if following is None else spans[following - 1][1]
            if texts or last_gone != end:
                self.edit(end, max(end, last_gone), texts)

    def gap(self, node: Node, spans: list[tuple[int, int, bool]]) -> str:
        """What stands between a comma and the next item."""
        if len(spans) > 1:
            between = self.text[spans[0][1] : spans[1][0]].partition(",")[2]
            if "#" not in between:
                return between
        first = spans[0][0]
        before = self.text[node.start + 1 : first]
        return before if "\n" in before and not before.strip() else " "

    def in_block(self, spans: list[_Span], extra: Mapping[int, list[str]]) -> None:
        """Items in lines of their own."""
        beside = self.text[self.line_of(spans[0][0]) : spans[0][0]].strip() != ""
        kept = [index for index, span in enumerate(spans) if not span[2]]
        for index, (start, end, gone) in enumerate(spans):
            if gone and not (beside and index < kept[0]):
                self.edit(self.line_of(start), self.below(end), "")
        if beside and kept[0] > 0:
            self.edit(spans[0][0], spans[kept[0]][0], "")
        for at, texts in extra.items():
            if at < 0:
                self.insert(spans[0][0] if beside else self.line_of(spans[0][0]), texts, beside=beside)
            elif texts:
                self.insert_below(spans[at][1], texts)

    def insert(self, place: int, lines: list[str], *, beside: bool) -> None:
        text = self.newline.join(lines) + self.newline
        if beside:
            column = place - self.line_of(place)
            text = text.lstrip() + " " * column
        self.edit(place, place, text)

    def insert_below(self, end: int, lines: list[str]) -> None:
        place = self.below(end)
        text = self.newline.join(lines)
        if place == len(self.text) and not self.text.endswith("\n"):
            self.edit(place, place, self.newline + text)
        else:
            self.edit(place, place, text + self.newline)

    def line_of(self, place: int) -> int:
        """Where the line of a place begins."""
        return self.text.rfind("\n", 0, place) + 1

    def below(self, place: int) -> int:
        """Where the line below a place begins."""
        found = self.text.find("\n", place)
        return len(self.text) if found < 0 else found + 1

    def edit(self, start: int, end: int, text: str) -> None:
        if self.text[start:end] != text:
            self.edits.append((start, end, text))

    # --- texts ---

    def name(self, key: str) -> str:
        return json.dumps(key, ensure_ascii=False) if self.json else scalar(key)

    def inline(self, value: Json) -> str:
        if self.json:
            return json.dumps(value, ensure_ascii=False)
        return flow(value)

    def scalar(self, value: Json, node: Node) -> str:
        """A scalar in the quotes of the one that it replaces."""
        if self.json or (isinstance(value, str) and node.style == '"' and value.isprintable() and "##" not in value):
            return json.dumps(value, ensure_ascii=False)
        if isinstance(value, str) and node.style == "'" and value.isprintable() and "##" not in value:
            return "'" + value.replace("'", "''") + "'"
        if isinstance(value, str) and not node.style and _SAFE.fullmatch(value) and plain_scalar(value) == value:
            return value
        return scalar(value)

    def laid_out(self, value: Json, column: int, node: Node) -> str:
        """A collection where a scalar was."""
        if self.json or self.is_short(value) or self.in_a_flow(node):
            return self.inline(value)
        return self.newline + self.newline.join(self.block(value, column))

    def in_a_flow(self, node: Node) -> bool:
        return any(one.flow and one.start < node.start < one.end for one in self.root.walk() if one.kind != "scalar")

    def is_short(self, value: Json) -> bool:
        if isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
            return False
        return not isinstance(value, dict | list) or not value or len(flow(value)) <= _LONGEST


def _value(node: Node) -> Json:
    """What a node says, as `reconciler.spec.source` reads it."""
    if node.kind == "alias":
        assert node.target is not None  # noqa: S101 - for the type checker: an alias has one
        return _value(node.target)
    if node.kind == "sequence":
        return [_value(entry) for entry in node.entries]
    if node.kind == "mapping":
        found = {key: _value(value) for key, (_, value) in node.own().items()}
        for source in node.sources():
            found |= {key: value for key, value in _value(source).items() if key not in found}
        return found
    return plain_scalar(node.text) if not node.style else node.text


def _indents(root: Node) -> tuple[int, int]:
    """By how many columns mappings, and lists, stand below their key; the most frequent ones."""
    steps: Counter[int] = Counter()
    dashes: Counter[int] = Counter()
    for node in root.walk():
        if node.kind != "mapping" or node.flow:
            continue
        for _, value in node.items:
            if value.kind == "mapping" and not value.flow and value.column > node.column:
                steps[value.column - node.column] += 1
            elif value.kind == "sequence" and not value.flow:
                dashes[value.column - node.column] += 1
    step = steps.most_common(1)[0][0] if steps else 2
    return step, dashes.most_common(1)[0][0] if dashes else step
