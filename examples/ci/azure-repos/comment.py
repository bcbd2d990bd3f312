"""Puts a plan on a pull request of Azure Repos, as one comment that the next run replaces.

    THREADS=https://dev.azure.com/…/pullRequests/7/threads SYSTEM_ACCESSTOKEN=… python comment.py plan.md

The token of the pipeline is enough, where the project's build service may contribute to pull requests. API: Microsoft
Learn, Azure DevOps Services REST, Git, "Pull Request Threads" and "Pull Request Thread Comments", 7.1.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

MARK = "<!-- plan of the pool reconciler -->"
LONGEST = 100_000
"""Characters of a comment; Azure Repos takes 150,000."""


def main(arguments: list[str]) -> int:
    """Write the comment; the answer's address on one line."""
    threads, token = os.environ["THREADS"], os.environ["SYSTEM_ACCESSTOKEN"]
    plan = Path(arguments[0]).read_text(encoding="utf-8")
    if len(plan) > LONGEST:
        plan = plan[:LONGEST] + "\n\nThe rest is in the summary of the run.\n"
    content = f"{MARK}\n{plan}"
    found = _ours(_ask(threads, token)["value"])
    if found is None:
        body = {"comments": [{"parentCommentId": 0, "content": content, "commentType": "text"}], "status": "closed"}
        print(_ask(threads, token, "POST", body)["id"])  # noqa: T201 - a command
    else:
        thread, comment = found
        url = f"{threads}/{thread}/comments/{comment}"
        print(_ask(url, token, "PATCH", {"content": content})["id"])  # noqa: T201 - a command
    return 0


def _ours(threads: list[dict[str, Any]]) -> tuple[int, int] | None:
    """Thread and comment that an earlier run wrote."""
    for thread in threads:
        for comment in thread.get("comments", []):
            if not comment.get("isDeleted") and str(comment.get("content", "")).startswith(MARK):
                return thread["id"], comment["id"]
    return None


def _ask(url: str, token: str, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - the address comes from the pipeline, as does the token
        f"{url}?api-version=7.1",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - see above
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
