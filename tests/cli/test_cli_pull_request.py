"""`pull-request` against the emulated planes and both hosts of code: comment, status, annotations, and every bad day."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import Running
from tests.adapters.code_hosts.host_kit import HEAD, KINDS, TOKEN, Host, hosted
from tests.adapters.git.git_kit import ENVIRONMENT
from tests.code_hosts import azure_repos, github
from tests.code_hosts.serving import HANG_UP, Response
from tests.shell import Said, Shell

MARK = "<!-- reconciler: plan -->"
POOL = "specs/fabrikam-managed-pool.yaml"


class Pull:
    """A pull request in a pipeline of its host."""

    def __init__(self, host: Host, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        self.host = host
        self.shell = shell
        self._patch = monkeypatch
        self.summary = shell.folder / "summary.md"
        for name, value in self._environment().items():
            monkeypatch.setenv(name, value)
        self.run_id(100)

    def _environment(self) -> dict[str, str]:
        url = self.host.url
        shared = {
            "RECONCILER_GIT_API": self.host.server.url, "RECONCILER_GIT_TOKEN": TOKEN,
            "RECONCILER_GIT_HOST": "github.com" if self.host.kind == "github" else "dev.azure.com",
        }  # fmt: skip
        if self.host.kind == "github":
            event = {"number": 1, "pull_request": {"number": self.host.number, "head": {"sha": HEAD}}}
            self.shell.write("event.json", json.dumps(event))
            return {
                **shared, "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "fabrikam/pools", "GITHUB_SHA": "f" * 40, "GITHUB_RUN_ATTEMPT": "1",
                "GITHUB_EVENT_PATH": str(self.shell.folder / "event.json"), "GITHUB_STEP_SUMMARY": str(self.summary),
                "GITHUB_REF": f"refs/pull/{self.host.number}/merge",
            }  # fmt: skip
        return {
            **shared, "TF_BUILD": "True", "BUILD_REPOSITORY_URI": url.replace("//", "//fabrikam-prime@"),
            "SYSTEM_COLLECTIONURI": "https://dev.azure.com/fabrikam-prime/", "SYSTEM_TEAMPROJECTID": "p",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": str(self.host.number), "SYSTEM_PULLREQUEST_SOURCECOMMITID": HEAD,
            "AGENT_TEMPDIRECTORY": str(self.shell.folder), "BUILD_SOURCEVERSION": "f" * 40,
        }  # fmt: skip

    def run_id(self, number: int) -> None:
        self._patch.setenv("GITHUB_RUN_ID" if self.host.kind == "github" else "BUILD_BUILDID", str(number))

    def report(self, *more: str) -> Said:
        return self.shell.run("pull-request", *more)

    @property
    def comments(self) -> list[str]:
        return [text for text in self.host.bodies() if text.startswith(MARK)]

    @property
    def statuses(self) -> list[tuple[str, str]]:
        short = {"succeeded": "success", "failed": "failure"}
        return [(short.get(state, state), text) for state, text in self.host.statuses()]


@pytest.fixture(params=KINDS)
def pull(request: pytest.FixtureRequest, signed_in: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pull]:
    for name in ("GITHUB_ACTIONS", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    with hosted(request.param) as host:
        yield Pull(host, signed_in, monkeypatch)


def edit(shell: Shell, old: str, new: str) -> None:
    path = shell.folder / POOL
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_comment_says_first_who_gains_and_who_loses_access(pull: Pull) -> None:
    said = pull.report()
    assert (said.code, TOKEN in said.out + said.err) == (0, False)
    (comment,) = pull.comments
    assert comment.index("**Becomes administrator**") < comment.index("**Gains access**")
    assert comment.index("**Gains access**") < comment.index("**Loses access**") < comment.index("| what | which |")
    assert [state for state, _ in pull.statuses] == ["pending", "success"]
    assert pull.statuses[-1][1].startswith("7 changes in 2 pools")


def test_the_next_run_replaces_the_comment(pull: Pull) -> None:
    pull.host.say("Looks good")
    pull.report()
    pull.run_id(101)
    edit(pull.shell, "maximumConcurrency: 4", "maximumConcurrency: 5")
    pull.report()
    assert len(pull.comments) == 1
    assert len(pull.host.bodies()) == 2
    assert "commit bbbb" in pull.comments[0].splitlines()[1]


def test_annotations_and_the_summary_are_those_of_the_service(pull: Pull) -> None:
    said = pull.report()
    if pull.host.kind == "github":
        assert re.search(
            rf"^::warning file={POOL},line=\d+,title=Grants access::fabrikam-managed-pool: ", said.out, re.MULTILINE
        )
        assert "### Plan: 7 changes in 2 pools" in pull.summary.read_text()
        return
    assert re.search(
        rf"^##vso\[task.logissue type=warning;sourcepath={POOL};linenumber=\d+\]Grants access: ", said.out, re.MULTILINE
    )
    (path,) = re.findall(r"^##vso\[task.uploadsummary\](.+)$", said.out, re.MULTILINE)
    assert "### Plan: 7 changes in 2 pools" in Path(path).read_text()


def test_an_invalid_spec_fails_the_status_and_is_named(pull: Pull) -> None:
    edit(pull.shell, "maximumConcurrency", "maximumConcurency")
    said = pull.report()
    assert said.code == 1
    assert "Problems in specs" in pull.comments[0]
    assert "maximumConcurrency" in pull.comments[0]
    assert pull.statuses[-1] == ("failure", "1 problem in specs")
    assert ("::error file=" if pull.host.kind == "github" else "type=error;sourcepath=specs/") in said.out


def test_a_plan_that_failed_says_so(pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_ARM_TOKEN", "canary-stale")
    monkeypatch.setenv("RECONCILER_DEVOPS_TOKEN", "canary-stale")
    said = pull.report()
    assert said.code == 1
    assert pull.statuses[-1][0] == "failure"
    assert "not complete" in pull.comments[0] or "the plan failed" in pull.comments[0]
    assert "canary-stale" not in pull.comments[0] + said.out + said.err


def test_specs_that_cannot_be_read_are_a_plan_that_failed(pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_SPECS", "missing")
    said = pull.report()
    assert said.code == 1
    assert "the plan failed" in pull.comments[0]
    assert "missing" in pull.comments[0]
    assert pull.statuses[-1] == ("failure", "the plan failed")


def test_a_refused_change_fails_the_status(pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    pull.shell.write("policy.yaml", "apiVersion: policy/v2\nallow: []\n")
    said = pull.report("--policy", "policy.yaml")
    assert said.code == 2
    assert "**Refused**" in pull.comments[0]
    assert pull.statuses[-1][0] == "failure"
    assert "refused" in pull.statuses[-1][1]


def test_an_older_run_of_the_commit_takes_nothing_from_a_newer_one(pull: Pull) -> None:
    pull.run_id(200)
    pull.report()
    before = (pull.comments, pull.statuses)
    pull.run_id(199)
    said = pull.report()
    assert said.code == 0
    assert "outdated" in said.err
    assert pull.comments == before[0]
    assert pull.statuses == before[1]


def test_a_comment_of_a_stranger_with_our_mark_silences_no_run(pull: Pull) -> None:
    """On a public repository each reader may write one; it says whatever its author likes."""
    pull.host.say(f"{MARK}\n<!-- run 999999.1 commit {HEAD} -->\nin sync", author="mallory")
    assert pull.report().code == 0
    assert "**Becomes administrator**" in pull.comments[-1]
    assert pull.statuses[-1][0] == "success"


def test_a_run_of_an_older_commit_writes_no_comment(pull: Pull) -> None:
    pull.report()
    if pull.host.kind == "github":
        pull.host.repository.pulls[0]["head"]["sha"] = "c" * 40
    else:
        pull.host.repository.pulls[0]["lastMergeSourceCommit"] = {"commitId": "c" * 40}
    pull.run_id(300)
    said = pull.report()
    assert "newer commit (cccccccccccc)" in said.err
    assert "commit bbbb" in pull.comments[0]
    assert pull.statuses[-1][0] == "success"


def test_a_closed_pull_request_gets_no_comment(pull: Pull) -> None:
    pull.host.repository.pulls[0]["state" if pull.host.kind == "github" else "status"] = "closed"
    assert "is closed" in pull.report().err
    assert pull.comments == []


@pytest.mark.parametrize(
    "answer",
    [Response(401), Response(403, {"message": "no"}), Response(404), Response(500), HANG_UP,
     Response(200, b"<html>sign in</html>", {}, "text/html")],
)  # fmt: skip
def test_a_host_that_refuses_is_an_error_and_the_plan_is_shown_all_the_same(pull: Pull, answer: Response | str) -> None:
    pull.host.server.answer = lambda _: answer
    said = pull.report("--no-status")
    assert said.code == 1
    assert "fabrikam-managed-pool" in said.out
    assert "error: not reported: " in said.err
    assert "this is a bug" not in said.err
    assert TOKEN not in said.out + said.err


def test_a_rate_limit_is_waited_for(pull: Pull) -> None:
    limited = github.rate_limited(429, 0) if pull.host.kind == "github" else azure_repos.rate_limited(0)
    pull.host.server.next_answers(limited)
    assert pull.report().code == 0
    assert len(pull.comments) == 1


def test_no_status_where_none_is_wanted(pull: Pull) -> None:
    assert pull.report("--no-status").code == 0
    assert (len(pull.comments), pull.statuses) == (1, [])


def test_two_reports_stand_beside_each_other(pull: Pull) -> None:
    pull.report("--name", "prod")
    pull.report("--name", "dev")
    firsts = [text.splitlines()[0] for text in pull.host.bodies()]
    assert firsts == ["<!-- reconciler: prod -->", "<!-- reconciler: dev -->"]


def test_pools_that_the_change_does_not_touch_are_not_planned(pull: Pull) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=pull.shell.folder, env=ENVIRONMENT, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "specs")
    git("commit", "-qm", "specs")
    said = pull.report("--changed-since", "main")
    assert said.code == 0
    assert "no pool changed since main" in said.err
    assert "not touched by this change" in pull.comments[0]
    assert pull.statuses[-1] == ("success", "no pool is concerned")
    edit(pull.shell, "openAccess: true", "openAccess: false")
    pull.run_id(101)
    assert pull.report("--changed-since", "main").code == 0
    assert "### <code>fabrikam-managed-pool</code>" in pull.comments[0]
    assert "fabrikam-release-pool" not in pull.comments[0]
    pull.run_id(102)
    said = pull.report("--changed-since", "no-such-ref")
    assert said.code == 1
    assert len([line for line in said.err.splitlines() if "no-such-ref" in line]) == 1
    assert "no-such-ref" in pull.comments[0]


def test_outside_of_a_pipeline_everything_is_named(pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("TF_BUILD", raising=False)
    named = ["--number", str(pull.host.number), "--commit", HEAD.upper(), "--repository", pull.host.url]
    said = pull.report(*named)
    assert (said.code, len(pull.comments)) == (0, 1)
    assert "::warning" not in said.out
    assert "##vso" not in said.out
    for left_out in range(0, 6, 2):
        said = pull.report(*named[:left_out], *named[left_out + 2 :])
        assert said.code == 1
        assert said.err.startswith("error: SpecInvalid: pull request")
        assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("event", ["", "[1]", "{", '{"pull_request": {"number": "7", "head": {"sha": "main"}}}'])
def test_an_event_without_a_head_is_one_line(pull: Pull, event: str) -> None:
    if pull.host.kind != "github":
        return
    pull.shell.write("event.json", event)
    said = pull.report()
    assert said.code == 1
    assert "its newest commit is not known; give its full id by --commit" in said.err
    assert pull.host.server.writes() == []


def test_a_summary_that_cannot_be_written_hides_nothing(pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pull.shell.folder / "no" / "summary.md"))
    monkeypatch.setenv("AGENT_TEMPDIRECTORY", str(pull.shell.folder / "no"))
    said = pull.report()
    assert "summary of the run" in said.err
    assert len(pull.comments) == 1


def test_no_pool_is_written_to(pull: Pull, world: Running) -> None:
    pull.report()
    assert [one for one in world.do.requests() if one["write"]] == []
