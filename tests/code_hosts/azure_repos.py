"""The Git API 7.1 of Azure Repos on loopback, as far as pull requests, their threads and commit statuses go.

From the published API document (MicrosoftDocs/vsts-rest-api-specs, git 7.1, with its examples), Microsoft Learn ("Pull
Requests", "Pull Request Threads", "Pull Request Thread Comments", "Statuses", "Rate and usage limits"), and from error
bodies that were published:
- 409 TF401179 `GitPullRequestExistsException`: shayki5/azure-devops-create-pr-task#31 and #6
- TF401398, a branch does not exist: ibid. #120; 404 TF401019 `GitRepositoryNotFoundException`: ibid. #191
- 403 TF401027 `GitNeedsPermissionException`: ibid. #76
- 400, a description over 4,000 characters: scala-steward-org/scala-steward#3572
- 400, a comment over 150,000 characters: runatlantis/atlantis#1585
- sign-in: vsts-rest-api-specs #574 and #97 (203), azure-devops-docs #13661 (302)
A pull request between branches of the same commit is accepted: no refusal is published.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

from tests.code_hosts.serving import Caller, CodeHostServer, Refused, Request, Response

READ, PULL_REQUESTS, CONTRIBUTE = "GenericRead", "PullRequestContribute", "GenericContribute"
ALL = (READ, PULL_REQUESTS, CONTRIBUTE)
LONGEST_COMMENT = 150_000
LONGEST_DESCRIPTION = 4_000
LONGEST_TITLE = 400
STATES = {"notSet", "pending", "succeeded", "failed", "error", "notApplicable", "partiallySucceeded"}
HEADS = "refs/heads/"
ID = "3411ebc1-d5aa-464f-9615-0b527bc66719"
PROJECT_ID = "a7573007-bbb3-4341-b726-0c4148a07853"
Json = dict[str, Any]


@dataclass
class Repository:
    """One repository of one project."""

    organization: str
    project: str
    name: str
    default_branch: str = "main"
    id: str = ID
    branches: dict[str, str] = field(default_factory=dict)
    """Commit by branch."""
    pulls: list[Json] = field(default_factory=list)
    threads: dict[int, list[Json]] = field(default_factory=dict)
    """By pull request."""
    statuses: dict[str, list[Json]] = field(default_factory=dict)
    """By commit, oldest first."""

    def bodies(self, number: int = 1) -> list[str]:
        """Texts of the comments that are not deleted, oldest first."""
        threads = self.threads.get(number, [])
        return [c["content"] for thread in threads for c in thread["comments"] if not c.get("isDeleted")]


class AzureRepos(CodeHostServer):
    """The API at `url`, which stands for https://dev.azure.com; `sign_in` is the status of a page to sign in."""

    def __init__(self, *, sign_in: int = 203) -> None:
        super().__init__()
        self.sign_in = sign_in
        self.repositories: list[Repository] = []
        self._last = 20

    def add(self, organization: str, project: str, name: str, branches: dict[str, str]) -> Repository:
        """A repository with these branches."""
        made = Repository(organization, project, name, branches=branches)
        self.repositories.append(made)
        return made

    def say(self, repository: Repository, number: int, text: str, author: str = "ann", kind: str = "text") -> Json:
        """A thread with one comment of a person; kind `system` is one the service writes itself."""
        self._last += 1
        comment = {
            "id": 1,
            "parentCommentId": 0,
            "author": {"displayName": author},
            "content": text,
            "commentType": kind,
            "isDeleted": False,
        }
        thread = {
            "id": self._last,
            "comments": [comment],
            "isDeleted": False,
            "properties": {},
            "pullRequestThreadContext": None,
        }
        if kind == "text":
            thread["status"] = "active"
        repository.threads.setdefault(number, []).append(thread)
        return thread

    def delete(self, thread: Json) -> None:
        """Delete its first comment, as a person does: the thread stays, the comment has no content any more."""
        thread["comments"][0] |= {"isDeleted": True, "content": None}
        thread["isDeleted"] = all(comment["isDeleted"] for comment in thread["comments"])

    def answer(self, request: Request) -> Response:
        """What Azure Repos says."""
        caller = self.callers.get(request.token())
        if caller is None:
            return self._signed_out(request)
        organization, project, rest = _place(request.segments)
        _check_version(request)
        if project and not any(_same(r.project, project) for r in self._of(organization)):
            text = f"TF200016: The following project does not exist: {project}. Verify that the name of the project is correct and that the project exists on the specified Azure DevOps Server."
            _refuse(404, "ProjectDoesNotExistWithNameException", text)
        match rest:
            case ["_apis", "git", "repositories", name, *more]:
                return self._route(request, self._repository(organization, project, name, caller), more, caller)
            case _:
                raise _refusal(404, "VssResourceNotFoundException", "The controller for the path was not found.")

    def _of(self, organization: str) -> list[Repository]:
        return [repository for repository in self.repositories if _same(repository.organization, organization)]

    def _signed_out(self, request: Request) -> Response:
        if (request.headers["X-TFS-FedAuthRedirect"] or "").lower() == "suppress":
            return Response(401, b"", {"WWW-Authenticate": 'Basic realm="https://dev.azure.com/"'}, "text/html")
        if request.method in {"PATCH", "PUT", "DELETE"}:
            _refuse(
                401, "UnauthorizedRequestException", "TF400813: The user '' is not authorized to access this resource."
            )
        headers = {"Location": f"{self.url}/_signin"} if self.sign_in == 302 else {}
        page = b"<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head></html>"
        return Response(self.sign_in, page, headers, "text/html; charset=utf-8")

    def _repository(self, organization: str, project: str, name: str, caller: Caller) -> Repository:
        for found in self._of(organization):
            fits = _same(found.id, name) or (_same(found.name, name) and _same(found.project, project))
            if fits and READ in caller.rights:
                return found
        text = f"TF401019: The Git repository with name or identifier {name} does not exist or you do not have permissions for the operation you are attempting."
        raise _refusal(404, "GitRepositoryNotFoundException", text)

    def _route(self, request: Request, repository: Repository, rest: list[str], caller: Caller) -> Response:  # noqa: C901, PLR0911 - one line a route
        match request.method, *[part.lower() for part in rest]:
            case ["GET"]:
                return Response(200, self._described(repository))
            case ["GET", "pullrequests"]:
                return _listed(_selected(repository, request.query))
            case ["POST", "pullrequests"]:
                return self._open(repository, _fields(request), _allowed(caller, PULL_REQUESTS))
            case ["GET", "pullrequests", number]:
                wanted = _number(repository, number)
                return Response(200, next(p for p in repository.pulls if p["pullRequestId"] == wanted))
            case ["GET", "pullrequests", number, "threads"]:
                return _listed(repository.threads.get(_number(repository, number), []))
            case ["POST", "pullrequests", number, "threads"]:
                return self._start(repository, _number(repository, number), request, caller)
            case ["GET", "pullrequests", number, "threads", thread, "comments"]:
                return _listed(_thread(repository, _number(repository, number), thread)["comments"])
            case ["PATCH", "pullrequests", number, "threads", thread, "comments", comment]:
                found = _thread(repository, _number(repository, number), thread)
                return _edit(found, comment, request, caller)
            case ["GET", "commits", commit, "statuses"]:
                return _listed(repository.statuses.get(commit, []))
            case ["POST", "commits", commit, "statuses"]:
                return _set_status(repository, commit, _fields(request), _allowed(caller, CONTRIBUTE))
            case _:
                raise _refusal(404, "VssResourceNotFoundException", "The controller for the path was not found.")

    def _described(self, repository: Repository) -> Json:
        api = f"{self.url}/{repository.organization}/{PROJECT_ID}/_apis/git/repositories/{repository.id}"
        web = f"https://dev.azure.example/{repository.organization}/{repository.project}/_git/{repository.name}"
        return {
            "id": repository.id,
            "name": repository.name,
            "url": api,
            "project": {"id": PROJECT_ID, "name": repository.project, "state": "wellFormed"},
            "defaultBranch": f"{HEADS}{repository.default_branch}",
            "size": 10895,
            "remoteUrl": web,
            "webUrl": web,
            "isDisabled": False,
        }

    def _open(self, repository: Repository, body: Json, caller: Caller) -> Response:
        source, target = str(body.get("sourceRefName")), str(body.get("targetRefName"))
        for ref in (source, target):
            if not ref.startswith(HEADS) or ref.removeprefix(HEADS) not in repository.branches:
                text = "TF401398: The pull request cannot be activated because the source and/or the target branch no longer exists, or the requested refs are not branches"
                _refuse(400, "GitPullRequestCannotBeActivated", text)
        if not body.get("title"):
            _argument("A title for a pull request must be specified.")
        if len(body["title"]) > LONGEST_TITLE:
            _argument(f"A title for a pull request must not be longer than {LONGEST_TITLE} characters.")
        if len(body.get("description") or "") > LONGEST_DESCRIPTION:
            _argument(f"A description for a pull request must not be longer than {LONGEST_DESCRIPTION} characters.")
        if _selected(repository, {"searchCriteria.sourceRefName": source, "searchCriteria.targetRefName": target}):
            text = "TF401179: An active pull request for the source and target branch already exists."
            _refuse(409, "GitPullRequestExistsException", text)
        number = 22 + len(repository.pulls)
        described = self._described(repository)
        made = {
            "repository": {name: described[name] for name in ("id", "name", "url", "project", "remoteUrl")},
            "pullRequestId": number,
            "codeReviewId": number,
            "status": "active",
            "createdBy": {"displayName": caller.name},
            "title": body["title"],
            "description": body.get("description"),
            "sourceRefName": source,
            "targetRefName": target,
            "lastMergeSourceCommit": {"commitId": repository.branches[source.removeprefix(HEADS)]},
            "isDraft": bool(body.get("isDraft")),
            "url": f"{described['url']}/pullRequests/{number}",
        }
        repository.pulls.append(made)
        self.say(
            repository,
            number,
            f"{caller.name} published the pull request",
            "Microsoft.VisualStudio.Services.TFS",
            "system",
        )
        return Response(201, made)

    def _start(self, repository: Repository, number: int, request: Request, caller: Caller) -> Response:
        _allowed(caller, PULL_REQUESTS)
        body = _fields(request)
        comments = body.get("comments")
        if not isinstance(comments, list) or not comments:
            _argument("comments")
        made = self.say(repository, number, _content(comments[0]), caller.name)
        made["status"] = body.get("status", "unknown")
        return Response(200, made)


def rate_limited(seconds: int = 1) -> Response:
    """The limit on a user's use of the service."""
    headers = {
        "Retry-After": str(seconds),
        "X-RateLimit-Resource": "Core/Data",
        "X-RateLimit-Delay": "0",
        "X-RateLimit-Limit": "200",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "4102444800",
    }
    text = "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource 'Core/Data' in namespace 'User'."
    return Response(429, _error("RequestBlockedException", text), headers)


def _place(segments: tuple[str, ...]) -> tuple[str, str, list[str]]:
    if len(segments) > 1 and segments[1] == "_apis":
        return segments[0], "", list(segments[1:])
    return segments[0], segments[1] if len(segments) > 1 else "", list(segments[2:])


def _check_version(request: Request) -> None:
    version = request.query.get("api-version") or (request.headers["Accept"] or "").partition("api-version=")[2]
    if not version and request.method != "GET":
        text = f'No api-version was supplied for the "{request.method}" request. The version must be supplied either as part of the Accept header (e.g. "application/json; api-version=1.0") or as a query parameter (e.g. "?api-version=1.0").'
        _refuse(400, "VssVersionNotSpecifiedException", text)
    if version.partition("-")[0] not in {"", "7.0", "7.1"} and version.partition("-")[2] != "preview":
        text = f"The requested REST API version of {version} is out of range for this server."
        _refuse(400, "VssVersionOutOfRangeException", text)


def _selected(repository: Repository, query: Any) -> list[Json]:
    status = query.get("searchCriteria.status", "active")
    source, target = (query.get(f"searchCriteria.{end}RefName") for end in ("source", "target"))
    return [
        pull
        for pull in reversed(repository.pulls)
        if status in {"all", pull["status"]}
        and source in {None, pull["sourceRefName"]}
        and target in {None, pull["targetRefName"]}
    ]


def _number(repository: Repository, number: str) -> int:
    if not any(str(pull["pullRequestId"]) == number for pull in repository.pulls):
        text = "TF401180: The requested pull request was not found."
        _refuse(404, "GitPullRequestNotFoundException", text)
    return int(number)


def _thread(repository: Repository, number: int, wanted: str) -> Json:
    for thread in repository.threads.get(number, []):
        if str(thread["id"]) == wanted:
            return thread
    raise _refusal(404, "DiscussionThreadNotFoundException", f"The thread {wanted} does not exist.")


def _edit(thread: Json, wanted: str, request: Request, caller: Caller) -> Response:
    """Only the author edits a comment."""
    _allowed(caller, PULL_REQUESTS)
    found = next((c for c in thread["comments"] if str(c["id"]) == wanted and not c["isDeleted"]), None)
    if found is None:
        _refuse(404, "DiscussionCommentNotFoundException", f"The comment {wanted} does not exist.")
    if found["author"]["displayName"] != caller.name or found["commentType"] == "system":
        _refuse(403, "CommentCannotBeUpdatedException", "Only the author can update a comment.")
    found["content"] = _content(_fields(request))
    return Response(200, found)


def _set_status(repository: Repository, commit: str, body: Json, caller: Caller) -> Response:
    if commit not in repository.branches.values():
        _refuse(404, "GitCommitDoesNotExistException", f"TF401175: The commit {commit} does not exist.")
    context = body.get("context")
    if not isinstance(context, dict) or not context.get("name"):
        _argument("context.name")
    if body.get("state") not in STATES:
        _argument("state")
    made = {
        "id": len(repository.statuses.get(commit, [])) + 1,
        "state": body["state"],
        "description": body.get("description"),
        "context": {"name": context["name"], "genre": context.get("genre")},
        "targetUrl": body.get("targetUrl"),
        "createdBy": {"displayName": caller.name},
    }
    repository.statuses.setdefault(commit, []).append(made)
    return Response(201, made)


def _fields(request: Request) -> Json:
    if not isinstance(request.body, dict):
        _argument("The body of the request could not be read.")
    return request.body


def _content(comment: Json) -> str:
    content = comment.get("content")
    if not isinstance(content, str) or not content:
        _argument("comment.Content")
    if len(content) > LONGEST_COMMENT:
        text = f"A discussion comment cannot be longer than {LONGEST_COMMENT} characters.\r\nParameter name: comment.Content"
        _refuse(400, "ArgumentException", text)
    return content


def _allowed(caller: Caller, right: str) -> Caller:
    if right not in caller.rights:
        text = f"TF401027: You need the Git '{right}' permission to perform this action. Details: identity 'Build\\\\{caller.name}', scope 'repository'."
        _refuse(403, "GitNeedsPermissionException", text)
    return caller


def _listed(found: list[Json]) -> Response:
    return Response(200, {"value": found, "count": len(found)})


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _argument(name: str) -> NoReturn:
    _refuse(400, "InvalidArgumentValueException", f"Invalid argument value.\r\nParameter name: {name}")


def _error(key: str, text: str) -> Json:
    name = f"Microsoft.TeamFoundation.Git.Server.{key}, Microsoft.TeamFoundation.Git.Server"
    return {
        "$id": "1",
        "innerException": None,
        "message": text,
        "typeName": name,
        "typeKey": key,
        "errorCode": 0,
        "eventId": 3000,
    }


def _refuse(status: int, key: str, text: str) -> NoReturn:
    raise _refusal(status, key, text)


def _refusal(status: int, key: str, text: str) -> Refused:
    return Refused(Response(status, _error(key, text)))
