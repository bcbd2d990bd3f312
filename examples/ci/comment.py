"""Puts a plan on a pull request, as one comment that the next run replaces.

    COMMENTS=https://dev.azure.com/…/pullRequests/7/threads TOKEN=… python comment.py azure-repos plan.md
    COMMENTS=https://api.github.com/repos/…/issues/7/comments TOKEN=… python comment.py github plan.md

The pipeline's own token is enough: in Azure Repos where the project's build service may contribute to pull requests, on
GitHub with the permission pull-requests: write. The comment is found by its first line, never by its author: other
workflows comment under the same name. APIs: Microsoft Learn, Azure DevOps Services REST, Git, "Pull Request Threads"
and "Pull Request Thread Comments", 7.1; GitHub REST, "Issue comments", 2022-11-28.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = "<!-- plan of the pool reconciler -->"
LONGEST = {"azure-repos": 100_000, "github": 60_000}
"""Characters of a comment; Azure Repos takes 150,000 and GitHub 65,536."""
PAGE = 100


def main(arguments: list[str]) -> int:
    """Write the comment; its id on one line."""
    service, path = arguments
    plan = Path(path).read_text(encoding="utf-8")
    if len(plan) > LONGEST[service]:
        plan = plan[: LONGEST[service]] + "\n\nThe rest is in the summary of the run.\n"
    write = {"azure-repos": _azure_repos, "github": _github}[service]
    answer = write(os.environ["COMMENTS"], os.environ["TOKEN"], f"{MARK}\n{plan}")
    print(answer["id"])  # noqa: T201 - a command
    return 0


def _azure_repos(threads: str, token: str, text: str) -> Any:
    version = "?api-version=7.1"
    for thread in _ask(threads + version, token)["value"]:
        for comment in thread.get("comments", []):
            if not comment.get("isDeleted") and _is_ours(comment.get("content")):
                url = f"{threads}/{thread['id']}/comments/{comment['id']}{version}"
                return _ask(url, token, "PATCH", {"content": text})
    body = {"comments": [{"parentCommentId": 0, "content": text, "commentType": "text"}], "status": "closed"}
    return _ask(threads + version, token, "POST", body)


def _github(comments: str, token: str, text: str) -> Any:
    for comment in _pages(comments, token):
        if _is_ours(comment.get("body")):
            return _ask(comment["url"], token, "PATCH", {"body": text})
    return _ask(comments, token, "POST", {"body": text})


def _pages(comments: str, token: str) -> Iterator[Any]:
    number, found = 0, [None] * PAGE
    while len(found) == PAGE:
        number += 1
        found = _ask(f"{comments}?per_page={PAGE}&page={number}", token)
        yield from found


def _is_ours(text: object) -> bool:
    return str(text).startswith(MARK)


def _ask(url: str, token: str, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - the address comes from the pipeline, as does the token
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - see above
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
