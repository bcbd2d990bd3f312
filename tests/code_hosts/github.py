"""GitHub's REST API 2022-11-28 on loopback, as far as pull requests, their comments and commit statuses go.

From the published reference (docs.github.com, REST: "Pulls", "Issue comments", "Commit statuses", "Repositories",
"Using pagination", "Rate limits", "Troubleshooting") and from error bodies that were published:
- 422 "A pull request already exists for …": gm3dmo/the-power#175; "No commits between …": piceaTech/node-gitlab-2-github#91
- 422 "Body is too long (maximum is 65536 characters)", resource IssueComment, field data: telia-oss/github-pr-resource#259
- 403 or 429 with `x-ratelimit-remaining: 0`, or with `retry-after`: "Troubleshooting the REST API"
- a request without User-Agent is refused with 403, a private repository without the right to read is 404: ibid.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

from tests.code_hosts.serving import Caller, CodeHostServer, Refused, Request, Response

READ, COMMENT, OPEN, STATUS = "read", "issues", "pulls", "statuses"
ALL = (READ, COMMENT, OPEN, STATUS)
VERSIONS = {"2022-11-28", "2026-03-10"}
LONGEST_BODY = 65_536
LONGEST_TITLE = 256
LONGEST_DESCRIPTION = 140
STATES = {"error", "failure", "pending", "success"}
Json = dict[str, Any]


@dataclass
class Repository:
    """One repository."""

    owner: str
    name: str
    private: bool = True
    default_branch: str = "main"
    branches: dict[str, str] = field(default_factory=dict)
    """Commit by branch."""
    pulls: list[Json] = field(default_factory=list)
    comments: list[Json] = field(default_factory=list)
    statuses: dict[str, list[Json]] = field(default_factory=dict)
    """By commit, newest first."""

    def bodies(self) -> list[str]:
        """Texts of the comments, oldest first."""
        return [comment["body"] for comment in self.comments]


class GitHub(CodeHostServer):
    """The API at `url` (below `prefix`, as GitHub Enterprise Server has it), pages for people at `web`."""

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self._prefix = tuple(part for part in prefix.split("/") if part)
        self.url += "".join(f"/{part}" for part in self._prefix)
        self.web = "https://github.example"
        self.repositories: dict[str, Repository] = {}
        self.moved: dict[str, str] = {}
        """New full name by old one: 301 until the caller asks the new one."""
        self.remaining = 5000
        self.limit_status = 403
        self._last = 100

    def add(self, owner: str, name: str, branches: dict[str, str], *, private: bool = True) -> Repository:
        """A repository with these branches."""
        made = Repository(owner, name, private=private, branches=branches)
        self.repositories[f"{owner}/{name}".lower()] = made
        return made

    def say(
        self, repository: Repository, number: int, text: str, author: str = "ann", *, kind: str = "User",
        association: str = "NONE",
    ) -> Json:  # fmt: skip
        """A comment of a person or an app; apps, as github-actions[bot], are of kind Bot and associated with nothing."""
        self._last += 1
        path = f"{self.url}/repos/{repository.owner}/{repository.name}/issues"
        comment = {
            "id": self._last,
            "url": f"{path}/comments/{self._last}",
            "html_url": f"{self._page(repository, number)}#issuecomment-{self._last}",
            "issue_url": f"{path}/{number}",
            "user": {"login": author, "type": kind},
            "author_association": association,
            "body": text,
        }
        repository.comments.append(comment)
        return comment

    def answer(self, request: Request) -> Response:
        """What GitHub says, with the rate of the caller."""
        try:
            made = self._answer(request)
        except Refused as refused:
            made = refused.response
        rate = {
            "x-ratelimit-limit": "5000",
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-used": str(5000 - self.remaining),
            "x-ratelimit-reset": "4102444800",
            "x-ratelimit-resource": "core",
            "x-github-request-id": f"0123:{len(self.requests):04X}",
        }
        return Response(made.status, made.body, {**rate, **made.headers}, made.content_type)

    def _answer(self, request: Request) -> Response:
        if not request.headers["User-Agent"]:
            text = b"\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header\r\n"
            return Response(403, text, content_type="text/html")
        version = request.headers["X-GitHub-Api-Version"]
        if version and version not in VERSIONS:
            _refuse(400, f"{version} is not a supported version.")
        token = request.token()
        if token and token not in self.callers:
            _refuse(401, "Bad credentials")
        if self.remaining <= 0:
            _refuse(self.limit_status, "API rate limit exceeded for user ID 1.")
        self.remaining -= 1
        if request.segments[: len(self._prefix)] != self._prefix:
            _refuse(404, "Not Found")
        caller = self.callers.get(token)
        repository, rest = self._repository(request.segments[len(self._prefix) :], caller)
        return self._route(request, repository, rest, caller)

    def _repository(self, segments: tuple[str, ...], caller: Caller | None) -> tuple[Repository, tuple[str, ...]]:
        if len(segments) < 3 or segments[0] != "repos":
            _refuse(404, "Not Found")
        name = f"{segments[1]}/{segments[2]}".lower()
        if name in self.moved:
            rest = "/".join(("", *segments[3:]))
            place = f"{self.url}/repos/{self.moved[name]}{rest}"
            body = {"message": "Moved Permanently", "url": place}
            raise Refused(Response(301, body, {"Location": place}))
        found = self.repositories.get(name)
        if found is None or (found.private and (caller is None or READ not in caller.rights)):
            _refuse(404, "Not Found")
        return found, segments[3:]

    def _route(  # noqa: PLR0911 - one line a route
        self, request: Request, repository: Repository, rest: tuple[str, ...], caller: Caller | None
    ) -> Response:
        match request.method, *rest:
            case ["GET"]:
                return Response(200, self._described(repository))
            case ["GET", "pulls"]:
                return self._paged(request, _selected(repository, request.query))
            case ["POST", "pulls"]:
                return self._open(repository, _fields(request), _allowed(caller, OPEN))
            case ["GET", "pulls", number] if _is_pull(repository, number):
                return Response(200, next(p for p in repository.pulls if str(p["number"]) == number))
            case ["GET", "issues", number, "comments"] if _is_pull(repository, number):
                found = [c for c in repository.comments if c["issue_url"].endswith(f"/issues/{number}")]
                return self._paged(request, found)
            case ["POST", "issues", number, "comments"] if _is_pull(repository, number):
                author = _allowed(caller, COMMENT)
                text = _text(_fields(request), "create-an-issue-comment")
                return Response(201, self.say(repository, int(number), text, author.name, kind="Bot"))
            case ["PATCH", "issues", "comments", number]:
                return _edit(repository, number, request, caller)
            case ["POST", "statuses", commit]:
                return self._status(repository, commit, _fields(request), _allowed(caller, STATUS))
            case ["GET", "commits", commit, "statuses"]:
                return self._paged(request, repository.statuses.get(commit, []))
            case _:
                raise _refusal(404, "Not Found")

    def _described(self, repository: Repository) -> Json:
        full = f"{repository.owner}/{repository.name}"
        return {
            "id": 1,
            "name": repository.name,
            "full_name": full,
            "private": repository.private,
            "owner": {"login": repository.owner},
            "html_url": f"{self.web}/{full}",
            "url": f"{self.url}/repos/{full}",
            "default_branch": repository.default_branch,
        }

    def _page(self, repository: Repository, number: int) -> str:
        return f"{self.web}/{repository.owner}/{repository.name}/pull/{number}"

    def _paged(self, request: Request, found: list[Json]) -> Response:
        size = min(max(int(request.query.get("per_page", "30")), 1), 100)
        page = max(int(request.query.get("page", "1")), 1)
        pages = -(-len(found) // size)
        path = request.target.partition("?")[0].removeprefix("".join(f"/{part}" for part in self._prefix))
        links = {"next": page + 1, "last": pages} if page < pages else {}
        links |= {"prev": page - 1, "first": 1} if page > 1 else {}
        link = ", ".join(
            f'<{self.url}{path}?per_page={size}&page={number}>; rel="{rel}"' for rel, number in links.items()
        )
        return Response(200, found[size * (page - 1) : size * page], {"Link": link} if link else {})

    def _open(self, repository: Repository, body: Json, caller: Caller) -> Response:
        documented = "pulls/pulls#create-a-pull-request"
        missing = [name for name in ("title", "head", "base") if not body.get(name)]
        if missing:
            _invalid(documented, [{"resource": "PullRequest", "code": "missing_field", "field": f} for f in missing])
        head, base = str(body["head"]).removeprefix(f"{repository.owner}:"), str(body["base"])
        wrong = [name for name, branch in (("head", head), ("base", base)) if branch not in repository.branches]
        if wrong:
            _invalid(documented, [{"resource": "PullRequest", "field": f, "code": "invalid"} for f in wrong])
        if len(body["title"]) > LONGEST_TITLE:
            _custom(documented, "PullRequest", f"title is too long (maximum is {LONGEST_TITLE} characters)", "title")
        if len(body.get("body") or "") > LONGEST_BODY:
            _custom(documented, "PullRequest", f"body is too long (maximum is {LONGEST_BODY} characters)", "body")
        if any((p["head"]["ref"], p["base"]["ref"], p["state"]) == (head, base, "open") for p in repository.pulls):
            _custom(documented, "PullRequest", f"A pull request already exists for {repository.owner}:{head}.")
        if repository.branches[head] == repository.branches[base]:
            _custom(documented, "PullRequest", f"No commits between {base} and {head}")
        number = len(repository.pulls) + 1
        made = {
            "id": 1000 + number,
            "number": number,
            "state": "open",
            "title": body["title"],
            "body": body.get("body"),
            "draft": bool(body.get("draft")),
            "user": {"login": caller.name},
            "head": _end(repository, head),
            "base": _end(repository, base),
            "html_url": self._page(repository, number),
            "url": f"{self.url}/repos/{repository.owner}/{repository.name}/pulls/{number}",
        }
        repository.pulls.append(made)
        return Response(201, made)

    def _status(self, repository: Repository, commit: str, body: Json, caller: Caller) -> Response:
        documented = "commits/statuses#create-a-commit-status"
        if body.get("state") not in STATES:
            _invalid(documented, [{"resource": "Status", "code": "custom", "field": "state"}])
        if len(body.get("description") or "") > LONGEST_DESCRIPTION:
            text = f"description is too long (maximum is {LONGEST_DESCRIPTION} characters)"
            _custom(documented, "Status", text, "description")
        if commit not in repository.branches.values():
            _refuse(422, f"No commit found for SHA: {commit}")
        made = {
            "state": body["state"],
            "context": body.get("context") or "default",
            "description": body.get("description"),
            "target_url": body.get("target_url"),
            "creator": {"login": caller.name},
            "url": f"{self.url}/repos/{repository.owner}/{repository.name}/statuses/{commit}",
        }
        repository.statuses.setdefault(commit, []).insert(0, made)
        return Response(201, made)


def rate_limited(status: int = 429, seconds: int = 1) -> Response:
    """The secondary rate limit."""
    text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    return Response(status, {"message": text, "status": str(status)}, {"Retry-After": str(seconds)})


def _end(repository: Repository, branch: str) -> Json:
    return {"label": f"{repository.owner}:{branch}", "ref": branch, "sha": repository.branches[branch]}


def _selected(repository: Repository, query: Any) -> list[Json]:
    """By state, base and head; a head that is not `owner:branch` selects nothing away."""
    state, base, head = query.get("state", "open"), query.get("base"), query.get("head", "")
    return [
        pull
        for pull in reversed(repository.pulls)
        if state in {"all", pull["state"]}
        and (not base or pull["base"]["ref"] == base)
        and (":" not in head or pull["head"]["label"] == head)
    ]


def _edit(repository: Repository, number: str, request: Request, caller: Caller | None) -> Response:
    found = next((c for c in repository.comments if str(c["id"]) == number), None)
    if found is None:
        _refuse(404, "Not Found")
    _allowed(caller, COMMENT)
    found["body"] = _text(_fields(request), "update-an-issue-comment")
    return Response(200, found)


def _is_pull(repository: Repository, number: str) -> bool:
    return any(str(pull["number"]) == number for pull in repository.pulls)


def _fields(request: Request) -> Json:
    if not isinstance(request.body, dict):
        _refuse(400, "Problems parsing JSON")
    return request.body


def _text(body: Json, operation: str) -> str:
    documented = f"issues/comments#{operation}"
    text = body.get("body")
    if not isinstance(text, str) or not text.strip():
        _invalid(documented, [{"resource": "IssueComment", "code": "missing_field", "field": "body"}])
    if len(text) > LONGEST_BODY:
        message = f"Body is too long (maximum is {LONGEST_BODY} characters)"
        error = {"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": message}
        _invalid(documented, [error])
    return text


def _allowed(caller: Caller | None, right: str) -> Caller:
    if caller is None:
        _refuse(401, "Requires authentication")
    if right not in caller.rights:
        _refuse(403, "Resource not accessible by integration")
    return caller


def _custom(documented: str, resource: str, message: str, name: str = "") -> NoReturn:
    place = {"field": name} if name else {}
    _invalid(documented, [{"resource": resource, "code": "custom", **place, "message": message}])


def _invalid(documented: str, errors: list[Json]) -> NoReturn:
    _refuse(422, "Validation Failed", documented, errors=errors)


def _refuse(status: int, message: str, documented: str = "", **more: Any) -> NoReturn:
    raise _refusal(status, message, documented, **more)


def _refusal(status: int, message: str, documented: str = "", **more: Any) -> Refused:
    page = f"https://docs.github.com/rest/{documented}".rstrip("/")
    return Refused(Response(status, {"message": message, **more, "documentation_url": page, "status": str(status)}))
