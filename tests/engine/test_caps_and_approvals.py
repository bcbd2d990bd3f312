"""Caps over time, counted from the record of writes, and the owner's approval of what they hold back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from reconciler.documents import JsonObject
from reconciler.engine import Outcome, Result
from reconciler.engine.approving_plans import PlanApproval, approve_plan
from reconciler.engine.run_state import RunBasis, RunState
from reconciler.engine.status import ConditionKind, PoolStatus
from reconciler.errors import NotFound, Rejected, Unavailable
from reconciler.plan.policy import Cap, CapKind, CapPeriod, CapScope, Policy
from reconciler.plan.targets import RoleAssignmentChange
from reconciler.ports.specs import Snapshot
from reconciler.safety.approvals import read_approvals
from reconciler.spec.model import Spec
from tests.engine.stage import ORG, OTHER, SPEC, GuardedStage, admins, condition, converged

DAY = timedelta(hours=24).total_seconds()
BLOB = "b10b" * 10
FEW = ("ann", "ben", "cyd", "dan", "eve")


def caps(kind: CapKind, scope: CapScope, most: int, period: CapPeriod = CapPeriod.DAY) -> Policy:
    return Policy(caps=(Cap(kind, scope, period, most),), max_role_removals=100)


@dataclass
class Capped(GuardedStage):
    """A stage with a safety store."""

    def keep(self, *names: str) -> Result:
        """Run with these as the only administrators of the spec."""
        return self.run(wanting(*names))

    def approve(self, plan_hash: str, *specs: Spec, revision: str = "c0ffee") -> PlanApproval:
        snapshot = Snapshot(revision, {SPEC.path: b"the spec"})
        return approve_plan((self.planner, self.safety, self.shelf), specs, snapshot, plan_hash)


def wanting(*names: str, blob: str = BLOB) -> Spec:
    return replace(admins(*names), blob=blob)


def crowded(policy: Policy) -> Capped:
    """Five administrators, and everything else as the spec says."""
    stage = Capped(policy=policy)
    stage.safety.create()
    stage.estate.add(ORG, 1, 1)
    stage.estate.arm[SPEC.pool_id.casefold()] = {"id": SPEC.pool_id, "tags": {}}
    stage.hold(*FEW)
    return stage


def rules(result: Result) -> set[str]:
    return {refusal.rule for refusal in (result.planned.refusals if result.planned else ())}


def test_removals_of_earlier_runs_count_for_24_hours() -> None:
    stage = crowded(caps(CapKind.REMOVALS, CapScope.POOL, 2))

    assert stage.keep(*FEW[:4]).outcome is Outcome.APPLIED
    stage.clock.seconds += DAY / 2
    assert stage.keep(*FEW[:3]).outcome is Outcome.APPLIED
    held = stage.keep(*FEW[:2])

    assert (held.outcome, rules(held), stage.holders()) == (Outcome.STALLED, {"cap-removals"}, set(FEW[:3]))
    message = condition(held, ConditionKind.STALLED).message
    assert "2 were made, and 1 removals are planned for this pool; the policy's cap is 2 in 24 hours" in message

    stage.clock.seconds += DAY / 2 + 1
    assert stage.keep(*FEW[:2]).outcome is Outcome.APPLIED, "the first one is older than 24 hours"
    assert stage.keep(*FEW[:1]).outcome is Outcome.STALLED


def test_over_a_cap_nothing_of_the_kind_is_written_and_the_rest_is() -> None:
    stage = crowded(caps(CapKind.REMOVALS, CapScope.POOL, 2))
    stage.estate.open.clear()

    result = stage.keep("ann")

    assert stage.holders() == set(FEW), "not two of four either"
    assert [write[0] for write in stage.estate.writes] == ["open access"]
    assert rules(result) == {"cap-removals"}


def test_a_cap_in_all_counts_other_pools_and_one_of_an_organization_does_not_count_others() -> None:
    for scope, outcome in ((CapScope.ALL, Outcome.STALLED), (CapScope.ORGANIZATION, Outcome.APPLIED)):
        stage = crowded(caps(CapKind.REMOVALS, scope, 2))
        entry = {"kind": "intent", "at": "2026-06-01T11:00:00Z", "id": "x", "pool": "pool-9", "counts": {"removals": 2}}
        stage.ledger.append(f"devops/{OTHER}", [entry])

        assert stage.keep(*FEW[:4]).outcome is outcome


def test_a_cap_of_a_pool_does_not_count_another_pool_of_the_organization() -> None:
    stage = crowded(caps(CapKind.REMOVALS, CapScope.POOL, 1))
    entry = {"kind": "intent", "at": "2026-06-01T11:00:00Z", "id": "x", "pool": "pool-9", "counts": {"removals": 1}}
    stage.ledger.append(f"devops/{ORG}", [entry])

    assert stage.keep(*FEW[:4]).outcome is Outcome.APPLIED


def test_a_write_that_was_rejected_does_not_count_and_one_that_may_have_been_made_does() -> None:
    for error, outcome in ((Rejected("400"), Outcome.APPLIED), (Unavailable("503"), Outcome.STALLED)):
        stage = crowded(caps(CapKind.REMOVALS, CapScope.POOL, 1))
        with stage.failing("remove", error):
            stage.keep(*FEW[:4])

        assert stage.keep(*FEW[:4]).outcome is outcome


def test_a_record_that_cannot_be_read_stops_what_a_cap_over_time_counts_and_nothing_else() -> None:
    stage = crowded(caps(CapKind.REMOVALS, CapScope.ALL, 50))
    stage.estate.open.clear()
    stage.keep(*FEW)
    stage.ledger.lines[f"devops/{ORG}"].append(b"{}\n")

    result = stage.keep(*FEW[:4])

    assert stage.holders() == set(FEW)
    assert "is not known" in condition(result, ConditionKind.STALLED).message


def test_without_a_cap_over_time_the_record_is_not_read() -> None:
    stage = crowded(Policy(max_role_removals=100))
    stage.keep(*FEW[:4])
    stage.ledger.reads.clear()

    assert stage.keep(*FEW[:3]).outcome is Outcome.APPLIED
    assert stage.ledger.reads == []


# --- approvals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy",
    [Policy(max_role_removals=2), caps(CapKind.REMOVALS, CapScope.POOL, 2), caps(CapKind.REMOVALS, CapScope.ALL, 2)],
)
def test_an_approved_plan_lifts_the_cap_for_what_it_shows(policy: Policy) -> None:
    stage = crowded(policy)
    held = stage.keep("ann")
    assert held.planned is not None
    assert (held.outcome, stage.holders()) == (Outcome.STALLED, set(FEW))

    done = stage.approve(held.planned.hash, wanting("ann"))
    result = stage.keep("ann")

    assert done.plan.hash == held.planned.hash
    assert (result.outcome, stage.holders()) == (Outcome.APPLIED, {"ann"})
    assert result.planned is not None
    assert result.planned.hash == held.planned.hash, "the hash that was approved is the hash that is on record"
    assert stage.ledger.all()[0]["plan"] == held.planned.hash


def test_an_approval_covers_no_change_that_its_plan_did_not_show() -> None:
    stage = crowded(Policy(max_role_removals=2))
    stage.approve(held(stage), wanting("ann"))
    stage.hold(*FEW, "mallory", "nina", "oscar")

    stage.keep("ann")

    assert stage.holders() == {"ann", "mallory", "nina", "oscar"}


def held(stage: Capped, *names: str) -> str:
    planned = stage.keep(*(names or ("ann",))).planned
    assert planned is not None
    return planned.hash


def test_an_unrelated_push_voids_no_approval_and_another_spec_or_policy_does() -> None:
    stage = crowded(Policy(max_role_removals=2))
    stage.approve(held(stage), wanting("ann"))

    assert stage.run(wanting("ann", blob="0ther" * 8)).outcome is Outcome.STALLED
    stage.policy = replace(stage.policy, materialise=True)
    assert stage.keep("ann").outcome is Outcome.STALLED
    stage.policy = Policy(max_role_removals=2)
    assert stage.run(wanting("ann"), revision="decade").outcome is Outcome.APPLIED


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(DAY, Outcome.APPLIED), (DAY + 1, Outcome.STALLED), (-1, Outcome.STALLED)]
)
def test_an_approval_counts_for_24_hours_and_not_before_it_was_given(seconds: float, outcome: Outcome) -> None:
    stage = crowded(Policy(max_role_removals=2))
    stage.approve(held(stage), wanting("ann"))
    stage.clock.seconds += seconds

    assert stage.keep("ann").outcome is outcome


def test_the_rest_of_an_approved_plan_goes_out_in_later_runs() -> None:
    stage = crowded(Policy(max_role_removals=2))
    stage.approve(held(stage), wanting("ann"))
    with stage.failing("remove", Unavailable("503"), about="dan"):
        stage.keep("ann")
    assert stage.holders() == {"ann", "dan"}

    assert stage.keep("ann").outcome is Outcome.APPLIED
    assert stage.holders() == {"ann"}


def test_a_hash_that_no_plan_has_is_refused_with_what_to_do() -> None:
    stage = crowded(Policy(max_role_removals=2))

    with pytest.raises(NotFound, match=r"is not the plan of pool-1 now; .* run `mdp-reconciler plan` again"):
        stage.approve("0" * 64, wanting("ann"))

    assert list(stage.safe.names("approvals")) == []


def test_approvals_that_no_longer_count_are_dropped_with_the_next_one() -> None:
    stage = crowded(Policy(max_role_removals=2))
    first = held(stage)
    stage.approve(first, wanting("ann"))
    stage.clock.seconds += DAY + 1
    second = held(stage, "ben")
    stage.approve(second, wanting("ben"))

    documents = stage.safety.documents
    found = read_approvals(documents, documents.index(), SPEC.key)

    assert [plan.hash for plan in found.plans] == [second]
    assert found.spec is not None
    assert (found.spec.blob, found.spec.text, found.spec.path) == (BLOB, "the spec", SPEC.path)


def test_an_approval_that_is_damaged_approves_nothing() -> None:
    stage = crowded(Policy(max_role_removals=2))
    stage.approve(held(stage), wanting("ann"))
    text, tag = stage.safe.documents["approvals/pool-1"]
    stage.safe.documents["approvals/pool-1"] = (
        text.replace('"at": "2026-06-01T12:00:00Z", "lines"', '"at": 7, "lines"'),
        tag,
    )

    assert stage.keep("ann").outcome is Outcome.STALLED


def test_a_converged_pool_with_an_approval_writes_nothing_more() -> None:
    stage = Capped(policy=Policy(max_role_removals=2), estate=converged(1).estate)
    stage.safety.create()
    stage.hold("ann")
    stage.keep("ann")
    stage.ledger.appends.clear()

    assert stage.keep("ann").outcome is Outcome.IN_SYNC
    assert stage.ledger.appends == []


def test_a_write_that_may_have_been_made_counts_for_the_caps_of_its_run() -> None:
    """Its response was lost. What appears meanwhile does not fit beside it, whatever the service made of it."""
    for error, left in ((Unavailable("503"), False), (Rejected("400"), True)):
        stage = crowded(caps(CapKind.REMOVALS, CapScope.POOL, 1, CapPeriod.RUN))
        planned = stage.plan(wanting(*FEW[:4]))
        run = RunState(
            RunBasis(
                wanting(*FEW[:4]), "c0ffee", PoolStatus(SPEC.key), stage.policy, stage.planner.survey([SPEC]), planned
            ),
            planned,
        )
        (removal,) = planned.changes
        run.attempted(removal, error)
        assert isinstance(removal.target, RoleAssignmentChange)
        other = replace(removal, subject="another", target=replace(removal.target, identity_id="x"))
        assert run.still_allowed(other) is left


@pytest.mark.parametrize("scope", [CapScope.ORGANIZATION, CapScope.ALL])
def test_runs_of_several_pools_that_count_at_once_stay_within_a_cap_together(scope: CapScope) -> None:
    """Another pool's run records its intent after this one was planned: both counted the same room."""
    stage = crowded(caps(CapKind.REMOVALS, scope, 1))
    entry = {"kind": "intent", "at": "2026-06-01T12:00:00Z", "id": "x", "pool": "pool-9", "counts": {"removals": 1}}

    def overtake(chain: str, bodies: Sequence[JsonObject]) -> None:
        if [one for one in bodies if one.get("kind") == "intent"]:
            stage.ledger.before = lambda _chain, _bodies: None
            stage.ledger.append(chain, [entry])

    stage.ledger.before = overtake
    first = stage.keep(*FEW[:4])

    assert stage.holders() == set(FEW)
    assert "reached the policy's cap of 1 removals" in str(first.failures[0].error)
    second = stage.keep(*FEW[:4])
    assert (rules(second), stage.holders()) == ({"cap-removals"}, set(FEW))
    assert "1 were made, and 1 removals are planned" in condition(second, ConditionKind.STALLED).message, "not 2"
    stage.clock.seconds += DAY + 1
    assert stage.keep(*FEW[:4]).outcome is Outcome.APPLIED


# --- what follows from what a cap holds back ------------------------------------------------------------------

NO_WIDENING = caps(CapKind.WIDENINGS, CapScope.POOL, 0, CapPeriod.RUN)


def test_an_approval_shows_and_covers_what_comes_after_a_grant_that_a_cap_holds_back() -> None:
    """The removals that await the grant: shown before the owner approves, under the same hash afterwards."""
    stage = crowded(NO_WIDENING)
    before = stage.keep("ann", "zoe").planned
    assert before is not None
    assert {one.rule for one in before.refusals} == {"cap-widenings", "after-approval"}
    assert {one.subject for one in before.approvable} == {f"{ORG} {name}" for name in (*FEW[1:], "zoe")}

    stage.approve(before.hash, wanting("ann", "zoe"))
    result = stage.run(wanting("ann", "zoe"), plan_hash=before.hash)

    assert result.planned is not None
    assert (result.planned.hash, result.outcome) == (before.hash, Outcome.APPLIED)
    assert stage.holders() == {"ann", "zoe"}
    stage.estate.writes.clear()
    assert stage.keep("ann", "zoe").outcome is Outcome.IN_SYNC
    assert stage.estate.writes == []


def test_what_follows_from_an_approved_change_is_held_back_without_the_approval() -> None:
    stage = crowded(NO_WIDENING)

    result = stage.keep("ann", "zoe")

    assert stage.holders() == set(FEW)
    assert stage.estate.writes == []
    assert result.outcome is Outcome.STALLED


def test_an_approval_of_a_creation_covers_what_follows_from_it() -> None:
    """A cap on what widens holds back the open access of a queue that is still to be created, in each later run too."""
    stage = crowded(NO_WIDENING)
    stage.hold("ann")
    stage.estate.queues[ORG] = []
    before = stage.plan(wanting("ann"))
    assert before.approvable

    stage.approve(before.hash, wanting("ann"))
    for _ in range(4):
        result = stage.settle(wanting("ann"))
    assert (result.outcome, [rules(result), stage.estate.writes != []]) == (Outcome.IN_SYNC, [set(), True])
