"""The shell of examples/ci, run as its service runs it: the program from this tree, both planes from the emulator.

GitHub runs a script by `bash -e` (GitHub Docs, "Workflow syntax", jobs.<job_id>.steps[*].shell), Azure Pipelines by
`bash` (Microsoft Learn, "Bash@3").
"""

from __future__ import annotations

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
from tests.infra.pull_request import PullRequest, pull_request
from tests.infra.test_pipelines import read, scripts
from tests.infra.world import ROOT

SHELL = {"github": ["bash", "-e", "-c"], "azure-repos": ["bash", "-c"]}
MERGE = "refs/pull/7/merge"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Running]:
    """An estate that drifted: its plan has changes. Pipelines only read."""
    with start(ROOT / "reconciler" / "demo" / "files" / "estate.yaml") as running:
        yield running


class Agent:
    """A build machine with both repositories checked out, on a pull request."""

    def __init__(self, service: str, folder: Path, cloud: Running, comments: PullRequest) -> None:
        self.service = service
        self.folder = folder
        self.plan = folder / "temp" / "plan.md"
        self.summary = folder / "temp" / "summary.md"
        (folder / "temp").mkdir()
        shutil.copytree(ROOT / "reconciler" / "demo" / "files" / "specs", folder / "pools" / "specs")
        self._checkout()
        self.environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder), "PYTHONPATH": str(ROOT),
            "AZURE_DEVOPS_CACHE_DIR": str(folder / "cache"),
            "GITHUB_WORKSPACE": str(folder), "RUNNER_TEMP": str(folder / "temp"), "GITHUB_STEP_SUMMARY": str(self.summary),
            "RECONCILER_ALLOW_LOOPBACK": "1", "RECONCILER_CREDENTIAL": "static",
            "RECONCILER_ARM_ENDPOINT": cloud.arm, "RECONCILER_DEVOPS_ENDPOINT": cloud.devops,
            "RECONCILER_ARM_TOKEN": cloud.tokens["arm"], "RECONCILER_DEVOPS_TOKEN": cloud.tokens["devops"],
            "COMMENTS": comments.url, "TOKEN": "canary",
        }  # fmt: skip
        self.macros = {
            "Build.SourcesDirectory": str(folder),
            "Agent.TempDirectory": str(folder / "temp"),
            "Build.SourceBranch": MERGE,
        }

    def _checkout(self) -> None:
        """The program's own folder, with the virtual environment that `make setup` would make; `make` itself is told."""
        home, tools = self.folder / "mdp-reconciler", self.folder / "bin"
        (home / ".venv" / "bin").mkdir(parents=True)
        (home / "examples").symlink_to(ROOT / "examples")
        tools.mkdir()
        _program(home / ".venv" / "bin" / "python", f'exec "{sys.executable}" "$@"')
        _program(tools / "make", f'echo "$@" >> "{self.folder}/made"')

    def run(self) -> int:
        """Every script of the pipeline, in order, until one fails."""
        document = read(f"{self.service}/specs.yml")
        self.macros |= document.get("variables", {})
        for script in scripts(document):
            done = subprocess.run(
                [*SHELL[self.service], self._expanded(script)],
                cwd=self.folder / "mdp-reconciler" if "make" not in script else self.folder,
                env=self.environment, capture_output=True, text=True, check=False, timeout=100,
            )  # fmt: skip
            if done.returncode:
                self.last = done.stdout + done.stderr
                return done.returncode
        return 0

    def _expanded(self, script: str) -> str:
        """Azure Pipelines puts macros into the text before the shell sees it."""
        if self.service == "github":
            return script
        while found := re.search(r"\$\(([A-Za-z.]+)\)", script):
            script = script.replace(found[0], self.macros[found[1]])
        return script


def _program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


@pytest.fixture
def comments() -> Iterator[PullRequest]:
    with pull_request() as server:
        yield server


@pytest.fixture(params=["github", "azure-repos"])
def agent(request: Any, tmp_path: Path, cloud: Running, comments: PullRequest) -> Agent:
    return Agent(request.param, tmp_path, cloud, comments)


def test_a_pull_request_with_changes_passes_and_shows_its_plan(agent: Agent, comments: PullRequest) -> None:
    """Exit code 2 of `plan` means changes: what a pull request is for. GitHub's shell would stop at it."""
    assert agent.run() == 0

    plan = agent.plan.read_text()
    assert "fabrikam-managed-pool" in plan
    assert "6 changes" in plan
    method, _, body, _ = comments.asked[-1]
    assert method == "POST"
    assert plan in (body["body"] if agent.service == "github" else body["comments"][0]["content"])
    assert agent.service != "github" or agent.summary.read_text() == plan
    assert "setup" in (agent.folder / "made").read_text()


def test_a_spec_with_a_problem_fails_before_anything_is_planned(agent: Agent, comments: PullRequest) -> None:
    spec = agent.folder / "pools" / "specs" / "fabrikam-managed-pool.yaml"
    spec.write_text(spec.read_text().replace("maximumConcurrency", "maximumConcurency"))

    assert agent.run() == 1
    assert "maximumConcurrency" in agent.last
    assert not agent.plan.exists()
    assert comments.asked == []


def test_a_plan_that_could_not_be_made_fails(agent: Agent, comments: PullRequest) -> None:
    """Services that cannot be read leave a plan with gaps: it is no plan to approve."""
    agent.environment["RECONCILER_ARM_TOKEN"] = agent.environment["RECONCILER_DEVOPS_TOKEN"] = "canary-stale"

    assert agent.run() == 1
    assert comments.asked == []
    assert "canary-stale" not in agent.last


@pytest.mark.parametrize("branch", ["refs/heads/main", "refs/pull/7/head"])
def test_azure_repos_is_checked_at_the_merge_alone(
    branch: str, tmp_path: Path, cloud: Running, comments: PullRequest
) -> None:
    """A run that somebody starts by hand on a branch would put that branch's plan on no pull request."""
    agent = Agent("azure-repos", tmp_path, cloud, comments)
    agent.macros["Build.SourceBranch"] = branch

    assert agent.run() == 1
    assert f"{branch} is no merge of a pull request" in agent.last


def test_the_merge_of_a_pull_request_can_be_planned_from_anywhere(tmp_path: Path, cloud: Running) -> None:
    """examples/ci/README.md says how: the ref that Azure Repos serves, behind the `#` of the specs."""
    shutil.copytree(ROOT / "reconciler" / "demo" / "files" / "specs", tmp_path / "pools" / "specs")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(tmp_path / "pools")]
    for step in (["init", "-q", "-b", "work"], ["add", "."], ["commit", "-qm", "x"], ["update-ref", MERGE, "HEAD"], ["checkout", "-q", "--detach"], ["branch", "-qD", "work"]):  # fmt: skip
        subprocess.run([*git, *step], check=True, timeout=30)
    readme = (ROOT / "examples" / "ci" / "README.md").read_text()

    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "validate", "--specs", f"file://{tmp_path}/pools#{MERGE}:specs"],
        cwd=tmp_path, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip

    assert f"#{MERGE}:specs" in readme
    assert (done.returncode, done.stderr) == (0, "")
