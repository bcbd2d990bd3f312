"""A file of capabilities, true or not: what it saves, and that a wrong one never leads to a wrong write."""

from __future__ import annotations

import json

import pytest

from benchmarks.estates import Size, estate, specs
from reconciler.engine import Outcome
from tests.scenarios import drafts
from tests.scenarios.drafts import PRIME, TAILSPIN
from tests.scenarios.world import World, summary

EVERYTHING = {"authorized_list": "complete", "organization_queue_list": "complete"}


def closed() -> list[drafts.Json]:
    """The same pools, and no pipeline may use them without a permission."""
    tailspin = drafts.organization(TAILSPIN, open_access=False)
    prime = drafts.organization(PRIME, ["fabrikam-dev", "fabrikam-test"], open_access=False)
    return [drafts.managed(tailspin=tailspin, prime=prime), drafts.release()]


def reads_of(world: World, size: Size, *, opened: bool) -> int:
    """Reads of the second of two converged sweeps."""
    world.do.replace(estate(size))
    world.restart()
    (world.folder / "state.db").unlink(missing_ok=True)
    documents = [json.loads(text) for text in specs(size).values()]
    for document in documents:
        for one in document["pool"]["properties"]["organizationProfile"]["organizations"]:
            one["openAccess"] = opened
    world.only_these(documents)
    world.settle()
    world.restart()
    (world.folder / "state.db").unlink(missing_ok=True)
    world.do.reset_log()
    results = world.sweep()
    assert {result.outcome for result in results.values()} == {Outcome.IN_SYNC}, summary(results)
    assert world.do.count(writes=True) == 0
    return int(world.do.count(writes=False))


def test_what_a_sweep_costs_with_and_without_it(world: World) -> None:
    """Two pools, forty projects, everything closed: without it every pair is read, and every project's queues."""
    size = Size(2, 40)
    world.switch(devops__organization_queue_list="listed")
    careful = reads_of(world, size, opened=False)
    # The file speaks of the two organizations of these stories; the estate of this one has a third.
    world.told(**EVERYTHING)
    world.capabilities = world.capabilities.model_copy(
        update={"organizations": {"fabrikam-00": world.capabilities.organizations[PRIME]}}
    )
    told = reads_of(world, size, opened=False)

    assert careful >= 40 + 40 + 2 * 40, "queues, lists, and every pair"
    assert told <= 40 + 2 + 20, "lists, two pairs, and what does not grow with projects"


LIES = [
    {"devops__authorized_resources": "incomplete", "devops__organization_queue_list": "incomplete"},
    {"devops__authorized_resources": "refused", "devops__organization_queue_list": "refused"},
    {"devops__authorized_resources": "incomplete", "devops__organization_queue_list": "listed"},
    {"devops__authorized_resources": "complete", "devops__organization_queue_list": "incomplete"},
]


@pytest.mark.parametrize("switches", LIES)
def test_a_file_that_is_wrong_makes_no_write_that_a_careful_operator_would_not_make(
    world: World, switches: dict[str, str]
) -> None:
    """In sync costs no write, and drift is repaired by the same writes, whatever the file says of the lists."""
    world.switch(**switches)
    world.told(**EVERYTHING)
    world.do.reset_log()

    assert {result.outcome for result in world.sweep().values()} == {Outcome.IN_SYNC}
    assert world.do.count(writes=True) == 0

    world.by_hand("close-access", organization=TAILSPIN, pool=drafts.POOL, project="Mobile")
    world.by_hand("open-access", organization=PRIME, pool=drafts.RELEASE, project="fabrikam-release")
    for _ in range(6):
        world.sweep()

    writes = [entry for entry in world.do.requests() if entry["write"]]
    assert len(writes) == 2, [(entry["method"], entry["path"]) for entry in writes]
    assert world.truth.opened(TAILSPIN, drafts.POOL)["Mobile"] is True
    assert world.disagreements() == []


def test_a_queue_that_is_left_out_of_the_organization_s_list_is_not_made_again(world: World) -> None:
    """Its project says that it is there; a second one would be refused, and a pool might be made by its name."""
    world.switch(devops__organization_queue_list="incomplete")
    world.told(**EVERYTHING)
    world.do.reset_log()

    plan = world.plan()
    result = world.apply()

    assert plan.in_sync, plan
    assert result.outcome is Outcome.IN_SYNC
    assert world.do.count(writes=True) == 0


@pytest.mark.parametrize("word", ["listed", "incomplete", "refused"])
def test_a_queue_that_is_missing_is_made_once_whatever_is_believed(world: World, word: str) -> None:
    world.switch(devops__organization_queue_list=word)
    world.told(**EVERYTHING)
    world.by_hand("delete-queue", organization=TAILSPIN, pool=drafts.POOL, project="Mobile")
    world.do.reset_log()

    world.settle()

    made = [e for e in world.do.requests() if e["write"] and e["method"] == "POST" and "queues" in e["path"]]
    assert len(made) == 1
    assert world.truth.opened(TAILSPIN, drafts.POOL)["Mobile"] is True


def test_a_queue_that_a_lying_list_leaves_open_is_closed_within_the_turns_of_its_pairs(world: World) -> None:
    """The one thing that a wrong file costs: time until drift is noticed, two pairs a sweep in each organization."""
    world.told(**EVERYTHING)
    world.spec(*closed())
    world.settle()
    world.switch(devops__authorized_resources="incomplete")
    world.by_hand("open-access", organization=TAILSPIN, pool=drafts.POOL, project="Data")
    for _ in range(8):
        world.sweep()

    assert world.truth.opened(TAILSPIN, drafts.POOL)["Data"] is False
    assert world.disagreements() == []


@pytest.mark.parametrize("word", ["incomplete", "refused"])
def test_what_makes_the_operator_more_careful_is_heeded_at_once(world: World, word: str) -> None:
    """A list that is known to lie is not believed for a single sweep."""
    world.spec(*closed())
    world.settle()
    world.switch(devops__authorized_resources=word)
    world.told(authorized_list=word)
    world.by_hand("open-access", organization=TAILSPIN, pool=drafts.POOL, project="Data")

    world.sweep()

    assert world.truth.opened(TAILSPIN, drafts.POOL)["Data"] is False
