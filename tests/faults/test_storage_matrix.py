"""Azure Storage that fails at whatever request of a worker: nothing lost, nothing written that its owner holds back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts import reliability
from tests.contract.azurite import Azurite
from tests.faults.storage_matrix import MODES, STORIES, TAKES, StorageCell, StorageStage, staged
from tests.faults.storage_relay import LOST, MESSAGES

pytestmark = pytest.mark.timeout(1800)

SAMPLE = (
    ("change", "closed before the effect", "blob GET pools", 2),
    ("change", "reset after the effect", "queue POST work messages", 0),
    ("change", "time-out after the effect", "blob PUT lease acquire pools", 0),
    ("paused", "503 for a year", "blob GET safety mode", 0),
    ("change", "empty 200", "blob PUT appendblock safety record", 0),
    ("change", "truncated", "queue DELETE work message", 0),
    ("change", "huge", "blob GET follow-ups", 0),
    ("paused", "HTML", "queue GET work messages", 0),
    ("change", "409 exists", "blob PUT BlockBlob safety record", 1),
    ("change", "409 lease present", "blob PUT BlockBlob safety record", 2),
    ("change", "409 being deleted", "blob PUT AppendBlob safety record", 1),
    ("change", "412 lease lost", "blob PUT appendblock safety record", 1),
    ("change", "404 of the blob or message", "blob PUT BlockBlob safety agent-pool-owners", 2),
    ("change", "403", "blob GET list safety record", 0),
    ("change", LOST, "blob PUT appendblock safety record", 0),
    ("change", MESSAGES[1], TAKES, 0),
)
"""Story, fault, call site and number of its mode."""


def sampled() -> list[StorageCell]:
    """One of each kind, where it hurts most; `make soak` plays all."""
    return [StorageCell(story, site, fault, MODES[mode]) for story, fault, site, mode in SAMPLE]


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
