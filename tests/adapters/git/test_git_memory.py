"""Memory and requests: what a bomb costs on disk and over http, and that it is fetched once."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.adapters.git.folder import Folder
from reconciler.adapters.git.snapshots import Caps, Oversized
from reconciler.ports.specs import Snapshot
from tests.adapters.git.git_kit import Work, backend_app, dulwich_app, serving
from tests.adapters.git.pack_kit import BLOB, FILE, Made, source_of

MIB = 1024 * 1024
BOMB = 64 * MIB


def peak_of(read: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / "work")


def _with_a_bomb(work: Work) -> None:
    work.commit(a="1")
    with (work.path / "bomb.yaml").open("wb") as file:
        file.truncate(BOMB)
    work.commit()


@pytest.mark.parametrize("packed", [False, True])
def test_a_bomb_on_disk_is_left_out_by_its_size_and_never_inflated(work: Work, packed: bool) -> None:
    _with_a_bomb(work)
    if packed:
        work.git("gc", "--quiet")
    found: list[Snapshot] = []
    peak = peak_of(lambda: found.append(work.source().snapshot()))

    assert found[0].files == {"a.yaml": b"1"}
    assert found[0].skipped == {"bomb.yaml": f"{BOMB:,} bytes, and at most 262,144 bytes are read"}
    assert peak < 4 * MIB


@pytest.mark.parametrize("app", [dulwich_app, backend_app])
def test_a_bomb_behind_a_server_is_refused_or_left_out(work: Work, app: Callable[[Path], object]) -> None:
    """The one server can leave large files out, the other sends everything."""
    _with_a_bomb(work)
    caps = Caps(inflated_bytes=32 * MIB)
    with serving(app(work.path)) as server:  # type: ignore[arg-type] # both are such functions
        git = server.source(caps=caps)
        if app is backend_app:
            assert git.snapshot().skipped == {"bomb.yaml": "larger than the 262,144 bytes are read"}
        else:
            with pytest.raises(Oversized, match=r"\(\w{12}\): unfolds to more than 33,554,432 bytes; keep specs in a"):
                git.snapshot()


def test_a_thousand_megabytes_in_a_quarter_of_one_are_refused_with_the_usual_limits() -> None:
    """As it was found: 0.27 MB that took 993 MB."""
    made = Made()
    blobs = [made.put(BLOB, bytes(MIB) + b"%d" % index) for index in range(992)]
    made.commit(made.tree(*((FILE, b"%d.yaml" % index, blob) for index, blob in enumerate(blobs))))
    made.first = made.bytes()
    made.entries.clear()
    assert len(made.first) < 1.2 * MIB
    with source_of(made) as (git, _):

        def read() -> None:
            with pytest.raises(Oversized, match="unfolds to more than 268,435,456 bytes"):
                git.snapshot()

        assert peak_of(read) < 8 * MIB


def test_a_refused_commit_is_not_fetched_again_and_the_next_one_is(work: Work) -> None:
    """The last good commit stays in force, and each look costs one request."""
    good = work.commit(a="1")
    caps = Caps(entries=2)
    with serving(backend_app(work.path)) as server:
        git = server.source("main", caps=caps)
        git.snapshot()
        bad = work.commit(b="1", c="1")
        first = git.snapshot()
        server.requests.clear()
        second = git.snapshot()
        assert server.requests == ["GET /specs.git/info/refs"]
        work.git("rm", "--quiet", "b.yaml")
        better = work.commit()

        assert (first.revision, second.revision) == (good, good)
        assert first.stale == second.stale
        assert f"({bad[:12]}): more than 2 files and folders" in first.stale
        assert (git.snapshot().revision, git.snapshot().stale) == (better, "")


def test_no_blob_beside_the_specs_is_sent(work: Work) -> None:
    """A repository of an application holds much else: a server that can sends only trees, then what is named."""
    (work.path / "app.bin").write_bytes(bytes(range(256)) * 8 * 1024)
    for index in range(200):
        (work.path / f"{index}.txt").write_text(f"{index * index}" * 500)
    commit = work.commit(a="1", pools__b="2")
    with serving(backend_app(work.path)) as server:
        snapshot = server.source(caps=Caps(inflated_bytes=20_000, fetch_bytes=10_000)).snapshot()

    assert (snapshot.revision, snapshot.files) == (commit, {"a.yaml": b"1", "pools/b.yaml": b"2"})


@pytest.fixture(scope="module")
def deltas(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """Ninety commits, packed; no test changes it."""
    work = Work(tmp_path_factory.mktemp("deltas"))
    lines = [f"line {index}: {index * 7919 % 1000}" for index in range(400)]
    for turn in range(30):
        lines[turn * 10] = f"changed in turn {turn}"
        for name in ("a", "pools__b", "pools__deep__c"):
            work.commit(**{name: "\n".join([name, *lines])})
    work.git("gc", "--quiet", "--aggressive")
    return work


@pytest.mark.parametrize("place", ["disk", "dulwich", "http-backend", "folder"])
def test_files_that_git_keeps_as_deltas_are_read_as_git_shows_them(deltas: Work, place: str) -> None:
    shown = {
        path: deltas.git("show", f"HEAD:{path}").encode() for path in ("a.yaml", "pools/b.yaml", "pools/deep/c.yaml")
    }
    if place == "disk":
        assert deltas.source().snapshot().files == shown
    elif place == "folder":
        snapshot = Folder(deltas.path).snapshot()
        assert (snapshot.revision, snapshot.files) == (deltas.git("rev-parse", "HEAD"), shown)
    else:
        with serving({"dulwich": dulwich_app, "http-backend": backend_app}[place](deltas.path)) as server:
            assert server.source().snapshot().files == shown


def test_a_tree_on_disk_that_is_too_large_is_refused_in_one_line(work: Work) -> None:
    work.commit(**{f"file-{index}": "1" for index in range(60)})

    with pytest.raises(Oversized, match=r"@HEAD \(\w{12}\): a folder or commit of [\d,]+ bytes; keep specs in a"):
        work.source(caps=Caps(object_bytes=1_000)).snapshot()
