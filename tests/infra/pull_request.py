"""A pull request's comments on loopback, as Azure Repos and GitHub serve them, as far as a pipeline asks for them."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from http.server import HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.infra.loopback import Quiet, serving

Asked = tuple[str, str, Any, str]
"""Method, path with query, body, Authorization."""


class PullRequest(HTTPServer):
    """Keeps what it was asked; answers a GET with its comments, page by page where a page is asked for."""

    def __init__(self, comments: list[dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.comments = comments
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        """Where the comments are."""
        return f"http://127.0.0.1:{self.server_port}/comments"


class _Handler(Quiet):
    server: PullRequest

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.asked.append((self.command, self.path, body, self.headers["Authorization"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self._listed() if self.command == "GET" else {"id": 9}).encode())

    do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - the names that http.server calls

    def _listed(self) -> Any:
        query = parse_qs(urlsplit(self.path).query)
        if "page" not in query:
            return {"value": self.server.comments}
        size, page = int(query["per_page"][0]), int(query["page"][0])
        return self.server.comments[size * (page - 1) : size * page]


def pull_request(*comments: dict[str, Any]) -> AbstractContextManager[PullRequest]:
    """Serve one while the block runs."""
    return serving(PullRequest(list(comments)))
