"""Whether an agent pool is provably the one of an ARM pool. Its name proves nothing: anyone may take a name.

Pure. The first row that applies decides; `Verdict.OWN` alone lets anything be written in Azure DevOps.

==============================================================================  ============
what is known                                                                   verdict
==============================================================================  ============
ARM holds no such pool                                                          missing
ARM does not list the organization (yet)                                        waits
the agent pool is hosted by the service: no approval helps                      missing
the records cannot be read                                                      missing
its id is recorded for this generation of the ARM pool                          own
another id is recorded for this generation, and no intent after it              missing
ARM is at work on a pool that was not seen `Succeeded` yet                      waits
the last operation failed or was cancelled, and nothing is recorded             missing
another pool has it                                                             missing
its name only looks like ARM's, in letters that are others                      missing
it outlived a deletion that the operator recorded in order to replace the pool  own
it appeared within a day after the operator recorded that it would be created   own
the organization's managed agent pools were seen with a mark that it lacks      missing
the services do not say when both were created                                  missing
it is older than the ARM pool, by more than the margin                          missing
it has an alias for a name, and is not as old as the ARM pool within an hour    missing
otherwise                                                                       own
==============================================================================  ============

What is missing, an approval of the deployment's owner replaces, where the policy allows it too (`agentPools`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from reconciler.documents import Json, moment, moment_of
from reconciler.ports.devops import AgentPool
from reconciler.safety import Unknown
from reconciler.safety.agent_pools import AgentPools
from reconciler.spec.names import organization_key
from reconciler.spec.principals import folded
from reconciler.spec.settled import state_of
from reconciler.survey.capabilities.marks import marks_of

MARGIN = timedelta(minutes=10)
"""How much older than its ARM pool an agent pool may be: clocks differ."""
ALIAS_WITHIN = timedelta(hours=1)
"""How far the creation of an agent pool that is named by an alias may be from that of the ARM pool."""
INTENT_WITHIN = timedelta(days=1)
"""How long after an intent the agent pool may appear; a creation takes minutes, and more than half an hour at times."""
_IN_MOTION = ("accepted", "provisioning", "updating", "deleting", "creating")


class Proof(StrEnum):
    """By what an agent pool is a pool's own; stored with its id."""

    CREATED = "created with the pool"
    INTENDED = "appeared after the operator recorded that it would be created"
    KEPT = "kept through the operator's own replacement of the pool"
    APPROVED = "approved by the owner"


class Verdict(StrEnum):
    """What follows for writes in Azure DevOps."""

    OWN = "own"
    WAITS = "waits"
    """ARM is expected to say it later; nothing is written meanwhile."""
    MISSING = "missing"
    """A proof is missing; a person has to act."""
    NOT_CHECKED = "not checked"
    """A plan without the deployment's state: it is not known what is recorded."""


class Ownership(NamedTuple):
    """What was found about one agent pool."""

    organization: str
    agent_pool: AgentPool
    generation: str
    """Of the ARM pool; empty where ARM does not say."""
    verdict: Verdict
    reason: str = ""
    """Which proof is missing, or what is waited for; one clause."""
    proof: Proof | None = None
    """For one that is own and not recorded yet: by what."""
    approvable: bool = True

    @property
    def place(self) -> str:
        """For people: ``fabrikam-prime: agent pool Production (id 7)``."""
        return f"{self.organization}: agent pool {self.agent_pool.name} (id {self.agent_pool.id})"

    def message(self, pool: str) -> str:
        """The finding, for people, with the remedy."""
        said = f"{self.place} is not proven to be pool {pool}'s own: {self.reason}"
        if self.verdict is not Verdict.MISSING or not self.approvable:
            return said
        return f"{said}; if it is, the owner runs {approval_command(pool, self.organization, self.agent_pool.id)}"


NOTHING_RECORDED = AgentPools()
"""What a plan without the deployment's state knows."""


class Claim(NamedTuple):
    """What the proofs are found in."""

    pool: str
    """Name of the ARM pool."""
    document: Mapping[str, Json] | None
    """Of the ARM pool, read in this run; None where there is none."""
    organization: str
    agent_pool: AgentPool
    known: AgentPools | Unknown
    owner: Callable[[], str]
    """Key of the pool that has the agent pool on record; called only where it decides."""
    allows: Callable[[str], bool] = lambda _: True
    """Whether the policy's `agentPools` allow ``organization/name#id``; called only where a proof is missing."""
    marks: frozenset[str] = frozenset()
    """Marks that `probe` saw on all agent pools of Managed DevOps Pools of the organization, and on no other."""
    margin: timedelta = MARGIN
    checked: bool = True
    """False: a plan without the deployment's state."""


def approval_command(pool: str, organization: str, number: int) -> str:
    """The command by which the owner approves an agent pool."""
    return f"`mdp-reconciler approve {pool} --agent-pool {organization}/{number}`"


def judge(claim: Claim) -> Ownership:
    """The verdict, with an approval in place of a proof that is missing."""
    if not claim.checked:
        return _without_state(claim)
    found = _proved(claim)
    if found.verdict is Verdict.OWN or not found.approvable:
        return found
    if isinstance(claim.known, Unknown) or claim.document is None or found.verdict is Verdict.WAITS:
        return found
    approved = approved_id(claim.known, claim.organization, claim.agent_pool.id, claim.document)
    if not approved:
        return found
    if not claim.allows(policy_name(claim.organization, claim.agent_pool)):
        name = policy_name(claim.organization, claim.agent_pool)
        reason = f"{found.reason}; the owner approved it, and the policy's agentPools does not allow {name}"
        return found._replace(reason=reason, approvable=False)
    return found._replace(verdict=Verdict.OWN, reason="", proof=Proof.APPROVED)


def _without_state(claim: Claim) -> Ownership:
    """What shows without records: it may be otherwise where something is recorded."""
    found = _proved(claim if claim.known is NOTHING_RECORDED else claim._replace(known=NOTHING_RECORDED))
    unknown = found.verdict is Verdict.OWN or (found.approvable and claim.document is not None)
    if found.verdict is Verdict.WAITS or not unknown:
        return found
    return found._replace(verdict=Verdict.NOT_CHECKED, proof=None)


def approved_id(known: AgentPools, organization: str, number: int, document: Mapping[str, Json] | None) -> bool:
    """Whether the owner approved the agent pool for the generation that ARM holds; None: for the one to come.

    An approval that was given while ARM held no such pool is for the first generation after it.
    """
    generation, created = generation_of(document), created_at(document)
    for one in known.approval(organization, number):
        if document is None:
            if one.generation is None:
                return True
        elif one.generation == generation or (
            one.generation is None and created is not None and created >= one.at - MARGIN
            and not _lived_between(known, one.at, (generation,))
        ):  # fmt: skip
            return True
    return False


def policy_name(organization: str, agent_pool: AgentPool) -> str:
    """How the policy names an agent pool: ``organization/name#id``."""
    return f"{organization}/{agent_pool.name}#{agent_pool.id}"


def agent_pools_of(name: str, document: Mapping[str, Json] | None) -> dict[str, str]:
    """Organization → name of its agent pool, as an ARM body has them; empty for a pool of GitHub."""
    profile = ((document or {}).get("properties") or {}).get("organizationProfile") or {}
    if profile.get("kind", "AzureDevOps") != "AzureDevOps":
        return {}
    return {
        organization_key(str(one.get("url") or "")): str(one.get("alias") or profile.get("alias") or name)
        for one in profile.get("organizations") or ()
    }


def generation_of(document: Mapping[str, Json] | None) -> str:
    """The generation of an ARM pool: the second of its creation; empty where ARM does not say."""
    created = created_at(document)
    return "" if created is None else moment(created.replace(microsecond=0))


def created_at(document: Mapping[str, Json] | None) -> datetime | None:
    """`systemData.createdAt` of an ARM pool; None where ARM does not say."""
    system = (document or {}).get("systemData")
    return moment_of(system.get("createdAt")) if isinstance(system, Mapping) else None


# --- the table -----------------------------------------------------------------------------------------------


def _proved(claim: Claim) -> Ownership:
    rows = (_not_there, _on_record, _not_settled, _of_another_pool, _look_alike, _by_the_operator)
    for row in rows:
        if (found := row(claim)) is not None:
            return found
    reason = _without_record(claim)
    return _missing(claim, reason) if reason else _own(claim, Proof.CREATED)


def _not_there(claim: Claim) -> Ownership | None:
    if claim.agent_pool.hosted:
        return _missing(claim, "it is hosted by Azure DevOps")._replace(approvable=False)
    if claim.document is None:
        return _missing(claim, "ARM holds no such pool")
    if claim.organization not in agent_pools_of(claim.pool, claim.document):
        return _waits(claim, "ARM does not list the organization for the pool yet")
    return None


def _on_record(claim: Claim) -> Ownership | None:
    if isinstance(claim.known, Unknown):
        return _missing(claim, claim.known.reason)
    generation = generation_of(claim.document)
    recorded = claim.known.recorded(generation, claim.organization)
    if recorded is None or (recorded.id != claim.agent_pool.id and _intended(claim.known, claim)):
        return None  # an intent that is left is younger than the record
    if recorded.id != claim.agent_pool.id:
        return _missing(claim, f"id {recorded.id} is recorded for the pool that was created {generation or 'once'}")
    if recorded.proof == Proof.APPROVED:  # `judge` reads the approval and the policy again
        return _missing(claim, "its id is recorded by approval alone")
    return _own(claim)


def _not_settled(claim: Claim) -> Ownership | None:
    if claim.agent_pool.hosted is None:
        return _missing(claim, "Azure DevOps does not say whether it is hosted")
    state = state_of(claim.document)
    if state.casefold() == "succeeded":
        return None
    reason = f"ARM has not reported the pool as Succeeded yet (provisioningState {state or 'not given'})"
    return _waits(claim, reason) if state.casefold() in _IN_MOTION else _missing(claim, reason)


def _of_another_pool(claim: Claim) -> Ownership | None:
    owner = claim.owner()
    if owner in ("", claim.pool.casefold()):
        return None
    return _missing(claim, f"it is recorded as pool {owner}'s")


def _look_alike(claim: Claim) -> Ownership | None:
    """Names of agent pools are chosen by others; one that was renamed is found by its id, and has another name."""
    name, given = claim.agent_pool.name, _given_name(claim)
    if name.casefold() != given.casefold() or folded(name) == folded(given):
        return None
    return _missing(claim, f"its name {name!a} only looks like {given!a}")._replace(approvable=False)


def _given_name(claim: Claim) -> str:
    """What ARM calls the agent pool; `_not_there` comes first, so ARM lists the organization."""
    return agent_pools_of(claim.pool, claim.document)[claim.organization]


def _by_the_operator(claim: Claim) -> Ownership | None:
    if isinstance(claim.known, Unknown):
        return None
    if _kept(claim.known, claim):
        return _own(claim, Proof.KEPT)
    return _own(claim, Proof.INTENDED) if _intended(claim.known, claim) else None


def _missing(claim: Claim, reason: str) -> Ownership:
    return Ownership(claim.organization, claim.agent_pool, generation_of(claim.document), Verdict.MISSING, reason)


def _waits(claim: Claim, reason: str) -> Ownership:
    return Ownership(claim.organization, claim.agent_pool, generation_of(claim.document), Verdict.WAITS, reason)


def _own(claim: Claim, proof: Proof | None = None) -> Ownership:
    return Ownership(claim.organization, claim.agent_pool, generation_of(claim.document), Verdict.OWN, proof=proof)


def _without_record(claim: Claim) -> str:
    """Which proof is missing by marks and moments of creation; empty where none is."""
    lacking = sorted(claim.marks - marks_of(claim.agent_pool.facts or {}))
    if lacking:
        return f"agent pools of Managed DevOps Pools have {' and '.join(lacking)} in this organization, and it has not"
    created, made = created_at(claim.document), claim.agent_pool.created_on
    if created is None:
        return "ARM does not say when the pool was created (systemData.createdAt)"
    if made is None:
        return "Azure DevOps does not say when it was created (createdOn)"
    if made < created - claim.margin:
        return f"it was created {_seconds(made)}, before the ARM pool ({_seconds(created)})"
    name = _given_name(claim)
    if folded(name) != folded(claim.pool) and abs(made - created) > ALIAS_WITHIN:
        return (
            f"its name is an alias, and it was created {_seconds(made)}, more than an hour from the ARM pool "
            f"({_seconds(created)})"
        )
    return ""


def _kept(known: AgentPools, claim: Claim) -> bool:
    """Whether it was the pool's own when the operator began to replace the pool, and ARM's pool is the new one."""
    created, generation = created_at(claim.document), generation_of(claim.document)
    return created is not None and any(
        one.ids.get(claim.organization) == claim.agent_pool.id
        and one.generation != generation
        and created >= one.at - claim.margin
        and not _lived_between(known, one.at, (generation, one.generation))
        for one in known.replacements
    )


def _lived_between(known: AgentPools, at: datetime, besides: tuple[str, ...]) -> bool:
    """Whether another generation began after that moment: what was said then was said of that one."""
    moments = (moment_of(other) for other in known.ids if other not in besides)
    return any(created is not None and created > at for created in moments)


def _intended(known: AgentPools, claim: Claim) -> bool:
    """Whether it appeared after the operator recorded that none had the name, and that ARM would create it."""
    intent, made = known.intent(claim.organization), claim.agent_pool.created_on
    name = _given_name(claim)
    if intent is None or made is None or intent.agent_pool.casefold() != name.casefold():
        return False
    created = created_at(claim.document)
    of_this_pool = intent.generation == generation_of(claim.document)
    if not intent.generation and created is not None:
        # The pool did not exist then: ARM's moment of creation has to be that of the intent.
        of_this_pool = abs(created - intent.at) <= claim.margin
    return of_this_pool and -claim.margin <= made - intent.at <= INTENT_WITHIN


def _seconds(time: datetime) -> str:
    return moment(time.replace(microsecond=0))
