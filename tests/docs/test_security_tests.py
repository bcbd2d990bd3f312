"""docs/security-tests.md is what pytest collects, and each group has as many cases as it is meant to have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import security_tests
from tests.security import GROUPS, SecurityGroup

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_tests_give_and_no_group_is_too_small() -> None:
    script = [sys.executable, str(ROOT / "scripts/security_tests.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False, cwd=ROOT)

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_group_has_files(group: SecurityGroup) -> None:
    assert list(security_tests.files_of(group))


def test_a_group_that_is_too_small_is_named() -> None:
    figures: dict[str, tuple[int, list[str]]] = {group.name: (group.least, []) for group in GROUPS}
    figures["policy"] = (79, [])

    assert security_tests.problems(figures) == ["policy: 79 cases, at least 80 are required"]


def test_a_test_over_a_table_counts_as_many_cases_as_the_table_has() -> None:
    here = Path(__file__).parents[1] / "documents" / "test_every_output.py"
    items = {item.name: security_tests.cases(item) for item in security_tests.collect([here])}

    assert items["test_the_command_line_prints_no_secret"] >= 13
    assert items["test_harmless_text_passes_every_output[error]"] == 1
