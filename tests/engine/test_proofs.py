"""Whether an agent pool is an ARM pool's own: every proof there and missing, on values alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.documents import Json, moment
from reconciler.engine.proofs import Claim, Ownership, Proof, Verdict, agent_pools_of, generation_of, judge
from reconciler.ports.devops import AgentPool
from reconciler.safety import Unknown
from reconciler.safety.agent_pools import (
    AgentPoolApproval,
    AgentPools,
    CreationIntent,
    RecordedAgentPool,
    Replacement,
)

PRIME, POOL = "fabrikam-prime", "fabrikam-pool"
CREATED = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
GENERATION, EARLIER = "2026-06-01T12:00:00Z", "2026-01-01T00:00:00Z"
MINUTES = timedelta(minutes=1)
OWN = AgentPool(7, POOL, hosted=False, created_on=CREATED + MINUTES, facts={"id": 7})
NOTHING = AgentPools()


def document(
    *, alias: str = "", state: str = "Succeeded", created: datetime | None = CREATED, profile: Json = None
) -> Json:
    organization = {"url": f"https://dev.azure.com/{PRIME}", **({"alias": alias} if alias else {})}
    properties = {
        "provisioningState": state,
        "organizationProfile": {"kind": "AzureDevOps", "organizations": [organization], **(profile or {})},
    }
    system = {} if created is None else {"systemData": {"createdAt": moment(created)}}
    return {"id": "/x", "properties": properties, **system}


CLAIM = Claim(POOL, document(), PRIME, OWN, NOTHING, lambda: "")


def recorded(number: int = 7, generation: str = GENERATION, proof: Proof = Proof.CREATED) -> AgentPools:
    return NOTHING.with_recorded(generation, PRIME, RecordedAgentPool(number, proof))


def pool(**fields: Any) -> AgentPool:
    return replace(OWN, **fields)


def made(minutes: float, name: str = POOL) -> AgentPool:
    """Created so many minutes after the ARM pool."""
    return pool(name=name, created_on=CREATED + minutes * MINUTES)


def intent(minutes: float = 0, *, generation: str = "", name: str = POOL) -> AgentPools:
    return NOTHING.with_intent(CreationIntent(PRIME, name, generation, CREATED + minutes * MINUTES))


def replaced(minutes: float = -5, number: int = 7) -> AgentPools:
    known = recorded(number, EARLIER)
    return known.with_replacement(Replacement(EARLIER, {PRIME: number}, CREATED + minutes * MINUTES))


def approved(
    generation: str | None = GENERATION, minutes: float = 60, number: int = 7, known: AgentPools = NOTHING
) -> AgentPools:
    return known.with_approval(AgentPoolApproval(PRIME, number, generation, "ann", CREATED + minutes * MINUTES))


ALIASED = document(alias="Production")

PROVEN = {
    "created with the pool": (CLAIM, Proof.CREATED),
    "created long after the pool": (CLAIM._replace(agent_pool=made(60 * 24 * 30)), Proof.CREATED),
    "older within the margin": (CLAIM._replace(agent_pool=made(-10)), Proof.CREATED),
    "older within a wider margin": (
        CLAIM._replace(agent_pool=made(-30), margin=timedelta(hours=1)),
        Proof.CREATED,
    ),
    "the name in another letter case": (CLAIM._replace(agent_pool=pool(name=POOL.upper())), Proof.CREATED),
    "aliased, within the hour": (
        CLAIM._replace(document=ALIASED, agent_pool=made(60, "Production")),
        Proof.CREATED,
    ),
    "an alias that is the pool's name": (
        CLAIM._replace(document=document(alias=POOL.upper()), agent_pool=made(600)),
        Proof.CREATED,
    ),
    "recorded": (CLAIM._replace(known=recorded()), None),
    "recorded, and ARM's last update failed": (
        CLAIM._replace(known=recorded(), document=document(state="Failed")),
        None,
    ),
    "recorded, while ARM is at work": (CLAIM._replace(known=recorded(), document=document(state="Updating")), None),
    "recorded, and older than the pool": (CLAIM._replace(known=recorded(), agent_pool=made(-9999)), None),
    "recorded, and ARM does not say when": (
        CLAIM._replace(known=recorded(generation=""), document=document(created=None)),
        None,
    ),
    "recorded, and renamed in Azure DevOps": (CLAIM._replace(known=recorded(), agent_pool=pool(name="other")), None),
    "recorded, without the mark": (CLAIM._replace(known=recorded(), marks=frozenset({"options"})), None),
    "kept through a replacement": (CLAIM._replace(known=replaced(), agent_pool=made(-9999)), Proof.KEPT),
    "appeared after the intent of an update": (
        CLAIM._replace(
            document=ALIASED, agent_pool=made(300, "Production"),
            known=intent(290, generation=GENERATION, name="Production"),
        ),
        Proof.INTENDED,
    ),
    "appeared late after the intent of a creation": (
        CLAIM._replace(document=ALIASED, agent_pool=made(90, "Production"), known=intent(name="Production")),
        Proof.INTENDED,
    ),
    "appeared after the intent, and ARM does not say when": (
        CLAIM._replace(document=document(created=None), known=intent(0)),
        Proof.INTENDED,
    ),
    "appeared after an intent, in place of the recorded one": (
        CLAIM._replace(known=recorded(8).with_intent(CreationIntent(PRIME, POOL, GENERATION, CREATED))),
        Proof.INTENDED,
    ),
    "approved for this generation": (CLAIM._replace(known=approved(), agent_pool=made(-9999)), Proof.APPROVED),
    "approved while there was no pool": (
        CLAIM._replace(known=approved(None, -60), agent_pool=made(-9999)),
        Proof.APPROVED,
    ),
    "approved after another id was recorded": (
        CLAIM._replace(known=approved(known=recorded(8))),
        Proof.APPROVED,
    ),
    "approved, and recorded by that": (
        CLAIM._replace(known=approved(known=recorded(proof=Proof.APPROVED)), agent_pool=made(-9999)),
        Proof.APPROVED,
    ),
    "approved where ARM does not say when": (
        CLAIM._replace(known=approved(""), document=document(created=None)),
        Proof.APPROVED,
    ),
    "approved where Azure DevOps does not say when": (
        CLAIM._replace(known=approved(), agent_pool=pool(created_on=None)),
        Proof.APPROVED,
    ),
    "marked as all others are": (
        CLAIM._replace(marks=frozenset({"agentCloudId"}), agent_pool=pool(facts={"agentCloudId": 2})),
        Proof.CREATED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PROVEN)
def test_an_agent_pool_is_own_where_a_proof_is_there(case: str) -> None:
    claim, proof = PROVEN[case]
    found = judge(claim)
    assert (found.verdict, found.proof, found.reason) == (Verdict.OWN, proof, "")


OTHER = lambda: "another-pool"  # noqa: E731 - one line in a table

UNPROVEN: dict[str, tuple[Claim, str]] = {
    "a name that only looks like the pool's": (
        CLAIM._replace(agent_pool=pool(name=POOL.replace("k", "\u212a"))),
        "its name 'fabri\\u212aam-pool' only looks like 'fabrikam-pool'",
    ),
    "a name that only looks like the pool's, after an intent": (
        CLAIM._replace(agent_pool=pool(name=POOL.replace("k", "\u212a")), known=intent(0)),
        "only looks like",
    ),
    "an alias that only looks like the pool's name": (
        CLAIM._replace(
            document=document(alias=POOL.replace("k", "\u212a")),
            agent_pool=made(600, POOL.replace("k", "\u212a")),
        ),
        "its name is an alias",
    ),
    "there is no ARM pool": (CLAIM._replace(document=None), "ARM holds no such pool"),
    "there is no ARM pool, whatever is recorded": (
        CLAIM._replace(document=None, known=recorded()),
        "ARM holds no such pool",
    ),
    "hosted": (CLAIM._replace(agent_pool=pool(hosted=True)), "hosted by Azure DevOps"),
    "hosted, and recorded": (CLAIM._replace(agent_pool=pool(hosted=True), known=recorded()), "hosted"),
    "hosted, and approved": (CLAIM._replace(agent_pool=pool(hosted=True), known=approved()), "hosted"),
    "hosted or not is not said": (CLAIM._replace(agent_pool=pool(hosted=None)), "does not say whether it is hosted"),
    "self-hosted, older than the pool": (CLAIM._replace(agent_pool=made(-11)), "before the ARM pool"),
    "outlived an earlier pool": (
        CLAIM._replace(agent_pool=made(-9999), known=recorded(generation=EARLIER)),
        "before the ARM pool",
    ),
    "aliased, taken long after the pool": (
        CLAIM._replace(document=ALIASED, agent_pool=made(61, "Production")),
        "more than an hour from the ARM pool",
    ),
    "aliased in the profile, taken long after": (
        CLAIM._replace(document=document(profile={"alias": "Production"}), agent_pool=made(61, "Production")),
        "more than an hour",
    ),
    "aliased, an older one": (
        CLAIM._replace(document=ALIASED, agent_pool=made(-11, "Production")),
        "before the ARM pool",
    ),
    "another id is recorded": (CLAIM._replace(known=recorded(8)), "id 8 is recorded"),
    "another id is recorded, and the intent is of another name": (
        CLAIM._replace(known=recorded(8).with_intent(CreationIntent(PRIME, "other", GENERATION, CREATED))),
        "id 8 is recorded",
    ),
    "the record is unreadable": (
        CLAIM._replace(known=Unknown("safety store: the document x is damaged")),
        "the document x is damaged",
    ),
    "ARM does not say when": (CLAIM._replace(document=document(created=None)), "systemData.createdAt"),
    "Azure DevOps does not say when": (CLAIM._replace(agent_pool=pool(created_on=None)), "createdOn"),
    "neither says when, and one is recorded for another generation": (
        CLAIM._replace(document=document(created=None), agent_pool=pool(created_on=None), known=recorded()),
        "systemData.createdAt",
    ),
    "the creation failed": (CLAIM._replace(document=document(state="Failed")), "not reported the pool as Succeeded"),
    "the creation was cancelled": (CLAIM._replace(document=document(state="Canceled")), "Succeeded yet"),
    "ARM gives no state": (CLAIM._replace(document=document(state="")), "provisioningState not given"),
    "another pool has it": (CLAIM._replace(owner=OTHER), "recorded as pool another-pool's"),
    "another pool has it, after an intent": (CLAIM._replace(owner=OTHER, known=intent()), "another-pool's"),
    "a mark is missing": (
        CLAIM._replace(marks=frozenset({"agentCloudId", "options"})),
        "have agentCloudId and options in this organization",
    ),
    "only some of the marks": (
        CLAIM._replace(marks=frozenset({"options", "owner"}), agent_pool=pool(facts={"options": "singleUseAgents"})),
        "have owner in this organization",
    ),
    "the intent is of another name": (
        CLAIM._replace(document=ALIASED, agent_pool=made(90, "Production"), known=intent(name="Staging")),
        "more than an hour",
    ),
    "the intent is of another generation": (
        CLAIM._replace(
            document=ALIASED, agent_pool=made(90, "Production"),
            known=intent(80, generation=EARLIER, name="Production"),
        ),
        "more than an hour",
    ),
    "the intent came to nothing, and the pool was made later by others": (
        CLAIM._replace(agent_pool=made(-60 * 20), known=intent(-60 * 24)),
        "before the ARM pool",
    ),
    "it was there before the intent": (
        CLAIM._replace(
            document=ALIASED, agent_pool=made(70, "Production"),
            known=intent(90, generation=GENERATION, name="Production"),
        ),
        "more than an hour",
    ),
    "it appeared two days after the intent": (
        CLAIM._replace(
            document=ALIASED, agent_pool=made(60 * 48, "Production"),
            known=intent(0, generation=GENERATION, name="Production"),
        ),
        "more than an hour",
    ),
    "another one than was kept": (CLAIM._replace(known=replaced(number=8), agent_pool=made(-9999)), "before"),
    "kept, but ARM's pool is older than the replacement": (
        CLAIM._replace(known=replaced(60), agent_pool=made(-9999)),
        "before the ARM pool",
    ),
    "kept for a generation that ended too": (
        CLAIM._replace(
            agent_pool=made(-9999),
            known=replaced(-120).with_recorded("2026-06-01T11:00:00Z", PRIME, RecordedAgentPool(9, Proof.CREATED)),
        ),
        "before the ARM pool",
    ),
    "approved for an earlier generation": (
        CLAIM._replace(known=approved(EARLIER, -9999), agent_pool=made(-9999)),
        "before the ARM pool",
    ),
    "another id is approved": (CLAIM._replace(known=approved(number=8), agent_pool=made(-9999)), "before"),
    "approved while there was no pool, for the one that came first": (
        CLAIM._replace(
            agent_pool=made(-9999),
            known=approved(None, -120, known=NOTHING.with_recorded(
                "2026-06-01T11:00:00Z", PRIME, RecordedAgentPool(9, Proof.CREATED))),
        ),
        "before the ARM pool",
    ),
    "recorded by an approval that was taken back": (
        CLAIM._replace(known=recorded(proof=Proof.APPROVED), agent_pool=made(-9999)),
        "recorded by approval alone",
    ),
    "approved, and the policy does not allow it": (
        CLAIM._replace(known=approved(), agent_pool=made(-9999), allows=lambda _: False),
        f"the policy's agentPools does not allow {PRIME}/{POOL}#7",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNPROVEN)
def test_an_agent_pool_waits_for_the_owner_where_a_proof_is_missing(case: str) -> None:
    claim, said = UNPROVEN[case]
    found = judge(claim)
    assert found.verdict is Verdict.MISSING
    assert said in found.reason


WAITING: dict[str, Claim] = {
    "created by now": CLAIM._replace(document=document(state="Provisioning")),
    "accepted by now": CLAIM._replace(document=document(state="Accepted")),
    "the organization is not listed yet": CLAIM._replace(organization="fabrikam-tailspin"),
    "a pool of GitHub by now": CLAIM._replace(document=document(profile={"kind": "GitHub"})),
}


@pytest.mark.parametrize("case", WAITING)
def test_what_arm_does_not_say_yet_is_waited_for(case: str) -> None:
    found = judge(WAITING[case])
    assert (found.verdict, found.approvable) == (Verdict.WAITS, True)
    assert "approve" not in found.message(POOL)


@pytest.mark.parametrize("policy", [True, False])
def test_the_policy_is_asked_only_where_a_proof_is_missing(policy: bool) -> None:
    asked: list[str] = []

    def allows(name: str) -> bool:
        asked.append(name)
        return policy

    judge(CLAIM._replace(allows=allows))
    judge(CLAIM._replace(allows=allows, known=recorded()))
    assert asked == []
    assert judge(CLAIM._replace(allows=allows, known=approved(), agent_pool=made(-99))).verdict is (
        Verdict.OWN if policy else Verdict.MISSING
    )
    assert set(asked) == {f"{PRIME}/{POOL}#7"}


def test_a_finding_says_which_proof_is_missing_and_what_the_owner_runs() -> None:
    found = judge(CLAIM._replace(agent_pool=made(-60)))
    assert found.message(POOL) == (
        "fabrikam-prime: agent pool fabrikam-pool (id 7) is not proven to be pool fabrikam-pool's own: it was created "
        "2026-06-01T11:00:00Z, before the ARM pool (2026-06-01T12:00:00Z); if it is, the owner runs "
        "`mdp-reconciler approve fabrikam-pool --agent-pool fabrikam-prime/7`"
    )
    hosted = judge(CLAIM._replace(agent_pool=pool(hosted=True)))
    assert "approve" not in hosted.message(POOL)


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (CLAIM, Verdict.NOT_CHECKED),
        (CLAIM._replace(agent_pool=made(-99)), Verdict.NOT_CHECKED),
        (CLAIM._replace(agent_pool=pool(hosted=True)), Verdict.MISSING),
        (CLAIM._replace(document=None), Verdict.MISSING),
        (CLAIM._replace(organization="fabrikam-tailspin"), Verdict.WAITS),
    ],
)
def test_a_plan_without_state_checks_what_needs_none(claim: Claim, verdict: Verdict) -> None:
    found = judge(claim._replace(known=Unknown("not checked: no state"), checked=False))
    assert found.verdict is verdict


def test_the_owner_of_an_agent_pool_is_read_only_where_it_decides() -> None:
    def read() -> str:
        raise AssertionError("read")

    quiet: list[Callable[[], Ownership]] = [
        lambda: judge(CLAIM._replace(owner=read, known=recorded())),
        lambda: judge(CLAIM._replace(owner=read, known=Unknown("x"))),
        lambda: judge(CLAIM._replace(owner=read, document=None)),
    ]
    assert [check().verdict for check in quiet] == [Verdict.OWN, Verdict.MISSING, Verdict.MISSING]


def test_names_of_agent_pools_come_from_the_body() -> None:
    assert agent_pools_of(POOL, document()) == {PRIME: POOL}
    assert agent_pools_of(POOL, document(alias="A")) == {PRIME: "A"}
    assert agent_pools_of(POOL, document(profile={"alias": "B"})) == {PRIME: "B"}
    assert agent_pools_of(POOL, document(profile={"kind": "GitHub"})) == {}
    assert agent_pools_of(POOL, None) == {}


@pytest.mark.parametrize(
    ("created", "generation"),
    [
        ("2026-06-01T12:00:00.1234567Z", GENERATION),
        ("2026-06-01T14:00:00+02:00", GENERATION),
        ("yesterday", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_a_generation_is_the_second_of_the_creation(created: Json, generation: str) -> None:
    assert generation_of({"systemData": {"createdAt": created}}) == generation
    assert generation_of({"systemData": created}) == ""
