"""What the two services say of a pull request, and what they say where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.config.ci import CiRun, CiService, run_of, service_of

HEAD, MERGE = "a" * 40, "f" * 40
GITHUB = {
    "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "fabrikam/pools",
    "GITHUB_SHA": MERGE, "GITHUB_REF": "refs/pull/7/merge", "GITHUB_RUN_ID": "1234", "GITHUB_RUN_ATTEMPT": "2",
}  # fmt: skip
AZURE = {
    "TF_BUILD": "True", "BUILD_SOURCEVERSION": MERGE, "BUILD_BUILDID": "99", "SYSTEM_TEAMPROJECTID": "p",
    "BUILD_REPOSITORY_URI": "https://fabrikam@dev.azure.com/fabrikam/Web/_git/pools",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/fabrikam/", "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
    "SYSTEM_PULLREQUEST_SOURCECOMMITID": HEAD.upper(), "SYSTEM_JOBATTEMPT": "1",
}  # fmt: skip


def event(**head: Any) -> dict[str, Any]:
    return {"pull_request": {"number": 7, "head": head}}


def test_github_names_the_head_in_the_event_and_never_its_own_merge() -> None:
    found = run_of(GITHUB, event(sha=HEAD))
    run = "https://github.com/fabrikam/pools/actions/runs/1234/attempts/2"
    assert found == CiRun(CiService.GITHUB, 7, HEAD, "https://github.com/fabrikam/pools", run)


@pytest.mark.parametrize("document", [None, [], {}, {"pull_request": 7}, event(), event(sha="main"), event(sha=7)])
def test_without_a_head_in_the_event_there_is_no_commit(document: Any) -> None:
    found = run_of(GITHUB, document)
    assert (found.number, found.commit) == (7, "")


@pytest.mark.parametrize("ref", ["", "refs/heads/main", "refs/pull/x/merge", "refs/pull/7/merge/x"])
def test_a_push_is_no_pull_request(ref: str) -> None:
    assert run_of({**GITHUB, "GITHUB_REF": ref}).number == 0


def test_azure_pipelines_names_all_of_it() -> None:
    run = "https://dev.azure.com/fabrikam/p/_build/results?buildId=99"
    repository = "https://dev.azure.com/fabrikam/Web/_git/pools"
    assert run_of(AZURE) == CiRun(CiService.AZURE_PIPELINES, 7, HEAD, repository, run)


def test_a_build_of_a_branch_is_no_pull_request() -> None:
    found = run_of({name: text for name, text in AZURE.items() if "PULLREQUEST" not in name})
    assert (found.number, found.commit) == (0, "")


def test_the_number_of_a_repository_on_github_is_not_the_id_that_azure_pipelines_gives() -> None:
    """`System.PullRequest.PullRequestId` is another number there (Microsoft Learn, predefined variables)."""
    given = {**AZURE, "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": "3", "BUILD_REPOSITORY_URI": "https://github.com/f/p"}
    assert run_of(given).number == 3


@pytest.mark.parametrize("value", ["", "0x7", "\u0667", "-1", "9" * 30, "7 ", "7\n"])
def test_a_number_that_is_none_is_none(value: str) -> None:
    assert run_of({**AZURE, "SYSTEM_PULLREQUEST_PULLREQUESTID": value}).number == 0


def test_elsewhere_nothing_is_known() -> None:
    assert run_of({}) == CiRun(CiService.NONE)
    assert service_of({"GITHUB_ACTIONS": "false", "TF_BUILD": ""}) is CiService.NONE
