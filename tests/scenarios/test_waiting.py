"""What does not come: waited for within bounds, told to a person, and taken up again as soon as it is there."""

from __future__ import annotations

from reconciler.engine import Outcome, Result
from reconciler.engine.status import ConditionKind
from tests.scenarios.drafts import POOL, PRIME
from tests.scenarios.world import World, rules


def waited(world: World) -> Result:
    """Runs whenever one is asked for, until none is."""
    for _ in range(40):
        result = world.apply()
        if result.next_look is None:
            return result
        world.later(result.next_look + 1)
    raise AssertionError("looked at forty times, and still nobody is told")


def told(result: Result) -> tuple[str, str]:
    condition = result.status.condition(ConditionKind.STALLED)
    assert condition is not None
    return condition.reason, condition.message


def test_an_agent_pool_that_is_hidden_is_told_after_an_hour_and_managed_again_once_it_is_shown(world: World) -> None:
    """It may be gone or hidden: nothing is written there, everything else is, and it is reported."""
    world.only(POOL)
    world.by_hand("hide-pool", organization=PRIME, pool=POOL)
    before = world.clock.now()

    result = waited(world)

    assert (world.clock.now() - before).total_seconds() >= 3600
    reason, message = told(result)
    assert (result.outcome, reason) == (Outcome.STALLED, "Overdue")
    assert f"{PRIME}: there is no agent pool {POOL}, or the identity may not view it" in message
    assert world.routes() == []

    world.do.reset_log()
    swept = world.sweep()[POOL]
    assert (swept.outcome, swept.next_look, world.routes()) == (Outcome.STALLED, None, [])
    assert swept.status.conditions == result.status.conditions

    world.by_hand("show-pool", organization=PRIME, pool=POOL)
    assert world.sweep()[POOL].outcome is Outcome.IN_SYNC


def test_a_process_that_is_started_anew_goes_on_with_the_count(world: World) -> None:
    world.only(POOL)
    world.by_hand("hide-pool", organization=PRIME, pool=POOL)
    for _ in range(5):
        world.apply()
        world.later(1000)
        world.restart()

    assert told(world.apply())[0] == "Overdue"
    world.by_hand("show-pool", organization=PRIME, pool=POOL)


def test_a_pool_that_the_policy_does_not_let_be_created_waits_for_the_policy_and_for_nothing_else(
    nothing: World,
) -> None:
    nothing.only(POOL)
    nothing.policy("createPools: false")

    result = nothing.apply()

    assert (result.outcome, result.next_look, rules(result.plan)) == (Outcome.STALLED, None, ["policy-create-pools"])
    nothing.policy("createPools: true")
    nothing.settle()
