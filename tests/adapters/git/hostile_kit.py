"""Commits made by hand for `test_hostile_packs`: what each of them is, as a function that fills a pack."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from reconciler.adapters.git.snapshots import Caps
from reconciler.errors import ReconcilerError
from tests.adapters.git.pack_kit import (
    BLOB,
    COMMIT,
    FILE,
    FOLDER,
    TAG,
    TREE,
    Made,
    copying,
    listed,
    oid,
    on_id,
    on_offset,
    packed,
    tag_of,
    whole,
)

MIB = 1024 * 1024
SMALL = Caps(inflated_bytes=8 * MIB, object_bytes=MIB, total_bytes=4 * MIB, held_bytes=4 * MIB)
PEAK = 12 * MIB
"""Of a case with small limits: what is kept, one object, its delta, and what the server of the test holds."""
ONE = b"kind: pool\n"


@dataclass(frozen=True)
class Case:
    """One commit, and what reading it ends as."""

    name: str
    make: Callable[[Made], object]
    kind: type[ReconcilerError] | None = None
    says: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    beyond: int = 0
    """Files behind a limit."""
    caps: Caps = SMALL


def files_of(*contents: tuple[bytes, bytes]) -> Callable[[Made], object]:
    return lambda made: made.commit(made.tree(*((FILE, name, made.put(BLOB, text)) for name, text in contents)))


def named_as(name: bytes, mode: bytes = FILE) -> Callable[[Made], object]:
    def make(made: Made) -> None:
        blob = made.put(BLOB, ONE)
        made.commit(made.tree((FILE, b"a.yaml", blob), (mode, name, blob)))

    return make


def late(entries: Callable[[], Iterable[bytes]]) -> Callable[[Made], object]:
    """The same with entries that take time to make: the test makes them, and not the collection."""

    def make(made: Made) -> None:
        beside(*entries())(made)

    return make


def beside(*entries: bytes) -> Callable[[Made], object]:
    """A good commit, and entries beside it that no tree names."""

    def make(made: Made) -> None:
        files_of((b"a.yaml", ONE))(made)
        made.entries += entries

    return make


def spec_as(content: bytes, *entries: bytes) -> Callable[[Made], object]:
    """A commit whose one spec file stands in the pack as these entries."""

    def make(made: Made) -> None:
        made.entries += entries
        made.commit(made.tree((FILE, b"a.yaml", oid(BLOB, content))))

    return make


def cut(keep: Callable[[bytes], bytes]) -> Callable[[Made], object]:
    def make(made: Made) -> None:
        files_of((b"a.yaml", ONE * 40), (b"b.yaml", bytes(range(256)) * 8))(made)
        made.first = keep(made.bytes())

    return make


def counted(count: int) -> Callable[[Made], object]:
    def make(made: Made) -> None:
        files_of((b"a.yaml", ONE))(made)
        made.first = packed(*made.entries, count=count)

    return make


def tree_is(kind: int, content: bytes) -> Callable[[Made], object]:
    return lambda made: made.commit(made.put(kind, content))


def entry_is(mode: bytes, name: bytes, kind: int, content: bytes) -> Callable[[Made], object]:
    return lambda made: made.commit(made.tree((mode, name, made.put(kind, content))))


def target_is(kind: int, content: bytes) -> Callable[[Made], object]:
    def make(made: Made) -> None:
        made.target = made.put(kind, content)

    return make


def tags(depth: int) -> Callable[[Made], object]:
    def make(made: Made) -> None:
        files_of((b"a.yaml", ONE))(made)
        kind = COMMIT
        for index in range(depth):
            made.target, kind = made.put(TAG, tag_of(made.target, kind, b"v%d" % index)), TAG

    return make


def nested(depth: int) -> Callable[[Made], object]:
    def make(made: Made) -> None:
        inner = made.tree((FILE, b"a.yaml", made.put(BLOB, ONE)))
        for _ in range(depth):
            inner = made.tree((FOLDER, b"d", inner))
        made.commit(inner)

    return make


def unfolding(made: Made, name: bytes = b"a.yaml") -> None:
    inner = made.tree((FILE, name, made.put(BLOB, ONE)))
    for _ in range(10):
        inner = made.tree(*((FOLDER, b"d%d" % index, inner) for index in range(10)))
    made.commit(inner)


def doubling(made: Made) -> None:
    """Each delta copies the one before twice: 14 of them are 16 MiB, 30 would be a terabyte."""
    size, content = 1024, b"0" * 1024
    made.entries.append(whole(BLOB, content))
    for _ in range(14):
        made.entries.append(on_offset(len(made.entries[-1]), copying(size, 2)))
        size *= 2
    files_of((b"a.yaml", ONE))(made)


def fan(size: int, times: int, count: int) -> Callable[[Made], object]:
    def make(made: Made) -> None:
        base = bytes(size)
        made.entries.append(whole(BLOB, base))
        made.entries += [on_id(oid(BLOB, base), copying(size, times, extra=b"%d" % index)) for index in range(count)]
        files_of((b"a.yaml", ONE))(made)

    return make


def comb(made: Made) -> None:
    """At each level one delta waits while another goes deeper: all bases would have to stay in memory."""
    base = bytes(500_000)
    made.entries.append(whole(BLOB, base))
    for index in range(60):
        made.entries.append(on_id(oid(BLOB, base), copying(len(base), 1, extra=b"w%d" % index)))
        made.entries.append(on_id(oid(BLOB, base), copying(len(base), 1, extra=b"d")))
        base += b"d"
    files_of((b"a.yaml", ONE))(made)


def cycle(made: Made) -> None:
    names = oid(BLOB, b"x"), oid(BLOB, b"y")
    made.entries += [on_id(names[0], copying(1, 1)), on_id(names[1], copying(1, 1))]
    made.commit(made.tree((FILE, b"a.yaml", names[0])))


def chain(length: int) -> Callable[[Made], object]:
    def make(made: Made) -> None:
        content = ONE
        made.entries.append(whole(BLOB, content))
        for _ in range(length):
            made.entries.append(on_offset(len(made.entries[-1]), copying(len(content), 1, extra=b"#")))
            content += b"#"
        made.commit(made.tree((FILE, b"a.yaml", oid(BLOB, content))))

    return make


def tree_as_delta(made: Made) -> None:
    blob = made.put(BLOB, ONE)
    base = listed((FILE, b"a.yaml", blob))
    result = base + listed((FILE, b"b.yaml", blob))
    more = copying(len(base), 1, extra=result[len(base) :])
    made.put(TREE, base)
    made.entries.append(on_offset(len(made.entries[-1]), more))
    made.commit(oid(TREE, result))


def same_blob(times: int, size: int) -> Callable[[Made], object]:
    def make(made: Made) -> None:
        blob = made.put(BLOB, bytes(size))
        made.commit(made.tree(*((FILE, b"f%05d.yaml" % index, blob) for index in range(times))))

    return make


def left_out(made: Made, *second: bytes) -> None:
    made.second += second
    made.commit(made.tree((FILE, b"a.yaml", oid(BLOB, ONE))))
