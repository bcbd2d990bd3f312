"""Which files of a commit are specs, and how hostile trees end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dulwich.objects import Blob, Commit, Tree
from dulwich.repo import Repo

from reconciler.adapters.git.snapshots import Caps
from reconciler.errors import NotFound, Rejected, Unavailable
from tests.adapters.git.git_kit import Work, backend_app, serving


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / "work")


def _hand_made(work: Work, tree: Tree, *others: Tree | Blob) -> None:
    """Commit objects that git itself would refuse to make."""
    with Repo(str(work.path)) as repository:
        store = repository.object_store
        for item in (*others, tree):
            store.add_object(item)
        commit = Commit()
        commit.tree = tree.id
        commit.author = commit.committer = b"Eve <eve@fabrikam.com>"
        commit.author_time = commit.commit_time = 0
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = b"made by hand"
        store.add_object(commit)
        (work.path / ".git/refs/heads/main").write_bytes(commit.id + b"\n")


def test_the_files_are_those_of_the_commit_and_not_of_the_work_tree(work: Work) -> None:
    """A checkout could run filters and hooks; the object store holds what was pushed."""
    commit = work.commit(a="1", pools__b="2")
    (work.path / "a.yaml").write_text("edited")
    (work.path / "new.yaml").write_text("not committed")
    snapshot = work.source("main").snapshot()

    assert (snapshot.revision, snapshot.files) == (commit, {"a.yaml": b"1", "pools/b.yaml": b"2"})
    assert (snapshot.stale, snapshot.skipped) == ("", {})


def test_paths_begin_below_the_prefix(work: Work) -> None:
    work.commit(a="1", pools__b="2", pools__deep__c="3")

    assert work.source(":pools").snapshot().files == {"b.yaml": b"2", "deep/c.yaml": b"3"}


@pytest.mark.parametrize("prefix", ["none", "a.yaml", "pools/b.yaml"])
def test_a_prefix_that_is_no_folder_is_named(work: Work, prefix: str) -> None:
    work.commit(a="1", pools__b="2")

    with pytest.raises(NotFound, match=f"no folder {prefix}"):
        work.source(f":{prefix}").snapshot()


def test_only_yaml_and_json_count_and_hidden_ones_do_not(work: Work) -> None:
    """A workflow in .github is YAML, and no pool."""
    (work.path / ".github").mkdir()
    for name in ("a.YAML", "b.yml", "c.json", "d.txt", "yaml", ".hidden.yaml", ".github/w.yaml"):
        (work.path / name).write_text("x")
    work.commit()

    assert list(work.source().snapshot().files) == ["a.YAML", "b.yml", "c.json"]


def test_links_and_submodules_are_not_read(work: Work, tmp_path: Path) -> None:
    """A link could name any file of the machine, a submodule any repository."""
    secret = tmp_path / "secret.yaml"
    secret.write_text("canary")
    other = Work(tmp_path / "other")
    other.commit(x="1")
    work.path.joinpath("link.yaml").symlink_to(secret)
    work.path.joinpath("folder").symlink_to(tmp_path)
    work.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(other.path), "sub.yaml")
    work.commit(a="1")
    snapshot = work.source().snapshot()

    assert snapshot.files == {"a.yaml": b"1"}
    assert snapshot.skipped == {"link.yaml": "not a regular file", "sub.yaml": "not a regular file"}


def test_an_executable_file_is_a_file(work: Work) -> None:
    (work.path / "a.yaml").write_text("1")
    (work.path / "a.yaml").chmod(0o755)
    work.commit()

    assert work.source().snapshot().files == {"a.yaml": b"1"}


def test_no_hook_runs(work: Work) -> None:
    marker = work.path / "ran"
    for name in ("post-checkout", "post-merge", "reference-transaction", "fsmonitor-watchman"):
        hook = work.path / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
        hook.chmod(0o755)
    (work.path / "a.yaml").write_text("1")
    work.git("config", "core.fsmonitor", str(hook))
    _hand_made(work, tree := Tree(), blob := Blob.from_string(b"1"))
    tree.add(b"a.yaml", 0o100644, blob.id)
    _hand_made(work, tree, blob)
    work.source().snapshot()

    assert not marker.exists()


def test_a_file_that_is_too_large_is_left_out_and_named(work: Work) -> None:
    """One large file must not hide the others, and must not pass in parts."""
    work.commit(large="x" * 11, fits="x" * 10)
    snapshot = work.source(caps=Caps(file_bytes=10)).snapshot()

    assert list(snapshot.files) == ["fits.yaml"]
    assert snapshot.skipped == {"large.yaml": "11 bytes, and at most 10 bytes are read"}


def test_a_folder_that_is_too_deep_is_left_out_and_named(work: Work) -> None:
    work.commit(a="1", d1__b="2", d1__d2__c="3")
    snapshot = work.source(caps=Caps(depth=1)).snapshot()

    assert list(snapshot.files) == ["a.yaml", "d1/b.yaml"]
    assert snapshot.skipped == {"d1/d2": "deeper than 1 folders"}


@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize(
    ("caps", "files", "why"),
    [
        (Caps(files=2), ["a", "b/x"], "4 spec files, and the first 2"),
        (Caps(files=4), ["a", "b/x", "c", "d"], ""),
        (Caps(total_bytes=3), ["a"], "9 bytes of specs, and the first 3"),
        (Caps(total_bytes=6), ["a", "b/x"], "9 bytes of specs, and the first 6"),
        (Caps(total_bytes=9), ["a", "b/x", "c", "d"], ""),
        (Caps(total_bytes=6, file_bytes=2), ["a", "b/x", "d"], ""),
        (Caps(total_bytes=1, file_bytes=1), ["d"], ""),
    ],
)
def test_of_a_commit_beyond_the_limits_of_a_deployment_the_first_files_are_read(
    work: Work, remote: bool, caps: Caps, files: list[str], why: str
) -> None:
    """By name, so that each process reads the same ones, whatever it read before; the others are named, not gone."""
    work.commit(a="12", d="7", b__x="34", c="5678")
    with serving(backend_app(work.path)) as server:
        snapshot = (server.source(caps=caps) if remote else work.source(caps=caps)).snapshot()

    assert list(snapshot.files) == [f"{name}.yaml" for name in files]
    assert (why in snapshot.beyond.why) if snapshot.beyond else not why
    beyond = snapshot.beyond.paths if snapshot.beyond else ()
    assert sorted([*snapshot.files, *snapshot.skipped, *beyond]) == ["a.yaml", "b/x.yaml", "c.yaml", "d.yaml"]


def test_one_blob_under_many_names_counts_as_often_as_it_is_named(work: Work) -> None:
    work.commit(**{f"f{index}": "1234" for index in range(9)})
    snapshot = work.source(caps=Caps(total_bytes=9)).snapshot()

    assert list(snapshot.files) == ["f0.yaml", "f1.yaml"]
    assert snapshot.beyond is not None
    assert (len(snapshot.beyond.paths), snapshot.beyond.why[:18]) == (7, "36 bytes of specs,")


def test_a_commit_of_more_names_than_are_looked_at_is_refused_whole(work: Work) -> None:
    work.commit(a="12", b="34", c="56")

    with pytest.raises(Rejected, match="more than 2 files and folders"):
        work.source(caps=Caps(entries=2)).snapshot()


@pytest.mark.parametrize("name", [b"..", b".", b"x/../../a.yaml", b"a\\b.yaml", b"\xff.yaml", b"new\nline.yaml"])
def test_a_name_that_could_lead_elsewhere_is_left_out(work: Work, name: bytes) -> None:
    """Objects that are written by hand are not bound by git's rules for names."""
    work.commit()
    blob, tree = Blob.from_string(b"1"), Tree()
    tree.add(b"good.yaml", 0o100644, blob.id)
    tree.add(name, 0o100644, blob.id)
    _hand_made(work, tree, blob)
    snapshot = work.source().snapshot()

    assert list(snapshot.files) == ["good.yaml"]
    assert list(snapshot.skipped.values()) == ["no name for a file"]


def test_a_tree_that_unfolds_without_end_is_cut(work: Work) -> None:
    """Ten trees that hold the next one ten times are ten thousand million names in a few hundred bytes."""
    work.commit()
    blob, tree = Blob.from_string(b"1"), Tree()
    tree.add(b"a.yaml", 0o100644, blob.id)
    made: list[Tree | Blob] = [blob]
    for _ in range(10):
        made.append(tree)
        outer = Tree()
        for index in range(10):
            outer.add(b"d%d" % index, 0o040000, tree.id)
        tree = outer
    _hand_made(work, tree, *made)

    with pytest.raises(Rejected, match="more than 5,000 files and folders"):
        work.source(caps=Caps(entries=5_000)).snapshot()


@pytest.mark.parametrize("damage", [b"", b"garbage"])
def test_a_damaged_object_is_no_absence(work: Work, damage: bytes) -> None:
    work.commit(a="1")
    tree = work.git("rev-parse", "HEAD^{tree}")
    file = work.path / ".git/objects" / tree[:2] / tree[2:]
    os.chmod(file, 0o644)  # noqa: PTH101 - git makes it read-only
    file.write_bytes(damage)

    with pytest.raises(Unavailable, match="an object cannot be read"):
        work.source().snapshot()


def test_a_missing_object_is_no_absence(work: Work) -> None:
    work.commit(a="1", pools__b="2")
    tree = work.git("rev-parse", "HEAD:pools")
    (work.path / ".git/objects" / tree[:2] / tree[2:]).unlink()

    with pytest.raises(Unavailable, match="is missing"):
        work.source().snapshot()
