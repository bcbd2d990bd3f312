"""Plans over a cap that the owner approves: all that they show is written, in later runs too, and nothing else is."""

from __future__ import annotations

import pytest

from reconciler.engine import Outcome, Result
from reconciler.engine.approving_plans import approve_plan
from reconciler.plan.model import Plan
from reconciler.ports.specs import Snapshot
from tests.scenarios.drafts import ANN, BOB, POOL, TAILSPIN, managed
from tests.scenarios.test_record import capped
from tests.scenarios.test_replacement import moved
from tests.scenarios.world import ROUNDS, World

NO_WIDENING = "  widenings: {pool: {run: 0, day: 0}, all: {day: 0}}"
NOTHING = f"{NO_WIDENING}\n  destructions: {{all: {{day: 0}}}}\n  restarts: {{all: {{day: 0}}}}"


def held(world: World) -> Plan:
    """What a run plans, which writes nothing."""
    result = world.apply()
    assert (result.outcome, world.writes()) == (Outcome.STALLED, [])
    assert result.planned is not None
    return result.planned


def approve(world: World, plan: Plan) -> Plan:
    (spec,) = world.specs
    parts, files = world.parts, {spec.path: b"the spec"}
    made = (parts.planner, parts.safety, parts.store.state)
    return approve_plan(made, [spec], Snapshot(world.revision, files), plan.hash, by="dan").plan


def run(world: World) -> Result:
    """Run whenever the run before requests it."""
    for _ in range(ROUNDS):
        result = world.apply()
        if result.next_look is None:
            return result
        world.later(result.next_look + 1)
        world.do.settle()
    raise AssertionError(f"still {result.outcome}")


@pytest.mark.parametrize("creator", ["inheritance-off", "inheritance-on"])
@pytest.mark.parametrize("queues", ["made", "none"])
def test_a_new_pool_is_made_as_it_was_approved_whatever_caps_count(nothing: World, queues: str, creator: str) -> None:
    """Its creation, and in later runs its administrators, queues and open access."""
    nothing.switch(devops__queues_at_creation=queues, devops__service_principal_creator=creator)
    nothing.policy(capped(NO_WIDENING))
    nothing.spec(
        managed(access={"queueRoles": [{"project": f"{TAILSPIN}/Web", "administrators": [BOB], "users": [ANN]}]})
    )
    nothing.only(POOL)
    plan = held(nothing)
    shown = {change.id for change in (*plan.all_changes, *plan.approvable)}
    assert {"pool", "roles", "open_access", "queue_roles"} <= {name.partition(":")[0] for name in shown}

    assert approve(nothing, plan).hash == plan.hash
    result = run(nothing)

    assert result.outcome in {Outcome.APPLIED, Outcome.IN_SYNC}, (result.plan, result.failures)
    assert nothing.disagreements() == []
    nothing.do.reset_log()
    assert nothing.apply().outcome is Outcome.IN_SYNC
    assert nothing.writes() == []


def test_a_replacement_is_made_as_it_was_approved_and_nothing_more(world: World) -> None:
    """An administrator who appears between deletion and creation was in no plan, and is in no approval."""
    world.policy(capped(NOTHING))
    world.spec(moved())
    world.only(POOL)
    world.do.reset_log()
    plan = held(world)
    assert any(change.destroys for change in plan.approvable)
    assert "open_access" in {change.facet for change in plan.approvable}

    assert approve(world, plan).hash == plan.hash
    result = run(world)

    assert result.outcome in {Outcome.APPLIED, Outcome.IN_SYNC}, (result.plan, result.failures)
    assert world.disagreements() == []
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.later(25 * 3600)
    assert world.apply().outcome is Outcome.STALLED, "the approval is over"
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is False
    world.policy("")
    world.settle()
