"""examples/ci and ci: pipelines that their services would take, commands that our program takes, the least of rights.

The schemas of GitHub workflows and of Azure Pipelines are those that the package check-jsonschema carries.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from reconciler.cli.app import command
from tests.infra.bicep import INFRA
from tests.infra.world import ROOT

CI = ROOT / "examples" / "ci"
GITHUB = ("github/specs.yml", "github/deploy.yml")
AZURE = ("azure-repos/specs.yml", "azure-repos/deploy.yml")
ACTION, TEMPLATE = "../../ci/github/action.yml", "../../ci/azure-pipelines/plan.yml"
"""What the pipelines of the specs use."""
SCHEMAS = {ACTION: "github-actions.json", TEMPLATE: "azure-pipelines.json"}
SCHEMAS |= dict.fromkeys(GITHUB, "github-workflows.json") | dict.fromkeys(AZURE, "azure-pipelines.json")


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
def validator(schema: str) -> jsonschema.Draft7Validator:
    place = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / schema
    return jsonschema.Draft7Validator(json.loads(place.read_text(encoding="utf-8")))


def problems(name: str, document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(SCHEMAS[name]).iter_errors(document)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_pipeline_is_one_that_its_service_takes(name: str) -> None:
    assert problems(name, read(name)) == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("github/specs.yml", "runs-on:", "run-on:"),
        (ACTION, "using: composite", "using: compost"),
        (ACTION, "      shell: bash\n", ""),
        (ACTION, "description: Its tenant.", "describe: Its tenant."),
        ("github/deploy.yml", "timeout-minutes: 20", "timeout-minutes: {a: 1}"),
        ("azure-repos/specs.yml", "parameters: {", "parameter: {"),
        (TEMPLATE, "displayName: Validate", "displayTitle: x"),
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


ALL_SCRIPTS = [(name, script) for name in SCHEMAS for script in scripts(read(name))]


@pytest.mark.parametrize(("name", "script"), ALL_SCRIPTS)
def test_a_script_parses(name: str, script: str) -> None:
    plain = re.sub(r"\$\{\{.*?\}\}|\$\([A-Za-z.]+\)", "x", script)
    checked = subprocess.run(["bash", "-n"], input=plain, capture_output=True, text=True, check=False)

    assert checked.stderr == ""


def _commands() -> list[tuple[str, list[str]]]:
    found = []
    for _, script in ALL_SCRIPTS:
        for name, rest in re.findall(r"-m reconciler ([\w-]+)([^\n>]*)", script):
            found.append((name, re.findall(r"--[\w-]+", rest)))
    return found


def test_the_commands_are_those_of_the_program() -> None:
    found = _commands()

    assert {name for name, _ in found} == {"validate", "pull-request"}
    for name, options in found:
        taken = {
            option for parameter in command(name).params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert set(options) <= taken, name


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


def test_every_value_for_azd_is_handed_over() -> None:
    """One that a pipeline left out would fall back to its default, and undo what was set up."""
    asked = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text()))
    given = read("github/deploy.yml")["jobs"]["azure"]["env"]

    assert set(given) == asked | {"AZURE_SUBSCRIPTION_ID"}
    assert given == {name: f"${{{{ vars.{name} }}}}" for name in given}


def test_a_workflow_for_pull_requests_has_the_least_of_rights() -> None:
    """The author of a pull request decides what these run on; a fork's run gets none of what is written here."""
    workflow = read("github/specs.yml")

    assert list(workflow["on"]) == ["pull_request"]
    assert workflow["permissions"] == {
        "contents": "read", "id-token": "write", "pull-requests": "write", "statuses": "write",
    }  # fmt: skip
    assert all("permissions" not in job for job in workflow["jobs"].values())


def test_a_fork_is_validated_and_gets_no_token() -> None:
    steps = read(ACTION)["runs"]["steps"]
    given = [step for step in steps if "uses" in step or "RECONCILER_GIT_TOKEN" in step.get("env", {})]
    inside = "github.event.pull_request.head.repo.full_name == github.repository && inputs.client-id != ''"

    assert [step["if"] for step in given] == [inside] * 2
    template = read(TEMPLATE)["steps"]
    asked = [step for step in template if "System.AccessToken" in str(step) or step.get("task") == "AzureCLI@2"]
    assert [step["condition"] for step in asked] == [
        "and(succeeded(), ne(variables['System.PullRequest.IsFork'], 'True'))"
    ]


@pytest.mark.parametrize("name", ["github/specs.yml", "azure-repos/specs.yml"])
def test_a_consumer_has_about_ten_lines(name: str) -> None:
    lines = [line for line in (CI / name).read_text().splitlines() if line and not line.startswith("#")]

    assert len(lines) <= 14


@pytest.mark.parametrize("name", [ACTION, TEMPLATE])
def test_nothing_that_others_chose_stands_in_a_script(name: str) -> None:
    """Values come by the environment, so that no name becomes shell; Python imports nothing of the pull request."""
    for script in scripts(read(name)):
        assert "${{" not in script
        assert not re.search(r"\$\(\w", script)
        assert "-m reconciler" not in script or re.search(r'cd "\$\w+/(\.\./\.\.|mdp-reconciler)"', script)


def test_what_the_consumers_hand_over_is_taken() -> None:
    given = next(step for step in read("github/specs.yml")["jobs"]["plan"]["steps"] if "ci/github" in step["uses"])
    (step,) = read("azure-repos/specs.yml")["jobs"][0]["steps"]
    parameters = {one["name"]: one for one in read(TEMPLATE)["parameters"]}

    assert set(given["with"]) <= set(read(ACTION)["inputs"])
    assert set(step["parameters"]) <= set(parameters)
    assert {name for name, one in parameters.items() if "default" not in one} <= set(step["parameters"])
    assert (ROOT / step["template"].partition("@")[0]).is_file()
    assert (ROOT / "ci/github/action.yml").is_file()


@pytest.mark.parametrize("name", GITHUB)
def test_a_workflow_keeps_no_secret_and_puts_nothing_of_a_stranger_into_a_script(name: str) -> None:
    text = (CI / name).read_text()

    assert "secrets." not in text
    assert all("${{" not in script for script in scripts(read(name)))
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


PIN = re.compile(
    r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$|uses: fabrikam/mdp-reconciler/ci/github@v\d+\.\d+\.\d+$"
)
"""By a commit; our own action by the tag of a release, whose commit is not known before."""


def unpinned(text: str) -> list[str]:
    """Actions that are not named by a commit, with the version beside it."""
    return [line.strip() for line in text.splitlines() if re.search(r"\buses:", line) and not PIN.search(line)]


def run_unseen(document: Any) -> list[str]:
    """Scripts that run a download as it comes, without a sum that it is compared with."""
    return [
        script
        for script in scripts(document)
        if re.search(r"\b(curl|wget)\b.*\|\s*(sudo )?(ba|z|da)?sh\b", script)
        or (re.search(r"\bcurl\b[^\n]* --output ", script) and "sha256sum --check --strict" not in script)
    ]


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_a_pipeline_takes_from_others_is_pinned(name: str) -> None:
    assert unpinned((CI / name).read_text()) == []
    assert run_unseen(read(name)) == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("github/specs.yml", "11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2", "v4"),
        ("github/specs.yml", "ci/github@v0.2.0", "ci/github@main"),
        (ACTION, "a457da9ea143d694b1b9c7c869ebb04ebe844ef5", "a457da9"),
        ("github/deploy.yml", " # v5.6.0", ""),
        ("github/deploy.yml", "11bd71901bbe5b1630ceea73d27597364c9af683", "main"),
        ("github/deploy.yml", "sha256sum --check --strict", "cat"),
        ("azure-repos/deploy.yml", "sha256sum --check --strict", "cat"),
        ("azure-repos/deploy.yml", "set -euo pipefail\n", "curl -fsSL https://aka.ms/install-azd.sh | bash\n"),
    ],
)
def test_what_is_not_pinned_is_found(name: str, old: str, new: str) -> None:
    text = (CI / name).read_text()
    changed = text.replace(old, new, 1)

    assert old in text
    assert unpinned(changed) or run_unseen(load(changed))


@pytest.mark.parametrize("name", ["github/deploy.yml", "azure-repos/deploy.yml"])
@pytest.mark.parametrize("right", [True, False])
def test_azd_is_installed_only_with_the_right_sum(name: str, right: bool, tmp_path: Path) -> None:
    """The script as written; `curl` brings an archive of this test, `sudo install` puts the program into this folder."""
    (tmp_path / "azd-linux-amd64").write_text("a program")
    subprocess.run(["tar", "-czf", "release.tar.gz", "azd-linux-amd64"], cwd=tmp_path, check=True)
    (tmp_path / "azd-linux-amd64").unlink()
    digest = hashlib.sha256((tmp_path / "release.tar.gz").read_bytes()).hexdigest()
    for program, line in (("curl", "cp release.tar.gz azd.tar.gz"), ("sudo", 'cp "$2" installed')):
        (tmp_path / program).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / program).chmod(0o755)
    (script,) = [each for each in scripts(read(name)) if "azd.tar.gz" in each]
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}", "AZD_VERSION": "1.35.0",
            "AZD_SHA256": digest if right else "0" * 64,
        },
    )  # fmt: skip

    assert (done.returncode == 0) is right, done.stderr
    assert (tmp_path / "installed").exists() is right


def test_pipelines_of_specs_use_the_reconciler_of_a_release() -> None:
    """A branch would run, with the identity of the pipeline, what was merged a minute ago."""
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0]
    steps = [step for job in read("github/specs.yml")["jobs"].values() for step in job["steps"]]
    used = [step["uses"].partition("@")[2] for step in steps if "mdp-reconciler" in step["uses"]]
    (azure,) = read("azure-repos/specs.yml")["resources"]["repositories"]

    assert used == [f"v{released}"]
    assert azure["ref"] == f"refs/tags/v{released}"


@pytest.mark.parametrize("name", GITHUB)
def test_jobs_wait_for_jobs_that_are_there(name: str) -> None:
    jobs = read(name)["jobs"]

    assert {each["needs"] for each in jobs.values() if "needs" in each} <= set(jobs)


def test_azure_repos_is_read_at_the_merge_that_it_serves() -> None:
    """There is no head ref in Azure Repos, and `pr:` starts nothing there (see docs/pull-requests.md)."""
    text = "\n".join(scripts(read(TEMPLATE)))
    document = read("azure-repos/specs.yml")

    assert "refs/pull/*/merge" in text
    assert "refs/pull/*/head" not in text
    assert document["trigger"] == "none"
    assert "pr" not in document
