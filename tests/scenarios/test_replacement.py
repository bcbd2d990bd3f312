"""A pool that moves: deleted and created again, where spec and policy and everything that was read agree, and never else."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from reconciler.engine import Outcome, Result
from reconciler.engine.status import ConditionKind
from reconciler.plan.model import Plan, Risk
from tests.scenarios.drafts import POOL, PRIME, RELEASE, TAILSPIN, managed
from tests.scenarios.world import World, ids, rules

POLICY = f"replacePools: [{POOL}]"
STATEFUL = {
    "kind": "Stateful",
    "maxAgentLifetime": "7.00:00:00",
    "resourcePredictionsProfile": {"kind": "Automatic", "predictionPreference": "Balanced"},
}
REPLACEMENT = f"pool:replacement:{POOL}"


def moved(to: str = "westeurope", **more: Any) -> dict[str, Any]:
    """The same pool somewhere else."""
    document = managed(**{"replace": "allowed", **more})
    document["pool"]["location"] = to
    return document


@pytest.fixture
def moving(world: World) -> World:
    """One pool, whose spec wants it elsewhere."""
    world.policy(POLICY)
    world.spec(moved())
    world.only(POOL)
    world.do.reset_log()
    return world


def location(world: World) -> str:
    resource = world.truth.resource(POOL)
    return str(resource["location"]) if resource else ""


def losses(plan: Plan) -> dict[str, Any]:
    """What is lost for good, by its line."""
    (change,) = [change for change in plan.changes if change.id == REPLACEMENT]
    return {line.path: line.before for line in change.details if line.risk is Risk.DESTROYS and line.after is None}


def stalled(result: Result) -> tuple[str, str]:
    condition = result.status.condition(ConditionKind.STALLED)
    assert condition is not None
    return condition.reason, condition.message


def note(world: World) -> Any:
    return world.apply().status.replacing


def test_a_pool_is_deleted_and_made_anew_with_everything_that_the_spec_names(moving: World) -> None:
    """The deletion is an operation of its own, told over several runs; then it is a creation like any other."""
    moving.switch(arm__delete_seconds=600)
    old = moving.truth.agent_pool(PRIME, POOL)["id"]

    plan = moving.plan()
    assert ids(plan) == [REPLACEMENT], plan
    assert plan.counts[Risk.DESTROYS] == 1
    assert plan.following[0].id == f"pool:pool:{POOL}"
    first = moving.apply()
    assert (first.outcome, moving.routes()) == (Outcome.PROGRESSING, ["Pools_Delete"])
    assert first.status.replacing is not None
    assert first.status.replacing.revision == moving.revision
    assert [moving.apply().outcome for _ in range(2)] == [Outcome.PROGRESSING] * 2
    assert moving.routes() == ["Pools_Delete"]

    moving.do.settle()
    result = moving.settle()[POOL]

    assert (location(moving), result.outcome) == ("westeurope", Outcome.APPLIED)
    assert moving.routes()[:2] == ["Pools_Delete", "Pools_CreateOrUpdate"]
    assert moving.truth.agent_pool(PRIME, POOL)["id"] != old
    assert result.status.replacing is None


def test_the_plan_names_what_comes_again_and_what_is_lost_for_good(moving: World) -> None:
    number = moving.by_hand("create-pipeline", organization=TAILSPIN, project="Web", name="nightly")
    moving.by_hand("authorize-pipeline", organization=TAILSPIN, pool=POOL, project="Web", pipeline=number)
    moving.by_hand("set-role", organization=TAILSPIN, pool=POOL, who="bob", role="Reader")

    plan = moving.plan()

    (change,) = plan.changes
    lines = {line.path: line for line in change.details}
    assert (lines["location"].before, lines["location"].after) == ("eastus", "westeurope")
    assert lines[f"{TAILSPIN} queues"].before == ["Data", "Mobile", "Web"]
    assert lines[f"{TAILSPIN} queues"].after == "created again afterwards"
    lost = losses(plan)
    assert lost[f"{TAILSPIN} roles"] == ["bob@fabrikam.com Reader"]
    assert lost[f"{TAILSPIN} single authorizations"] == [f"Web {number}"]
    assert change.destroys
    assert Risk.NEUTRAL not in {line.risk for line in change.details}
    moving.settle()


@pytest.mark.parametrize(
    ("policy", "rule"),
    [
        ("{}", "policy-replace-pools"),
        ("replacePools: []", "policy-replace-pools"),
        (f"replacePools: [{RELEASE}, 'fabrikam-m?']", "policy-replace-pools"),
        (f"{POLICY}\ncreatePools: false", "policy-create-pools"),
        (f"{POLICY}\nopenAccess: false", "policy-open-access"),
        (f"{POLICY}\nprincipals: []", "policy-principals"),
        (f"{POLICY}\nresourceGroups: [another]", "policy-resource-groups"),
    ],
)
def test_the_policy_has_to_agree_with_the_deletion_and_with_all_that_follows(
    moving: World, policy: str, rule: str
) -> None:
    moving.policy(policy)
    moving.spec(moved(permission={"kind": "SpecificAccounts", "users": ["ann@fabrikam.com"]}))

    result = moving.apply()

    assert rule in rules(result.plan)
    assert REPLACEMENT in [refusal.change.id for refusal in (result.plan.refusals if result.plan else ())]
    assert moving.routes() == []
    moving.only_these([managed()])


def test_without_the_word_in_the_spec_it_is_refused_as_ever(moving: World) -> None:
    moving.spec({**moved(), "replace": "refused"})

    result = moving.apply()

    assert (result.outcome, rules(result.plan)) == (Outcome.STALLED, ["only-by-a-new-pool"])
    assert "replace: allowed" in stalled(result)[1]
    moving.only_these([managed()])


def test_another_name_is_another_pool_and_never_a_replacement(moving: World) -> None:
    """The old one stays where it is: no spec names it any more, and nothing without a spec is touched."""
    other = {**moved("eastus"), "name": "fabrikam-second-pool"}
    moving.only_these([other])

    plan = moving.plan(other["name"])

    assert {change.action for change in plan.changes if change.facet == "pool"} <= {"create"}
    assert not any(change.destroys for change in plan.changes)
    moving.sweep()
    assert "Pools_Delete" not in moving.routes()
    moving.only_these([managed()])


def test_another_resource_group_is_a_place_to_move_to_and_never_a_replacement(moving: World) -> None:
    """Not even where the spec wants another location as well."""
    moving.only_these([{**moved(), "resourceGroup": "rg-other"}])

    result = moving.apply()

    assert (stalled(result)[0], ids(result.plan), moving.routes()) == ("Moved", [], [])
    moving.only_these([managed()])


def test_while_a_machine_is_at_work_nothing_is_deleted(moving: World) -> None:
    state, stateful = moving.do.state(), moved()
    for resource in (*state["subscriptions"][0]["pools"], stateful["pool"]):
        resource["properties"]["agentProfile"] = STATEFUL
    moving.do.replace(state)
    moving.spec(stateful)
    moving.switch(arm__machine_status="Allocated")

    result = moving.apply()

    assert (rules(result.plan), moving.routes()) == (["not-quiet"], [])
    moving.switch(arm__machine_status="Ready")
    moving.settle()
    assert location(moving) == "westeurope"


@pytest.mark.parametrize("hidden", ["hide-pool", "hide-project"])
def test_what_cannot_be_counted_is_not_deleted(moving: World, hidden: str) -> None:
    what = {"pool": POOL} if hidden == "hide-pool" else {"project": "Web"}
    moving.by_hand(hidden, organization=TAILSPIN, **what)

    result = moving.apply()

    assert rules(result.plan) == ["uncounted"]
    assert "Pools_Delete" not in moving.routes()
    moving.by_hand(hidden.replace("hide", "show"), organization=TAILSPIN, **what)
    moving.settle()


def test_a_spec_that_does_not_name_everything_of_the_resource_is_not_enough_to_make_it_anew(moving: World) -> None:
    short = moved()
    del short["pool"]["properties"]["maximumConcurrency"]
    for one in short["pool"]["properties"]["organizationProfile"]["organizations"]:
        one.pop("parallelism")
    moving.spec(short)

    result = moving.apply()

    assert rules(result.plan) == ["incomplete-spec"]
    assert "maximumConcurrency" in stalled(result)[1]
    moving.only_these([managed()])


def test_an_approved_plan_is_carried_out_and_another_one_is_not(moving: World) -> None:
    """What is granted after the approval would be lost without a notice: that is another plan."""
    approved = moving.plan().hash
    moving.by_hand("set-role", organization=TAILSPIN, pool=POOL, who="bob", role="Reader")

    result = moving.apply(plan_hash=approved)

    assert (result.outcome, moving.routes()) == (Outcome.STALLED, [])
    assert moving.apply(plan_hash=moving.plan().hash).outcome is Outcome.PROGRESSING
    assert moving.routes() == ["Pools_Delete"]
    moving.settle()


class PulledPlug(Exception):
    """The process ends here."""


def test_a_process_that_dies_after_the_deletion_was_sent_is_followed_by_one_that_makes_it_anew(moving: World) -> None:
    """The answer never arrived, so no operation is known; the note is, because it was written before."""
    moving.switch(arm__delete_seconds=600)

    def die(event: object) -> None:
        if type(event).__name__ == "Applied":
            raise PulledPlug

    moving.listen = die
    with pytest.raises(PulledPlug):
        moving.apply()
    moving.listen = lambda _event: None
    moving.restart()

    deleting = moving.apply()
    assert (deleting.outcome, deleting.status.pending) == (Outcome.PROGRESSING, None)
    assert deleting.status.replacing is not None
    moving.do.settle()
    moving.settle()
    assert moving.routes()[:2] == ["Pools_Delete", "Pools_CreateOrUpdate"]
    assert location(moving) == "westeurope"


def test_a_creation_that_fails_afterwards_is_told_with_its_reason_and_with_the_commit(moving: World) -> None:
    """There is no pool now: that is an alert, and every resync tries again."""
    asked = moving.revision
    moving.apply()
    moving.do.settle()
    state = moving.do.state()
    state["subscriptions"][0]["cores"] = {"standardDADSv5Family": 1}
    moving.do.replace(state)

    result = moving.apply()

    assert (result.outcome, result.next_look, location(moving)) == (Outcome.STALLED, None, "")
    reason, message = stalled(result)
    assert reason == "Rejected"
    assert "exceeds the current limit of 1" in message
    assert f"to be replaced by commit {asked[:7]}, and not created again yet" in message
    assert result.status.replacing is not None
    assert moving.sweep()[POOL].status.conditions == result.status.conditions
    state["subscriptions"][0]["cores"] = {}
    moving.do.replace(state)
    moving.settle()
    assert (location(moving), note(moving)) == ("westeurope", None)


def test_a_pause_in_the_middle_leaves_no_pool_and_says_so(moving: World) -> None:
    moving.apply()
    moving.do.settle()
    moving.spec(moved(mode="pause", until="2999-01-01", reason="a holiday"))

    result = moving.apply()

    assert (result.outcome, stalled(result)[0]) == (Outcome.SUSPENDED, "Replacing")
    moving.spec(moved())
    moving.settle()


def test_in_report_mode_a_pool_in_the_middle_is_told_too(moving: World) -> None:
    moving.apply()
    moving.do.settle()
    moving.spec(moved(mode="report"))

    result = moving.apply()
    result = moving.apply() if result.plan is None else result

    assert (result.outcome, stalled(result)[0]) == (Outcome.OUT_OF_SYNC, "Replacing")
    moving.spec(moved())
    moving.settle()


@pytest.mark.parametrize("kind", ["403", "409", "503"])
def test_a_deletion_that_the_service_refuses_leaves_the_pool_and_no_note(moving: World, kind: str) -> None:
    moving.do.fault(kind, route="Pools_Delete", count=1)

    result = moving.apply()

    assert location(moving) == "eastus"
    assert result.status.replacing is None
    assert result.outcome in {Outcome.STALLED, Outcome.FAILED}
    moving.do.clear_faults()
    moving.settle()


def test_everything_else_is_put_in_order_first_and_the_deletion_goes_alone(moving: World) -> None:
    """So that it stands on reads of its own moment, and nothing that failed is swept under it."""
    moving.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")

    first = moving.apply()

    assert "Pools_Delete" not in moving.routes()
    assert first.next_look is not None
    moving.settle()
    assert "Pools_Delete" in moving.routes()


def test_the_first_run_after_somebody_put_the_old_value_back_makes_what_the_spec_then_says(moving: World) -> None:
    moving.apply()
    moving.do.settle()
    moving.spec(managed())

    moving.settle()

    assert location(moving) == "eastus"


def test_defaults_that_the_service_fills_in_are_nothing_that_a_spec_would_have_to_name(moving: World) -> None:
    resource = deepcopy(moving.truth.resource(POOL))

    assert resource["properties"] != moved()["pool"]["properties"]
    assert ids(moving.plan()) == [REPLACEMENT]
    moving.settle()
