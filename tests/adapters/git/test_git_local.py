"""Refs of a local repository, and what stays in force when git fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reconciler.adapters.git.source import Git, Location, changed, source
from reconciler.errors import NotFound, Rejected
from reconciler.ports.specs import Snapshot
from tests.adapters.git.git_kit import Work


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / "work")


def test_each_kind_of_ref_leads_to_its_commit(work: Work) -> None:
    first = work.commit(a="1")
    work.git("tag", "light")
    work.git("tag", "--annotate", "--message", "x", "heavy")
    work.git("branch", "feature/old")
    second = work.commit(a="2")

    for ref in ("light", "heavy", "feature/old", first, "refs/tags/heavy", "refs/heads/feature/old"):
        assert work.source(ref).snapshot().revision == first, ref
    for ref in ("", "main", second, "refs/heads/main"):
        assert work.source(ref).snapshot().revision == second, ref


def test_a_name_that_is_branch_and_tag_is_refused(work: Work) -> None:
    """A tag named like the branch would take over from it, pushed by anybody who may push tags."""
    work.commit(a="1")
    work.git("tag", "main")

    with pytest.raises(Rejected, match="main is a branch and a tag"):
        work.source("main").snapshot()
    assert work.source("refs/heads/main").snapshot().files == {"a.yaml": b"1"}


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("none", "no branch or tag none; a commit is named by its full id"),
        ("0123456", "no branch or tag 0123456; a commit is named by its full id"),
        ("f" * 40, f"no commit {'f' * 40}"),
    ],
)
def test_a_ref_that_is_not_there_is_named(work: Work, ref: str, message: str) -> None:
    work.commit(a="1")

    with pytest.raises(NotFound, match=message):
        work.source(ref).snapshot()


def test_a_ref_to_a_file_is_no_commit(work: Work) -> None:
    work.commit(a="1")
    work.git("tag", "blob", work.git("rev-parse", "HEAD:a.yaml"))

    with pytest.raises(NotFound, match="names a blob and no commit"):
        work.source("blob").snapshot()


def test_an_empty_repository_and_none_at_all_are_told_apart(work: Work, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="the repository is empty"):
        work.source().snapshot()
    with pytest.raises(NotFound, match="no repository there"):
        Git(Location.parse(f"{tmp_path / 'none'}#main")).snapshot()


def test_a_bare_repository_is_read_by_its_file_url(work: Work, tmp_path: Path) -> None:
    commit = work.commit(a="1")
    work.git("clone", "--quiet", "--bare", str(work.path), str(tmp_path / "bare.git"))

    assert source(Location.parse(f"file://{tmp_path}/bare.git")).snapshot().revision == commit


def test_packed_repositories_and_work_trees_are_read_too(work: Work, tmp_path: Path) -> None:
    work.commit(a="1")
    commit = work.commit(a="2")
    work.git("gc", "--quiet")
    work.git("worktree", "add", "--quiet", str(tmp_path / "second"))

    assert work.source("main").snapshot().files == {"a.yaml": b"2"}
    assert Git(Location.parse(f"{tmp_path / 'second'}#")).snapshot().revision == commit


def test_a_sha256_repository_is_read(tmp_path: Path) -> None:
    work = Work(tmp_path / "work")
    shutil.rmtree(work.path / ".git")
    work.git("init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    commit = work.commit(a="1")

    assert (len(commit), work.source().snapshot().revision) == (64, commit)


def test_an_unchanged_head_gives_the_very_same_snapshot(work: Work) -> None:
    work.commit(a="1")
    git = work.source()

    assert git.snapshot() is git.snapshot()


def test_a_force_push_is_followed(work: Work) -> None:
    """The ref says what is wanted, also where history was rewritten."""
    work.commit(a="1")
    git = work.source("main")
    git.snapshot()
    work.git("commit", "--quiet", "--amend", "--message", "other")
    (work.path / "a.yaml").write_text("3")
    work.git("commit", "--quiet", "--all", "--amend", "--message", "again")

    assert git.snapshot().files == {"a.yaml": b"3"}


def test_a_deleted_branch_keeps_the_last_good_commit_and_says_so(work: Work) -> None:
    first = work.commit(a="1")
    work.git("branch", "old")
    git = work.source("old")
    good = git.snapshot()
    work.git("branch", "--delete", "--force", "old")
    kept = git.snapshot()

    assert (kept.revision, kept.files) == (first, good.files)
    assert kept.stale == f"git {work.path}@old: no branch or tag old; a commit is named by its full id"


def test_an_empty_commit_keeps_the_last_good_one_until_there_are_files_again(work: Work) -> None:
    """A spec repository that is emptied by mistake must not make every pool look unwanted."""
    first = work.commit(a="1")
    git = work.source("main")
    git.snapshot()
    work.git("rm", "--quiet", "a.yaml")
    empty = work.commit()
    kept = git.snapshot()

    assert (kept.revision, kept.files) == (first, {"a.yaml": b"1"})
    assert kept.stale == f"git {work.path}@main ({empty[:12]}): no .yaml, .yml, .json file"

    third = work.commit(b="2")
    assert (git.snapshot().revision, git.snapshot().stale) == (third, "")


def test_an_empty_commit_with_none_before_is_an_error(work: Work) -> None:
    work.commit()

    with pytest.raises(NotFound, match=r"no \.yaml, \.yml, \.json file"):
        work.source().snapshot()


def test_what_changed_between_two_snapshots_is_told_by_path() -> None:
    before = Snapshot("1", {"a": b"1", "b": b"2", "c": b"3"})
    after = Snapshot("2", {"a": b"1", "b": b"x", "d": b"4"})

    assert changed(before, after) == {"b", "c", "d"}
    assert changed(None, after) == {"a", "b", "d"}
    assert changed(after, after) == frozenset()
