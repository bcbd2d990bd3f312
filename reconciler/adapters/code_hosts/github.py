"""GitHub's pull requests, comments and commit statuses.

Sources: GitHub REST API 2022-11-28, "Pulls", "Issue comments", "Commit statuses", "Repositories"; a comment takes
65,536 characters, a status's description 140 (the API's own messages of 422).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from reconciler.adapters.boundary import port
from reconciler.adapters.code_hosts import comments
from reconciler.adapters.code_hosts.comments import HostComment
from reconciler.adapters.code_hosts.place import RepositoryPlace
from reconciler.adapters.code_hosts.session import HostAccess, HostSession
from reconciler.adapters.shapes import number_of, object_of, shown, text_of
from reconciler.documents import Json
from reconciler.errors import Rejected, Unavailable
from reconciler.ports.code_hosts import CodeHost, CommitState, PullRequest, never

PAGE = 100
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_DESCRIPTION = 140


@port("github", CodeHost)
class GitHub:
    """A repository on GitHub (`reconciler.ports.code_hosts.CodeHost`)."""

    longest_comment = 65_536

    def __init__(self, place: RepositoryPlace, access: HostAccess) -> None:
        self._place = place
        self._session = HostSession(place.api, str(place), access)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def open_pull_request(self, source: str, target: str, title: str, text: str) -> PullRequest:
        """See `CodeHost`."""
        if found := self._open(source, target):
            return found
        body: Json = {"title": title, "head": source, "base": target, "body": text[: self.longest_comment]}
        try:
            return self._pull(self._call("POST", "/pulls", "a pull request", body))
        except (Rejected, Unavailable):  # another run opened it, or the response got lost
            if found := self._open(source, target):
                return found
            raise

    def pull_request(self, number: int) -> PullRequest:
        """See `CodeHost`."""
        return self._pull(self._call("GET", f"/pulls/{number}", f"pull request {number}"))

    def write_comment(self, number: int, mark: str, text: str, keep: Callable[[str], bool] = never) -> str:
        """See `CodeHost`."""
        what, body = f"the comment on pull request {number}", comments.with_mark(text, mark, self.longest_comment)
        create = partial(self._call, "POST", f"/issues/{number}/comments", what, {"body": body})
        return comments.put(
            lambda: self._comments(number, mark),
            lambda old, kept: shown(
                self._call("PATCH", old.path, what, {"body": old.text if kept else body}), "html_url"
            ),
            lambda: shown(create(), "html_url"),
            lambda old: keep(old.text),
        )

    def set_status(self, commit: str, context: str, state: CommitState, description: str, url: str = "") -> None:
        """See `CodeHost`."""
        body: dict[str, Json] = {"state": state.value, "context": context, "description": description[:_DESCRIPTION]}
        if url:
            body["target_url"] = url
        self._call("POST", f"/statuses/{commit}", f"status of commit {commit[:12]}", body, repeatable=True)

    def status_url(self, commit: str, context: str) -> str:
        """See `CodeHost`. The host lists the newest first."""
        path = f"{self._place.path}/commits/{commit}/statuses"
        found = self._session.pages(path, f"statuses of commit {commit[:12]}", PAGE, _HEADERS)
        ours = (one for one in found if isinstance(one, dict) and one.get("context") == context)
        return next((shown(one, "target_url") for one in ours), "")

    def default_branch(self) -> str:
        """See `CodeHost`."""
        return text_of(self._call("GET", "", "the repository"), "default_branch", str(self._place))

    def _open(self, source: str, target: str) -> PullRequest | None:
        query = {"state": "open", "head": f"{self._place.names[0]}:{source}", "base": target}
        found = self._session.call(
            "GET", f"{self._place.path}/pulls", "pull requests", query=query, headers=_HEADERS
        ).document
        if not isinstance(found, list):
            raise Unavailable(f"{self._place}: pull requests: the response is no list")
        # An unknown `head` is ignored by the host and lists everything, so each entry is looked at.
        for entry in found:
            if isinstance(entry, dict) and (_ref(entry, "head"), _ref(entry, "base")) == (source, target):
                return self._pull(entry)
        return None

    def _pull(self, entry: dict[str, Json]) -> PullRequest:
        where = f"{self._place}: pull request"
        head = object_of(entry, "head", where)
        return PullRequest(
            number_of(entry, "number", where),
            shown(entry, "html_url"),
            head=text_of(head, "sha", where),
            open=entry.get("state") == "open",
        )

    def _comments(self, number: int, mark: str) -> list[HostComment]:
        """Those with the mark, in the order of the host: the oldest first."""
        path = f"{self._place.path}/issues/{number}/comments"
        found = self._session.pages(path, f"comments of pull request {number}", PAGE, _HEADERS)
        return [
            HostComment(f"/issues/comments/{number_of(one, 'id', str(self._place))}", str(one["body"]), "")
            for one in found
            if isinstance(one, dict) and comments.marked(one.get("body"), mark) and _may_report(one)
        ]

    def _call(
        self, method: str, path: str, what: str, body: Json = None, *, repeatable: bool | None = None
    ) -> dict[str, Json]:
        answer = self._session.call(
            method, self._place.path + path, what, body, headers=_HEADERS, repeatable=repeatable
        ).document
        if not isinstance(answer, dict):
            raise Unavailable(f"{self._place}: {method} {what}: the response is no object")
        return answer


def _may_report(comment: dict[str, Json]) -> bool:
    """Whether a comment's author is an app or belongs to the repository.

    This token may edit all comments, and a reader his own: a report in his place would be his to change.
    """
    user = comment.get("user")
    app = isinstance(user, dict) and user.get("type") == "Bot"
    return app or comment.get("author_association") in ("OWNER", "MEMBER", "COLLABORATOR")


def _ref(entry: dict[str, Json], side: str) -> str:
    found = entry.get(side)
    return shown(found, "ref") if isinstance(found, dict) else ""
