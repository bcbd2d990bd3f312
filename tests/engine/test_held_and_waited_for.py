"""What is held back beside what is waited for and told: neither is taken for the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.engine import Outcome
from reconciler.engine.status import ConditionKind, Truth
from reconciler.ports.notices import NoticeKind
from reconciler.safety import ModeScope, WriteMode
from tests.engine.stage import OTHER, admins, condition
from tests.engine.test_pauses_and_windows import HOUR, OF_PRIME, POOL, pause, ready, within
from tests.engine.test_safety_modes import BOTH, governed


def test_what_is_written_while_other_changes_wait_tells_of_no_opening() -> None:
    """The grant waits; a removal elsewhere goes out at once, and its effect is not to be seen yet."""
    stage = within()
    stage.hold("bob")
    spec = replace(admins("ann"), organizations=BOTH.organizations)
    assert ready(stage.run(spec))[1] == "OutsideWindow"
    other = replace(spec.access.roles[0], organization=OTHER)
    stage.hold("eve", "ann", organization=OTHER)
    spec = replace(spec, access=replace(spec.access, roles=(*spec.access.roles, other)))

    stage.estate.deaf = True
    result = stage.run(spec)
    stage.estate.deaf = False

    assert [write[0] for write in stage.estate.writes] == ["remove"]
    assert ready(result)[1] == "Progressing"
    assert [one.kind for one in result.status.notices.notices] == []
    assert ready(stage.settle(spec))[1] == "OutsideWindow"
    stage.clock.seconds = 10 * HOUR
    stage.settle(spec)
    assert NoticeKind.WINDOW in {one.kind for one in stage.run(spec).status.notices.notices}


@pytest.mark.parametrize("scope", [POOL, OF_PRIME, None])
def test_what_a_hold_keeps_from_being_made_is_not_overdue(scope: ModeScope | None) -> None:
    """Azure is not late with an agent pool whose pool is not created: it is waited for once it is."""
    stage, spec = governed(), replace(BOTH, body={"tags": {"team": "build"}})
    agent_pools = {**stage.estate.pools}
    stage.estate.arm.clear()
    stage.estate.pools.clear()
    if scope is None:
        stage.set(WriteMode.REPORT)
    else:
        pause(stage, scope, 48)

    for _ in range(12):
        held = stage.run(spec)
        stage.clock.seconds += 4 * HOUR

    assert (condition(held, ConditionKind.STALLED).status, held.status.awaited) == (Truth.FALSE, {})
    if scope is None:
        stage.set(None)
    result = stage.run(spec)
    assert [write[0] for write in stage.estate.writes] == ["put"]
    assert (result.outcome, ready(result)[1]) == (Outcome.PROGRESSING, "Progressing")
    stage.estate.pools.update(agent_pools)
    assert stage.settle(spec).outcome in {Outcome.APPLIED, Outcome.IN_SYNC}


def test_what_is_late_elsewhere_is_overdue_all_the_same() -> None:
    stage = governed()
    pause(stage, OF_PRIME, 48)
    stage.estate.pools[OTHER] = []

    for _ in range(12):
        result = stage.run(BOTH)
        stage.clock.seconds += HOUR

    assert condition(result, ConditionKind.STALLED).reason == "Overdue"
