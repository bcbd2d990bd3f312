"""The objects of a repository for `tree`: from packs that were fetched, or from the disk."""

from __future__ import annotations

import hmac
import zlib
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Self

from dulwich.object_format import ObjectFormat
from dulwich.object_store import DiskObjectStore
from dulwich.objects import ObjectID, ShaFile, hex_to_sha, sha_to_hex

from reconciler.adapters.git.pack import (
    BLOB,
    NAMES,
    PIECE,
    Budget,
    Damaged,
    Header,
    Pack,
    applied,
    inflate,
    named,
    result_size,
)

_KINDS = {name: kind for kind, name in NAMES.items()}
_LONGEST_HEADER = 32
_MOST_DELTAS = 4096
"""In one chain; git's own packs hold no longer ones."""


class Fetched:
    """Packs of one commit: the first, and where a server left blobs out a second with those that are wanted."""

    def __init__(self, form: ObjectFormat, first: Pack, more: Callable[[Collection[ObjectID]], Pack]) -> None:
        self._form = form
        self._first = first
        self._more = more
        self._structure = first.structure()

    def read(self, name: ObjectID) -> ShaFile:
        """A commit, a tree or a tag."""
        try:
            kind, content = self._structure[hex_to_sha(name)]
        except KeyError:
            raise KeyError(name) from None
        return ShaFile.from_raw_string(kind, content, name, object_format=self._form)

    def blobs(self, names: Sequence[ObjectID]) -> dict[ObjectID, bytes | int | None]:
        """Those that are there or that the server has."""
        found = self._from(self._first, names)
        missing = [name for name in names if name not in found]
        if missing:
            found |= self._from(self._more(missing), missing)
        return found

    def _from(self, pack: Pack, names: Sequence[ObjectID]) -> dict[ObjectID, bytes | int | None]:
        found = pack.blobs([hex_to_sha(name) for name in names])
        return {sha_to_hex(name): content for name, content in found.items()}  # type: ignore[arg-type] # raw ids


class Stored:
    """The objects of a repository on disk. A context manager that holds its packs open."""

    def __init__(self, store: DiskObjectStore, budget: Budget) -> None:
        self._store = store
        self._budget = budget
        self._open = ExitStack()
        self._files: dict[str, IO[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def read(self, name: ObjectID) -> ShaFile:
        """A commit, a tree or a tag."""
        kind, content = self._object(self._store, name, self._budget.caps.object_bytes)
        if isinstance(content, int):
            raise self._budget.oversized(f"a folder or commit of {content:,} bytes")
        return ShaFile.from_raw_string(kind, content, name, object_format=self._store.object_format)

    def blobs(self, names: Sequence[ObjectID]) -> dict[ObjectID, bytes | int | None]:
        """Those that are there."""
        found: dict[ObjectID, bytes | int | None] = {}
        left = self._budget.caps.total_bytes
        for name in names:
            try:
                kind, content = self._object(self._store, name, self._budget.caps.file_bytes if left >= 0 else 0)
            except KeyError:
                continue
            if kind != BLOB:
                raise Damaged("a folder or commit in the place of a file")
            left -= len(content) if isinstance(content, bytes) else 0
            found[name] = content if isinstance(content, int) or left >= 0 else len(content)
        return found

    def _object(self, store: DiskObjectStore, name: ObjectID, limit: int) -> tuple[int, bytes | int]:
        """Kind and content, or kind and size where it is above the limit."""
        for place in (self._packed, self._loose):
            found = place(store, name, limit)
            if found is not None:
                kind, content = found
                if isinstance(content, bytes) and not hmac.compare_digest(
                    named(store.object_format, kind, content), hex_to_sha(name)
                ):
                    raise Damaged("an object with another content than its id says")
                return found
        for other in store.alternates:
            if isinstance(other, DiskObjectStore):
                try:
                    return self._object(other, name, limit)
                except KeyError:
                    continue
        raise KeyError(name)

    def _loose(self, store: DiskObjectStore, name: ObjectID, limit: int) -> tuple[int, bytes | int] | None:
        text = name.decode("ascii")
        try:
            file = (Path(store.path) / text[:2] / text[2:]).open("rb")
        except FileNotFoundError:
            return None
        with file:
            stream = zlib.decompressobj()
            begin = stream.decompress(file.read(PIECE), _LONGEST_HEADER)
            head, end, _ = begin.partition(b"\0")
            kind, _, digits = head.partition(b" ")
            if not end or kind not in _KINDS or not digits.isdigit():
                raise Damaged("no git object")
            size = int(digits)
            if size > limit:
                return _KINDS[kind], size
            self._budget.spend(size)
            return _KINDS[kind], inflate(file, 0, len(head) + 1 + size)[len(head) + 1 :]

    def _packed(self, store: DiskObjectStore, name: ObjectID, limit: int) -> tuple[int, bytes | int] | None:
        for pack in store.packs:
            try:
                start = pack.index.object_offset(name)
            except KeyError:
                continue
            path = str(pack.data.path)
            if path not in self._files:
                self._files[path] = self._open.enter_context(open(path, "rb"))  # noqa: PTH123, SIM115 - the stack closes it
            return self._resolved(store, self._files[path], start, (limit, pack.index.object_offset))
        return None

    def _resolved(
        self,
        store: DiskObjectStore,
        file: IO[bytes],
        start: int,
        rules: tuple[int, Callable[[ObjectID], int]],
    ) -> tuple[int, bytes | int]:
        """Follow the deltas to the whole object below them, then apply them on it."""
        limit, offset = rules
        largest = self._budget.caps.object_bytes
        deltas: list[tuple[int, int, int]] = []
        header, result = self._header(file, start, store), limit
        while header.base is not None:
            at = start + header.length
            first = inflate_begin(file, at)
            result = result_size(first)
            if result > (largest if deltas else limit) or header.size > largest:
                return self._kind(store, file, start, offset), result
            deltas.append((at, header.size, result))
            if len(deltas) > _MOST_DELTAS:
                raise Damaged("deltas without end")
            start = self._base(start, header.base, offset)
            header = self._header(file, start, store)
        if header.size > (largest if deltas else limit):
            return header.kind, deltas[0][2] if deltas else header.size
        self._budget.spend(header.size)
        content = inflate(file, start + header.length, header.size)
        for at, size, result in reversed(deltas):
            self._budget.spend(size + result)
            content = applied(content, inflate(file, at, size), result)
        return header.kind, content

    def _kind(self, store: DiskObjectStore, file: IO[bytes], start: int, offset: Callable[[ObjectID], int]) -> int:
        for _ in range(_MOST_DELTAS):
            header = self._header(file, start, store)
            if header.base is None:
                return header.kind
            start = self._base(start, header.base, offset)
        raise Damaged("deltas without end")

    @staticmethod
    def _base(start: int, base: int | bytes, offset: Callable[[ObjectID], int]) -> int:
        if isinstance(base, bytes):
            return offset(sha_to_hex(base))  # type: ignore[arg-type] # a raw id
        if not 0 < base < start:
            raise Damaged("a delta without base")
        return start - base

    @staticmethod
    def _header(file: IO[bytes], start: int, store: DiskObjectStore) -> Header:
        file.seek(start)
        try:
            return Header.parse(file.read(64), store.object_format.oid_length)
        except IndexError:
            raise Damaged("it breaks off") from None


def inflate_begin(file: IO[bytes], at: int) -> bytes:
    """The first bytes of an object."""
    file.seek(at)
    return zlib.decompressobj().decompress(file.read(256), _LONGEST_HEADER)
