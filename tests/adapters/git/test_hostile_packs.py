"""Packs that are made to harm: refused early, in one line, and within the memory of a small machine."""

from __future__ import annotations

import tracemalloc

import pytest

from reconciler.adapters.git.snapshots import Caps, Oversized
from reconciler.errors import NotFound, Unavailable
from tests.adapters.git.hostile_kit import (
    MIB,
    ONE,
    PEAK,
    SMALL,
    Case,
    beside,
    chain,
    comb,
    counted,
    cut,
    cycle,
    doubling,
    entry_is,
    fan,
    files_of,
    late,
    left_out,
    named_as,
    nested,
    same_blob,
    spec_as,
    tags,
    target_is,
    tree_as_delta,
    tree_is,
    unfolding,
)
from tests.adapters.git.pack_kit import (
    BLOB,
    COMMIT,
    FILE,
    FOLDER,
    LINK,
    MODULE,
    TAG,
    TREE,
    Made,
    commit_of,
    copying,
    header,
    listed,
    oid,
    on_id,
    on_offset,
    packed,
    source_of,
    tag_of,
    whole,
)

LARGE = ONE + b"#" * 300_000
GOOD = {"a.yaml": ONE}
UNFOLDS = "unfolds to more than 8,388,608 bytes"
FILE_LIMIT = "at most 262,144 bytes are read"

CASES = [
    # Bombs: a few bytes that unfold.
    Case("one spec file", files_of((b"a.yaml", bytes(64 * MIB))), Oversized, UNFOLDS),
    Case("a file that is no spec", late(lambda: [whole(BLOB, bytes(64 * MIB))]), Oversized, UNFOLDS),
    Case("a hundred files", late(lambda: [whole(BLOB, bytes(MIB) + b"%d" % i) for i in range(100)]), Oversized, UNFOLDS),
    Case("a folder", tree_is(TREE, bytes(64 * MIB)), Oversized, UNFOLDS),
    Case("a commit", target_is(COMMIT, commit_of(bytes(20), b"x" * 64 * MIB)), Oversized, UNFOLDS),
    Case("a tag", late(lambda: [whole(TAG, tag_of(bytes(20), TAG, b"x" * 64 * MIB))]), Oversized, UNFOLDS),
    Case("a folder of 2 MiB", tree_is(TREE, bytes(2 * MIB)), Oversized, "a folder or commit of more than 1,048,576"),
    Case("a fan of deltas", fan(100_000, 4, 200), Oversized, UNFOLDS),
    Case("a fan of deltas above an object's limit", fan(100_000, 400, 200), files=GOOD),
    Case("deltas that double", doubling, files=GOOD),
    Case("deltas that wait for each other", comb, Oversized, "more than 4,194,304 bytes of deltas at once"),
    Case("deltas of 2^40 bytes", beside(whole(BLOB, b"x"), on_id(oid(BLOB, b"x"), copying(1, 1, result=2**40))), files=GOOD),
    Case("many deltas of instructions", late(lambda: [whole(BLOB, b"x"), on_id(oid(BLOB, b"x"), bytes(64 * MIB))]), Oversized, UNFOLDS),
    Case("a declared size of 2^59", beside(whole(BLOB, b"x", size=2**59)), Unavailable, "another length than declared"),
    Case("a declared size that is too small", beside(whole(BLOB, bytes(5 * MIB), size=3)), Unavailable, "another length"),
    Case("a declared size of 0", beside(whole(BLOB, b"x", size=0)), Unavailable, "another length than declared"),
    Case("a size without end", beside(b"\xb0" + b"\x80" * 30), Unavailable, "a length without end"),
    Case("a distance without end", beside(b"\x61\x80" + b"\xff" * 30), Unavailable, "a distance without end"),
    Case(
        "four billion objects",
        cut(lambda pack: pack[:8] + b"\xff" * 4 + pack[12:]),
        Oversized,
        "4,294,967,295 git objects, and at most 500,000 are read",
    ),
    Case(
        "one object more than the limit",
        beside(*(whole(BLOB, b"%d" % index) for index in range(20))),
        Oversized,
        "23 git objects, and at most 22",
        caps=Caps(entries=22),
    ),
    Case("one blob under many names", same_blob(30, 200_000), files={f"f{i:05}.yaml": bytes(200_000) for i in range(20)}, beyond=10),
    Case("folders that unfold", unfolding, Oversized, "more than 30,000 files and folders", caps=Caps(entries=30_000)),
    Case("folders that unfold to other files", lambda made: unfolding(made, b"a.txt"), Oversized, "more than 5,000 files and folders", caps=Caps(entries=5_000)),
    Case("too many files", same_blob(21, 1), files={f"f{i:05}.yaml": bytes(1) for i in range(20)}, beyond=1, caps=Caps(files=20)),
    Case("as many files as may be", same_blob(2, 1), files={"f00000.yaml": b"\0", "f00001.yaml": b"\0"}, caps=Caps(files=2)),
    Case("folders that are too deep", nested(21), NotFound, "no .yaml, .yml, .json file"),
    Case("folders as deep as may be", nested(20), files={"d/" * 20 + "a.yaml": ONE}),
    Case("ten thousand folders in one another", nested(10_000), NotFound, "no .yaml, .yml, .json file"),
    # Files that are too large are named, and the others are read.
    Case(
        "a large file",
        files_of((b"a.yaml", ONE), (b"b.yaml", LARGE)),
        files=GOOD,
        skipped={"b.yaml": f"300,011 bytes, and {FILE_LIMIT}"},
    ),
    Case(
        "a large file as a delta",
        spec_as(LARGE, whole(BLOB, LARGE[:-1]), on_id(oid(BLOB, LARGE[:-1]), copying(len(LARGE) - 1, 1, extra=b"#"))),
        NotFound,
        "no .yaml",
    ),
    Case(
        "a delta on what is above an object's limit",
        spec_as(ONE, whole(BLOB, bytes(2 * MIB)), on_id(oid(BLOB, bytes(2 * MIB)), b"")),
        Unavailable,
        "a delta without sizes",
    ),
    # Deltas.
    Case("a delta by offset", chain(1), files={"a.yaml": ONE + b"#"}),
    Case("a chain of 500", chain(500), files={"a.yaml": ONE + b"#" * 500}),
    Case("a folder as a delta", tree_as_delta, files={"a.yaml": ONE, "b.yaml": ONE}),
    Case("a delta before its base", spec_as(ONE + b"#", on_id(oid(BLOB, ONE), copying(11, 1, extra=b"#")), whole(BLOB, ONE)), files={"a.yaml": ONE + b"#"}),
    Case("a delta on itself", beside(on_offset(0, copying(1, 1))), Unavailable, "a delta without base"),
    Case("a delta before the pack", beside(on_offset(2**40, copying(1, 1))), Unavailable, "a delta without base"),
    Case("a delta into the middle", beside(on_offset(3, copying(1, 1))), Unavailable, "a delta without base"),
    Case("deltas in a circle", cycle, Unavailable, "is missing"),
    Case("a delta on what is elsewhere", spec_as(ONE, on_id(bytes(20), copying(1, 1))), Unavailable, "is missing"),
    Case("a delta for another base", beside(whole(BLOB, b"xy"), on_id(oid(BLOB, b"xy"), copying(1, 1))), Unavailable, "does not fit its base"),
    Case("a delta with another result", beside(whole(BLOB, b"x"), on_id(oid(BLOB, b"x"), copying(1, 1, result=2))), Unavailable, "the pack is damaged|cannot be read"),
    Case("a delta that copies too much", beside(whole(BLOB, b"x"), on_id(oid(BLOB, b"x"), b"\x01\x05\x91\x00\x05")), Unavailable, "does not fit its base"),
    Case("a delta of an unknown instruction", beside(whole(BLOB, b"x"), on_id(oid(BLOB, b"x"), b"\x01\x01\x00")), Unavailable, "does not fit its base"),
    Case("a delta that breaks off", beside(whole(BLOB, b"x"), on_id(oid(BLOB, b"x"), b"\x01\x01\x91")), Unavailable, "does not fit its base"),
    Case("a delta without instructions", beside(whole(BLOB, b"x"), on_id(oid(BLOB, b"x"), b"")), Unavailable, "a delta without sizes"),
    Case("a delta whose sizes have no end", beside(whole(BLOB, b"x"), on_id(oid(BLOB, b"x"), b"\xff" * 32)), Unavailable, "a delta without sizes"),
    # Objects that are in the pack more than once.
    Case("a blob twice", beside(whole(BLOB, ONE)), files=GOOD),
    Case("a delta on the second of two", spec_as(ONE + b"#", whole(BLOB, ONE), whole(BLOB, ONE), on_offset(len(whole(BLOB, ONE)), copying(11, 1, extra=b"#"))), files={"a.yaml": ONE + b"#"}),
    Case("a blob and a delta that makes it", spec_as(ONE, whole(BLOB, ONE), whole(BLOB, b""), on_id(oid(BLOB, ONE), copying(11, 1))), files=GOOD),
    # Bytes that break off or are altered.
    *(
        Case(f"only {length} bytes", cut(lambda pack, length=length: pack[:length]), Unavailable)  # type: ignore[misc]
        for length in (1, 4, 11, 12, 13, 14, 20, 60)
    ),
    *(
        Case(f"{length} bytes are missing at its end", cut(lambda pack, length=length: pack[:-length]), Unavailable)  # type: ignore[misc]
        for length in (1, 19, 20, 21, 40)
    ),
    Case("bytes after its end", cut(lambda pack: pack + b"x"), Unavailable, "bytes after its end"),
    Case("a pack after its end", cut(lambda pack: pack + pack), Unavailable, "bytes after its end"),
    Case("another checksum", cut(lambda pack: pack[:-1] + bytes([pack[-1] ^ 1])), Unavailable, "its checksum is wrong"),
    Case("another version", cut(lambda pack: pack[:7] + b"\x04" + pack[8:]), Unavailable, "no pack"),
    Case("another beginning", cut(lambda pack: b"KCAP" + pack[4:]), Unavailable, "no pack"),
    Case("no object at all", cut(lambda _: packed()), NotFound, "no commit"),
    Case("an object of type 0", beside(header(0, 1) + b"x"), Unavailable, "an object of type 0"),
    Case("an object of type 5", beside(header(5, 1) + b"x"), Unavailable, "an object of type 5"),
    Case("bytes that are not compressed", beside(header(3, 40) + b"x" * 40), Unavailable, "bytes that are not compressed"),
    Case("fewer objects than counted", counted(9), Unavailable),
    Case("more objects than counted", counted(1), Unavailable, "bytes after its end"),
    # Objects of another kind than their place.
    Case("a blob in the place of the folder", tree_is(BLOB, ONE), Unavailable),
    Case("a commit in the place of the folder", tree_is(COMMIT, commit_of(bytes(20))), Unavailable),
    Case("a blob in the place of a folder", entry_is(FOLDER, b"d", BLOB, ONE), Unavailable),
    Case("a commit in the place of a folder", entry_is(FOLDER, b"d", COMMIT, commit_of(bytes(20))), Unavailable),
    Case("a folder in the place of a file", entry_is(FILE, b"a.yaml", TREE, b""), Unavailable, "is missing"),
    Case("a commit in the place of a file", entry_is(FILE, b"a.yaml", COMMIT, commit_of(bytes(20))), Unavailable, "is missing"),
    Case("a folder as the target", target_is(TREE, b""), NotFound, "names a tree and no commit"),
    Case("a blob as the target", target_is(BLOB, ONE), NotFound, "no commit"),
    Case("a tag of a tag", tags(2), files=GOOD),
    Case("six tags in one another", tags(6), NotFound, "names a tag and no commit"),
    Case("a tag of a folder", lambda made: target_is(TAG, tag_of(made.put(TREE, b""), TREE))(made), NotFound, "names a tree"),
    Case("a tag of what is missing", target_is(TAG, tag_of(bytes(20), COMMIT)), Unavailable, "is missing"),
    Case("a commit without folder", target_is(COMMIT, b"author x\n\n"), Unavailable),
    Case("a commit of noise", target_is(COMMIT, b"\xff\x00" * 50), Unavailable),
    Case("a folder of noise", tree_is(TREE, b"\xff\x00\x01" * 50), Unavailable),
    Case("a folder whose last id breaks off", tree_is(TREE, listed((FILE, b"a.yaml", b"short"))), Unavailable),
    Case("a folder with a mode that is no number", tree_is(TREE, listed((b"rwx", b"a.yaml", bytes(20)))), Unavailable),
    Case("a folder that is missing", lambda made: made.commit(bytes(20)), Unavailable, "is missing"),
    Case("a folder in it that is missing", lambda made: made.commit(made.tree((FOLDER, b"d", bytes(20)))), Unavailable, "is missing"),
    # Blobs that the server left out are fetched by their id.
    Case("a blob that was left out", lambda made: left_out(made, whole(BLOB, ONE)), files=GOOD),
    Case("a blob that is missing everywhere", left_out, Unavailable, "is missing"),
    Case("another blob than the one that was left out", lambda made: left_out(made, whole(BLOB, b"x")), Unavailable, "is missing"),
    Case("a bomb that was left out", lambda made: left_out(made, whole(BLOB, bytes(64 * MIB))), Oversized, UNFOLDS),
    # Names and modes.
    *(
        Case(f"the name {name[:20]!r} of {len(name)} bytes", named_as(name), files=GOOD, skipped={shown: "no name for a file"})
        for name, shown in (
            (b"..", ".."),
            (b".", "."),
            (b"", ""),
            (b"x/../b.yaml", "x/../b.yaml"),
            (b"/etc/b.yaml", "/etc/b.yaml"),
            (b"a\\b.yaml", "a\\b.yaml"),
            (b"\xff.yaml", "\\xff.yaml"),
            (b"new\nline.yaml", "new\nline.yaml"),
            (b"\x1b[2J.yaml", "\x1b[2J.yaml"),
            ("\u202eevil.yaml".encode(), "\\xe2\\x80\\xaeevil.yaml"),
            (b"\xed\xa0\x80.yaml", "\\xed\\xa0\\x80.yaml"),
            (b"n" * 251 + b".yaml", "n" * 251 + ".yam"),
            (b"n" * 100_000 + b".yaml", "n" * 255),
        )
    ),
    Case("the longest name", named_as(b"n" * 250 + b".yaml"), files={"a.yaml": ONE, "n" * 250 + ".yaml": ONE}),
    Case("a hidden name", named_as(b".b.yaml"), files=GOOD),
    Case("a hidden folder", named_as(b".git", FOLDER), files=GOOD),
    *(
        Case(f"a file of mode {mode.decode()}", named_as(b"b.yaml", mode), files=GOOD, skipped={"b.yaml": "not a regular file"})
        for mode in (LINK, MODULE, b"100664", b"100000", b"0", b"60000")
    ),
    Case("a file that may be run", named_as(b"b.yaml", b"100755"), files={"a.yaml": ONE, "b.yaml": ONE}),
    Case("a name twice", lambda made: made.commit(made.tree((FILE, b"a.yaml", made.put(BLOB, ONE)), (FILE, b"b.yaml", made.put(BLOB, b"x")), (FILE, b"b.yaml", made.put(BLOB, b"y")))), files=GOOD, skipped={"b.yaml": "this name stands more than once in its folder"}),
]  # fmt: skip


def test_the_table_is_as_long_as_promised_and_names_each_case_once() -> None:
    assert len(CASES) >= 100
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_pack_ends_as_the_table_says_and_within_its_memory(case: Case) -> None:
    made = Made()
    case.make(made)
    made.first = made.bytes()
    made.entries.clear()
    with source_of(made, case.caps) as (git, server):
        tracemalloc.start()
        try:
            if case.kind is None:
                snapshot = git.snapshot()
                assert snapshot.files == case.files
                assert snapshot.skipped == case.skipped
                assert len(snapshot.beyond.paths if snapshot.beyond else ()) == case.beyond
            else:
                with pytest.raises(case.kind) as caught:
                    git.snapshot()
                assert type(caught.value) is case.kind
                assert any(part in str(caught.value) for part in case.says.split("|"))
                assert "\n" not in str(caught.value)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        if case.caps == SMALL and "unfold" not in case.name.replace("unfolds", ""):
            assert peak < PEAK
        before = len(server.requests)
        if case.kind is Oversized:
            with pytest.raises(Oversized) as again:
                git.snapshot()
            assert str(again.value) == str(caught.value)
            assert server.requests[before:] == []
