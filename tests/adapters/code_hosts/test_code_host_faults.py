"""What hosts answer on a bad day: one error of ours each, no token in it, and nothing written twice."""

from __future__ import annotations

import pytest

from reconciler.errors import Forbidden, NotFound, Rejected, Throttled, Unavailable
from reconciler.ports.code_hosts import CommitState
from tests.adapters.code_hosts.host_kit import HEAD, KINDS, MARK, TOKEN, Host, hosted
from tests.code_hosts import azure_repos, github
from tests.code_hosts.serving import HALF, HANG_UP, Response

PAGE = Response(200, b"<html>sign in</html>", {}, "text/html")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(401, {"message": "Bad credentials"}), Forbidden),
        (Response(403, {"message": f"not you, {TOKEN}"}), Forbidden),
        (Response(404, {"message": "Not Found"}), NotFound),
        (Response(410, {"message": "Gone"}), NotFound),
        (Response(422, {"message": "Validation Failed"}), Rejected),
        (Response(302, b"", {"Location": "https://evil.example/"}), Forbidden),
        (PAGE, Forbidden),
        (Response(203, b"<html>sign in</html>", {}, "text/html"), Forbidden),
        (Response(200, b"[1, 2", {}, "application/json"), Unavailable),
        (Response(200, b"null", {}, "application/json"), Unavailable),
        (Response(200, {"default_branch": 7, "defaultBranch": ["main"]}), Unavailable),
        (Response(200, b"9" * 9_000_000, {}, "application/json"), Unavailable),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_an_answer_is_one_error_of_ours(host: Host, answer: Response, error: type[Exception]) -> None:
    host.server.next_answers(*[answer] * 3)
    with pytest.raises(error) as raised:
        host.adapter.default_branch()
    assert host.kind in str(raised.value)
    assert TOKEN not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("fault", [Response(500), Response(502), Response(503), HANG_UP, HALF])
def test_a_read_is_tried_again_after_a_short_fault(host: Host, fault: Response | str) -> None:
    host.server.next_answers(fault, fault)
    assert host.adapter.default_branch() == "main"


@pytest.mark.parametrize("fault", [Response(500), HANG_UP])
def test_a_fault_that_stays_is_unavailable(host: Host, fault: Response | str) -> None:
    host.server.next_answers(*[fault] * 10)
    with pytest.raises(Unavailable):
        host.adapter.default_branch()
    assert len(host.server.requests) == 3


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("kind", KINDS)
def test_a_rate_limit_is_waited_for_as_long_as_the_host_says(kind: str, status: int) -> None:
    with hosted(kind) as host:
        answer = github.rate_limited(status, 17) if kind == "github" else azure_repos.rate_limited(17)
        host.server.next_answers(answer)
        host.adapter.set_status(HEAD, "reconciler/plan", CommitState.SUCCESS, "in sync")
        assert host.slept == [17]
        assert len(host.statuses()) == 1


def test_a_limit_that_lasts_longer_ends_as_throttled(host: Host) -> None:
    answer = github.rate_limited(429, 3000) if host.kind == "github" else azure_repos.rate_limited(3000)
    host.server.next_answers(*[answer] * 3)
    with pytest.raises(Throttled) as raised:
        host.adapter.default_branch()
    assert raised.value.retry_after == 3000
    assert host.slept == []


@pytest.mark.parametrize("fault", [Response(502), HANG_UP, HALF])
def test_a_creation_whose_answer_is_lost_is_looked_for_before_it_is_repeated(host: Host, fault: Response | str) -> None:
    create = host.server.answer

    def lose_the_first(request: object) -> Response | str:
        answer: Response | str = create(request)
        if getattr(request, "method", "") == "POST":
            host.server.answer = create
            return fault
        return answer

    host.server.answer = lose_the_first
    host.adapter.write_comment(host.number, MARK, "one change")
    assert host.bodies() == [f"{MARK}\none change"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_right_to_comment_is_forbidden_and_nothing_is_written(kind: str) -> None:
    read = github.READ if kind == "github" else azure_repos.READ
    with hosted(kind, rights=(read,)) as host, pytest.raises(Forbidden) as raised:
        host.adapter.write_comment(host.number, MARK, "one change")
    assert host.bodies() == []
    assert str(host.number) in str(raised.value)


def test_a_wrong_token_is_forbidden_or_not_found(host: Host) -> None:
    host.server.callers.clear()
    with pytest.raises((Forbidden, NotFound)):
        host.adapter.default_branch()


def test_pages_without_end_are_an_error() -> None:
    with hosted("github") as host:
        link = {"Link": f'<{host.server.url}/x>; rel="next"'}
        host.server.next_answers(*[Response(200, [{"id": 1, "body": "x"}], link)] * 120)
        with pytest.raises(Unavailable, match="did not end"):
            host.adapter.read_comment(host.number, MARK)
