"""Git that fails at whatever request of a cold process: the message waits, nothing is lost, and it ends in sync."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts import reliability
from tests.faults.git_matrix import FAULTS, GitCell, GitStage, staged

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def git_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitStage]:
    """Ready to play."""
    with staged(tmp_path_factory.mktemp("git-faults")) as made:
        yield made


def sampled(stage: GitStage) -> list[GitCell]:
    """Each fault once, the modes and call sites in turn; `make soak` plays all."""
    sites = stage.sites
    return [GitCell(sites[number % len(sites)], fault, bool(number % 2)) for number, fault in enumerate(FAULTS)]


def test_the_calls_of_a_cold_process_are_known(git_stage: GitStage) -> None:
    assert git_stage.ideal["problems"] == []
    assert len(git_stage.ideal["writes"]) == 1
    assert (
        git_stage.sites
        == reliability.listed_git_sites()
        == ["git GET info/refs", "git POST git-upload-pack fetch", "git POST git-upload-pack ls-refs"]
    )


def test_a_message_outlives_whatever_git_answers(git_stage: GitStage) -> None:
    found = {str(cell): git_stage.play(cell) for cell in sampled(git_stage)}

    assert {name: one["problems"] for name, one in found.items() if one["problems"]} == {}
    assert {name: one["writes"] for name, one in found.items() if one["writes"] != git_stage.ideal["writes"]} == {}
