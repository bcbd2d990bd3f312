"""What people decide beside the spec's body: exceptions with an end, report mode, a pause, an approved plan."""

from __future__ import annotations

from datetime import timedelta

from reconciler.engine import Outcome
from tests.scenarios.drafts import (
    POOL,
    PRIME,
    RELEASE,
    TAILSPIN,
    managed,
)
from tests.scenarios.world import World, ids

OPENS = {"Web": True, "Mobile": True, "Data": True}


def test_an_exception_counts_to_the_end_of_its_last_day(world: World) -> None:
    """A load test gets open access until a date; the day after, the organization's flag counts by itself again."""
    until = world.today + timedelta(days=2)
    exception = {
        "project": "fabrikam-prime/fabrikam-test",
        "allow": True,
        "until": until.isoformat(),
        "reason": "load test",
    }
    world.spec(managed(access={"openAccess": [exception]}))

    world.apply()
    granted = world.truth.opened(PRIME, POOL)["fabrikam-test"]
    while world.today < until:
        world.later(12 * 3600)
    last_day = world.apply()
    world.later(24 * 3600)
    after = world.apply()

    assert granted is True
    assert last_day.outcome is Outcome.IN_SYNC
    assert [change.subject for change in after.verified] == ["fabrikam-prime/fabrikam-test"]
    assert world.truth.opened(PRIME, POOL)["fabrikam-test"] is False


def test_an_exception_closes_one_project_of_an_open_organization(world: World) -> None:
    """An undated exception holds for ever, also against changes by hand."""
    world.spec(
        managed(access={"openAccess": [{"project": "fabrikam-tailspin/Data", "allow": False, "reason": "payroll"}]})
    )

    world.settle()
    world.by_hand("open-access", organization=TAILSPIN, pool=POOL, project="Data")
    world.settle()

    assert world.truth.opened(TAILSPIN, POOL) == {**OPENS, "Data": False}


def test_report_mode_shows_everything_and_writes_nothing(world: World) -> None:
    """How a team tries the operator out on pools that matter."""
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="bob", role="Administrator")
    world.by_hand("delete-queue", organization=TAILSPIN, pool=POOL, project="Data")
    world.spec(managed(mode="report"))

    result = world.settle()[POOL]

    assert result.outcome is Outcome.OUT_OF_SYNC
    assert len(ids(result.plan)) == 3
    assert world.writes() == []
    world.never_in_sync(POOL, Outcome.OUT_OF_SYNC, because="report mode leaves the drift that it shows")


def test_a_paused_pool_is_not_touched_and_the_others_are(world: World) -> None:
    """An administrator works on the pool by hand, and says until when."""
    until = (world.today + timedelta(days=30)).isoformat()
    world.spec(managed(mode="pause", until=until, reason="migration"))
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.by_hand("open-access", organization=PRIME, pool=RELEASE, project="fabrikam-release")

    results = world.settle()

    assert results[POOL].outcome is Outcome.SUSPENDED
    assert ids(results[POOL].plan) == ["open_access:open access:fabrikam-tailspin/Web"]
    assert world.truth.opened(TAILSPIN, POOL)["Web"] is False
    assert world.truth.opened(PRIME, RELEASE)["fabrikam-release"] is False


def test_a_pause_ends_by_itself(world: World) -> None:
    """A forgotten pause would be a pool that is not guarded."""
    world.spec(managed(mode="pause", until=world.today.isoformat(), reason="migration"))
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")

    assert world.apply().outcome is Outcome.SUSPENDED

    world.spec(managed())
    assert world.apply().outcome is Outcome.APPLIED


def test_an_approved_plan_is_applied(world: World) -> None:
    """The hash that a reviewer read in a pull request is enough."""
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")

    assert world.apply(plan_hash=world.plan().hash).outcome is Outcome.APPLIED


def test_a_plan_that_changed_since_its_approval_is_not_applied(world: World) -> None:
    """A change by hand came in between: what would be done is not what was read, so nothing is done."""
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    approved = world.plan().hash
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="bob", role="Administrator")
    world.do.reset_log()

    result = world.apply(plan_hash=approved)

    assert world.writes() == []
    assert [type(failure.error).__name__ for failure in result.failures] == ["Refused"]
    assert world.apply(plan_hash=world.plan().hash).outcome is Outcome.APPLIED
