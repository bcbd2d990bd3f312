"""`pull-request --no-status`: an older run of the same commit takes nothing from a newer one, and no stranger silences it."""

from __future__ import annotations

import pytest

from tests.adapters.code_hosts.host_kit import HEAD
from tests.cli.test_cli_pull_request import MARK, Pull, edit, pull

__all__ = ["pull"]

RUNS = {
    "github": "https://github.com/fabrikam/pools/actions/runs/999/attempts/1",
    "azure-repos": "https://dev.azure.com/fabrikam-prime/p/_build/results?buildId=999",
}


def forged(pull: Pull, *, commit: str = HEAD) -> str:
    return f"{MARK}\n<!-- commit {commit} -->\n<!-- run {RUNS[pull.host.kind]} -->\nin sync"


def test_an_older_run_of_the_commit_keeps_the_comment_of_a_newer_one(pull: Pull) -> None:
    pull.run_id(200)
    assert pull.report("--no-status").code == 0
    (before,) = pull.comments
    pull.run_id(199)
    edit(pull.shell, "Standard_D2ads_v5", "Standard_D4ads_v5")

    said = pull.report("--no-status")

    assert said.code == 0
    assert "a later run reports: this one is outdated" in said.err
    assert pull.comments == [before]
    pull.run_id(201)
    assert pull.report("--no-status").code == 0
    (after,) = pull.comments
    assert after != before
    assert "runs/201/" in after.splitlines()[2] or "buildId=201 " in after.splitlines()[2]


def test_a_stranger_silences_no_run(pull: Pull) -> None:
    """A text is believed only where this identity could have replaced it."""
    pull.host.say(forged(pull), author="mallory")

    said = pull.report("--no-status")

    assert (said.code, "outdated" in said.err) == (0, False)
    assert "**Becomes administrator**" in pull.comments[-1]
    assert pull.comments[0] == forged(pull)


@pytest.mark.parametrize(
    "old", ["", "<!-- run x -->", "<!-- run https://elsewhere/actions/runs/999/attempts/1 -->", "\n\n", "<!-- run "]
)
def test_a_comment_without_a_run_of_this_pipeline_is_replaced(pull: Pull, old: str) -> None:
    assert pull.report("--no-status").code == 0
    lines = pull.comments[0].splitlines()
    pull.host.adapter.write_comment(pull.host.number, MARK, "\n".join([*lines[:2], old, "an earlier text"]))

    assert pull.report("--no-status").code == 0
    (comment,) = pull.comments
    assert "an earlier text" not in comment


def test_the_comment_of_an_older_commit_is_replaced(pull: Pull) -> None:
    pull.host.adapter.write_comment(pull.host.number, MARK, forged(pull, commit="e" * 40))

    assert pull.report("--no-status").code == 0
    (comment,) = pull.comments
    assert "**Becomes administrator**" in comment
