"""A remote over http: what is asked, how often, and how bad servers end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.git.snapshots import Caps
from reconciler.adapters.git.source import Git, Location, RemoteAccess, basic, bearer
from reconciler.errors import (
    Forbidden,
    NotFound,
    ReconcilerError,
    Refused,
    Rejected,
    Throttled,
    Unavailable,
)
from tests.adapters.git.git_kit import Server, Work, backend_app, dulwich_app, serving

CANARY = "canary-token-that-must-not-show-up"


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / "work")


@pytest.fixture(params=["dulwich", "http-backend"])
def server(request: pytest.FixtureRequest, work: Work) -> Iterator[Server]:
    """Both servers: dulwich's speaks the old protocol, git's own the new one."""
    with serving(dulwich_app(work.path) if request.param == "dulwich" else backend_app(work.path)) as running:
        yield running


@pytest.fixture
def strict(work: Work) -> Iterator[Server]:
    with serving(backend_app(work.path)) as running:
        yield running


def says(status: str, body: bytes = b"", **headers: str) -> Any:
    def answer(_environ: dict[str, Any], start: Any) -> list[bytes]:
        start(status, [(name.replace("_", "-"), value) for name, value in headers.items()])
        return [body]

    return answer


def test_a_remote_gives_the_files_of_its_commit(work: Work, server: Server) -> None:
    work.commit(old="0")
    work.git("rm", "--quiet", "old.yaml")
    commit = work.commit(a="1", pools__b="2", pools__c="3")
    snapshot = server.source("main:pools").snapshot()

    assert (snapshot.revision, snapshot.files) == (commit, {"b.yaml": b"2", "c.yaml": b"3"})


def test_an_unchanged_head_costs_one_round_trip(work: Work, server: Server) -> None:
    work.commit(a="1")
    git = server.source("main")
    first = git.snapshot()
    server.requests.clear()

    assert git.snapshot() is first
    assert server.requests == ["GET /specs.git/info/refs"]


def test_a_moved_head_is_fetched(work: Work, server: Server) -> None:
    work.commit(a="1")
    git = server.source("main")
    git.snapshot()
    commit = work.commit(a="2")

    assert (git.snapshot().revision, git.snapshot().files) == (commit, {"a.yaml": b"2"})


def test_a_force_push_and_a_tag_are_followed(work: Work, server: Server) -> None:
    work.commit(a="1")
    git = server.source("main")
    git.snapshot()
    (work.path / "a.yaml").write_text("9")
    work.git("commit", "--quiet", "--all", "--amend", "--message", "rewritten")
    work.git("tag", "--annotate", "--message", "x", "v1")

    assert git.snapshot().files == {"a.yaml": b"9"}
    assert server.source("v1").snapshot().revision == git.snapshot().revision


def test_a_commit_that_is_no_tip_is_fetched_by_its_id_and_then_never_asked_for_again(
    work: Work, strict: Server
) -> None:
    """A pinned commit cannot change: it costs nothing once it is known."""
    first = work.commit(a="1")
    work.commit(a="2")
    git = strict.source(first)
    assert git.snapshot().files == {"a.yaml": b"1"}
    strict.requests.clear()

    git.snapshot()
    assert strict.requests == []


def test_a_commit_that_the_server_does_not_have_is_named(work: Work, strict: Server) -> None:
    work.commit(a="1")

    with pytest.raises(NotFound, match="the server does not give that commit"):
        strict.source("f" * 40).snapshot()


def test_only_one_commit_is_fetched_and_large_files_stay_where_they_are(work: Work, strict: Server) -> None:
    """The budget of bytes shows it: history and the large file together would be far beyond."""
    for index in range(5):
        work.commit(a="".join(chr(33 + (index * 7 + i * i) % 90) for i in range(100_000)))
    (work.path / "large.yaml").write_bytes(bytes(range(256)) * 40_000)
    (work.path / "a.yaml").write_text("small")
    work.commit()
    snapshot = strict.source(caps=Caps(fetch_bytes=20_000)).snapshot()

    assert snapshot.files == {"a.yaml": b"small"}
    assert snapshot.skipped == {"large.yaml": "larger than the 262,144 bytes are read"}


def test_a_deleted_branch_and_an_emptied_one_keep_the_last_good_commit(work: Work, server: Server) -> None:
    first = work.commit(a="1")
    work.git("branch", "old")
    git, emptied = server.source("old"), server.source("main")
    git.snapshot()
    emptied.snapshot()
    work.git("branch", "--delete", "--force", "old")
    work.git("rm", "--quiet", "a.yaml")
    work.commit()

    assert git.snapshot().revision == emptied.snapshot().revision == first
    assert "no branch or tag old" in git.snapshot().stale
    assert "no .yaml, .yml, .json file" in emptied.snapshot().stale


def test_a_server_that_dies_keeps_the_last_good_commit(work: Work) -> None:
    first = work.commit(a="1")
    with serving(dulwich_app(work.path)) as running:
        git = running.source("main")
        git.snapshot()
    kept = git.snapshot()

    assert (kept.revision, kept.files) == (first, {"a.yaml": b"1"})
    assert kept.stale.startswith(f"git {running.url}/specs.git@main: no connection to 127.0.0.1")


@pytest.mark.parametrize(
    ("authorization", "header"),
    [
        (bearer(lambda: CANARY), f"Bearer {CANARY}"),
        (basic(lambda: "pat"), "Basic eC1hY2Nlc3MtdG9rZW46cGF0"),
        (basic(lambda: "pat", ""), "Basic OnBhdA=="),
        (None, ""),
    ],
)
def test_every_request_carries_the_token_in_its_form(
    work: Work, strict: Server, authorization: Any, header: str
) -> None:
    work.commit(a="1")
    strict.source("main", authorization=authorization).snapshot()

    assert set(strict.seen) == {header}


def test_a_token_is_asked_for_anew_so_that_it_can_be_refreshed(work: Work, strict: Server) -> None:
    work.commit(a="1")
    tokens = iter(f"t{n}" for n in range(99))
    git = strict.source("main", authorization=bearer(lambda: next(tokens)))
    git.snapshot()
    git.snapshot()

    assert len(set(strict.seen)) == len(strict.seen)


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (says("401 No", WWW_Authenticate="Basic"), Forbidden, "another sign-in (status 401)"),
        (says("403 No"), Forbidden, "another sign-in (status 403)"),
        (says("203 Non-Authoritative", b"<html>", Content_Type="text/html"), Forbidden, "another sign-in"),
        (says("200 OK", b"<html>Sign in</html>", Content_Type="text/html"), Forbidden, "another sign-in"),
        (says("404 No"), NotFound, "no repository there, or it is hidden"),
        (says("429 Slow", Retry_After="9"), Throttled, "the server throttles"),
        (says("500 No"), Unavailable, "the server answered 500"),
        (says("418 Tea"), Unavailable, "the server answered 418"),
        (
            says("200 OK", b"garbage", Content_Type="application/x-git-upload-pack-advertisement"),
            Unavailable,
            "git http",
        ),
        (
            says(
                "200 OK",
                f"0041ERR denied to Bearer {CANARY}".encode(),
                Content_Type="application/x-git-upload-pack-advertisement",
            ),
            Unavailable,
            "the server said: denied to Bearer ***",
        ),
        (says("200 OK", b"", Content_Type="application/x-git-upload-pack-advertisement"), Unavailable, "git http"),
    ],
)
def test_each_bad_answer_has_its_kind(
    work: Work, strict: Server, answer: Any, kind: type[ReconcilerError], message: str
) -> None:
    work.commit(a="1")
    strict.before = answer

    with pytest.raises(kind) as caught:
        strict.source("main", authorization=bearer(lambda: CANARY)).snapshot()
    assert message in str(caught.value)
    assert CANARY not in repr(caught.value)


def test_a_throttled_fetch_says_how_long(work: Work, strict: Server) -> None:
    work.commit(a="1")
    strict.before = says("429 Slow", Retry_After="9")

    with pytest.raises(Throttled) as caught:
        strict.source().snapshot()
    assert caught.value.retry_after == 9.0


def test_a_redirect_is_not_followed_and_the_token_stays(
    work: Work, strict: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """A repository that could redirect would be a way to collect the operator's token."""
    caplog.set_level(logging.DEBUG)
    work.commit(a="1")
    with serving(backend_app(work.path)) as elsewhere:
        for status in ("301 Moved", "302 Found", "307 Temporary", "308 Permanent"):
            strict.before = says(status, Location=f"{elsewhere.url}/specs.git/info/refs?service=git-upload-pack")
            with pytest.raises(Rejected, match="a redirect, and none is followed"):
                strict.source("main", authorization=bearer(lambda: CANARY)).snapshot()
        assert elsewhere.requests == []
    assert CANARY not in caplog.text


def test_a_list_of_pack_addresses_elsewhere_is_not_followed(work: Work, strict: Server) -> None:
    """The protocol lets a server name other hosts for parts of a pack; none of them is asked."""
    work.commit(a="1")
    git = strict.source("main", authorization=bearer(lambda: CANARY))
    with serving(backend_app(work.path)) as elsewhere:
        pool = git._repository._pool  # type: ignore[attr-defined] # the seam that the library calls
        with pytest.raises(Refused, match="no other host is called"):
            pool.request("GET", f"{elsewhere.url}/pack")
        assert elsewhere.requests == []


def _broken_at_the_pack(body: bytes) -> Any:
    def answer(environ: dict[str, Any], start: Any) -> list[bytes] | None:
        if environ["REQUEST_METHOD"] != "POST":
            return None
        start("200 OK", [("Content-Type", "application/x-git-upload-pack-result")])
        return [body]

    return answer


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"0000",
        b"zzzz",
        b"0008NAK\n",
        b"0008NAK\n000a\x01PACK",
        b"000dpackfile\n" + b"0010\x01PACK\0\0\0\x02\0\0\0",
        b"000dpackfile\n" + b"0011\x01PACK\0\0\0\x02\0\0\0\0" + b"0000",
        b"000dpackfile\n" + b"0008\x03no!0000",
        b"\xff" * 5_000,
    ],
)
def test_a_pack_that_breaks_off_is_unavailable_and_keeps_the_last_good_commit(
    work: Work, strict: Server, body: bytes
) -> None:
    first = work.commit(a="1")
    git = strict.source("main")
    git.snapshot()
    work.commit(a="2")
    strict.before = _broken_at_the_pack(body)

    assert git.snapshot().revision == first
    assert git.snapshot().stale.startswith("git http")
    with pytest.raises(Unavailable):
        strict.source("main").snapshot()


def test_a_fetch_that_is_too_large_is_refused(work: Work, strict: Server) -> None:
    work.commit(a="".join(chr(33 + (i * i) % 90) for i in range(100_000)))

    with pytest.raises(Rejected, match="more than 100 bytes to fetch"):
        strict.source(caps=Caps(fetch_bytes=100)).snapshot()


class Hasty:
    """A clock on which every look takes ten seconds."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        self._seconds += 10.0
        return self._seconds


def test_a_fetch_that_drips_is_cut(work: Work, strict: Server) -> None:
    """A read time-out alone lets a server send a byte a second for ever."""
    work.commit(a="1")

    with pytest.raises(Unavailable, match="not fetched within 15 s"):
        strict.source(clock=Hasty(), caps=Caps(seconds=15.0)).snapshot()


def test_plain_http_is_for_loopback_and_only_when_allowed() -> None:
    with pytest.raises(Refused, match="http is only for loopback"):
        Git(Location.parse("http://git.fabrikam.com/specs.git"), access=RemoteAccess(allow_loopback=True))
    with pytest.raises(Refused, match="loopback"):
        Git(Location.parse("http://127.0.0.1/specs.git"))


def test_several_threads_share_one_source(work: Work, strict: Server) -> None:
    work.commit(a="1")
    git = strict.source("main")
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: git.snapshot(), range(8)))

    assert len({id(snapshot) for snapshot in found}) == 1
