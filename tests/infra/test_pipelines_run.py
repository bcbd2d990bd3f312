"""The shell of ci/, run as its service runs it: the program from this tree, both planes from the emulator, both hosts.

GitHub runs a script of an action by `bash -e` (GitHub Docs, "Workflow syntax", jobs.<job_id>.steps[*].shell), Azure
Pipelines by `bash` (Microsoft Learn, "Bash@3").
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator import Running, start
from tests import forking
from tests.adapters.code_hosts.host_kit import HEAD, KINDS, TOKEN, Host, hosted
from tests.adapters.git.git_kit import ENVIRONMENT
from tests.infra.test_pipelines import ACTION, TEMPLATE, read
from tests.infra.world import ROOT

SHELL = {"github": ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"], "azure-repos": ["bash", "-c"]}
MERGE = "refs/pull/7/merge"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Running]:
    """An estate that drifted: its plan has changes. Pipelines only read."""
    with start(ROOT / "reconciler" / "demo" / "files" / "estate.yaml") as running:
        yield running


class Agent:
    """A build machine on a pull request that changes one spec; its merge is checked out, two commits deep."""

    def __init__(
        self, host: Host, folder: Path, cloud: Running, *, fork: bool = False, policy: str = "",
        policy_file: str = "policy.yaml",
    ) -> None:  # fmt: skip
        self.host = host
        self.policy, self.policy_file = policy, policy_file
        self.folder = folder
        self.fork = fork
        self.summary = folder / "temp" / "summary.md"
        self.last = ""
        self.overrides: dict[str, str] = {}
        (folder / "temp").mkdir()
        self.sources = folder / ("workspace" if host.kind == "github" else "s/pools")
        self.home = folder / ("actions" if host.kind == "github" else "s/mdp-reconciler")
        self._checkout()
        self.environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder), "PYTHONPATH": str(ROOT),
            **{name: os.environ[name] for name in ("LANG",) if name in os.environ},
            "AZURE_DEVOPS_CACHE_DIR": str(folder / "cache"),
            "RECONCILER_ALLOW_LOOPBACK": "1", "RECONCILER_CREDENTIAL": "static",
            "RECONCILER_ARM_ENDPOINT": cloud.arm, "RECONCILER_DEVOPS_ENDPOINT": cloud.devops,
            "RECONCILER_ARM_TOKEN": cloud.tokens["arm"], "RECONCILER_DEVOPS_TOKEN": cloud.tokens["devops"],
            "RECONCILER_GIT_API": host.server.url,
            **(self._github() if host.kind == "github" else self._azure()),
        }  # fmt: skip

    def _github(self) -> dict[str, str]:
        event = self.folder / "event.json"
        event.write_text(json.dumps({"pull_request": {"number": self.host.number, "head": {"sha": HEAD}}}))
        return {
            "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "fabrikam/pools",
            "GITHUB_EVENT_PATH": str(event), "GITHUB_RUN_ID": "5", "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_WORKSPACE": str(self.sources), "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_ACTION_PATH": str(self.home / "ci" / "github"), "RUNNER_TEMP": str(self.folder / "temp"),
        }  # fmt: skip

    def _azure(self) -> dict[str, str]:
        return {
            "TF_BUILD": "True", "BUILD_REPOSITORY_URI": self.host.url, "BUILD_BUILDID": "5",
            "BUILD_SOURCESDIRECTORY": str(self.folder / "s"), "BUILD_SOURCEBRANCH": MERGE,
            "SYSTEM_PULLREQUEST_PULLREQUESTID": str(self.host.number), "SYSTEM_PULLREQUEST_SOURCECOMMITID": HEAD,
            "AGENT_TEMPDIRECTORY": str(self.folder / "temp"),
        }  # fmt: skip

    def _checkout(self) -> None:
        """The merge, and the program with the virtual environment that `make setup` would make; `make` is told."""
        upstream = self.folder / "upstream"
        shutil.copytree(ROOT / "reconciler" / "demo" / "files" / "specs", upstream / "specs")
        spec = upstream / "specs" / "fabrikam-managed-pool.yaml"
        if self.policy:
            (upstream / self.policy_file).parent.mkdir(exist_ok=True)
            (upstream / self.policy_file).write_text(self.policy)
        self._git(upstream, "init", "-q", "-b", "main")
        self._commit(upstream)
        self._commit(upstream)
        self._git(upstream, "checkout", "-q", "-b", "change")
        spec.write_text(spec.read_text().replace("openAccess: true", "openAccess: false", 1))
        self._commit(upstream)
        self._git(upstream, "checkout", "-q", "main")
        self._git(upstream, "merge", "-q", "--no-ff", "--no-edit", "change")
        self._git(self.folder, "clone", "-q", "--depth", "2", f"file://{upstream}", str(self.sources))
        tools = self.folder / "bin"
        (self.home / ".venv" / "bin").mkdir(parents=True)
        (self.home / "ci" / "github").mkdir(parents=True)
        tools.mkdir()
        _program(self.home / ".venv" / "bin" / "python", forking.python())
        _program(tools / "make", f'echo "$@" >> "{self.folder}/made"')

    def _commit(self, folder: Path) -> None:
        self._git(folder, "add", ".")
        self._git(folder, "commit", "-q", "--allow-empty", "-m", "x")

    @staticmethod
    def _git(folder: Path, *words: str) -> None:
        subprocess.run(["git", *words], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True, timeout=500)

    @property
    def spec(self) -> Path:
        return self.sources / "specs" / "fabrikam-managed-pool.yaml"

    def run(self) -> int:
        """Every script whose condition holds, in order, until one fails."""
        for step in self._steps():
            if "uses" in step or not self._holds(step):
                continue
            script = step.get("run") or step.get("bash") or step["inputs"]["inlineScript"]
            done = subprocess.run(
                [*SHELL[self.host.kind], script], cwd=self.sources, env=self.environment | self._given(step) | self.overrides,
                capture_output=True, text=True, check=False, timeout=500,
            )  # fmt: skip
            self.last += done.stdout + done.stderr
            if done.returncode:
                return done.returncode
        return 0

    def _steps(self) -> list[dict[str, Any]]:
        if self.host.kind == "github":
            found: list[dict[str, Any]] = read(ACTION)["runs"]["steps"]
            return found
        return [step for step in read(TEMPLATE)["steps"] if "checkout" not in step]

    def _holds(self, step: dict[str, Any]) -> bool:
        condition = str(step.get("if") or step.get("condition") or "")
        inside = "full_name == " in condition or "ne(variables['System.PullRequest.IsFork']" in condition
        return not condition or inside is not self.fork

    def _given(self, step: dict[str, Any]) -> dict[str, str]:
        """The step's own variables, with what the service puts in the place of expressions."""
        if self.host.kind == "github":
            known = {f"inputs.{name}": one["default"] for name, one in read(ACTION)["inputs"].items()}
            known["inputs.token"] = TOKEN
        else:
            known = {f"parameters.{one['name']}": str(one.get("default", "")) for one in read(TEMPLATE)["parameters"]}
        texts = {name: str(text).replace("$(System.AccessToken)", TOKEN) for name, text in step.get("env", {}).items()}
        return {name: re.sub(r"\$\{\{ (.*?) \}\}", lambda m: known[m[1]], text) for name, text in texts.items()}


def _program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


@pytest.fixture(params=KINDS)
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    with hosted(request.param) as running:
        yield running


@pytest.fixture
def agent(host: Host, tmp_path: Path, cloud: Running) -> Agent:
    return Agent(host, tmp_path, cloud)


def test_a_pull_request_with_changes_passes_and_shows_its_plan(agent: Agent) -> None:
    """Only the pool whose spec changed is planned, from a checkout that is two commits deep."""
    assert agent.run() == 0, agent.last
    (comment,) = agent.host.bodies()
    assert "fabrikam-managed-pool" in comment
    assert "fabrikam-release-pool" not in comment
    assert "1 spec not touched by this change" in comment
    assert agent.host.statuses()[0][0] == "pending"
    assert agent.host.statuses()[-1][0] in ("success", "succeeded")
    assert "setup" in (agent.folder / "made").read_text()
    summaries = [*(agent.folder / "temp").glob("*.md")]
    assert "### Plan: " in summaries[0].read_text()


def test_no_status_is_set_where_none_is_wanted(agent: Agent) -> None:
    agent.overrides = {"STATUS": "false" if agent.host.kind == "github" else "False"}
    assert agent.run() == 0, agent.last
    assert agent.host.statuses() == []
    assert len(agent.host.bodies()) == 1


def test_a_spec_with_a_problem_fails_at_its_line_and_says_so_on_the_pull_request(agent: Agent) -> None:
    agent.spec.write_text(agent.spec.read_text().replace("maximumConcurrency", "maximumConcurency"))
    assert agent.run() == 1
    places = {"github": "file=specs/fabrikam-managed-pool.yaml,line=11"}
    places["azure-repos"] = "sourcepath=specs/fabrikam-managed-pool.yaml;linenumber=11"
    assert places[agent.host.kind] in agent.last
    assert "maximumConcurrency" in agent.host.bodies()[0]


def test_a_plan_that_could_not_be_made_fails_and_says_so(agent: Agent) -> None:
    agent.environment["RECONCILER_ARM_TOKEN"] = agent.environment["RECONCILER_DEVOPS_TOKEN"] = "canary-stale"
    assert agent.run() == 1
    assert "canary-stale" not in agent.last + agent.host.bodies()[0]
    assert agent.host.statuses()[-1][0] in ("failure", "failed")


@pytest.mark.parametrize("kind", KINDS)
def test_a_fork_is_validated_and_reports_nothing(kind: str, tmp_path: Path, cloud: Running) -> None:
    with hosted(kind) as host:
        agent = Agent(host, tmp_path, cloud, fork=True)
        assert agent.run() == 0, agent.last
        assert "2 specs valid" in agent.last
        agent.spec.write_text("x: 1\n")
        assert agent.run() == 1
        assert host.server.requests == []


STRICT = "apiVersion: policy/v2\nallow: []\n"
EVERYTHING = "apiVersion: policy/v1\n"


@pytest.mark.parametrize("kind", KINDS)
def test_the_policy_of_the_target_branch_counts(kind: str, tmp_path: Path, cloud: Running) -> None:
    with hosted(kind) as host:
        agent = Agent(host, tmp_path, cloud, policy=STRICT)
        agent.environment["RECONCILER_POLICY"] = str(agent.sources / "policy.yaml")
        assert agent.run() == 2
        assert "**Refused**" in host.bodies()[0]
        assert "The policy changes" not in host.bodies()[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hostile", ["emptied", "removed", "linked", "folder linked"])
def test_a_pull_request_does_not_set_its_own_limits(kind: str, hostile: str, tmp_path: Path, cloud: Running) -> None:
    with hosted(kind) as host:
        agent = Agent(host, tmp_path, cloud, policy=STRICT, policy_file="rules/policy.yaml")
        policy, open_ = agent.sources / "rules" / "policy.yaml", tmp_path / "open"
        open_.mkdir()
        (open_ / "policy.yaml").write_text(EVERYTHING)
        agent.environment["RECONCILER_POLICY"] = str(policy)
        policy.unlink()
        if hostile == "emptied":
            policy.write_text(EVERYTHING)
        elif hostile == "linked":
            policy.symlink_to(open_ / "policy.yaml")
        elif hostile == "folder linked":
            policy.parent.rmdir()
            policy.parent.symlink_to(open_, target_is_directory=True)
        assert agent.run() == 2, agent.last
        assert "**Refused**" in host.bodies()[0]
        assert "**The policy changes** in <code>rules/policy.yaml</code>" in host.bodies()[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_of_the_pull_request_is_never_imported(kind: str, tmp_path: Path, cloud: Running) -> None:
    with hosted(kind) as host:
        agent = Agent(host, tmp_path, cloud)
        for folder in (agent.sources, agent.sources / "specs"):
            (folder / "reconciler").mkdir()
            (folder / "reconciler" / "__init__.py").write_text("raise SystemExit(42)\n")
            (folder / "yaml.py").write_text("raise SystemExit(42)\n")
        assert agent.run() == 0, agent.last


@pytest.mark.parametrize("branch", ["refs/heads/main", "refs/pull/7/head"])
def test_azure_repos_is_checked_at_the_merge_alone(branch: str, tmp_path: Path, cloud: Running) -> None:
    """A run that is started by hand on a branch would put that branch's plan on no pull request."""
    with hosted("azure-repos") as host:
        agent = Agent(host, tmp_path, cloud)
        agent.environment["BUILD_SOURCEBRANCH"] = branch
        assert agent.run() == 1
        assert "no merge of a pull request" in agent.last
        assert host.server.requests == []


def test_the_merge_of_a_pull_request_can_be_planned_from_anywhere(tmp_path: Path) -> None:
    """docs/pull-requests.md says how: the ref that Azure Repos serves, behind the `#` of the specs."""
    shutil.copytree(ROOT / "reconciler" / "demo" / "files" / "specs", tmp_path / "pools" / "specs")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(tmp_path / "pools")]
    for step in (["init", "-q", "-b", "work"], ["add", "."], ["commit", "-qm", "x"], ["update-ref", MERGE, "HEAD"], ["checkout", "-q", "--detach"], ["branch", "-qD", "work"]):  # fmt: skip
        subprocess.run([*git, *step], check=True, timeout=500)
    page = (ROOT / "docs" / "pull-requests.md").read_text()

    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "validate", "--specs", f"file://{tmp_path}/pools#{MERGE}:specs"],
        cwd=tmp_path, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip

    assert f"#{MERGE}:specs" in page
    assert (done.returncode, done.stderr) == (0, "")
