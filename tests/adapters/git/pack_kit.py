"""Packs made by hand, as no git would make them, and a server that sends them."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reconciler.adapters.git.snapshots import Caps
from reconciler.adapters.git.source import Git, Location, RemoteAccess
from tests.adapters.git.git_kit import Server, serving

COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
KINDS = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}
FILE, FOLDER, LINK, MODULE = b"100644", b"40000", b"120000", b"160000"


def oid(kind: int, content: bytes) -> bytes:
    return hashlib.sha1(b"%s %d\0" % (KINDS[kind], len(content)) + content, usedforsecurity=False).digest()


def header(kind: int, size: int) -> bytes:
    first, size = (kind << 4) | (size & 15), size >> 4
    out = bytearray()
    while size:
        out.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    return bytes([*out, first])


def whole(kind: int, content: bytes, *, size: int | None = None) -> bytes:
    """An entry; `size` as declared, where it is not the true one."""
    return header(kind, len(content) if size is None else size) + zlib.compress(content)


def distance(value: int) -> bytes:
    out = [value & 0x7F]
    value >>= 7
    while value:
        value -= 1
        out.insert(0, 0x80 | (value & 0x7F))
        value >>= 7
    return bytes(out)


def number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def copying(base: int, times: int, *, result: int | None = None, extra: bytes = b"") -> bytes:
    """A delta that copies its whole base so often, then adds some bytes."""
    copy = b"".join(
        b"\xf1" + bytes([0]) + struct.pack("<I", part)[:3]
        if not at
        else b"\xff" + struct.pack("<I", at) + struct.pack("<I", part)[:3]
        for at, part in _parts(base)
    )
    added = bytes([len(extra)]) + extra if extra else b""
    return number(base) + number(base * times + len(extra) if result is None else result) + copy * times + added


def _parts(size: int) -> Iterator[tuple[int, int]]:
    for at in range(0, size, 0x8000):
        yield at, min(0x8000, size - at)


def on_offset(back: int, delta: bytes) -> bytes:
    return header(6, len(delta)) + distance(back) + zlib.compress(delta)


def on_id(base: bytes, delta: bytes) -> bytes:
    return header(7, len(delta)) + base + zlib.compress(delta)


def listed(*entries: tuple[bytes, bytes, bytes]) -> bytes:
    """A tree of (mode, name, id)."""
    return b"".join(mode + b" " + name + b"\0" + id_ for mode, name, id_ in entries)


def commit_of(tree: bytes, message: bytes = b"made by hand") -> bytes:
    who = b"Eve <eve@fabrikam.com> 0 +0000"
    return b"tree " + tree.hex().encode() + b"\nauthor " + who + b"\ncommitter " + who + b"\n\n" + message + b"\n"


def tag_of(target: bytes, kind: int, name: bytes = b"v1") -> bytes:
    who = b"Eve <eve@fabrikam.com> 0 +0000"
    return b"object %s\ntype %s\ntag %s\ntagger %s\n\nx\n" % (target.hex().encode(), KINDS[kind], name, who)


def packed(*entries: bytes, count: int | None = None, head: bytes = b"PACK\0\0\0\x02") -> bytes:
    body = head + (len(entries) if count is None else count).to_bytes(4, "big") + b"".join(entries)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


@dataclass
class Made:
    """What a server sends for a commit."""

    target: bytes = b""
    entries: list[bytes] = field(default_factory=list)
    second: list[bytes] = field(default_factory=list)
    """Entries of the pack for blobs that are asked for by their id."""
    first: bytes = b""
    """The pack's bytes, where they are not those of the entries."""
    ref: str = ""

    def put(self, kind: int, content: bytes) -> bytes:
        self.entries.append(whole(kind, content))
        return oid(kind, content)

    def tree(self, *entries: tuple[bytes, bytes, bytes]) -> bytes:
        return self.put(TREE, listed(*entries))

    def commit(self, tree: bytes) -> Made:
        self.target = self.put(COMMIT, commit_of(tree))
        return self

    def bytes(self) -> bytes:
        return self.first or packed(*self.entries)


def _line(data: bytes) -> bytes:
    return b"%04x" % (len(data) + 4) + data


def sends(made: Made) -> Any:
    """A git server of protocol 2 in a dozen lines: no refs, filters, and these two packs."""
    count = iter((made.bytes(), *[packed(*made.second)] * 9))

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            start("200 OK", [("Content-Type", "application/x-git-upload-pack-advertisement")])
            lines = (b"version 2\n", b"ls-refs\n", b"fetch=shallow filter\n", b"object-format=sha1\n")
            return [_line(b"# service=git-upload-pack\n") + b"0000" + b"".join(map(_line, lines)) + b"0000"]
        asked = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start("200 OK", [("Content-Type", "application/x-git-upload-pack-result")])
        if b"command=ls-refs" in asked:
            return [b"0000"]
        pack = next(count)
        bands = [_line(b"\x01" + pack[at : at + 60_000]) for at in range(0, len(pack), 60_000)]
        return [_line(b"packfile\n"), *bands, b"0000"]

    return app


@contextmanager
def source_of(made: Made, caps: Caps | None = None) -> Iterator[tuple[Git, Server]]:
    """A source that reads this commit by its id."""
    with serving(sends(made)) as server:
        location = Location.parse(f"{server.url}/specs.git#{made.target.hex()}{made.ref}")
        yield Git(location, access=RemoteAccess(allow_loopback=True), caps=caps), server
