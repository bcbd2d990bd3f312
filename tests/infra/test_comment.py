"""examples/ci/comment.py: one comment a pull request, however often somebody pushes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.infra.pull_request import Asked, PullRequest, pull_request
from tests.infra.world import ROOT, module_at

COMMENT = module_at(ROOT / "examples" / "ci" / "comment.py", "comment")


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.md"
    path.write_text("# Plan", encoding="utf-8")
    return path


def commented(server: PullRequest, service: str, plan: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setenv("COMMENTS", server.url)
    monkeypatch.setenv("TOKEN", "canary")
    COMMENT.main([service, str(plan)])
    return server.asked[-1]


def test_the_first_plan_becomes_a_thread_of_azure_repos(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pull_request({"id": 1, "comments": [{"id": 1, "content": "Looks good"}]}, {"id": 2}) as server:
        method, path, body, authorization = commented(server, "azure-repos", plan, monkeypatch)

    assert (method, path, authorization) == ("POST", "/comments?api-version=7.1", "Bearer canary")
    assert body["comments"][0]["content"] == f"{COMMENT.MARK}\n# Plan"
    assert body["status"] == "closed"


def test_the_next_plan_replaces_it_in_azure_repos(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"id": 6, "comments": [{"id": 1, "content": COMMENT.MARK, "isDeleted": True}]}
    ours = {"id": 7, "comments": [{"id": 3, "content": f"{COMMENT.MARK}\nold"}]}
    with pull_request(gone, ours) as server:
        method, path, body, _ = commented(server, "azure-repos", plan, monkeypatch)

    assert (method, path) == ("PATCH", "/comments/7/comments/3?api-version=7.1")
    assert body == {"content": f"{COMMENT.MARK}\n# Plan"}


def test_the_first_plan_becomes_a_comment_on_github(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another workflow's comment has the same author; it is not ours."""
    with pull_request({"url": "http://127.0.0.1:1/x", "body": "Coverage: 99 %"}) as server:
        method, path, body, authorization = commented(server, "github", plan, monkeypatch)

    assert (method, path, authorization) == ("POST", "/comments", "Bearer canary")
    assert body == {"body": f"{COMMENT.MARK}\n# Plan"}


def test_the_next_plan_replaces_it_on_github_wherever_it_stands(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long discussion has more than one page."""
    others: list[dict[str, Any]] = [{"url": "http://127.0.0.1:1/x", "body": "no"}] * COMMENT.PAGE
    with pull_request(*others) as server:
        server.comments.append({"url": f"{server.url}/5", "body": f"{COMMENT.MARK}\nold"})
        method, path, _, _ = commented(server, "github", plan, monkeypatch)

    assert (method, path) == ("PATCH", "/comments/5")
    assert [path for _, path, *_ in server.asked[:-1]] == [f"/comments?per_page=100&page={page}" for page in (1, 2)]


@pytest.mark.parametrize("service", ["azure-repos", "github"])
def test_a_plan_that_is_too_long_is_cut(service: str, plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan.write_text("ü" * (COMMENT.LONGEST[service] + 1), encoding="utf-8")
    with pull_request() as server:
        _, _, body, _ = commented(server, service, plan, monkeypatch)

    text = body["body"] if service == "github" else body["comments"][0]["content"]
    assert text.endswith("The rest is in the summary of the run.\n")
    assert len(text) < COMMENT.LONGEST[service] + 200
