"""Running tests: a quick run imports no emulator, and what is not installed is said in one line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


def run(*arguments: str, **environment: str) -> tuple[int, list[str]]:
    """A run of pytest in a process of its own: exit code and lines."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "COV", "COMPLETE"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *arguments],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_a_quick_run_leaves_out_what_is_marked() -> None:
    code, lines = run("--collect-only", "--quick", "tests/tools", "tests/cli", "tests/plan/test_policy.py")

    assert code == 0
    assert [line for line in lines if "test_policy.py::" in line]
    assert [line for line in lines if line.startswith(("tests/cli/", "tests/tools/doctor/"))] == []


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An installation without what `make test` adds."""
    return {"TEST_TOOLS": str(tmp_path)}


@pytest.mark.parametrize(
    ("test", "line"),
    [
        ("tests/contract/test_storage_account.py", "Azurite, the storage emulator, is not installed; `make test`"),
        ("tests/runtime/test_function_app_invoked.py", "Microsoft's Functions runtime is not installed; `make test`"),
    ],
)
def test_what_is_not_installed_is_skipped_with_the_command(test: str, line: str, bare: dict[str, str]) -> None:
    code, lines = run(test, **bare)

    assert code == 0, lines[-5:]
    assert [one for one in lines if one.startswith("SKIPPED") and line in one]
    assert not [one for one in lines if one.startswith("ERROR")]


def test_a_complete_run_skips_nothing_that_is_not_installed(bare: dict[str, str]) -> None:
    code, lines = run("tests/contract/test_storage_account.py", COMPLETE_TESTS="1", **bare)

    assert code == 1
    assert "Azurite, the storage emulator, is not installed; `make test` installs it" in lines
    assert [one for one in lines if one.startswith("ERROR tests/contract/test_storage_account.py")]


def test_published_documents_that_are_not_there_are_said_in_one_line() -> None:
    code, lines = run("tests/spec/test_published_document.py", RECONCILER_OPENAPI="")

    assert code in (0, 5)
    assert [one for one in lines if one.startswith("SKIPPED") and "RECONCILER_OPENAPI" in one]


def test_a_folder_without_the_documents_is_an_error(tmp_path: Path) -> None:
    """A mistyped folder would otherwise pass for a comparison."""
    code, lines = run("tests/spec/test_published_document.py", RECONCILER_OPENAPI=str(tmp_path))

    assert code not in (0, 5)
    assert [one for one in lines if f"RECONCILER_OPENAPI: {tmp_path}" in one]


def test_hooks_before_a_commit_use_the_tools_of_the_environment() -> None:
    """Other versions would format what continuous integration then refuses."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]

    assert [hook["entry"].split()[0] for hook in hooks] == [".venv/bin/ruff", ".venv/bin/ruff", ".venv/bin/mypy"]
    assert {hook["language"] for hook in hooks} == {"system"}


def test_coverage_rests_where_it_pays_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fixtures of such a test are not measured either; the tests around it are."""
    monkeypatch.setenv("COVERAGE_FILE", str(tmp_path / "coverage"))
    places = ("tests/plan/test_sync.py", "tests/scenarios/test_drift.py", "tests/spec/test_organization_urls.py")
    report = tmp_path / "report.json"
    coverage = ("-p", "pytest_cov", "--cov", f"--cov-report=json:{report}", "--cov-fail-under=0")
    code, lines = run(*coverage, "-k", "not drift.py or where_nothing_drifted", *places)

    assert code == 0, lines[-5:]
    found = json.loads(report.read_text())["files"]

    def covered(file: str, function: str) -> int:
        return int(found[f"reconciler/{file}.py"]["functions"][function]["summary"]["covered_lines"])

    assert covered("engine/reconciler", "Reconciler.reconcile") == 0
    assert covered("plan/sync", "sync_cause") > 0
    assert covered("spec/names", "organization_url") > 0


def test_a_tests_settings_reach_make() -> None:
    """`make test` is complete and has coverage; `make quick` is neither, and some of the tests have no bar."""
    text = (ROOT / "Makefile").read_text()
    recipes = dict(re.findall(r"^(quick|test|test-[a-z]+):[^\n]*\n((?:\t[^\n]*\n)+)", text, re.MULTILINE))

    assert "COMPLETE_TESTS=1" in recipes["test"]
    assert "$(if $(ARGS),$(ARGS),-p pytest_cov " in recipes["test"]
    assert {name for name, recipe in recipes.items() if "pytest_cov" in recipe} == {"test"}
    assert {"tests/emulator", "tests/infra"} <= {word for recipe in recipes.values() for word in recipe.split()}
    assert "--quick" in recipes["quick"]
    assert "COMPLETE_TESTS" not in recipes["quick"]
