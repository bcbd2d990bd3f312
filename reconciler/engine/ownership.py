"""What of a plan may be written, by whose its agent pools are; and what is recorded of them before anything is.

The planner calls `restrict` after all guards. In Azure DevOps nothing is written but on an agent pool that is provably
the pool's own (`reconciler.engine.proofs`), and ARM is not asked for an agent pool under a name that another one has.
What is refused stays in the plan as a refusal; what may be allowed later is left out, with a gap in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

from reconciler.documents import Json
from reconciler.engine.proofs import (
    MARGIN,
    NOTHING_RECORDED,
    Claim,
    Ownership,
    Proof,
    Verdict,
    agent_pools_of,
    approval_command,
    approved_id,
    generation_of,
    judge,
    policy_name,
)
from reconciler.errors import NotFound, NotReady, ReconcilerError, Unavailable
from reconciler.plan.model import Change, Gap, GapKind, Refusal, Remark
from reconciler.plan.policy import Policy, allows
from reconciler.plan.targets import AgentPoolPlace, CreatePool, NewQueue, QueuePlace, ReplacePool, UpdatePool
from reconciler.ports.clock import Clock
from reconciler.ports.devops import AgentPool
from reconciler.safety import Safety, SafetyFacts, Unknown
from reconciler.safety.agent_pools import AgentPools, CreationIntent, RecordedAgentPool, Replacement
from reconciler.safety.facts import NOT_CHECKED
from reconciler.spec.model import Spec
from reconciler.survey import Survey

NAME = "ownership"
"""In the place of a facet's name, in findings."""
NOT_OWN, TAKEN = "agent-pool-not-own", "agent-pool-taken"


class Claims:
    """What one run knows of the agent pools of its pool, and what it records of them."""

    def __init__(
        self, facts: SafetyFacts, safety: Safety | None = None, *, owner: Callable[[str, int], str] | None = None
    ) -> None:
        """`safety`: where it is recorded; None: this run belongs to no deployment, or only plans.

        `owner`: reads the pool that has an agent pool, for a plan without `safety`.
        """
        self.known: AgentPools | Unknown = facts.agent_pools
        self.stopped = facts.modes.deployment.unknown is not None
        """Whether nothing at all may be written, since no fact can be read: that is a finding of its own."""
        self.checked = facts.checked and not self.stopped
        self._safety = safety
        self._owner = safety.owner_of_agent_pool if safety is not None else owner
        self._failed: dict[str, ReconcilerError] = {}

    def owner(self, organization: str, number: int) -> str:
        """Key of the pool that has the agent pool on record; empty where none has, or none is known."""
        return self._owner(organization, number) if self._owner is not None and self.checked else ""

    def record(self, spec: Spec, found: Iterable[Ownership]) -> None:
        """Record the ids of agent pools that were proven and are not recorded yet.

        An error is kept until something is to be written there (`require`); without writes the next run tries again.
        """
        for one in found:
            if self._safety is None or isinstance(self.known, Unknown) or one.proof is None:
                continue
            new = RecordedAgentPool(one.agent_pool.id, one.proof.value)
            recorded = self.known.recorded(one.generation, one.organization)
            if recorded is not None and recorded.id == new.id:
                continue
            try:
                self._safety.record_agent_pool(spec.key, one.generation, one.organization, new)
            except ReconcilerError as error:
                self._failed[one.organization] = error
            else:
                self._failed.pop(one.organization, None)
                self.known = self.known.with_recorded(one.generation, one.organization, new)

    def before_write(self, change: Change, spec: Spec, survey: Survey, clock: Clock) -> None:
        """Record what a write to ARM is about to do to agent pools.

        Raises where that, or the id of the agent pool that the change is about, is not on record: nothing is written.
        """
        if isinstance(self.known, Unknown):
            raise Unavailable(self.known.reason)
        if change.place is not None and change.place.organization in self._failed:
            raise self._failed[change.place.organization]
        if self._safety is None:
            return
        match change.target:
            case ReplacePool():
                generation = generation_of(survey.arm_pool(spec))
                ids = {name: one.id for name, one in self.known.ids.get(generation, {}).items()}
                ended = Replacement(generation, ids, clock.now())
                self._safety.replace_agent_pools(spec.key, ended)
                self.known = self.known.with_replacement(ended)
            case CreatePool(body=body) | UpdatePool(body=body):
                document = survey.arm_pool(spec)
                for organization, name in _new_names(spec, body, document):
                    if _holder(survey, organization, name) is None:
                        intent = CreationIntent(organization, name, generation_of(document), clock.now())
                        self._safety.intend_agent_pool(spec.key, intent)
                        self.known = self.known.with_intent(intent)


def unchecked() -> Claims:
    """The claims of a plan without the deployment's state."""
    return Claims(NOT_CHECKED)


class OwnershipRules(NamedTuple):
    """What the deployment says of proofs."""

    margin: timedelta = MARGIN
    """How much older than its ARM pool an agent pool may be."""
    marks: Mapping[str, frozenset[str]] = MappingProxyType({})
    """Organization → marks that were seen on all agent pools of Managed DevOps Pools there, and on no other."""


class Restriction(NamedTuple):
    """What ownership takes out of a plan, and what it says of it."""

    refusals: tuple[Refusal, ...] = ()
    held: tuple[tuple[Change, ReconcilerError], ...] = ()
    """Changes that are left out of this plan, with what keeps it from being known whether they may be written."""
    findings: tuple[Gap, ...] = ()
    """One for each agent pool that an administrator has to look at; what is only waited for needs none."""
    unread: ReconcilerError | None = None
    """Why the records cannot be read."""
    remarks: tuple[Remark, ...] = ()


class ThisRun(NamedTuple):
    """What one run has read of its pool."""

    spec: Spec
    """With what ARM has where the spec is silent."""
    pool: Mapping[str, Json] | ReconcilerError | None
    """In ARM; the error that kept it from being read."""


class OwnershipCheck:
    """The check of one plan."""

    def __init__(self, run: ThisRun, survey: Survey, claims: Claims, policy: Policy, rules: OwnershipRules) -> None:
        self._spec, self._pool = run
        self._survey = survey
        self._claims = claims
        self._policy = policy
        self._rules = rules

    def found(self) -> dict[str, Ownership | ReconcilerError]:
        """By organization: whose its agent pool is, or why that is not known; one without agent pool is left out."""
        states: dict[str, Ownership | ReconcilerError] = {}
        for one in self._spec.organizations:
            try:
                state = self._found(one.name, one.agent_pool)
            except ReconcilerError as error:
                states[one.name] = error
            else:
                if state is not None:
                    states[one.name] = state
        return states

    def unrecorded(self) -> bool:
        """Whether an agent pool is proven to be the pool's own, and that is not on record."""
        return any(isinstance(one, Ownership) and one.proof is not None for one in self.found().values())

    def restrict(self, changes: Sequence[Change]) -> Restriction:
        """Refuse or hold back each change that is not on an own agent pool, and name what was found."""
        found = self.found()
        refusals: list[Refusal] = []
        held: list[tuple[Change, ReconcilerError]] = []
        for change in changes:
            try:
                problem = self._problem(change, found)
            except ReconcilerError as error:
                held.append((change, error))
            else:
                if problem is not None:
                    refusals.append(Refusal(change, *problem))
        findings, remarks = tuple(self._findings(found)), tuple(self._remarks(found))
        return Restriction(tuple(refusals), tuple(held), findings, self._unread() if found else None, remarks)

    # --- whose it is -----------------------------------------------------------------------------------------

    def _found(self, organization: str, name: str) -> Ownership | None:
        document = self._document()
        try:
            agent_pool = self._survey.agent_pool(organization, name)
        except NotReady:
            return None  # there is none, which the facets report
        claims = self._claims
        if (unread := self._unread()) is not None and not agent_pool.hosted:
            raise unread
        return judge(
            Claim(
                self._spec.name,
                document,
                organization,
                agent_pool,
                claims.known if claims.checked else NOTHING_RECORDED,
                lambda: claims.owner(organization, agent_pool.id),
                self._allows,
                self._rules.marks.get(organization, frozenset()),
                self._rules.margin,
                claims.checked,
            )
        )

    def _document(self) -> Mapping[str, Json] | None:
        """The ARM pool; None too where its resource group does not exist."""
        if isinstance(self._pool, ReconcilerError) and not isinstance(self._pool, NotFound):
            raise self._pool.with_traceback(None)
        return None if isinstance(self._pool, NotFound) else self._pool

    def _allows(self, name: str) -> bool:
        return allows(self._policy.for_pool(self._spec.name).agent_pools, name)

    # --- changes ---------------------------------------------------------------------------------------------

    def _problem(self, change: Change, found: Mapping[str, Ownership | ReconcilerError]) -> tuple[str, str] | None:
        """Rule and message of a refusal, None where it may be written; raises what keeps it from being known."""
        match change.target:
            case CreatePool(body=body) | UpdatePool(body=body):
                return self._taken(change, body)
            case ReplacePool(body=body):
                problem = next(filter(None, (self._not_own(change, found, one) for one in found)), None)
                return problem or self._taken(change, body, replaces=True)
        if change.place is None:
            return None
        return self._not_own(change, found, change.place.organization)

    def _not_own(
        self, change: Change, found: Mapping[str, Ownership | ReconcilerError], organization: str
    ) -> tuple[str, str] | None:
        state = found.get(organization)
        if isinstance(state, ReconcilerError):
            raise state
        if state is None:
            return NOT_OWN, f"{change.subject}: the agent pool of {organization} was not read"
        number = _agent_pool_id(change)
        if number not in (None, state.agent_pool.id):
            return NOT_OWN, f"{change.subject}: it is about agent pool {number}, and {state.place} was read"
        if state.verdict is Verdict.WAITS or (
            self._document() is None and self._may_take(organization, state.agent_pool)
        ):
            raise NotReady(f"{state.place}: {state.reason}; nothing is written there meanwhile")
        if state.verdict is Verdict.MISSING:
            return NOT_OWN, f"{change.subject}: nothing is written: {state.message(self._spec.name)}"
        return None

    def _taken(self, change: Change, body: Mapping[str, Json], *, replaces: bool = False) -> tuple[str, str] | None:
        """Refuse a write to ARM that would take the name of an agent pool that is not the pool's recorded one.

        `replaces`: an approval is for a generation, so one for the pool that is deleted does not let another one be
        created: the deletion is refused, not the creation after it.
        """
        for organization, name in _new_names(self._spec, body, self._document()):
            holder = _holder(self._survey, organization, name)
            if holder is None or self._may_take(organization, holder, approved=not replaces):
                continue
            said = f"{change.subject}: {organization} has an agent pool {holder.name} (id {holder.id})"
            if holder.hosted:
                return TAKEN, f"{said}, which is hosted by Azure DevOps: write another name or alias"
            if replaces:
                return TAKEN, f"{said}, which a pool that is created again cannot take: write another name or alias"
            command = approval_command(self._spec.name, organization, holder.id)
            return TAKEN, (
                f"{said}, which is not recorded as this pool's own: write another name or alias; or, if it is this "
                f"pool's, the owner runs {command}{self._denied(organization, holder)}"
            )
        return None

    def _denied(self, organization: str, agent_pool: AgentPool) -> str:
        name = policy_name(organization, agent_pool)
        return "" if self._allows(name) else f", and the policy's agentPools has to allow {name}"

    def _may_take(self, organization: str, agent_pool: AgentPool, *, approved: bool = True) -> bool:
        """Whether ARM may be asked to use this agent pool: it is recorded, was kept, or is approved."""
        known = self._claims.known
        if agent_pool.hosted:
            return False
        if isinstance(known, Unknown):
            if (unread := self._unread()) is not None:
                raise unread
            return True  # not checked, which a remark says
        document = self._document()
        recorded = known.recorded(generation_of(document), organization) if document is not None else None
        if recorded is not None and recorded.id == agent_pool.id and recorded.proof != Proof.APPROVED:
            return True
        if document is None and _last_replaced(known).get(organization) == agent_pool.id:
            return True
        if not approved or not approved_id(known, organization, agent_pool.id, document):
            return False
        return self._allows(policy_name(organization, agent_pool))

    # --- what is said ----------------------------------------------------------------------------------------

    def _unread(self) -> ReconcilerError | None:
        known = self._claims.known
        return Unavailable(known.reason) if isinstance(known, Unknown) and self._claims.checked else None

    def _findings(self, found: Mapping[str, Ownership | ReconcilerError]) -> Iterator[Gap]:
        for state in found.values():
            if isinstance(state, Ownership) and state.verdict is Verdict.MISSING and self._document() is not None:
                subject = f"{state.organization} {state.agent_pool.name}"
                message = f"{state.message(self._spec.name)}; nothing is written there"
                yield Gap(NAME, subject, GapKind.DEGRADED, NotFound.__name__, message)

    def _remarks(self, found: Mapping[str, Ownership | ReconcilerError]) -> Iterator[Remark]:
        if self._claims.stopped:
            return
        for state in found.values():
            if isinstance(state, Ownership) and state.verdict is Verdict.NOT_CHECKED and state.reason:
                message = f"{state.place}: {state.reason}; whether it is recorded as the pool's own is not checked"
                yield Remark(NAME, f"{state.organization} {state.agent_pool.name}", message)


# --- helpers -------------------------------------------------------------------------------------------------


def _new_names(spec: Spec, body: Mapping[str, Json], document: Mapping[str, Json] | None) -> Iterator[tuple[str, str]]:
    """Organization and name of each agent pool that a body has and the ARM pool has not."""
    there = agent_pools_of(spec.name, document)
    for organization, name in sorted(agent_pools_of(spec.name, body).items()):
        if there.get(organization, "").casefold() != name.casefold():
            yield organization, name


def _holder(survey: Survey, organization: str, name: str) -> AgentPool | None:
    """The agent pool that has this name now; raises where that cannot be read."""
    try:
        found = survey.agent_pool(organization, name)
    except NotReady:
        return None
    return found if found.name.casefold() == name.casefold() else None


def _last_replaced(known: AgentPools) -> Mapping[str, int]:
    """The agent pools of the generation that the operator deleted last, unless another one was recorded since."""
    last = known.replacements[-1:]
    return last[0].ids if last and not any(one > last[0].generation for one in known.ids) else {}


def _agent_pool_id(change: Change) -> int | None:
    match change.target:
        case NewQueue(pool_id=number):
            return number
    match change.place:
        case AgentPoolPlace(pool_id=number) | QueuePlace(pool_id=number):
            return number
    return None
