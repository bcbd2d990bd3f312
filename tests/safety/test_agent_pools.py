"""What is recorded of agent pools: written whole, read whole, and never taken for absent where it is damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.sqlite.store import Local
from reconciler.errors import Refused, Rejected
from reconciler.safety import Safety, Unknown
from reconciler.safety.agent_pools import (
    KEPT,
    AgentPoolApproval,
    AgentPools,
    CreationIntent,
    RecordedAgentPool,
    Replacement,
    document_of,
    owner_document_of,
)
from tests.contract.families import Settable
from tests.keeping import Shelf

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
FIRST, SECOND = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
PRIME, OTHER = "fabrikam-prime", "fabrikam-tailspin"


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Local]:
    made = Local(tmp_path / "state.db", Settable())
    yield made
    made.close()


@pytest.fixture
def safety(stores: Local) -> Safety:
    return Safety(stores.safety, Settable())


def known(safety: Safety, key: str = "pool-a") -> AgentPools:
    found = safety.read(key, []).agent_pools
    assert not isinstance(found, Unknown)
    return found


def own(number: int, proof: str = "created with the pool") -> RecordedAgentPool:
    return RecordedAgentPool(number, proof)


FULL = (
    AgentPools()
    .with_recorded(FIRST, PRIME, own(7))
    .with_recorded(SECOND, OTHER, own(9))
    .with_intent(CreationIntent(PRIME, "Production", "", NOW))
    .with_replacement(Replacement(FIRST, {PRIME: 7}, NOW))
    .with_approval(AgentPoolApproval(PRIME, 8, None, "ann", NOW))
    .with_approval(AgentPoolApproval(PRIME, 7, SECOND, "ann", NOW))
)


def test_what_is_stored_is_read_back() -> None:
    assert AgentPools.from_json(FULL.to_json()) == FULL
    assert AgentPools.from_json(AgentPools().to_json()) == AgentPools()


def test_ids_are_recorded_by_generation_and_organization(safety: Safety) -> None:
    for generation, organization, number in ((FIRST, PRIME, 7), (SECOND, PRIME, 8), (SECOND, OTHER, 9)):
        safety.record_agent_pool("pool-a", generation, organization, own(number))

    found = known(safety)
    assert found.recorded(FIRST, PRIME) == own(7)
    assert found.recorded(SECOND, PRIME) == own(8)
    assert found.recorded(SECOND, OTHER) == own(9)
    assert found.recorded(FIRST, OTHER) is None
    assert known(safety, "pool-b") == AgentPools()


def test_an_agent_pool_belongs_to_one_pool(safety: Safety) -> None:
    safety.record_agent_pool("pool-a", FIRST, PRIME, own(7))
    safety.record_agent_pool("pool-a", SECOND, PRIME, own(7))
    with pytest.raises(Refused, match="fabrikam-prime/7 is recorded as pool pool-a's"):
        safety.record_agent_pool("pool-b", FIRST, PRIME, own(7))

    safety.record_agent_pool("pool-b", FIRST, OTHER, own(7))  # a number of another organization
    assert safety.owner_of_agent_pool(PRIME, 7) == "pool-a"
    assert safety.owner_of_agent_pool(OTHER, 7) == "pool-b"
    assert safety.owner_of_agent_pool(PRIME, 8) == ""


def test_the_owner_may_give_it_to_another_pool_and_the_first_one_loses_it(safety: Safety) -> None:
    safety.record_agent_pool("pool-a", FIRST, PRIME, own(7))
    safety.record_agent_pool("pool-a", FIRST, OTHER, own(8))
    safety.replace_agent_pools("pool-a", Replacement(FIRST, {PRIME: 7, OTHER: 8}, NOW))
    safety.approve_agent_pool("pool-a", AgentPoolApproval(PRIME, 7, FIRST, "ann", NOW))

    assert safety.approve_agent_pool("pool-b", AgentPoolApproval(PRIME, 7, SECOND, "ann", NOW)) == "pool-a"
    assert safety.owner_of_agent_pool(PRIME, 7) == "pool-b"
    left = known(safety)
    assert left.recorded(FIRST, PRIME) is None
    assert left.recorded(FIRST, OTHER) == own(8)
    assert (left.approvals, left.replacements[0].ids) == ((), {OTHER: 8})
    assert [one.id for one in known(safety, "pool-b").approval(PRIME, 7)] == [7]
    assert safety.approve_agent_pool("pool-b", AgentPoolApproval(PRIME, 7, SECOND, "ann", NOW)) == ""


class Stops(Exception):
    """The process ends."""


@pytest.mark.parametrize("saves", range(5))
def test_an_approval_that_was_interrupted_leaves_no_two_pools_with_one_agent_pool(saves: int) -> None:
    """Whatever was stored when it ended; and the same approval again does the rest."""
    shelf = Shelf()
    safety = Safety(shelf, Settable())
    safety.record_agent_pool("pool-a", FIRST, PRIME, own(7))
    safety.record_agent_pool("pool-b", SECOND, OTHER, own(8))
    approval = AgentPoolApproval(PRIME, 7, SECOND, "ann", NOW)
    left: list[None] = [None] * saves

    def stop(_name: str) -> None:
        if not left:
            raise Stops
        left.pop()

    shelf.before = stop
    with suppress(Stops):
        safety.approve_agent_pool("pool-b", approval)
    shelf.before = str
    approved = any(known(safety, "pool-b").approval(PRIME, 7))
    assert not (approved and known(safety).recorded(FIRST, PRIME))

    safety.approve_agent_pool("pool-b", approval)
    assert known(safety).recorded(FIRST, PRIME) is None
    assert (safety.owner_of_agent_pool(PRIME, 7), any(known(safety, "pool-b").approval(PRIME, 7))) == ("pool-b", True)


def test_only_the_newest_generations_are_kept() -> None:
    found = AgentPools()
    generations = [f"2026-0{number}-01T00:00:00Z" for number in range(1, KEPT + 3)]
    for generation in generations:
        found = found.with_recorded(generation, PRIME, own(7))
        found = found.with_replacement(Replacement(generation, {PRIME: 7}, NOW))

    assert sorted(found.ids) == generations[-KEPT:]
    assert [one.generation for one in found.replacements] == generations[-KEPT:]


def test_the_last_intent_and_the_last_approval_count() -> None:
    later = NOW + timedelta(hours=1)
    found = FULL.with_intent(CreationIntent(PRIME, "Other", "", later))
    found = found.with_approval(AgentPoolApproval(PRIME, 9, None, "ben", later))

    intent = found.intent(PRIME)
    assert intent is not None
    assert (intent.agent_pool, intent.at) == ("Other", later)
    assert list(found.approval(PRIME, 8)) == []
    assert [one.by for one in found.approval(PRIME, 9)] == ["ben"]
    assert [one.by for one in found.approval(PRIME, 7)] == ["ann"]


def test_a_recorded_id_fulfils_the_intent() -> None:
    assert FULL.with_recorded(SECOND, PRIME, own(8)).intent(PRIME) is None
    assert FULL.with_recorded(SECOND, OTHER, own(8)).intent(PRIME) is not None


def _without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda body: {key: value for key, value in body.items() if key != name}


def _instead(name: str, value: object) -> Callable[[dict[str, Any]], Any]:
    return lambda body: {**body, name: value}


@pytest.mark.parametrize(
    "damage",
    [
        *(_without(name) for name in FULL.to_json()),
        _instead("apiVersion", "agent-pools/v2"),
        _instead("recorded", []),
        _instead("recorded", {FIRST: {PRIME: 7}}),
        _instead("recorded", {FIRST: {PRIME: {"id": "7", "proof": "x"}}}),
        _instead("recorded", {FIRST: {PRIME: {"id": True, "proof": "x"}}}),
        _instead("recorded", {FIRST: {PRIME: {"id": 7}}}),
        _instead("recorded", {FIRST: {PRIME: {"id": 7, "proof": None}}}),
        _instead("intents", [{"organization": PRIME}]),
        _instead("intents", [7]),
        _instead("intents", [{"organization": PRIME, "agentPool": "x", "generation": "", "at": "soon"}]),
        _instead("replacements", [{"generation": FIRST, "ids": {PRIME: 7.5}, "at": "2026-06-01T12:00:00Z"}]),
        _instead("replacements", None),
        _instead("approvals", [{"organization": PRIME, "id": 7, "generation": 7, "by": "x", "at": "2026-06-01"}]),
        _instead("approvals", "none"),
    ],
)
def test_a_damaged_record_is_not_an_empty_one(safety: Safety, damage: Callable[[dict[str, Any]], Any]) -> None:
    safety.documents.change(document_of("pool-a"), lambda _: damage(FULL.to_json()))

    found = safety.read("pool-a", []).agent_pools
    assert isinstance(found, Unknown)
    assert "agent-pools/pool-a is damaged" in found.reason
    with pytest.raises(Rejected, match="is damaged"):
        safety.record_agent_pool("pool-a", FIRST, PRIME, own(7))


def test_a_damaged_owner_is_nobodys_agent_pool(safety: Safety) -> None:
    safety.record_agent_pool("pool-a", FIRST, PRIME, own(7))
    safety.documents.change(owner_document_of(PRIME, 7), lambda _: {"pool": 7})

    with pytest.raises(Rejected, match="agent-pool-owners/fabrikam-prime/7 is damaged"):
        safety.owner_of_agent_pool(PRIME, 7)
    with pytest.raises(Rejected, match="is damaged"):
        safety.record_agent_pool("pool-b", FIRST, PRIME, own(7))
