"""A commit on a new branch of a remote: one file has another content, and no branch that exists is moved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.git.snapshots import Caps
from reconciler.adapters.git.source import Location, RemoteAccess, basic
from reconciler.adapters.git.wire import RemoteRepository
from reconciler.errors import Forbidden, NotFound, Rejected, Unavailable
from tests.adapters.git.git_kit import Server, Work, backend_app, dulwich_app, serving


@pytest.fixture
def work(tmp_path: Path) -> Work:
    made = Work(tmp_path / "work")
    made.git("config", "http.receivepack", "true")
    return made


@pytest.fixture(params=["dulwich", "http-backend"])
def server(request: pytest.FixtureRequest, work: Work) -> Iterator[Server]:
    with serving(dulwich_app(work.path) if request.param == "dulwich" else backend_app(work.path)) as running:
        yield running


@pytest.fixture
def branches(server: Server) -> Iterator[RemoteRepository]:
    location = Location.parse(f"{server.url}/specs.git#main")
    made = RemoteRepository(location, Caps(), RemoteAccess(authorization=basic(lambda: "canary"), allow_loopback=True))
    yield made
    made.close()


def test_a_commit_with_the_file_is_on_the_branch(work: Work, branches: RemoteRepository) -> None:
    base = work.commit(a="1", specs__deep__b="old", specs__c="3")
    work.git("update-index", "--chmod=+x", "specs/deep/b.yaml")
    work.git("commit", "--quiet", "-m", "mode")
    base = work.git("rev-parse", "HEAD").strip()

    commit = branches.push(base, "specs/deep/b.yaml", b"new\r\n", "adopt/x", "Adopt\n\nü")

    assert work.git("rev-parse", "adopt/x").strip() == commit
    assert work.git("rev-parse", "adopt/x~1", "main").split() == [base, base]
    assert work.git("show", "adopt/x:specs/deep/b.yaml").strip() == "new"
    assert work.git("cat-file", "-s", "adopt/x:specs/deep/b.yaml").strip() == "5", "byte for byte"
    assert work.git("diff", "--name-only", base, commit).split() == ["specs/deep/b.yaml"]
    assert work.git("ls-tree", commit, "specs/deep/b.yaml").startswith("100755 blob")
    assert work.git("log", "-1", "--format=%B", commit).strip() == "Adopt\n\nü"
    work.git("fsck", "--strict")


def test_the_same_again_uses_the_branch_and_something_else_is_refused(work: Work, branches: RemoteRepository) -> None:
    base = work.commit(a="1")
    first = branches.push(base, "a.yaml", b"2", "adopt/x", "one")

    assert branches.push(base, "a.yaml", b"2", "adopt/x", "two") == first
    with pytest.raises(Rejected, match="the branch adopt/x exists, with something else; name another one"):
        branches.push(base, "a.yaml", b"3", "adopt/x", "three")
    assert work.git("rev-parse", "adopt/x").strip() == first


def test_a_file_that_the_commit_does_not_have_is_named(work: Work, branches: RemoteRepository) -> None:
    base = work.commit(a="1")
    for path in ("b.yaml", "a.yaml/c.yaml"):
        with pytest.raises(NotFound):
            branches.push(base, path, b"2", "adopt/x", "one")
    assert work.git("branch", "--list", "adopt/*") == ""


def test_a_server_that_takes_no_pushes_says_so(tmp_path: Path) -> None:
    work = Work(tmp_path / "work")
    work.git("config", "http.receivepack", "false")
    base = work.commit(a="1")
    with serving(backend_app(work.path)) as server:
        made = RemoteRepository(
            Location.parse(f"{server.url}/specs.git#main"), Caps(), RemoteAccess(allow_loopback=True)
        )
        with pytest.raises(Forbidden):
            made.push(base, "a.yaml", b"2", "adopt/x", "one")
        made.close()


def test_a_hook_that_refuses_the_branch_is_quoted(tmp_path: Path) -> None:
    work = Work(tmp_path / "work")
    work.git("config", "http.receivepack", "true")
    hook = tmp_path / "work" / ".git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    base = work.commit(a="1")
    with serving(backend_app(work.path)) as server:
        made = RemoteRepository(
            Location.parse(f"{server.url}/specs.git#main"), Caps(), RemoteAccess(allow_loopback=True)
        )
        with pytest.raises(Rejected, match="the server refused the branch: pre-receive hook declined"):
            made.push(base, "a.yaml", b"2", "adopt/x", "one")
        made.close()


@pytest.mark.parametrize(("status", "expected"), [("403 Forbidden", Forbidden), ("500 Oops", Unavailable)])
def test_no_right_and_no_service_are_told_apart(work: Work, status: str, expected: type[Exception]) -> None:
    base = work.commit(a="1")
    app = backend_app(work.path)

    def pushes_fail(environ: dict[str, Any], start: Any) -> Any:
        if "receive-pack" in environ["PATH_INFO"] + environ["QUERY_STRING"]:
            start(status, [])
            return [b""]
        return app(environ, start)

    with serving(pushes_fail) as server:
        made = RemoteRepository(
            Location.parse(f"{server.url}/specs.git#main"), Caps(), RemoteAccess(allow_loopback=True)
        )
        with pytest.raises(expected):
            made.push(base, "a.yaml", b"2", "adopt/x", "one")
        made.close()
    assert work.git("branch", "--list", "adopt/*") == ""
