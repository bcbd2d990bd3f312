"""examples/ci: pipelines that their services would take, commands that our program takes, and the least of rights.

The schemas of GitHub workflows and of Azure Pipelines are those that the package check-jsonschema carries.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.main import get_command

from reconciler.cli import app
from tests.infra.bicep import INFRA
from tests.infra.world import ROOT, module_at

CI = ROOT / "examples" / "ci"
GITHUB = ("github/specs.yml", "github/deploy.yml")
AZURE = ("azure-repos/specs.yml", "azure-repos/deploy.yml")
SCHEMAS = {"github": "github-workflows.json", "azure-repos": "azure-pipelines.json"}


class Loader(yaml.SafeLoader):
    """YAML 1.2 as the services read it: `on` is a word."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:bool"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf"))


def load(text: str) -> Any:
    return yaml.load(text, Loader)  # noqa: S506 - a safe loader, see above


def read(name: str) -> Any:
    return load((CI / name).read_text())


@functools.cache
def validator(service: str) -> jsonschema.Draft7Validator:
    place = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / SCHEMAS[service]
    return jsonschema.Draft7Validator(json.loads(place.read_text(encoding="utf-8")))


def problems(name: str, document: Any) -> list[str]:
    return [
        f"{error.json_path}: {error.message[:200]}" for error in validator(name.partition("/")[0]).iter_errors(document)
    ]


@pytest.mark.parametrize("name", [*GITHUB, *AZURE])
def test_a_pipeline_is_one_that_its_service_takes(name: str) -> None:
    assert problems(name, read(name)) == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("github/specs.yml", "runs-on:", "run-on:"),
        ("github/specs.yml", "needs: validate", "need: validate"),
        ("github/deploy.yml", "timeout-minutes: 20", "timeout-minutes: {a: 1}"),
        ("azure-repos/specs.yml", "displayName: Validate and plan", "displayTitle: x"),
        ("azure-repos/deploy.yml", "dependsOn: build", "dependOn: build"),
    ],
)
def test_a_pipeline_that_its_service_would_refuse_is_found(name: str, old: str, new: str) -> None:
    text = (CI / name).read_text()

    assert old in text
    assert problems(name, load(text.replace(old, new, 1))) != []


def scripts(document: Any) -> Iterator[str]:
    """Every piece of shell in a pipeline."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key in ("run", "bash", "inlineScript") and isinstance(value, str):
                yield value
            else:
                yield from scripts(value)
    elif isinstance(document, list):
        for each in document:
            yield from scripts(each)


ALL_SCRIPTS = [(name, script) for name in (*GITHUB, *AZURE) for script in scripts(read(name))]


@pytest.mark.parametrize(("name", "script"), ALL_SCRIPTS)
def test_a_script_parses(name: str, script: str) -> None:
    plain = re.sub(r"\$\{\{.*?\}\}|\$\([A-Za-z.]+\)", "x", script)
    checked = subprocess.run(["bash", "-n"], input=plain, capture_output=True, text=True, check=False)

    assert checked.stderr == ""


def _commands() -> list[tuple[str, list[str]]]:
    found = []
    for _, script in ALL_SCRIPTS:
        for command, rest in re.findall(r"-m reconciler (\w+)([^\n>]*)", script):
            found.append((command, re.findall(r"--[\w-]+", rest)))
    return found


def test_the_commands_are_those_of_the_program() -> None:
    known = getattr(get_command(app), "commands", {})
    found = _commands()

    assert {command for command, _ in found} == {"validate", "plan"}
    for command, options in found:
        taken = {name for parameter in known[command].params for name in parameter.opts}
        assert set(options) <= taken, command


def test_targets_of_make_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {word for _, script in ALL_SCRIPTS for word in re.findall(r"make (?:-C \S+ )?([a-z]+)", script)}

    assert asked == {"setup", "test", "package"}
    assert asked <= targets


def test_what_is_deployed_is_what_was_built() -> None:
    for name in ("github/deploy.yml", "azure-repos/deploy.yml"):
        text = (CI / name).read_text()

        assert "dist/mdp-reconciler.zip" in text
        assert re.search(r"azd deploy reconciler --no-prompt --from-package \S*mdp-reconciler\.zip", text), name
        assert text.index("make test") < text.index("make package") < text.index("azd provision")


def test_variables_for_azd_are_those_that_it_fills_in() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text()))
    given = set(read("github/deploy.yml")["jobs"]["azure"]["env"])

    assert given - {"AZURE_SUBSCRIPTION_ID"} <= asked


def test_a_workflow_for_pull_requests_has_the_least_of_rights() -> None:
    """Whoever opens a pull request decides what these run on."""
    workflow = read("github/specs.yml")

    assert list(workflow["on"]) == ["pull_request"]
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in workflow["jobs"]["validate"]
    assert workflow["jobs"]["plan"]["permissions"] == {
        "contents": "read", "id-token": "write", "pull-requests": "write",
    }  # fmt: skip
    assert "head.repo.full_name == github.repository" in workflow["jobs"]["plan"]["if"]


@pytest.mark.parametrize("name", GITHUB)
def test_a_workflow_keeps_no_secret_and_puts_nothing_of_a_stranger_into_a_script(name: str) -> None:
    text = (CI / name).read_text()

    assert "secrets." not in text
    assert all("${{" not in script for script in scripts(read(name)))
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


@pytest.mark.parametrize("name", GITHUB)
def test_jobs_wait_for_jobs_that_are_there(name: str) -> None:
    jobs = read(name)["jobs"]

    assert {each["needs"] for each in jobs.values() if "needs" in each} <= set(jobs)


def test_azure_repos_is_read_at_the_merge_that_it_serves() -> None:
    """There is no head ref in Azure Repos, and `pr:` starts nothing there (see examples/ci/README.md)."""
    text = (CI / "azure-repos/specs.yml").read_text()
    document = read("azure-repos/specs.yml")

    assert "refs/pull/*/merge" in text
    assert "refs/pull/*/head" not in text
    assert document["trigger"] == "none"
    assert "pr" not in document


def test_changes_pass_and_errors_fail() -> None:
    """Exit code 2 of `plan` means changes: what a pull request is for."""
    plans = [script for _, script in ALL_SCRIPTS if "reconciler plan" in script]

    assert len(plans) == 2
    for script in plans:
        for code, passes in ((0, True), (2, True), (1, False)):
            stub = re.sub(r"[^\n]*reconciler plan[^\n]*", f"(exit {code})", script)
            stub = re.sub(r"\$\([A-Za-z.]+\)", "x", stub).replace("$GITHUB_STEP_SUMMARY", "/dev/null")
            stub = stub.replace("$RUNNER_TEMP/plan.md", "/dev/null")
            ran = subprocess.run(["bash", "-c", stub], capture_output=True, check=False)

            assert (ran.returncode == 0) is passes, script


# --- the comment on a pull request -------------------------------------------------------------------


class Threads(HTTPServer):
    """A pull request's threads, as far as the script asks for them."""

    def __init__(self, threads: list[dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.threads = threads
        self.asked: list[tuple[str, str, Any, str]] = []


class Handler(BaseHTTPRequestHandler):
    server: Threads

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.asked.append((self.command, self.path, body, self.headers["Authorization"]))
        answer = {"value": self.server.threads} if self.command == "GET" else {"id": 9}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def comment() -> Any:
    return module_at(CI / "azure-repos" / "comment.py", "comment")


def commented(
    comment: Any, plan: Path, threads: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str, Any, str]:
    with Threads(threads) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("THREADS", f"http://127.0.0.1:{server.server_port}/threads")
        monkeypatch.setenv("SYSTEM_ACCESSTOKEN", "canary")
        comment.main([str(plan)])
        server.shutdown()
        thread.join()
    return server.asked[-1]


def test_the_first_plan_becomes_a_comment(comment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = tmp_path / "plan.md"
    plan.write_text("# Plan")
    others: list[dict[str, Any]] = [{"id": 1, "comments": [{"id": 1, "content": "Looks good"}]}, {"id": 2}]
    method, path, body, authorization = commented(comment, plan, others, monkeypatch)

    assert (method, path, authorization) == ("POST", "/threads?api-version=7.1", "Bearer canary")
    assert body["comments"][0]["content"] == f"{comment.MARK}\n# Plan"
    assert body["status"] == "closed"


def test_the_next_plan_replaces_it(comment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One comment, however often somebody pushes."""
    plan = tmp_path / "plan.md"
    plan.write_text("x" * (comment.LONGEST + 1))
    gone = {"id": 6, "comments": [{"id": 1, "content": comment.MARK, "isDeleted": True}]}
    ours = {"id": 7, "comments": [{"id": 3, "content": f"{comment.MARK}\nold"}]}
    method, path, body, _ = commented(comment, plan, [gone, ours], monkeypatch)

    assert (method, path) == ("PATCH", "/threads/7/comments/3?api-version=7.1")
    assert body["content"].endswith("The rest is in the summary of the run.\n")
    assert len(body["content"]) < comment.LONGEST + 200
