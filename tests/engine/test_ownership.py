"""What of a plan is written by whose its agent pools are, and what is on record before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.documents import moment
from reconciler.engine import Outcome, Planner
from reconciler.engine.ownership import Claims
from reconciler.engine.proofs import Ownership, Proof, Verdict, generation_of
from reconciler.errors import Forbidden, LeaseHeld, Unavailable
from reconciler.plan.model import Change, Gap, GapKind, Plan
from reconciler.plan.targets import CreatePool, OpenAccess, QueuePlace, ReplacePool, UpdatePool
from reconciler.safety import SafetyFacts, Unknown
from reconciler.safety.agent_pools import AgentPools, RecordedAgentPool, document_of, owner_document_of
from reconciler.spec.model import Organization, Spec
from tests.engine.stage import ORG, OTHER, SPEC, GuardedStage
from tests.estate import CREATED

BOTH = replace(SPEC, organizations=(*SPEC.organizations, Organization(OTHER, "pool-1", (), open_access=True)))


@dataclass
class Owned(GuardedStage):
    """A stage with a safety store, and with open access to be granted in two organizations."""

    def known(self, key: str = SPEC.key) -> AgentPools:
        found = self.safety.read(key, []).agent_pools
        assert not isinstance(found, Unknown)
        return found

    def alter(self, organization: str = ORG, **fields: Any) -> None:
        pools = self.estate.pools[organization]
        self.estate.pools[organization] = [replace(one, **fields) for one in pools]

    def plan_now(self) -> Plan:
        claims = Claims(self.reconciler.facts(BOTH), self.safety)
        return self.planner.plan(BOTH, self.planner.survey([BOTH]), "c0ffee", claims)

    def written_in(self) -> set[object]:
        return {write[1] for write in self.estate.writes}


@pytest.fixture
def stage() -> Owned:
    made = Owned()
    for organization in (ORG, OTHER):
        made.estate.add(organization, 1, 2)
    made.estate.open.clear()
    made.estate.arm[SPEC.pool_id.casefold()] = {"id": SPEC.pool_id, "tags": {}}
    made.safety.create()
    return made


def test_ids_are_on_record_before_the_first_write(stage: Owned) -> None:
    seen: list[bool] = []

    def look(name: str, args: tuple[object, ...]) -> None:
        if name == "open access":
            seen.append(stage.known().recorded(generation, str(args[0])) is not None)

    generation = generation_of({"systemData": {"createdAt": moment(CREATED)}})
    stage.estate.before = look
    assert stage.run(BOTH).outcome is Outcome.APPLIED
    assert seen == [True] * 4
    stage.estate.writes.clear()
    saves = list(stage.safe.saves)
    stage.run(BOTH)
    assert (stage.estate.writes, stage.safe.saves) == ([], saves), "a second run writes nothing, nowhere"


def test_what_cannot_be_recorded_is_not_written_and_others_go_on(stage: Owned) -> None:
    def refuse(name: str) -> None:
        if name == owner_document_of(ORG, 1):
            raise Unavailable("safety store: 503")

    stage.safe.before = refuse
    result = stage.run(BOTH)

    assert stage.written_in() == {OTHER}
    assert {str(one.error) for one in result.failures} == {"safety store: 503"}
    assert result.next_look is not None
    stage.safe.before = str
    stage.settle(BOTH)
    assert stage.written_in() == {ORG, OTHER}


def test_an_agent_pool_that_another_pool_has_is_not_written_to(stage: Owned) -> None:
    other = replace(SPEC, name="pool-2")
    stage.safety.record_agent_pool(other.key, "2026-01-01T12:00:00Z", ORG, RecordedAgentPool(1, Proof.CREATED))

    result = stage.run(BOTH)

    assert stage.written_in() == {OTHER}
    assert result.plan is not None
    assert {one.rule for one in result.plan.refusals} == {"agent-pool-not-own"}
    (finding,) = result.plan.gaps
    assert "it is recorded as pool pool-2's" in finding.message


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({}, True),
        ({"hosted": None}, False),
        ({"hosted": True}, False),
        ({"created_on": None}, False),
        ({"created_on": CREATED - timedelta(minutes=10)}, True),
        ({"created_on": CREATED - timedelta(minutes=11)}, False),
        ({"created_on": CREATED + timedelta(days=300)}, True),
    ],
)
def test_one_organization_without_a_proof_does_not_stop_the_other(
    stage: Owned, fields: dict[str, Any], kept: bool
) -> None:
    stage.alter(**fields)

    stage.settle(BOTH)

    assert stage.written_in() == ({ORG, OTHER} if kept else {OTHER})
    stage.estate.writes.clear()
    stage.run(BOTH)
    assert stage.estate.writes == []


@pytest.mark.parametrize("margin", [timedelta(0), timedelta(hours=1)])
def test_the_margin_is_a_setting(stage: Owned, margin: timedelta) -> None:
    stage.alter(created_on=CREATED - timedelta(minutes=30))
    planner = Planner(stage.facets, stage.estate.readers, stage.policy, stage.clock, margin=margin)
    plan = planner.plan(SPEC, planner.survey([SPEC]), "c0ffee", Claims(SafetyFacts()))
    assert bool(plan.changes) is (margin > timedelta(minutes=30))


@pytest.mark.parametrize("error", [Unavailable("arm: 503"), Forbidden("arm: 403")])
def test_nothing_is_written_where_arm_cannot_be_read(stage: Owned, error: Exception) -> None:
    stage.fail("arm pool", error)

    result = stage.run(BOTH)

    assert stage.estate.writes == []
    assert result.plan is not None
    assert (result.plan.changes, result.plan.refusals) == ((), ())
    assert {gap.kind for gap in result.plan.gaps} == {GapKind.UNKNOWN}
    assert {gap.subject for gap in result.plan.gaps if gap.facet == "doors"} == {ORG, OTHER}


def test_nothing_is_written_where_arm_has_no_such_pool(stage: Owned) -> None:
    stage.estate.arm.clear()

    result = stage.run(BOTH)

    assert stage.estate.writes == []
    assert result.plan is not None
    assert {one.rule for one in result.plan.refusals} == {"agent-pool-not-own"}


@pytest.mark.parametrize("state", ["Provisioning", "Failed"])
def test_a_pool_that_never_succeeded_has_no_agent_pool_of_its_own(stage: Owned, state: str) -> None:
    body = stage.estate.readers.arm.pool(SPEC.pool_id)
    assert body is not None
    body["properties"]["provisioningState"] = state
    stage.estate.arm[SPEC.pool_id.casefold()] = dict(body)

    stage.run(BOTH)
    assert stage.estate.writes == []
    body["properties"]["provisioningState"] = "Succeeded"
    stage.settle(BOTH)
    assert stage.written_in() == {ORG, OTHER}
    stage.estate.writes.clear()
    body["properties"]["provisioningState"] = "Failed"
    stage.estate.open.clear()
    stage.settle(BOTH)
    assert stage.written_in() == {ORG, OTHER}, "it was seen Succeeded once, which is on record"


def test_a_damaged_record_is_one_finding_and_stops_its_pool_on_both_planes(stage: Owned) -> None:
    stage.run(BOTH)
    stage.safety.documents.change(document_of(SPEC.key), lambda body: {**body, "recorded": None})
    stage.estate.open.clear()
    stage.estate.writes.clear()

    result = stage.run(replace(BOTH, body={"tags": {"a": "b"}}))

    assert stage.estate.writes == []
    assert result.plan is not None
    assert len({gap.message for gap in result.plan.gaps}) == 1


def test_pools_of_github_need_no_proof(stage: Owned) -> None:
    spec = replace(SPEC, organizations=(), body={"tags": {"a": "b"}})
    stage.settle(spec)
    assert [write[0] for write in stage.estate.writes] == ["put"]
    assert stage.known() == AgentPools()


def test_a_change_about_another_agent_pool_than_was_read_is_refused(stage: Owned) -> None:
    survey = stage.planner.survey([SPEC])
    check = stage.planner.ownership(SPEC, survey, Claims(SafetyFacts()))
    place = QueuePlace(ORG, "p", "Web", 5, 99)
    change = Change("doors", "open access", f"{ORG}/Web", False, True, OpenAccess(place, True))
    (refusal,) = check.restrict([change]).refusals
    assert (refusal.rule, "it is about agent pool 99" in refusal.message) == ("agent-pool-not-own", True)
    elsewhere = replace(change, target=OpenAccess(replace(place, organization="contoso"), True))
    (refusal,) = check.restrict([elsewhere]).refusals
    assert "the agent pool of contoso was not read" in refusal.message


# --- writes to ARM -------------------------------------------------------------------------------------------


def body_of(*organizations: str, alias: str = "") -> dict[str, object]:
    entries = [
        {"url": f"https://dev.azure.com/{name}", **({"alias": alias} if alias else {})} for name in organizations
    ]
    return {"properties": {"organizationProfile": {"kind": "AzureDevOps", "organizations": entries}}}


def to_arm(kind: Callable[..., CreatePool | UpdatePool], *organizations: str, alias: str = "") -> Change:
    return Change("body", "pool", "pool-1", None, "x", kind(SPEC.pool_id, body_of(*organizations, alias=alias)))


def rules_of(stage: Owned, change: Change, spec: Spec = BOTH) -> list[str]:
    claims = Claims(stage.reconciler.facts(spec), stage.safety)
    found = stage.planner.ownership(spec, stage.planner.survey([spec]), claims).restrict([change])
    return [one.rule for one in found.refusals]


@pytest.mark.parametrize(
    ("change", "there", "rules"),
    [
        (to_arm(CreatePool, ORG), False, ["agent-pool-taken"]),
        (to_arm(CreatePool, ORG, alias="free"), False, []),
        (to_arm(CreatePool, ORG, alias="POOL-1"), False, ["agent-pool-taken"]),
        (to_arm(CreatePool, "contoso"), False, []),
        (to_arm(UpdatePool, ORG, OTHER), True, []),
        (to_arm(UpdatePool, ORG, OTHER, alias="free"), True, []),
        (to_arm(UpdatePool, ORG, alias="taken"), True, ["agent-pool-taken"]),
        (to_arm(UpdatePool, ORG, alias="pool-1"), True, []),
    ],
)
def test_a_name_that_is_taken_is_not_requested_of_arm(
    stage: Owned, change: Change, there: bool, rules: list[str]
) -> None:
    stage.estate.pools[ORG].append(replace(stage.estate.pools[ORG][0], id=9, name="taken"))
    if not there:
        stage.estate.arm.clear()
    assert rules_of(stage, change) == rules


def test_where_the_names_cannot_be_read_nothing_is_requested_of_arm(stage: Owned) -> None:
    stage.estate.arm.clear()
    stage.fail("agent pools", Unavailable("devops: 503"))
    check = stage.planner.ownership(SPEC, stage.planner.survey([SPEC]), Claims(SafetyFacts()))
    found = check.restrict([to_arm(CreatePool, ORG)])
    assert [(one.id, str(error)) for one, error in found.held] == [("body:pool:pool-1", "devops: 503")]


def test_an_intent_is_on_record_before_arm_is_written(stage: Owned) -> None:
    stage.estate.arm.clear()
    stage.estate.pools.clear()
    claims = Claims(stage.reconciler.facts(SPEC), stage.safety)

    claims.before_write(to_arm(CreatePool, ORG, OTHER), SPEC, stage.planner.survey([SPEC]), stage.clock)

    for organization in (ORG, OTHER):
        intent = stage.known().intent(organization)
        assert intent is not None
        assert (intent.agent_pool, intent.generation, intent.at) == ("pool-1", "", stage.clock.now())


def test_a_replacement_is_on_record_before_the_deletion(stage: Owned) -> None:
    stage.run(BOTH)
    claims = Claims(stage.reconciler.facts(BOTH), stage.safety)
    deletion = Change("body", "replacement", "pool-1", "a", "b", ReplacePool(SPEC.pool_id, {}, ("location",)))

    claims.before_write(deletion, BOTH, stage.planner.survey([BOTH]), stage.clock)

    (ended,) = stage.known().replacements
    assert dict(ended.ids) == {ORG: 1, OTHER: 1}


def test_a_write_whose_intent_cannot_be_recorded_does_not_go_out(stage: Owned) -> None:
    stage.estate.arm.clear()
    stage.estate.pools.clear()
    claims = Claims(stage.reconciler.facts(SPEC), stage.safety)

    def refuse(name: str) -> None:
        raise LeaseHeld(f"{name}: another worker stored it")

    stage.safe.before = refuse
    with pytest.raises(LeaseHeld):
        claims.before_write(to_arm(CreatePool, ORG), SPEC, stage.planner.survey([SPEC]), stage.clock)


def test_a_pool_is_not_replaced_while_one_of_its_agent_pools_is_not_proven(stage: Owned) -> None:
    deletion = Change("body", "replacement", "pool-1", "a", "b", ReplacePool(SPEC.pool_id, {}, ("location",)))
    assert rules_of(stage, deletion) == []
    stage.alter(OTHER, created_on=CREATED - timedelta(days=1))
    assert rules_of(stage, deletion) == ["agent-pool-not-own"]


def test_a_finding_is_there_also_where_nothing_is_planned(stage: Owned) -> None:
    stage.settle(BOTH)
    stage.alter(id=7)
    plan = stage.plan_now()
    found: list[Gap] = [gap for gap in plan.gaps if gap.facet == "ownership"]
    assert [(one.kind, one.subject) for one in found] == [(GapKind.DEGRADED, f"{ORG} pool-1")]
    assert not plan.in_sync


def test_an_agent_pool_whose_name_only_looks_alike_hides_no_own_one_and_is_not_taken(stage: Owned) -> None:
    """`str.casefold` makes the long s an s: a person who creates agent pools could stop a pool, or be given its rights."""
    spec = replace(SPEC, organizations=(replace(SPEC.organizations[0], agent_pool="fast-pool"),))
    profile = {"kind": "AzureDevOps", "organizations": [{"url": f"https://dev.azure.com/{ORG}", "alias": "fast-pool"}]}
    properties = {"provisioningState": "Succeeded", "organizationProfile": profile}
    stage.estate.arm[spec.pool_id.casefold()] |= {"properties": properties}
    (own,) = stage.estate.pools[ORG]
    own, alike = replace(own, name="fast-pool"), replace(own, id=9, name="fa\u017ft-pool")
    stage.estate.pools[ORG] = [own, alike]

    stage.settle(spec)

    assert {one[ORG].id for one in stage.known().ids.values()} == {own.id}
    assert {write[1] for write in stage.estate.writes} == {ORG}
    stage.estate.writes.clear()
    stage.run(spec)
    assert stage.estate.writes == []
    stage.estate.pools[ORG] = [alike]
    stage.estate.open.clear()
    found = stage.planner.ownership(spec, stage.planner.survey([spec]), Claims(SafetyFacts())).found()[ORG]
    assert isinstance(found, Ownership)
    assert (found.verdict, "approve" in found.message("pool-1")) == (Verdict.MISSING, False)
    stage.run(spec)
    assert stage.estate.writes == []
