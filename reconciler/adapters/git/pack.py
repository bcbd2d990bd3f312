"""Reads packs within limits: what is inflated is counted, and only what is wanted is kept.

A pack of 0.3 MB can unfold to a gigabyte. The bytes of a pack go to a temporary file as they arrive, and are inflated
at the same time in small pieces: for the offset of the next object, for its id, and to refuse too much of it before
the rest arrives. Contents are read afterwards, of trees first and then of the blobs that a caller names. Format: git's
own documentation, "gitformat-pack".
"""

from __future__ import annotations

import hmac
import tempfile
import zlib
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import IO, TYPE_CHECKING

from dulwich.errors import ApplyDeltaError
from dulwich.pack import apply_delta

from reconciler.adapters.git.snapshots import Caps, Oversized

if TYPE_CHECKING:
    from dulwich.object_format import ObjectFormat

PIECE = 64 * 1024
_FED = 4 * 1024
"""Bytes that are looked through at once: what follows an object is copied."""
IN_MEMORY = 4 * 1024 * 1024
"""A larger pack goes to a file."""
NAMES = {1: b"commit", 2: b"tree", 3: b"blob", 4: b"tag"}
BLOB = 3
_OFS_DELTA, _REF_DELTA = 6, 7
_MOST_DIGITS = 9
"""Bytes of a length: 9 of 7 bits suffice for 2^60."""


class Damaged(ValueError):
    """Bytes that are no pack, or that contradict themselves."""


class Budget:
    """Counts what is inflated for one snapshot."""

    def __init__(self, caps: Caps, where: str) -> None:
        self.caps = caps
        self.where = where
        self._inflated = 0

    def spend(self, size: int) -> None:
        """Count these bytes; `Oversized` above the limit."""
        self._inflated += size
        if self._inflated > self.caps.inflated_bytes:
            raise self.oversized(f"unfolds to more than {self.caps.inflated_bytes:,} bytes")

    def oversized(self, what: str) -> Oversized:
        """The refusal, with its remedy."""
        return Oversized(f"{self.where}: {what}; keep specs in a repository of their own")


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before an object's compressed bytes."""

    kind: int
    size: int
    """Of the inflated bytes, as the pack declares it."""
    base: int | bytes | None
    """Of a delta: how far before it its base begins, or the base's id."""
    length: int

    @classmethod
    def parse(cls, data: bytes, oid_length: int) -> Header:
        """Read it; `IndexError` where the bytes end in the middle."""
        kind, size, at = (data[0] >> 4) & 7, data[0] & 15, 1
        while data[at - 1] & 0x80:
            size |= (data[at] & 0x7F) << (4 + 7 * (at - 1))
            at += 1
            if at > _MOST_DIGITS:
                raise Damaged("a length without end")
        if kind in NAMES:
            return cls(kind, size, None, at)
        if kind == _REF_DELTA:
            if len(data) < at + oid_length:
                raise IndexError
            return cls(kind, size, data[at : at + oid_length], at + oid_length)
        if kind != _OFS_DELTA:
            raise Damaged(f"an object of type {kind}")
        begin, distance = at, data[at] & 0x7F
        while data[at] & 0x80:
            at += 1
            distance = ((distance + 1) << 7) | (data[at] & 0x7F)
            if at - begin > _MOST_DIGITS:
                raise Damaged("a distance without end")
        return cls(kind, size, distance, at + 1)


def inflate(file: IO[bytes], at: int, size: int) -> bytes:
    """The object's bytes; `Damaged` where they are not exactly `size`."""
    file.seek(at)
    stream, parts, left = zlib.decompressobj(), [], size + 1
    while not stream.eof and left > 0:
        piece = stream.unconsumed_tail or file.read(PIECE)
        if not piece:
            break
        parts.append(stream.decompress(piece, left))
        left -= len(parts[-1])
    if not stream.eof or left != 1:
        raise Damaged("an object of another length than declared")
    return b"".join(parts)


def applied(base: bytes, delta: bytes, size: int) -> bytes:
    """The result of a delta, whose size is known."""
    try:
        result = b"".join(apply_delta(base, delta))
    except ApplyDeltaError:
        raise Damaged("a delta that does not fit its base") from None
    if len(result) != size:
        raise Damaged("a delta with another result than declared")
    return result


def result_size(delta: bytes) -> int:
    """The size of what a delta makes, from its first bytes."""
    at = 0
    for _ in range(2):
        size = shift = 0
        while True:
            if at >= len(delta) or shift > 7 * _MOST_DIGITS:
                raise Damaged("a delta without sizes")
            size |= (delta[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not delta[at - 1] & 0x80:
                break
    return size


def named(form: ObjectFormat, kind: int, content: bytes) -> bytes:
    """The id of an object."""
    digest = form.hash_func()
    digest.update(b"%s %d\0" % (NAMES[kind], len(content)))
    digest.update(content)
    return digest.digest()


class Pack:
    """One pack, written as it is received, and then read."""

    def __init__(self, form: ObjectFormat, budget: Budget, *, partial: bool = False) -> None:
        """`partial`: large blobs are missing in it because the request leaves them out."""
        self._form = form
        self._budget = budget
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - lives as long as the pack
        self._rest = b""
        self._position = 0
        self._starts, self._data, self._sizes = array("Q"), array("Q"), array("Q")
        self._kinds = bytearray()
        self._ids: dict[bytes, int] = {}
        """Of whole objects while the pack arrives, and of all that were resolved later."""
        self._children: dict[int | bytes, list[int]] = defaultdict(list)
        """Deltas by the number or the id of their base."""
        self._same: dict[int, int] = {}
        """Objects that are in the pack before."""
        self._too_large = partial
        """Whether a blob may be missing because it is too large, or rests on one that is."""
        self._trailer = b""
        self._scan = self._scanning()
        next(self._scan)

    def write(self, data: bytes) -> int:
        """Take the next bytes; `Oversized` or `Damaged` as soon as they show it."""
        if self._trailer:
            raise Damaged("bytes after its end")
        self._file.write(data)
        for begin in range(0, len(data), _FED):
            try:
                self._scan.send(data[begin : begin + _FED])
            except StopIteration:
                if self._rest or begin + _FED < len(data):
                    raise Damaged("bytes after its end") from None
        return len(data)

    def finish(self) -> None:
        """Check that the pack is whole."""
        if not self._trailer:
            raise Damaged("it breaks off")
        digest, left = self._form.hash_func(), self._position - len(self._trailer)
        self._file.seek(0)
        while left and (piece := self._file.read(min(PIECE, left))):
            digest.update(piece)
            left -= len(piece)
        if not hmac.compare_digest(digest.digest(), self._trailer):
            raise Damaged("its checksum is wrong")

    def close(self) -> None:
        """Let the temporary file go."""
        self._file.close()

    def structure(self) -> dict[bytes, tuple[int, bytes]]:
        """Commits, trees and tags by their id."""
        found: dict[bytes, tuple[int, bytes]] = {}
        kept, most = 0, self._budget.caps.held_bytes
        for name, kind, content in self._resolved(lambda kind: kind != BLOB, lambda _: True):
            if name not in found:
                found[name] = (kind, content)
                kept += len(content)
                if kept > most:
                    raise self._budget.oversized(f"more than {most:,} bytes of folders and commits")
        return found

    def blobs(self, wanted: Sequence[bytes]) -> dict[bytes, bytes | int | None]:
        """Contents of these blobs, or their size where it is above the limit of a file, or None: unknown, above it.

        Of those behind the one that exceeds the limit of all, sizes. One that the pack does not have is left out.
        """
        largest, order = self._budget.caps.file_bytes, {name: number for number, name in enumerate(wanted)}
        sizes = {name: self._sizes[self._ids[name]] for name in wanted if name in self._ids}
        first = _First(order, self._budget.caps.total_bytes)

        def keep(name: bytes) -> bool:
            return name in order and sizes.get(name, 0) <= largest

        for name, _, content in self._resolved(lambda kind: kind == BLOB, keep):
            if keep(name) and len(content) <= largest and name not in first.found:
                first.add(name, content)
        given: dict[bytes, bytes | int | None] = {**first.found}
        for name in wanted:
            if name in self._ids and (size := self._sizes[self._ids[name]]) > largest:
                given[name] = size
            elif self._too_large and name not in self._ids:
                given[name] = None
        return given

    def _scanning(self) -> Generator[None, bytes, None]:
        while len(self._rest) < 12:  # noqa: PLR2004 - the length of the pack's header
            self._rest += yield
        if self._rest[:8] not in (b"PACK\0\0\0\x02", b"PACK\0\0\0\x03"):
            raise Damaged("no pack")
        count, most = int.from_bytes(self._rest[8:12], "big"), self._budget.caps.entries
        if count > most:
            raise self._budget.oversized(f"{count:,} git objects, and at most {most:,} are read")
        self._consume(self._rest[12:])
        for _ in range(count):
            yield from self._entry()
        length = self._form.oid_length
        while len(self._rest) < length:
            self._rest += yield
        self._trailer = self._rest[:length]
        self._consume(self._rest[length:])

    def _consume(self, rest: bytes) -> None:
        self._position += len(self._rest) - len(rest)
        self._rest = rest

    def _entry(self) -> Generator[None, bytes, None]:
        start, number = self._position, len(self._starts)
        while True:
            try:
                header = Header.parse(self._rest, self._form.oid_length)
                break
            except IndexError:
                self._rest += yield
        if header.base is not None:
            self._children[self._base(start, header.base)].append(number)
        self._consume(self._rest[header.length :])
        self._starts.append(start)
        self._data.append(self._position)
        self._kinds.append(header.kind)
        self._sizes.append(header.size)
        digest, first = yield from self._inflated(header)
        if header.base is not None:
            self._sizes[number] = result_size(first)
        elif (before := self._ids.setdefault(digest, number)) != number:
            self._same[number] = before

    def _inflated(self, header: Header) -> Generator[None, bytes, tuple[bytes, bytes]]:
        """Pass over the object's bytes; what its id is if it is whole, and its first bytes."""
        digest = self._form.hash_func()
        digest.update(b"%s %d\0" % (NAMES.get(header.kind, b""), header.size))
        stream, inflated, first = zlib.decompressobj(), 0, b""
        while inflated <= header.size and not stream.eof:
            self._rest = self._rest or (yield)
            try:
                piece = stream.decompress(self._rest, PIECE)
            except zlib.error:
                raise Damaged("bytes that are not compressed") from None
            self._consume(stream.unused_data or stream.unconsumed_tail)
            inflated += len(piece)
            self._budget.spend(len(piece))
            digest.update(piece)
            first = first or piece[:32]
        if inflated != header.size:
            raise Damaged("an object of another length than declared")
        return digest.digest(), first

    def _base(self, start: int, base: int | bytes) -> int | bytes:
        if isinstance(base, bytes):
            return base
        number = bisect_left(self._starts, start - base) if base <= start else len(self._starts)
        if number == len(self._starts) or self._starts[number] != start - base:
            raise Damaged("a delta without base")
        return self._same.get(number, number)

    def _resolved(
        self, of_kind: Callable[[int], bool], keep: Callable[[bytes], bool]
    ) -> Generator[tuple[bytes, int, bytes], None, None]:
        """Whole objects of some kinds and every delta that rests on one of them, as far as some that are kept do."""
        for name, root in tuple(self._ids.items()):
            kind = self._kinds[root]
            if kind in NAMES and of_kind(kind):
                for id_, content in self._chain(root, name, kind, keep):
                    yield id_, kind, content

    def _chain(
        self, root: int, name: bytes, kind: int, keep: Callable[[bytes], bool]
    ) -> Generator[tuple[bytes, bytes], None, None]:
        """Contents of an object and of the deltas on it, bases first."""
        if not (keep(name) or root in self._children or name in self._children):
            return
        waiting: list[tuple[int, _Base | None]] = [(root, None)]
        held, caps = 0, self._budget.caps
        while waiting:
            number, base = waiting.pop()
            size = self._sizes[number]
            if base is not None:
                base.users -= 1
                held -= len(base.content) if not base.users else 0
            if size > caps.object_bytes or (base is not None and self._delta_size(number) > caps.object_bytes):
                if kind != BLOB:
                    raise self._budget.oversized(f"a folder or commit of more than {caps.object_bytes:,} bytes")
                self._too_large = True
                continue
            content = self._content(number, base)
            if base is not None:
                name = named(self._form, kind, content)
                self._ids.setdefault(name, number)
            yield name, content
            users = [*self._children.pop(number, ()), *self._children.pop(name, ())]
            if users:
                held += len(content)
                if held > caps.held_bytes:
                    raise self._budget.oversized(f"more than {caps.held_bytes:,} bytes of deltas at once")
                shared = _Base(content, len(users))
                waiting += [(user, shared) for user in users]

    def _delta_size(self, number: int) -> int:
        self._file.seek(self._starts[number])
        return Header.parse(self._file.read(64), self._form.oid_length).size

    def _content(self, number: int, base: _Base | None) -> bytes:
        size = self._sizes[number]
        self._budget.spend(size)
        if base is None:
            return inflate(self._file, self._data[number], size)
        delta = inflate(self._file, self._data[number], self._delta_size(number))
        self._budget.spend(len(delta))
        return applied(base.content, delta, size)


class _First:
    """The first blobs in some order that fit into a limit together; of those that do not, sizes.

    They are found in the order of the pack. A blob is dropped while more than the limit stands before or at it, so none
    is dropped that belongs to the first.
    """

    def __init__(self, order: Mapping[bytes, int], limit: int) -> None:
        self.found: dict[bytes, bytes | int] = {}
        self._order = order
        self._left = limit
        self._last: list[tuple[int, bytes]] = []

    def add(self, name: bytes, content: bytes) -> None:
        """Keep one, and drop the last ones that are too many."""
        self.found[name] = content
        heappush(self._last, (-self._order[name], name))
        self._left -= len(content)
        while self._left < 0:
            _, last = heappop(self._last)
            dropped = self.found[last]
            if isinstance(dropped, bytes):
                self.found[last] = len(dropped)
                self._left += len(dropped)


@dataclass(slots=True)
class _Base:
    """The content that deltas wait for."""

    content: bytes
    users: int
