"""The two hosts say what their published documents say: tests of the adapters rest on this."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.code_hosts import azure_repos, github
from tests.code_hosts.azure_repos import AzureRepos
from tests.code_hosts.github import GitHub
from tests.code_hosts.serving import HALF, HANG_UP, CodeHostServer, Response, running

ONE, TWO = "1" * 40, "2" * 40
BRANCHES = {"main": ONE, "fix": TWO, "same": ONE}
PULLS = "/repos/fabrikam/specs/pulls"
GIT = "/fabrikam/Infra%20as%20code/_apis/git/repositories/specs"


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with running(GitHub()) as server:
        server.add("fabrikam", "specs", dict(BRANCHES))
        server.let("canary", *github.ALL)
        server.let("reader", github.READ)
        yield server


@pytest.fixture
def repos() -> Iterator[AzureRepos]:
    with running(AzureRepos()) as server:
        server.add("fabrikam", "Infra as code", "specs", dict(BRANCHES))
        server.let("canary", *azure_repos.ALL)
        server.let("reader", azure_repos.READ)
        yield server


def ask(
    server: CodeHostServer, method: str, target: str, body: Any = None, token: str = "canary", **headers: str
) -> tuple[int, Any, dict[str, str]]:
    parts = urlsplit(server.url)
    given = {"User-Agent": "test"} | ({"Authorization": f"Bearer {token}"} if token else {})
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection(parts.netloc, timeout=10)) as connection:
        connection.request(method, target, None if body is None else json.dumps(body), given)
        with connection.getresponse() as answer:
            raw = answer.read()
    found = {name.lower(): value for name, value in answer.getheaders()}
    is_json = found["content-type"].startswith("application/json")
    return answer.status, json.loads(raw) if is_json and raw else raw, found


def opened(hub: GitHub, **fields: str) -> tuple[int, Any]:
    return ask(hub, "POST", PULLS, {"title": "t", "head": "fix", "base": "main", **fields})[:2]


def started(repos: AzureRepos, **fields: str) -> tuple[int, Any]:
    body = {"title": "t", "sourceRefName": "refs/heads/fix", "targetRefName": "refs/heads/main", **fields}
    return ask(repos, "POST", f"{GIT}/pullrequests?api-version=7.1", body)[:2]


def test_github_opens_one_pull_request_for_two_branches(hub: GitHub) -> None:
    status, made = opened(hub)
    again, refused = opened(hub)

    assert (status, made["number"], made["html_url"]) == (201, 1, "https://github.example/fabrikam/specs/pull/1")
    assert (again, refused["errors"][0]["message"]) == (422, "A pull request already exists for fabrikam:fix.")
    assert [pull["number"] for pull in ask(hub, "GET", f"{PULLS}?head=fabrikam:fix&base=main")[1]] == [1]
    assert ask(hub, "GET", f"{PULLS}?head=fabrikam:same")[1] == []
    assert len(ask(hub, "GET", f"{PULLS}?head=same")[1]) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"head": "same"}, "No commits between main and same"),
        ({"title": "x" * 257}, "title is too long (maximum is 256 characters)"),
        ({"body": "x" * 65_537}, "body is too long (maximum is 65536 characters)"),
    ],
)
def test_github_refuses_what_is_no_pull_request(hub: GitHub, fields: dict[str, str], expected: str) -> None:
    status, refused = opened(hub, **fields)

    assert (status, refused["errors"][0]["message"]) == (422, expected)
    assert hub.repositories["fabrikam/specs"].pulls == []


@pytest.mark.parametrize(("field", "code"), [("head", "invalid"), ("base", "invalid"), ("title", "missing_field")])
def test_github_names_the_field(hub: GitHub, field: str, code: str) -> None:
    status, refused = opened(hub, **{field: "" if field == "title" else "gone"})

    assert (status, refused["errors"]) == (422, [{"resource": "PullRequest", "field": field, "code": code}])


def test_github_pages_comments_and_links_to_the_next_page(hub: GitHub) -> None:
    opened(hub)
    for number in range(31):
        hub.say(hub.repositories["fabrikam/specs"], 1, f"no. {number}")
    comments = "/repos/fabrikam/specs/issues/1/comments"

    _, first, headers = ask(hub, "GET", comments)
    _, last, end = ask(hub, "GET", f"{comments}?per_page=30&page=2")

    assert (len(first), [comment["body"] for comment in last]) == (30, ["no. 30"])
    assert headers["link"] == (
        f'<{hub.url}{comments}?per_page=30&page=2>; rel="next", <{hub.url}{comments}?per_page=30&page=2>; rel="last"'
    )
    assert 'rel="next"' not in end["link"]


def test_github_writes_and_edits_a_comment_up_to_its_limit(hub: GitHub) -> None:
    opened(hub)
    status, made, _ = ask(hub, "POST", "/repos/fabrikam/specs/issues/1/comments", {"body": "ü" * 65_536})
    edited, _, _ = ask(hub, "PATCH", f"/repos/fabrikam/specs/issues/comments/{made['id']}", {"body": "new"})
    refused, why, _ = ask(hub, "POST", "/repos/fabrikam/specs/issues/1/comments", {"body": "ü" * 65_537})

    assert (status, edited, refused) == (201, 200, 422)
    assert why["errors"][0]["message"] == "Body is too long (maximum is 65536 characters)"
    assert hub.repositories["fabrikam/specs"].bodies() == ["new"]
    assert ask(hub, "POST", "/repos/fabrikam/specs/issues/9/comments", {"body": "x"})[0] == 404


def test_github_sets_statuses_of_commits_it_knows(hub: GitHub) -> None:
    path = f"/repos/fabrikam/specs/statuses/{TWO}"
    assert ask(hub, "POST", path, {"state": "success", "context": "plan"})[0] == 201
    assert ask(hub, "POST", path, {"state": "succeeded"})[0] == 422
    assert ask(hub, "POST", path, {"state": "success", "description": "x" * 141})[0] == 422
    assert ask(hub, "POST", f"/repos/fabrikam/specs/statuses/{'3' * 40}", {"state": "success"})[0] == 422
    assert [s["context"] for s in hub.repositories["fabrikam/specs"].statuses[TWO]] == ["plan"]


def test_github_tells_its_callers_apart(hub: GitHub) -> None:
    assert ask(hub, "GET", "/repos/fabrikam/specs", token="wrong")[0] == 401
    assert ask(hub, "GET", "/repos/fabrikam/specs", token="")[0] == 404
    assert ask(hub, "GET", "/repos/fabrikam/other")[0] == 404
    assert ask(hub, "POST", PULLS, {"title": "t", "head": "fix", "base": "main"}, "reader")[0] == 403
    assert ask(hub, "GET", "/repos/Fabrikam/Specs")[1]["default_branch"] == "main"
    assert ask(hub, "GET", "/repos/fabrikam/specs", User_Agent="")[0] == 403
    assert ask(hub, "GET", "/repos/fabrikam/specs", X_GitHub_Api_Version="2020-01-01")[0] == 400
    basic = base64.b64encode(b"x-access-token:canary").decode()
    assert ask(hub, "GET", "/repos/fabrikam/specs", Authorization=f"Basic {basic}")[0] == 200


def test_github_limits_rates_and_moves_repositories(hub: GitHub) -> None:
    hub.moved["fabrikam/old"] = "fabrikam/specs"
    status, _, headers = ask(hub, "GET", "/repos/fabrikam/old/pulls")
    assert (status, headers["location"]) == (301, f"{hub.url}/repos/fabrikam/specs/pulls")

    hub.remaining, hub.limit_status = 0, 429
    status, _, headers = ask(hub, "GET", "/repos/fabrikam/specs")
    assert (status, headers["x-ratelimit-remaining"]) == (429, "0")


def test_azure_repos_opens_one_pull_request_for_two_branches(repos: AzureRepos) -> None:
    status, made = started(repos)
    again, refused = started(repos)
    query = "searchCriteria.sourceRefName=refs/heads/fix&searchCriteria.targetRefName=refs/heads/main&api-version=7.1"

    assert (status, made["pullRequestId"], made["status"]) == (201, 22, "active")
    assert (again, refused["typeKey"]) == (409, "GitPullRequestExistsException")
    assert refused["message"].startswith("TF401179: ")
    assert ask(repos, "GET", f"{GIT}/pullrequests?{query}")[1]["count"] == 1
    repos.repositories[0].pulls[0]["status"] = "completed"
    assert ask(repos, "GET", f"{GIT}/pullrequests?{query}")[1]["count"] == 0


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"description": "x" * 4_001}, "must not be longer than 4000 characters."),
        ({"title": "x" * 401}, "must not be longer than 400 characters."),
        ({"sourceRefName": "refs/heads/gone"}, "the requested refs are not branches"),
        ({"sourceRefName": "fix"}, "the requested refs are not branches"),
    ],
)
def test_azure_repos_refuses_what_is_no_pull_request(repos: AzureRepos, fields: dict[str, str], expected: str) -> None:
    status, refused = started(repos, **fields)

    assert (status, refused["message"].endswith(expected)) == (400, True)
    assert repos.repositories[0].pulls == []


def test_azure_repos_keeps_threads_with_its_own_and_deleted_comments(repos: AzureRepos) -> None:
    started(repos)
    threads = f"{GIT}/pullRequests/22/threads"
    thread = {"comments": [{"parentCommentId": 0, "content": "plan", "commentType": "text"}], "status": "closed"}
    status, made, _ = ask(repos, "POST", f"{threads}?api-version=7.1", thread)
    edited = ask(repos, "PATCH", f"{threads}/{made['id']}/comments/1?api-version=7.1", {"content": "ü" * 150_000})[0]
    refused, why, _ = ask(
        repos, "PATCH", f"{threads}/{made['id']}/comments/1?api-version=7.1", {"content": "ü" * 150_001}
    )
    others = repos.say(repos.repositories[0], 22, "hello")

    assert (status, edited, refused) == (200, 200, 400)
    assert why["message"].startswith("A discussion comment cannot be longer than 150000 characters.")
    assert ask(repos, "PATCH", f"{threads}/{others['id']}/comments/1?api-version=7.1", {"content": "x"})[0] == 403
    repos.delete(others)
    found = ask(repos, "GET", f"{threads}?api-version=7.1")[1]["value"]
    assert [t["comments"][0]["commentType"] for t in found] == ["system", "text", "text"]
    assert (found[2]["comments"][0]["isDeleted"], found[2]["comments"][0]["content"]) == (True, None)


def test_azure_repos_sets_statuses_of_commits_it_knows(repos: AzureRepos) -> None:
    body = {"state": "succeeded", "context": {"name": "plan", "genre": "pools"}}
    path = "/_apis/git/repositories/" + azure_repos.ID + "/commits/{}/statuses?api-version=7.1"
    assert ask(repos, "POST", "/fabrikam" + path.format(TWO), body)[0] == 201
    assert ask(repos, "POST", "/fabrikam" + path.format("3" * 40), body)[0] == 404
    assert ask(repos, "POST", "/fabrikam" + path.format(TWO), {**body, "state": "success"})[0] == 400
    assert ask(repos, "POST", "/fabrikam" + path.format(TWO), {"state": "failed"})[0] == 400
    assert [s["context"]["name"] for s in repos.repositories[0].statuses[TWO]] == ["plan"]


@pytest.mark.parametrize("status", [203, 302])
def test_azure_repos_sends_strangers_to_sign_in(repos: AzureRepos, status: int) -> None:
    repos.sign_in = status
    assert ask(repos, "GET", GIT, token="wrong")[0] == status
    assert ask(repos, "PATCH", f"{GIT}/x?api-version=7.1", {}, "wrong")[0] == 401
    suppressed, body, _ = ask(repos, "GET", GIT, token="", X_TFS_FedAuthRedirect="Suppress")
    assert (suppressed, body) == (401, b"")


def test_azure_repos_tells_its_callers_apart(repos: AzureRepos) -> None:
    repos.let("nobody")
    basic = base64.b64encode(b":canary").decode()
    found = ask(repos, "GET", f"{GIT}?api-version=7.1", Authorization=f"Basic {basic}")[1]
    assert (found["defaultBranch"], found["name"]) == ("refs/heads/main", "specs")
    status, refused, _ = ask(repos, "GET", GIT, token="nobody")
    assert (status, refused["typeKey"]) == (404, "GitRepositoryNotFoundException")
    assert ask(repos, "GET", "/fabrikam/Other/_apis/git/repositories/specs")[1]["message"].startswith("TF200016: ")
    body = {"title": "t", "sourceRefName": "refs/heads/fix", "targetRefName": "refs/heads/main"}
    status, refused, _ = ask(repos, "POST", f"{GIT}/pullrequests?api-version=7.1", body, "reader")
    assert (status, refused["typeKey"]) == (403, "GitNeedsPermissionException")
    assert ask(repos, "POST", f"{GIT}/pullrequests", body)[0] == 400


def test_ordered_answers_and_faults_come_first_and_change_nothing(hub: GitHub) -> None:
    hub.next_answers(Response(502, {"message": "Server Error"}), github.rate_limited(), HANG_UP, HALF)
    assert opened(hub)[0] == 502
    status, _, headers = ask(hub, "POST", PULLS, {})
    assert (status, headers["retry-after"]) == (429, "1")
    with pytest.raises(http.client.RemoteDisconnected):
        opened(hub)
    with pytest.raises(http.client.IncompleteRead):
        opened(hub)
    assert hub.repositories["fabrikam/specs"].pulls == []
    assert hub.writes() == [f"POST {PULLS}"] * 4
