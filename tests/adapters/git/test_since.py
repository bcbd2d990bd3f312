"""Specs as they were where a change began: over every kind of source, and by git's own word for the merge base."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.git.location import Location, RemoteAccess
from reconciler.adapters.git.since import before
from reconciler.errors import NotFound, ReconcilerError, Rejected
from reconciler.ports.specs import Snapshot
from tests.adapters.git.git_kit import Server, Work, backend_app, serving

PLACES = ("folder", "local", "remote")
LOOPBACK = RemoteAccess(allow_loopback=True)


class Source:
    """One repository, seen in one way."""

    def __init__(self, kind: str, work: Work, server: Server | None) -> None:
        self.kind = kind
        self.work = work
        self._server = server

    def before(self, ref: str, prefix: str = "pools", at: str = "") -> Snapshot:
        if self._server is not None:
            return before(Location.parse(f"{self._server.url}/specs.git#{at}:{prefix}"), ref, access=LOOPBACK)
        if self.kind == "local":
            return before(Location.parse(f"{self.work.path}#{at}:{prefix}"), ref)
        return before(Location.parse(str(self.work.path / prefix)), ref)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / "work")


@pytest.fixture(params=PLACES)
def source(request: pytest.FixtureRequest, work: Work) -> Iterator[Source]:
    if request.param in ("folder", "local"):
        yield Source(request.param, work, None)
        return
    with serving(backend_app(work.path)) as server:
        yield Source(request.param, work, server)


def test_what_main_got_meanwhile_does_not_count(work: Work, source: Source) -> None:
    first = work.commit(pools__a="1")
    work.git("checkout", "-qb", "change")
    work.commit(pools__a="2", pools__b="1")
    work.git("checkout", "-q", "main")
    work.commit(pools__c="1")
    work.git("checkout", "-q", "change")
    found = source.before("main")
    assert (found.revision, dict(found.files)) == (first, {"a.yaml": b"1"})


def test_a_tag_and_a_commit_are_refs_too(work: Work, source: Source) -> None:
    first = work.commit(pools__a="1")
    work.git("tag", "-am", "a release", "v1")
    work.commit(pools__a="2")
    assert source.before("v1").revision == source.before(first).revision == first


def test_a_folder_that_was_not_there_yet_held_no_spec(work: Work, source: Source) -> None:
    first = work.commit(other="1")
    work.commit(pools__a="2")
    found = source.before(first)
    assert (found.revision, dict(found.files)) == (first, {})


def test_the_first_parent_of_a_merge_is_where_the_pull_request_goes(work: Work, source: Source) -> None:
    work.commit(pools__a="1")
    work.git("checkout", "-qb", "change")
    work.commit(pools__b="1")
    work.git("checkout", "-q", "main")
    base = work.commit(pools__c="1")
    work.git("merge", "-q", "--no-ff", "--no-edit", "change")
    assert source.before("HEAD^").revision == source.before("HEAD^1").revision == base
    with pytest.raises(NotFound, match="2 parents"):
        source.before("HEAD^3")


@pytest.mark.parametrize(
    "ref", ["missing", "0" * 40, "", "a b", "--upload-pack=x", "a..b", "x\n", "HEAD~2", "refs/heads/x"]
)
def test_an_unknown_ref_is_one_line(work: Work, source: Source, ref: str) -> None:
    work.commit(pools__a="1")
    with pytest.raises(ReconcilerError, match=r"--changed-since|git ") as raised:
        source.before(ref)
    assert "\n" not in str(raised.value)


def test_unrelated_histories_have_no_merge_base(work: Work, source: Source) -> None:
    work.commit(pools__a="1")
    work.git("checkout", "-q", "--orphan", "island")
    work.commit(pools__a="2")
    with pytest.raises(Rejected, match="no commit in common"):
        source.before("main")


def test_a_remote_branch_of_a_clone(work: Work, tmp_path: Path) -> None:
    first = work.commit(pools__a="1")
    work.git("clone", "-q", str(work.path), str(tmp_path / "clone"))
    clone = Work.__new__(Work)
    clone.path = tmp_path / "clone"
    clone.commit(pools__a="2")
    assert before(Location.parse(str(clone.path / "pools")), "origin/main").revision == first


def test_a_clone_that_was_cut_off_says_so(work: Work, tmp_path: Path) -> None:
    work.commit(pools__a="1")
    work.git("checkout", "-qb", "change")
    work.commit(pools__a="2")
    work.git("checkout", "-q", "main")
    work.commit(pools__c="2")
    shallow = tmp_path / "shallow"
    work.git("clone", "-q", "--depth=1", "--no-single-branch", f"file://{work.path}", str(shallow))
    with pytest.raises(Rejected, match="fetch-depth: 0"):
        before(Location.parse(str(shallow / "pools")), "origin/change")


def test_a_folder_outside_git_says_so(tmp_path: Path) -> None:
    (tmp_path / "pools").mkdir()
    with pytest.raises(NotFound, match="no git repository"):
        before(Location.parse(str(tmp_path / "pools")), "main")


def test_another_folder_of_the_same_repository(work: Work, source: Source) -> None:
    first = work.commit(pools__a="1", policy__policy="2")
    work.commit(policy__policy="3")
    location = Location.parse(f"{work.path}#main:pools")
    assert dict(before(location, first, prefix="policy").files) == {"policy.yaml": b"2"}


@pytest.mark.parametrize("seed", range(6))
def test_the_merge_base_is_one_that_git_names(work: Work, seed: int) -> None:
    """Histories with many merges, criss-cross ones among them."""
    chance = random.Random(seed)  # noqa: S311 - reproducible histories
    work.commit(pools__a="0")
    branches = ["main", "one", "two"]
    for name in branches[1:]:
        work.git("branch", name)
    for number in range(14):
        here = chance.choice(branches)
        work.git("checkout", "-q", here)
        if chance.random() < 0.5:
            work.git("merge", "-q", "-s", "ours", "--no-edit", chance.choice(branches))
        else:
            work.commit(**{f"pools__{here}": str(number)})
    for one in branches:
        for other in branches:
            names = work.git("merge-base", "--all", one, other).split()
            assert before(Location.parse(f"{work.path}#{one}:pools"), other).revision in names
