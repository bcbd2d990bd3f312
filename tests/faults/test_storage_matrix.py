"""Azure Storage that fails at whatever request of a worker: nothing lost, nothing written that its owner holds back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts import reliability
from tests.contract.azurite import Azurite
from tests.faults.storage_matrix import STORIES, StorageStage, sampled, staged

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def storage_stage(tmp_path_factory: pytest.TempPathFactory, azurite: Azurite) -> Iterator[StorageStage]:
    """Ready to play."""
    with staged(tmp_path_factory.mktemp("storage-faults"), azurite) as made:
        yield made


def test_the_requests_of_a_worker_to_storage_are_known(storage_stage: StorageStage) -> None:
    ideals = storage_stage.ideals
    assert {story: one.problems for story, one in ideals.items()} == {story: [] for story in STORIES}
    assert {story: len(one.writes) for story, one in ideals.items()} == {"change": 2, "paused": 0}
    assert (
        sorted({site for story in STORIES for site in storage_stage.sites(story)}) == reliability.listed_storage_sites()
    )


def test_a_message_outlives_whatever_storage_answers_and_a_pause_holds(storage_stage: StorageStage) -> None:
    cells = sampled()
    assert {cell.site for cell in cells} <= {site for cell in cells for site in storage_stage.sites(cell.story)}
    found = {str(cell): storage_stage.play(cell) for cell in cells}

    assert {name: one.problems for name, one in found.items() if one.problems} == {}
    assert {name: one.writes for name, one in found.items() if name.startswith("paused") and one.writes} == {}
