"""Specs from a folder on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.adapters.git.folder import Folder
from reconciler.adapters.git.snapshots import Caps
from reconciler.adapters.git.source import Location, source
from reconciler.errors import NotFound
from reconciler.ports.specs import Beyond
from tests.adapters.git.git_kit import Work


def test_a_folder_that_git_does_not_keep_has_no_revision(tmp_path: Path) -> None:
    (tmp_path / "pools").mkdir()
    (tmp_path / "a.yaml").write_text("1")
    (tmp_path / "pools/b.json").write_text("2")
    (tmp_path / "README.md").write_text("no spec")
    (tmp_path / ".vscode").mkdir()
    (tmp_path / ".vscode/settings.json").write_text("no spec")
    snapshot = source(Location.parse(str(tmp_path))).snapshot()

    assert (snapshot.revision, snapshot.files) == ("", {"a.yaml": b"1", "pools/b.json": b"2"})


def test_a_folder_as_its_commit_has_it_carries_the_commits_id(tmp_path: Path) -> None:
    work = Work(tmp_path)
    commit = work.commit(a="1", pools__b="2")

    assert Folder(tmp_path).snapshot().revision == commit
    assert Folder(tmp_path / "pools").snapshot().revision == commit


def test_unsaved_work_never_carries_the_name_of_a_commit(tmp_path: Path) -> None:
    """And two states of it have two names, so that trouble with one is not held against the other."""
    work = Work(tmp_path)
    commit = work.commit(a="1")
    revisions = [commit]
    for content in ("2", "3"):
        (tmp_path / "a.yaml").write_text(content)
        snapshot = Folder(tmp_path).snapshot()
        assert snapshot.files == {"a.yaml": content.encode()}
        assert snapshot.revision.startswith(f"{commit}-dirty-")
        revisions.append(snapshot.revision)

    assert len(set(revisions)) == 3
    (tmp_path / "a.yaml").write_text("1")
    (tmp_path / "b.yaml").write_text("untracked")
    assert "-dirty-" in Folder(tmp_path).snapshot().revision


def test_a_folder_that_its_repository_does_not_know_yet_is_dirty(tmp_path: Path) -> None:
    work = Work(tmp_path)
    commit = work.commit(a="1")
    (tmp_path / "new").mkdir()
    (tmp_path / "new/b.yaml").write_text("1")

    assert Folder(tmp_path / "new").snapshot().revision.startswith(f"{commit}-dirty-")


def test_a_repository_without_a_commit_is_a_plain_folder(tmp_path: Path) -> None:
    Work(tmp_path)
    (tmp_path / "a.yaml").write_text("1")

    assert Folder(tmp_path).snapshot().revision == ""


def test_a_link_is_not_followed_and_a_large_file_is_left_out(tmp_path: Path) -> None:
    """A link could lead out of the folder, or round in a circle."""
    specs = tmp_path / "specs"
    specs.mkdir()
    (tmp_path / "outside.yaml").write_text("canary")
    (specs / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (specs / "circle").symlink_to(specs)
    os.mkfifo(specs / "pipe.yaml")
    (specs / "large.yaml").write_text("x" * 11)
    (specs / "a.yaml").write_text("1")
    (specs / "d1/d2").mkdir(parents=True)
    snapshot = Folder(specs, caps=Caps(file_bytes=10, depth=1)).snapshot()

    assert snapshot.files == {"a.yaml": b"1"}
    assert snapshot.skipped == {
        "d1/d2": "deeper than 1 folders",
        "large.yaml": "11 bytes, and at most 10 bytes are read",
        "link.yaml": "not a regular file",
        "pipe.yaml": "not a regular file",
    }


@pytest.mark.parametrize(
    ("caps", "why"),
    [
        (Caps(files=2), "4 spec files, and the first 2 by name are read; narrow the folder in RECONCILER_SPECS, or raise RECONCILER_GIT_FILES"),
        (Caps(total_bytes=5), "8 bytes of specs, and the first 5 by name are read; narrow the folder in RECONCILER_SPECS, or raise RECONCILER_GIT_BYTES"),
    ],
)  # fmt: skip
def test_of_more_files_than_the_limits_allow_the_first_by_name_are_read(tmp_path: Path, caps: Caps, why: str) -> None:
    for index in reversed(range(4)):
        (tmp_path / f"{index}.yaml").write_text("xx")
    snapshot = Folder(tmp_path, caps=caps).snapshot()

    assert list(snapshot.files) == ["0.yaml", "1.yaml"]
    assert snapshot.beyond == Beyond(("2.yaml", "3.yaml"), why)
    assert snapshot.left_out() == {"2.yaml": f"left out, with 1 more files: {why}"}
    assert list(snapshot.unread()) == ["2.yaml", "3.yaml"]


def test_a_folder_that_is_missing_or_empty_is_an_error_at_first(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such folder"):
        Folder(tmp_path / "none").snapshot()
    with pytest.raises(NotFound, match=r"no \.yaml, \.yml, \.json file"):
        Folder(tmp_path).snapshot()


def test_a_file_is_read_alone(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_bytes(b"a: 1")
    (tmp_path / "two.yaml").write_bytes(b"b: 2")

    snapshot = Folder(tmp_path / "one.yaml").snapshot()

    assert (dict(snapshot.files), snapshot.revision) == ({"one.yaml": b"a: 1"}, "")


def test_a_file_as_its_commit_has_it_carries_the_commits_id_whatever_is_beside_it(tmp_path: Path) -> None:
    commit = Work(tmp_path).commit(specs__one="1", specs__two="2")
    (tmp_path / "specs" / "two.yaml").write_text("3")

    assert Folder(tmp_path / "specs" / "one.yaml").snapshot().revision == commit
    assert Folder(tmp_path / "specs" / "two.yaml").snapshot().revision.startswith(f"{commit}-dirty-")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("pool.txt", b"a: 1", "the name of a spec ends in .yaml, .yml, .json"),
        ("pool.yaml", b"a" * 3_000_000, "3,000,000 bytes, and at most"),
    ],
)
def test_a_file_that_is_no_spec_says_why(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(NotFound, match=message):
        Folder(tmp_path / name).snapshot()


def test_a_folder_that_is_emptied_keeps_its_last_good_state(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("1")
    folder = Folder(tmp_path)
    folder.snapshot()
    file.unlink()
    kept = folder.snapshot()

    assert kept.files == {"a.yaml": b"1"}
    assert kept.stale == f"folder {tmp_path}: no .yaml, .yml, .json file"
