"""What a pipeline says of its pull request: its number, its newest commit, its repository and its run.

On GitHub `GITHUB_SHA` is the merge that was made for the run and not a commit of the pull request, so the head is read
from the event's document. Sources: GitHub, "Variables reference" and "Events that trigger workflows: pull_request";
Microsoft Learn, "Use predefined variables" (`System.PullRequest.*` are set by a build validation).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.documents import Json

EVENT = "GITHUB_EVENT_PATH"
SUMMARY = "GITHUB_STEP_SUMMARY"
TEMPORARY = "AGENT_TEMPDIRECTORY"

_COMMIT = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")


class CiService(StrEnum):
    """Who runs the pipeline."""

    GITHUB = "github"
    AZURE_PIPELINES = "azure-pipelines"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class CiRun:
    """One run of a pipeline; what is not known is empty or 0."""

    service: CiService
    number: int = 0
    """Of the pull request."""
    commit: str = ""
    """The newest of the pull request's source branch."""
    repository: str = ""
    """https URL."""
    url: str = ""
    """Of the run, for people."""


def service_of(environ: Mapping[str, str]) -> CiService:
    """Which service this process runs in."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return CiService.GITHUB
    return CiService.AZURE_PIPELINES if environ.get("TF_BUILD", "").lower() == "true" else CiService.NONE


def run_of(environ: Mapping[str, str], event: Json = None) -> CiRun:
    """The run of this process; `event`: the document that `GITHUB_EVENT_PATH` names."""
    service = service_of(environ)
    if service is CiService.GITHUB:
        return _github(environ, event)
    return _azure(environ) if service is CiService.AZURE_PIPELINES else CiRun(service)


def _github(environ: Mapping[str, str], event: Json) -> CiRun:
    pull = event.get("pull_request") if isinstance(event, dict) else None
    pull = pull if isinstance(pull, dict) else {}
    head = pull.get("head")
    server = environ.get("GITHUB_SERVER_URL", "").rstrip("/")
    name, run = environ.get("GITHUB_REPOSITORY", ""), environ.get("GITHUB_RUN_ID", "")
    from_ref = re.fullmatch(r"refs/pull/(\d{1,18})/(?:merge|head)", environ.get("GITHUB_REF", ""))
    number = pull.get("number")
    attempt = max(1, _whole(environ.get("GITHUB_RUN_ATTEMPT", "")))
    repository = f"{server}/{name}" if server and name else ""
    return CiRun(
        CiService.GITHUB,
        number if type(number) is int else _whole(from_ref[1]) if from_ref else 0,
        _commit(head.get("sha")) if isinstance(head, dict) else "",
        repository,
        f"{repository}/actions/runs/{_whole(run)}/attempts/{attempt}" if repository and _whole(run) else "",
    )


def _azure(environ: Mapping[str, str]) -> CiRun:
    """`BUILD_REPOSITORY_URI` may hold a user name, which is no part of the repository's address."""
    collection, project = environ.get("SYSTEM_COLLECTIONURI", "").rstrip("/"), environ.get("SYSTEM_TEAMPROJECTID", "")
    build = _whole(environ.get("BUILD_BUILDID", ""))
    url = f"{collection}/{project}/_build/results?buildId={build}" if collection and project and build else ""
    number = environ.get("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER") or environ.get("SYSTEM_PULLREQUEST_PULLREQUESTID", "")
    uri = re.sub(r"^(https?://)[^/@]*@", r"\1", environ.get("BUILD_REPOSITORY_URI", ""))
    commit = _commit(environ.get("SYSTEM_PULLREQUEST_SOURCECOMMITID"))
    return CiRun(CiService.AZURE_PIPELINES, _whole(number), commit, uri, url)


def _commit(given: object) -> str:
    return given.lower() if isinstance(given, str) and _COMMIT.fullmatch(given) else ""


def _whole(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,18}", text, re.ASCII) else 0
