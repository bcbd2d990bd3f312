"""What goes with a queue and comes back with no other: it keeps the pool, and pipelines that name it by id are listed."""

from __future__ import annotations

import pytest

from reconciler.plan.rights.required import COLLECTION_ADMINISTRATORS as COLLECTION
from tests.scenarios.drafts import POOL, TAILSPIN, managed
from tests.scenarios.test_replacement import POLICY, location, losses, moved, stalled
from tests.scenarios.world import World, rules


@pytest.fixture
def moving(world: World) -> World:
    """One pool, whose spec wants it elsewhere."""
    world.policy(POLICY)
    world.spec(moved())
    world.only(POOL)
    world.do.reset_log()
    return world


APPROVAL = {"approvers": [{"displayName": "Ann"}], "minRequiredApprovers": 1}


def test_a_queue_with_an_approval_is_not_replaced_until_it_is_removed(moving: World) -> None:
    """It would come back without the approval, and open."""
    check = {"organization": TAILSPIN, "pool": POOL, "project": "Web"}
    number = moving.by_hand("add-check", settings=APPROVAL, **check)

    result = moving.apply()

    reason, message = stalled(result)
    assert (reason, rules(result.plan), moving.routes()) == ("Refused", ["checks-lost"], [])
    assert f"{TAILSPIN}/Web Approval (approvers Ann; minRequiredApprovers 1; timeout 43200 minutes)" in message
    assert "add them again" in message
    assert result.plan is not None
    (refusal,) = result.plan.refusals
    lost = {line.path: line.before for line in refusal.change.details if line.after is None}
    assert lost[f"{TAILSPIN} approvals and checks"] == [
        "Web Approval (approvers Ann; minRequiredApprovers 1; timeout 43200 minutes)"
    ]
    assert moving.apply().status.conditions == result.status.conditions
    moving.by_hand("remove-check", check=number, **check)
    moving.settle()
    assert location(moving) == "westeurope"


@pytest.mark.parametrize("route", ["checks.list", "definitions.list"])
def test_checks_and_definitions_that_cannot_be_read_keep_the_pool(moving: World, route: str) -> None:
    moving.do.fault("403", route=route, count=None)

    result = moving.apply()

    assert (rules(result.plan), moving.routes()) == (["uncounted"], [])
    moving.do.clear_faults()
    moving.settle()
    assert location(moving) == "westeurope"


@pytest.mark.parametrize("word", ["empty", "refused"])
def test_an_empty_list_of_checks_counts_for_an_administrator_of_the_queue_alone(moving: World, word: str) -> None:
    moving.switch(devops__checks_without_administrator=word)
    moving.by_hand("add-check", organization=TAILSPIN, pool=POOL, project="Web")
    moving.by_hand("remove-member", organization=TAILSPIN, group=f"[{TAILSPIN}]\\{COLLECTION}", member="operator")
    moving.by_hand("set-role", organization=TAILSPIN, project="Web", who="operator", role="Reader")
    moving.by_hand("set-role", organization=TAILSPIN, project="Mobile", who="operator", role="Administrator")
    moving.by_hand("set-role", organization=TAILSPIN, project="Data", who="operator", role="Administrator")

    result = moving.apply()

    assert (rules(result.plan), moving.routes()) == (["uncounted"], [])
    moving.by_hand("set-role", organization=TAILSPIN, project="Web", who="operator", role="Administrator")
    assert rules(moving.apply().plan) == ["checks-lost"]
    moving.only_these([managed()])


def test_pipelines_that_name_the_queue_by_its_id_are_listed(moving: World) -> None:
    """By default or in a classic job; a YAML pipeline that names the pool in its file finds the new queue."""
    where = {"organization": TAILSPIN, "project": "Web"}
    moving.by_hand("create-pipeline", name="default", pool=POOL, **where)
    moving.by_hand("create-pipeline", name="classic", path="\\release", job_pool=POOL, **where)
    moving.by_hand("create-pipeline", name="yaml", **where)

    plan = moving.plan()

    assert losses(plan)[f"{TAILSPIN} pipelines that name the queue by id"] == [r"Web \default", r"Web \release\classic"]
    moving.settle()
    assert location(moving) == "westeurope"
