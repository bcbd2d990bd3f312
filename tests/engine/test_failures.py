"""What goes wrong: what is tried again, what waits for an administrator, and what is reported."""

from __future__ import annotations

import pytest

from reconciler.engine import Outcome
from reconciler.engine.status import ConditionKind, Truth
from reconciler.errors import Forbidden, Throttled, Unavailable
from reconciler.plan.policy import Policy
from tests.engine.stage import (
    admins,
    condition,
    converged,
)


def test_an_organization_that_asks_for_fewer_calls_gets_no_further_write() -> None:
    stage = converged(3)
    stage.estate.open.clear()
    stage.fail("open access", Throttled("fabrikam-prime: slow down", retry_after=120))
    before, calls = stage.estate.before, []

    def count(name: str, args: tuple[object, ...]) -> None:
        calls.append(name)
        before(name, args)

    stage.estate.before = count
    result = stage.run()

    assert calls.count("open access") == 1
    assert (result.outcome, result.next_look) == (Outcome.FAILED, 120.0)


def test_trouble_that_time_may_heal_backs_off_and_is_not_stalled() -> None:
    stage = converged()
    with stage.failing("queues", Unavailable("project-1: 503")):
        first, second = stage.run(), stage.run()

    assert [r.status.attempts for r in (first, second)] == [1, 2]
    assert first.next_look is not None
    assert 0 <= first.next_look <= 15
    stalled = condition(second, ConditionKind.STALLED)
    assert stalled.status is Truth.FALSE
    ready_now = condition(second, ConditionKind.READY)
    assert (ready_now.status, ready_now.reason) == (Truth.UNKNOWN, "Unavailable")
    assert stage.run().status.attempts == 0


def test_backoff_begins_anew_with_a_new_spec() -> None:
    stage = converged()
    with stage.failing("queues", Unavailable("project-1: 503")):
        stage.run()
        stage.run()
        assert stage.run(revision="decade").status.attempts == 1


def test_trouble_for_a_person_waits_for_a_change_or_the_sweep() -> None:
    stage = converged()
    with stage.failing("agent pools", Forbidden("fabrikam-prime: 403")):
        result = stage.run()

    assert (result.outcome, result.next_look) == (Outcome.STALLED, None)
    stalled = condition(result, ConditionKind.STALLED)
    assert (stalled.status, stalled.reason, stalled.message) == (Truth.TRUE, "Forbidden", "fabrikam-prime: 403")


def test_a_refused_change_is_left_and_said() -> None:
    stage = converged(policy=Policy(open_access=()))
    stage.estate.open.clear()

    result = stage.run()

    assert (result.outcome, stage.estate.writes) == (Outcome.STALLED, [])
    seen = condition(result, ConditionKind.READY)
    assert seen.reason == "Refused"


def test_what_is_not_ready_is_looked_at_again_ever_more_rarely() -> None:
    stage = converged()
    stage.estate.pools.clear()

    results = [stage.run() for _ in range(3)]

    assert {r.outcome for r in results} == {Outcome.PROGRESSING}
    assert [r.status.attempts for r in results] == [1, 2, 3]
    assert all(r.next_look is not None for r in results)


def test_the_same_trouble_keeps_its_since() -> None:
    stage = converged()
    with stage.failing("agent pools", Forbidden("fabrikam-prime: 403")):
        first = stage.run().status
        stage.clock.seconds += 900
        second = stage.run().status

    assert first.conditions == second.conditions


def test_a_bug_is_not_caught_and_the_attempt_is_on_record() -> None:
    """The platform redelivers, and quarantine shows it; the lease is given back."""
    stage = converged()
    stage.estate.open.clear()
    stage.fail("open access", ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        stage.run()

    assert stage.desk.held == set()
    document = stage.shelf.load("pools/pool-1")
    assert document is not None
    assert (document.body["attemptedRevision"], document.body["appliedRevision"]) == ("c0ffee", "")


def test_a_cap_on_removals_holds_for_the_whole_plan() -> None:
    stage = converged(0)
    stage.hold("ann", "b", "c", "d", "e")

    result = stage.run(admins("ann"))

    assert (result.outcome, stage.estate.writes) == (Outcome.STALLED, [])
    assert {refusal.rule for refusal in (result.plan.refusals if result.plan else ())} == {"role-removals"}


def test_a_cap_on_removals_holds_for_all_passes_of_a_run() -> None:
    """Administrators are added by hand as fast as they are removed: this run has taken away enough."""
    stage = converged(0, policy=Policy(max_role_removals=1))
    stage.hold("ann", "bob")

    def again(name: str, args: tuple[object, ...]) -> None:
        if name == "roles" and stage.estate.writes:
            stage.hold("ann", "carl")

    stage.estate.before = again
    result = stage.run(admins("ann"))

    assert [write[0] for write in stage.estate.writes] == ["remove"]
    assert (result.outcome, result.next_look) == (Outcome.PROGRESSING, 5.0)
