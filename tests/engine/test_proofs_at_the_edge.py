"""Where a proof ends: at the margin, at the hour, at the day, and at the generation that it was given for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.documents import moment
from reconciler.engine.proofs import Claim, Proof, Verdict, agent_pools_of, approved_id, judge
from reconciler.safety.agent_pools import AgentPools, RecordedAgentPool, Replacement
from tests.engine.test_proofs import (
    ALIASED,
    CLAIM,
    CREATED,
    EARLIER,
    GENERATION,
    MINUTES,
    NOTHING,
    POOL,
    PRIME,
    approved,
    document,
    intent,
    made,
    recorded,
    replaced,
)


def test_a_plan_without_state_knows_no_record_of_any_kind() -> None:
    """What a record would say, it may say otherwise tomorrow: another id, or an approval."""
    for known in (recorded(8), approved(), recorded()):
        found = judge(CLAIM._replace(known=known, agent_pool=made(-99), checked=False))
        assert (found.verdict, found.proof) == (Verdict.NOT_CHECKED, None)
    assert judge(CLAIM._replace(checked=False)).proof is None
    at_work = CLAIM._replace(document=document(state="Updating"), known=recorded(), checked=False)
    assert judge(at_work).verdict is Verdict.WAITS


def test_a_finding_names_the_organization_the_agent_pool_and_the_generation() -> None:
    listed = CLAIM._replace(document=document(state="Updating"))

    for claim in (CLAIM, listed, CLAIM._replace(agent_pool=made(-99)), CLAIM._replace(known=recorded())):
        found = judge(claim)
        assert (found.organization, found.agent_pool, found.generation) == (PRIME, claim.agent_pool, GENERATION)


def test_a_hosted_pool_is_named_as_what_it_is() -> None:
    found = judge(CLAIM._replace(agent_pool=replace(CLAIM.agent_pool, hosted=True)))

    assert (found.verdict, found.reason) == (Verdict.MISSING, "it is hosted by Azure DevOps")


def generations(*minutes: float) -> AgentPools:
    """Other generations of the pool that are on record, and text that is no moment."""
    known = NOTHING.with_recorded("not a moment", "another", RecordedAgentPool(1, Proof.CREATED))
    for one in minutes:
        known = known.with_recorded(moment(CREATED + one * MINUTES), "another", RecordedAgentPool(1, Proof.CREATED))
    return known


@pytest.mark.parametrize(("other", "holds"), [(-61, True), (-60, True), (-30, False)])
def test_an_approval_before_the_pool_is_for_the_first_generation_after_it(other: float, holds: bool) -> None:
    """Given an hour before this generation began; another one began then."""
    claim = CLAIM._replace(known=approved(None, -60, known=generations(other)), agent_pool=made(-9999))

    assert (judge(claim).verdict is Verdict.OWN) is holds


@pytest.mark.parametrize(("given", "holds"), [(10, True), (10.1, False)])
def test_such_an_approval_may_be_late_by_the_margin(given: float, holds: bool) -> None:
    claim = CLAIM._replace(known=approved(None, given), agent_pool=made(-9999))

    assert (judge(claim).verdict is Verdict.OWN) is holds


def test_an_approval_is_found_while_arm_holds_no_pool() -> None:
    assert approved_id(approved(None, -60), PRIME, 7, None)
    assert not approved_id(approved(GENERATION, -60), PRIME, 7, None)
    assert not approved_id(approved(None, -60), PRIME, 8, None)
    assert not approved_id(approved(None, -60), "contoso", 7, None)


@pytest.mark.parametrize(
    ("known", "kept"),
    [
        (replaced(10), True),
        (replaced(10.1), False),
        (replaced(number=8), False),
        (generations(-61).with_replacement(Replacement(EARLIER, {PRIME: 7}, CREATED - 60 * MINUTES)), True),
        (generations(-30).with_replacement(Replacement(EARLIER, {PRIME: 7}, CREATED - 60 * MINUTES)), False),
        (NOTHING.with_replacement(Replacement(GENERATION, {PRIME: 7}, CREATED - 60 * MINUTES)), False),
        (NOTHING.with_replacement(Replacement(EARLIER, {"contoso": 7}, CREATED - 60 * MINUTES)), False),
    ],
)
def test_an_agent_pool_is_kept_through_the_replacement_that_was_recorded(known: AgentPools, kept: bool) -> None:
    found = judge(CLAIM._replace(known=known, agent_pool=made(-9999)))

    assert (found.proof is Proof.KEPT) is kept


@pytest.mark.parametrize(
    ("claim", "proven"),
    [
        (CLAIM._replace(known=intent(10)), True),
        (CLAIM._replace(known=intent(10.1)), False),
        (CLAIM._replace(known=intent(-10), agent_pool=made(24 * 60 - 10)), True),
        (CLAIM._replace(known=intent(-10), agent_pool=made(24 * 60 - 9.9)), False),
        (CLAIM._replace(known=intent(0), agent_pool=made(-10)), True),
        (CLAIM._replace(known=intent(0), agent_pool=made(-10.1)), False),
        (CLAIM._replace(known=intent(0, generation=GENERATION)), True),
        (CLAIM._replace(known=intent(0, generation=EARLIER)), False),
        (CLAIM._replace(known=intent(0, name=POOL.upper())), True),
        (CLAIM._replace(known=intent(0, name="other")), False),
    ],
)
def test_an_intent_proves_what_appears_within_its_time(claim: Claim, proven: bool) -> None:
    assert (judge(claim).proof is Proof.INTENDED) is proven


@pytest.mark.parametrize(("minutes", "missing"), [(60, False), (60.1, True), (-10, False)])
def test_an_alias_is_proven_by_an_hour(minutes: float, missing: bool) -> None:
    found = judge(CLAIM._replace(document=ALIASED, agent_pool=made(minutes, "Production")))

    assert (found.verdict is Verdict.MISSING) is missing
    assert found.reason == (
        "its name is an alias, and it was created 2026-06-01T13:00:06Z, more than an hour from the ARM pool "
        "(2026-06-01T12:00:00Z)"
        if missing
        else ""
    )


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (CLAIM._replace(document=document(created=None)),
         "ARM does not say when the pool was created (systemData.createdAt)"),
        (CLAIM._replace(agent_pool=replace(CLAIM.agent_pool, created_on=None)),
         "Azure DevOps does not say when it was created (createdOn)"),
        (CLAIM._replace(organization="contoso"), "ARM does not list the organization for the pool yet"),
        (CLAIM._replace(document=document(state="Updating")),
         "ARM has not reported the pool as Succeeded yet (provisioningState Updating)"),
        (CLAIM._replace(document=document(state="")),
         "ARM has not reported the pool as Succeeded yet (provisioningState not given)"),
        (CLAIM._replace(document=None), "ARM holds no such pool"),
        (CLAIM._replace(known=recorded(proof=Proof.APPROVED)), "its id is recorded by approval alone"),
        (CLAIM._replace(known=recorded(8)), f"id 8 is recorded for the pool that was created {GENERATION}"),
        (CLAIM._replace(known=recorded(8, ""), document=document(created=None)),
         "id 8 is recorded for the pool that was created once"),
        (CLAIM._replace(agent_pool=replace(CLAIM.agent_pool, hosted=None)),
         "Azure DevOps does not say whether it is hosted"),
        (CLAIM._replace(owner=lambda: "another"), "it is recorded as pool another's"),
        (CLAIM._replace(marks=frozenset({"b", "a"})),
         "agent pools of Managed DevOps Pools have a and b in this organization, and it has not"),
    ],
)  # fmt: skip
def test_a_person_reads_which_proof_is_missing(claim: Claim, reason: str) -> None:
    assert judge(claim).reason == reason


def test_no_approval_helps_a_name_that_only_looks_like_the_pools() -> None:
    """The Kelvin sign for a k: `casefold` takes it for one, Azure DevOps does not."""
    looks = CLAIM._replace(agent_pool=replace(CLAIM.agent_pool, name=POOL.replace("k", "\u212a")), known=approved())
    found = judge(looks)

    assert (found.verdict, found.approvable) == (Verdict.MISSING, False)
    assert "approve" not in found.message(POOL)


def test_an_approval_makes_nothing_own_that_arm_does_not_hold() -> None:
    for claim in (
        CLAIM._replace(document=None, known=approved(None)),
        CLAIM._replace(document=document(state="Updating"), known=approved(), agent_pool=made(-9999)),
        CLAIM._replace(organization="contoso", known=approved()),
    ):
        assert judge(claim).verdict is not Verdict.OWN


def test_what_the_policy_does_not_allow_no_approval_helps() -> None:
    found = judge(CLAIM._replace(known=approved(), agent_pool=made(-99), allows=lambda _: False))

    assert found.approvable is False
    assert found.reason.endswith(
        f"; the owner approved it, and the policy's agentPools does not allow {PRIME}/{POOL}#7"
    )


def test_a_body_without_a_kind_is_one_of_azure_devops_and_a_name_is_the_nearest_alias() -> None:
    one = {"url": f"https://dev.azure.com/{PRIME}"}

    def names(organization: dict[str, str], **profile: str) -> dict[str, str]:
        return agent_pools_of(
            POOL, {"properties": {"organizationProfile": {**profile, "organizations": [organization]}}}
        )

    assert names(one) == {PRIME: POOL}
    assert names(one, alias="b") == {PRIME: "b"}
    assert names({**one, "alias": "a"}, alias="b") == {PRIME: "a"}
    assert names({}) == {"": POOL}
