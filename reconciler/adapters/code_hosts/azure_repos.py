"""Pull requests, comments and commit statuses of Azure Repos.

Sources: Microsoft Learn, Azure DevOps Services REST API 7.1, Git: "Pull Requests", "Pull Request Threads", "Pull
Request Thread Comments", "Statuses", "Repositories"; a comment takes 150,000 characters, the description of a pull
request 4,000.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.adapters.boundary import port
from reconciler.adapters.code_hosts import comments
from reconciler.adapters.code_hosts.comments import HostComment
from reconciler.adapters.code_hosts.place import RepositoryPlace
from reconciler.adapters.code_hosts.session import HostAccess, HostSession
from reconciler.adapters.shapes import flag_or_none, number_of, object_or_none, objects_of, shown, text_of
from reconciler.documents import Json
from reconciler.errors import Rejected, Unavailable
from reconciler.ports.code_hosts import CodeHost, CommitState, PullRequest, never

_VERSION = {"api-version": "7.1"}
_HEADERS = {"X-TFS-FedAuthRedirect": "Suppress"}
_BRANCHES = "refs/heads/"
_STATES = {
    CommitState.PENDING: "pending",
    CommitState.SUCCESS: "succeeded",
    CommitState.FAILURE: "failed",
}
_DESCRIPTION = 4_000


@port("azure-repos", CodeHost)
class AzureRepos:
    """A repository in Azure Repos (`reconciler.ports.code_hosts.CodeHost`)."""

    longest_comment = 150_000

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
        body: Json = {
            "sourceRefName": _BRANCHES + source,
            "targetRefName": _BRANCHES + target,
            "title": title,
            "description": text if len(text) <= _DESCRIPTION else f"{text[: _DESCRIPTION - 1]}…",
        }
        try:
            return self._pull(self._call("POST", "/pullrequests", "a pull request", body))
        except (Rejected, Unavailable):  # another run opened it, or the response got lost
            if found := self._open(source, target):
                return found
            raise

    def pull_request(self, number: int) -> PullRequest:
        """See `CodeHost`."""
        return self._pull(self._call("GET", f"/pullRequests/{number}", f"pull request {number}"))

    def write_comment(self, number: int, mark: str, text: str, keep: Callable[[str], bool] = never) -> str:
        """See `CodeHost`. A new one is closed at once: it blocks no completion."""
        what, content = f"the comment on pull request {number}", comments.with_mark(text, mark, self.longest_comment)

        def replace(old: HostComment, kept: bool) -> str:
            self._call("PATCH", old.path, what, {"content": old.text if kept else content})
            return old.url

        def create() -> str:
            first: Json = {"parentCommentId": 0, "content": content, "commentType": "text"}
            body: Json = {"comments": [first], "status": "closed"}
            self._call("POST", f"/pullRequests/{number}/threads", what, body)
            return self._page(number)

        return comments.put(lambda: self._comments(number, mark), replace, create, lambda old: keep(old.text))

    def set_status(self, commit: str, context: str, state: CommitState, description: str, url: str = "") -> None:
        """See `CodeHost`."""
        genre, _, name = context.rpartition("/")
        body: dict[str, Json] = {
            "state": _STATES[state],
            "description": description,
            "context": {"genre": genre, "name": name},
        }
        if url:
            body["targetUrl"] = url
        what = f"status of commit {commit[:12]}"
        self._call("POST", f"/commits/{commit}/statuses", what, body, repeatable=True)

    def status_url(self, commit: str, context: str) -> str:
        """See `CodeHost`. A status has a larger id than those before it."""
        genre, _, name = context.rpartition("/")
        what = f"statuses of commit {commit[:12]}"
        answer = self._call("GET", f"/commits/{commit}/statuses", what, query={"top": "1000"})
        newest, url = -1, ""
        for one in objects_of(answer, "value", f"{self._place}: {what}"):
            its = object_or_none(one, "context", what) or {}
            number = number_of(one, "id", what)
            if (shown(its, "genre"), shown(its, "name")) == (genre, name) and number > newest:
                newest, url = number, shown(one, "targetUrl")
        return url

    def default_branch(self) -> str:
        """See `CodeHost`."""
        name = text_of(self._call("GET", "", "the repository"), "defaultBranch", str(self._place))
        return name.removeprefix(_BRANCHES)

    def _open(self, source: str, target: str) -> PullRequest | None:
        wanted = {"sourceRefName": _BRANCHES + source, "targetRefName": _BRANCHES + target}
        query = {f"searchCriteria.{name}": value for name, value in wanted.items()}
        answer = self._call("GET", "/pullrequests", "pull requests", query={**query, "searchCriteria.status": "active"})
        for entry in objects_of(answer, "value", f"{self._place}: pull requests"):
            if all(entry.get(name) == value for name, value in wanted.items()):
                return self._pull(entry)
        return None

    def _pull(self, entry: dict[str, Json]) -> PullRequest:
        where = f"{self._place}: pull request"
        number = number_of(entry, "pullRequestId", where)
        head = object_or_none(entry, "lastMergeSourceCommit", where) or {}
        return PullRequest(
            number,
            self._page(number),
            head=shown(head, "commitId"),
            open=entry.get("status") == "active",
        )

    def _comments(self, number: int, mark: str) -> list[HostComment]:
        """Those with the mark, in the order of the host."""
        path, where = f"/pullRequests/{number}/threads", f"{self._place}: comments of pull request {number}"
        found = []
        for thread in objects_of(self._call("GET", path, f"comments of pull request {number}"), "value", where):
            if flag_or_none(thread, "isDeleted", where):
                continue
            for one in objects_of(thread, "comments", where):
                if not flag_or_none(one, "isDeleted", where) and comments.marked(one.get("content"), mark):
                    at = f"{path}/{number_of(thread, 'id', where)}/comments/{number_of(one, 'id', where)}"
                    found.append(HostComment(at, str(one["content"]), self._page(number)))
        return found

    def _page(self, number: int) -> str:
        return f"{self._place.web}/pullrequest/{number}"

    def _call(
        self,
        method: str,
        path: str,
        what: str,
        body: Json = None,
        *,
        query: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> dict[str, Json]:
        answer = self._session.call(
            method, self._place.path + path, what, body,
            query={**_VERSION, **(query or {})}, headers=_HEADERS, repeatable=repeatable,
        ).document  # fmt: skip
        if not isinstance(answer, dict):
            raise Unavailable(f"{self._place}: {method} {what}: the response is no object")
        return answer
