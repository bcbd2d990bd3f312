"""`plan --changed-since` and the outputs of pipelines, against the emulated planes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.adapters.git.git_kit import ENVIRONMENT
from tests.shell import Shell

MANAGED, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"


@pytest.fixture
def committed(signed_in: Shell) -> Shell:
    git(signed_in, "init", "-q", "-b", "main")
    git(signed_in, "add", "specs")
    git(signed_in, "commit", "-qm", "specs")
    return signed_in


def git(shell: Shell, *words: str) -> None:
    subprocess.run(["git", *words], cwd=shell.folder, env=ENVIRONMENT, check=True, capture_output=True)


def edit(shell: Shell, name: str, old: str, new: str) -> None:
    path = shell.folder / "specs" / f"{name}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_only_pools_that_changed_are_planned(committed: Shell) -> None:
    edit(committed, MANAGED, "openAccess: true", "openAccess: false")
    said = committed.run("plan", "--changed-since", "main")
    assert said.code == 2
    assert RELEASE not in said.out
    assert "1 not changed since main, and not planned" in said.err
    git(committed, "commit", "-qam", "edited")
    assert committed.run("plan", "--changed-since", "HEAD^", "--ref", "main").code == 2


def test_nothing_changed_is_done(committed: Shell) -> None:
    said = committed.run("plan", "--changed-since", "main")
    assert (said.code, said.out.strip()) == (0, "")
    assert "no pool changed since main" in said.err


def test_a_removed_spec_is_named(committed: Shell) -> None:
    (committed.folder / "specs" / f"{RELEASE}.yaml").unlink()
    said = committed.run("plan", "--changed-since", "main")
    assert f"{RELEASE}: no spec names it any more; nothing is deleted" in said.err


def test_a_policy_of_the_repository_concerns_the_pools_that_it_says_something_else_of(committed: Shell) -> None:
    policy = committed.write("policy/policy.yaml", "maxRoleRemovals: 5\n")
    git(committed, "add", "policy")
    git(committed, "commit", "-qm", "policy")
    assert committed.run("plan", "--changed-since", "main", "--policy", str(policy)).code == 0
    policy.write_text("# a remark\nmaxRoleRemovals: 5\n")
    assert committed.run("plan", "--changed-since", "main", "--policy", str(policy)).code == 0
    policy.write_text("maxRoleRemovals: 4\n")
    said = committed.run("plan", "--changed-since", "main", "--policy", str(policy))
    assert said.code == 2
    assert MANAGED in said.out
    assert RELEASE in said.out


@pytest.mark.parametrize("ref", ["no-such-ref", "0" * 40, "HEAD^2", "a b"])
def test_an_unknown_ref_is_one_line_and_exit_code_1(committed: Shell, ref: str) -> None:
    said = committed.run("plan", "--changed-since", ref)
    assert (said.code, said.out) == (1, "")
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("error: NotFound: --changed-since")


def test_outside_git_nothing_is_known_of_earlier(signed_in: Shell) -> None:
    said = signed_in.run("plan", "--changed-since", "main")
    assert said.code == 1
    assert "in no git repository" in said.err


@pytest.mark.parametrize("form", ["github", "azure-pipelines"])
def test_a_plan_has_annotations_at_the_lines_behind_it(
    committed: Shell, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(committed.folder / "summary.md"))
    monkeypatch.setenv("AGENT_TEMPDIRECTORY", str(committed.folder))
    monkeypatch.chdir(committed.folder / "specs")
    said = committed.run("plan", "--specs", ".", "--output", form)
    assert said.code == 2
    kinds = {
        "github": r"^::(\w+) file=([\w/.-]+),line=(\d+)",
        "azure-pipelines": r"type=(\w+);sourcepath=([\w/.-]+);linenumber=(\d+)",
    }
    found = re.findall(kinds[form], said.out, re.MULTILINE)
    assert {kind for kind, *_ in found} == {"warning", "notice" if form == "github" else "warning"}
    assert {path for _, path, _ in found} == {f"specs/{MANAGED}.yaml", f"specs/{RELEASE}.yaml"}
    assert "17" in {line for *_, line in found}
    written = [path.read_text() for path in committed.folder.glob("*.md")]
    assert [text.splitlines()[0] for text in written] == [
        "### Plan: 7 changes in 2 pools: 1 without impact, 4 granting access, 2 revoking access"
    ]


@pytest.mark.parametrize("form", ["github", "azure-pipelines"])
def test_problems_of_specs_have_annotations_at_file_line_and_column(committed: Shell, form: str) -> None:
    edit(committed, MANAGED, "maximumConcurrency", "maximumConcurency")
    said = committed.run("validate", "--output", form)
    place = {
        "github": f"::error file=specs/{MANAGED}.yaml,line=11,col=",
        "azure-pipelines": f"type=error;sourcepath=specs/{MANAGED}.yaml;linenumber=11;columnnumber=",
    }
    assert said.code == 1
    assert place[form] in said.out
    (Path(committed.folder) / "specs" / f"{MANAGED}.yaml").unlink()
    clean = committed.run("validate", "--output", form)
    assert (clean.code, "::" in clean.out, "##vso[task.logissue" in clean.out) == (0, False, False)
