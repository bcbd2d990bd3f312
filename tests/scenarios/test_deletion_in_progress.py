"""A pool that ARM is deleting: its agent pools and queues go at any moment, so nothing is written to them."""

from __future__ import annotations

import pytest
import requests

from reconciler.engine.status import ConditionKind
from tests.scenarios.drafts import GROUP, POOL, PRIME, SUBSCRIPTION, TAILSPIN, managed
from tests.scenarios.world import World

SECONDS = 100_000
"""Longer than the test, so that the deletion ends when the test says so."""


@pytest.fixture
def leaving(world: World, arm: requests.Session) -> World:
    """A person deletes the pool, and what the spec says of its queues and roles is not so."""
    world.only_these([managed()])
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.by_hand("set-inheritance", organization=PRIME, pool=POOL, on=True)
    world.switch(arm__delete_seconds=SECONDS)
    place = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.DevOpsInfrastructure/pools/{POOL}"
    )
    answer = arm.delete(f"{world.running.arm}{place}?api-version=2026-06-02", timeout=60)
    assert answer.status_code == 202, answer.text
    world.do.reset_log()
    return world


def test_nothing_is_planned_or_written_while_arm_deletes_the_pool(leaving: World) -> None:
    plan = leaving.plan()
    assert {change.facet for change in plan.all_changes} <= {"pool"}
    assert any("ARM deletes the pool" in gap.message for gap in plan.gaps)
    for _ in range(2):
        result = leaving.sweep()[POOL]
        assert leaving.routes() == []
        assert result.next_look
        condition = result.status.condition(ConditionKind.READY)
        assert condition is not None
        assert "ARM deletes the pool" in condition.message
        leaving.later(result.next_look + 1)

    leaving.do.settle()
    leaving.later(3600)
    result = leaving.settle()[POOL]

    assert result.outcome.value in {"applied", "in-sync"}
    assert leaving.disagreements() == []
