"""What would be done to one pool: every facet observed, every guard called, in the order of application.

A planner holds readers and nothing that could write, so planning cannot become applying by a wrong flag. It knows no
facet by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol, TypeAlias

from reconciler.engine.facet import Facet
from reconciler.engine.ownership import NAME, Claims, OwnershipCheck, OwnershipRules, Restriction, ThisRun, unchecked
from reconciler.engine.proofs import MARGIN, agent_pools_of
from reconciler.errors import Forbidden, Moved, NotReady, ReconcilerError, Transient
from reconciler.plan import guards, order
from reconciler.plan.caps import NOTHING_SPENT, CapCheck
from reconciler.plan.following import awaited_by, with_what_follows
from reconciler.plan.model import Change, Gap, GapKind, Plan, Refusal, Remark, in_order
from reconciler.plan.policy import Policy
from reconciler.plan.targets import CreatePool, DirectoryEntry, NewQueue, ReplacePool
from reconciler.ports.clock import Clock
from reconciler.ports.readers_writers import Readers
from reconciler.spec.model import Spec
from reconciler.spec.settled import settled
from reconciler.survey import ListEvidence, SharedSurvey, Survey
from reconciler.survey.capabilities import Beliefs
from reconciler.survey.demand import Demand
from reconciler.survey.evidence import Evidence
from reconciler.survey.forecast import Forecast
from reconciler.survey.memo import Memo
from reconciler.survey.operators import UNNAMED, OperatorNames
from reconciler.telemetry import NO_TELEMETRY, Telemetry

_CREATING = (CreatePool, ReplacePool, NewQueue, DirectoryEntry)
AnyFacet: TypeAlias = Facet[Any, Any]
"""The engine carries desired and observed from one promise of a facet to the next, and never parts inside."""


class PlanGuard(Protocol):
    """Refuses changes of a whole plan; see `reconciler.plan.guards.refuse`."""

    def __call__(
        self, spec: Spec, changes: Sequence[Change], policy: Policy, *, today: date | None = None
    ) -> Sequence[Refusal]:
        """Every change that may not be done, with the first rule that says so."""


@dataclass(slots=True)
class _FacetPlan:
    """One facet's part of a plan that is being made."""

    facet: AnyFacet
    observed: Any = None
    allowed: list[Change] = field(default_factory=list)
    gaps: tuple[Gap, ...] = ()
    remarks: tuple[Remark, ...] = ()


class Planner:
    """Plans. See `reconciler.engine.Reconciler` for what is done with a plan."""

    def __init__(
        self,
        facets: Sequence[AnyFacet],
        readers: Readers,
        policy: Policy,
        clock: Clock,
        *,
        refuse: PlanGuard = guards.refuse,
        margin: timedelta | None = MARGIN,
        believe: Callable[[datetime], Mapping[str, Beliefs]] = lambda _: {},
        operators: OperatorNames = UNNAMED,
        telemetry: Telemetry = NO_TELEMETRY,
        evidence: Evidence | None = None,
    ) -> None:
        """`believe`: by organization, the capabilities that `probe` found and that still count.

        `margin`: how much older than its ARM pool an agent pool may be; None: nothing is written to agent pools.
        `operators`: whom no run may lock out. `evidence`: facts that outlive a batch; None: each batch has its own.
        """
        self.facets = tuple(facets)
        self._names = tuple(facet.name for facet in self.facets)
        self.readers = readers
        self.policy = policy
        self.clock = clock
        self.operators = operators
        self.telemetry = telemetry
        self.evidence = evidence
        self._believe = believe
        self.policy_digest = policy.digest
        """Of the whole policy: what a command leaves out of it for one run is no other policy."""
        self._refuse = refuse
        self._margin = margin

    def survey(
        self,
        specs: Iterable[Spec],
        evidence: Mapping[str, ListEvidence] | None = None,
        *,
        sample: int = 1,
        demand: Demand | None = None,
    ) -> SharedSurvey:
        """The shared reads of a batch; `evidence` by organization, where it is stored.

        `demand`: how fresh facts that are known already have to be; None: everything is read.
        """
        batch, known = tuple(specs), self.evidence
        view = None if known is None else known.view(batch, demand)
        until = None if demand is None else demand.until
        memo = Memo(self.clock.now, view, lambda: until is not None and self.clock.monotonic() >= until)
        made = SharedSurvey.about(self.readers, batch, evidence, sample=sample, memo=memo, known=known)
        made.requested = None if demand is None else demand.put
        return made.believing(self._believe(self.clock.now()), self.operators)

    def ownership(self, spec: Spec, survey: Survey, claims: Claims) -> OwnershipCheck:
        """The check whose the agent pools of a spec are, on what was read for its plan."""
        return self._ownership(of_this_run(spec, survey), survey, claims)

    def _ownership(self, run: ThisRun, survey: Survey, claims: Claims) -> OwnershipCheck:
        beliefs = self._believe(self.clock.now())
        marks = {one.name: beliefs[one.name].marks for one in run.spec.organizations if one.name in beliefs}
        rules = OwnershipRules(self._margin or MARGIN, marks)
        return OwnershipCheck(run, survey, claims, self.policy, rules)

    def plan(
        self,
        spec: Spec,
        survey: Survey,
        revision: str,
        claims: Claims | None = None,
        *,
        caps: CapCheck = NOTHING_SPENT,
    ) -> Plan:
        """Compare both planes with the spec. `claims`: None where no state of the deployment is read.

        A facet that cannot be read becomes a gap, and nothing is planned on it; one that cannot be parsed
        (`SpecInvalid`) leaves no plan at all.
        """
        with self.telemetry.span("plan", attributes={"reconciler.pool": spec.key}) as span:
            plan = self._plan(spec, survey, revision, claims or unchecked(), caps)
            if plan.approvable:
                whole = self._plan(spec, survey, revision, claims or unchecked(), caps.lifted())
                plan = with_what_follows(plan, whole, self._names)
            changes = plan.all_changes
            if changes and (text := caps.unchecked(changes, self.policy.for_pool(spec.name))):
                plan = replace(plan, remarks=tuple(sorted({*plan.remarks, Remark("policy", spec.name, text)})))
            span.set("reconciler.planned", len(changes))
            span.set("reconciler.gaps", len(plan.gaps))
            if plan.refusals:
                span.set("reconciler.refused", len(plan.refusals))
                span.set("reconciler.rules", " ".join(sorted({refusal.rule for refusal in plan.refusals})))
            return plan

    def _plan(self, spec: Spec, survey: Survey, revision: str, claims: Claims, caps: CapCheck) -> Plan:
        now = self.clock.now()
        run = of_this_run(spec, survey)
        spec = run.spec
        desired = [(facet, facet.parse(spec, now)) for facet in self.facets]
        parts = [_facet_plan(facet, spec, one, survey) for facet, one in desired if one is not None]
        refusals = self._guarded(spec, parts, now, caps)
        owned = self._restriction(run, survey, claims, parts)
        refusals += _restricted(parts, owned)
        following: tuple[Change, ...] = ()
        if _creates(parts):
            unread_ids = {change.id for change, error in owned.held if not isinstance(error, NotReady)}
            shown = unread_ids | {refusal.change.id for refusal in refusals}
            following, unfit = self._following(spec, desired, survey, parts, shown, caps=caps)
            refusals += unfit
        allowed = in_order([change for part in parts for change in part.allowed], self._names)
        unread = [gap_of(NAME, spec.name, owned.unread)] if owned.unread else []
        gaps = sorted({*owned.findings, *unread, *[gap for part in parts for gap in part.gaps]}, key=_gap_order)
        remarks = sorted({*owned.remarks, *[remark for part in parts for remark in part.remarks]})
        return Plan(
            spec.name,
            revision,
            allowed,
            self._in_order(refusals) if refusals else (),
            tuple(gaps),
            tuple(remarks),
            spec.blob,
            self.policy_digest,
            following,
        )

    def _in_order(self, refusals: Sequence[Refusal]) -> tuple[Refusal, ...]:
        by_change = {id(refusal.change): refusal for refusal in refusals}
        refused = in_order([refusal.change for refusal in refusals], self._names)
        return tuple([by_change[id(change)] for change in refused])

    def _restriction(self, run: ThisRun, survey: Survey, claims: Claims, parts: Sequence[_FacetPlan]) -> Restriction:
        if self._margin is None:
            return Restriction()
        return self._ownership(run, survey, claims).restrict([change for part in parts for change in part.allowed])

    def _following(
        self,
        spec: Spec,
        desired: Sequence[tuple[AnyFacet, Any]],
        survey: Survey,
        parts: Sequence[_FacetPlan],
        not_allowed: Collection[str],
        *,
        caps: CapCheck,
    ) -> tuple[tuple[Change, ...], list[Refusal]]:
        """What follows from the allowed changes, as it will be planned then; and what is refused of it.

        `not_allowed`: ids of changes that are refused, or left out since it is not known whether they may be written.

        The facets run again on a forecast of what the changes create, until nothing more follows: a pool, then its
        queues, then their access. What is refused in one round may be allowed in the next (an administrator first).
        """
        now = self.clock.now()
        planned = [change for part in parts for change in part.allowed]
        shown = {change.id for change in planned} | {*not_allowed}
        following: tuple[Change, ...] = ()
        while True:
            view = Forecast(survey, spec, [*planned, *following])
            later = [_facet_plan(facet, spec, one, view) for facet, one in desired if one is not None]
            for part in later:
                part.allowed = [_awaiting(change) for change in part.allowed if change.id not in shown]
            refused = self._guarded(spec, later, now, caps, beside=(*planned, *following))
            more = in_order([_awaiting(change) for part in later for change in part.allowed], self._names)
            if not more:
                _foresee(parts, later)
                return following, refused
            shown |= {change.id for change in more}
            following += more

    def _guarded(
        self, spec: Spec, parts: Sequence[_FacetPlan], now: datetime, caps: CapCheck, beside: Sequence[Change] = ()
    ) -> list[Refusal]:
        """Call all guards until none refuses any more: a refused grant may have been what made a removal safe.

        `beside`: changes that are allowed already, and count where a rule compares or counts the whole plan.
        """
        refusals: list[Refusal] = []
        if not [part for part in parts if part.allowed]:
            return refusals
        policy = self.policy.for_pool(spec.name)
        known = set(map(id, beside))
        while True:
            left = [part for part in parts if part.allowed]
            if not left:
                return refusals
            found = [r for part in left for r in part.facet.guard(part.observed, tuple(part.allowed), policy)]
            if not found:
                allowed = [*beside, *(change for part in parts for change in part.allowed)]
                found = list(self._refuse(spec, allowed, policy, today=now.date()))
                found = [one for one in found if not (one.approvable and caps.approved(one.change))]
                found = [refusal for refusal in found if id(refusal.change) not in known]
            if not found:
                found = [*_elsewhere(parts), *_unread(parts)]
                if found:
                    refusals += _strike(parts, found)
                    continue
                found = _in_order_of_grants(parts, refusals)
            if not found:
                allowed = [*beside, *(change for part in parts for change in part.allowed)]
                found = [one for one in caps.refusals(spec.name, allowed, policy) if id(one.change) not in known]
            if not found:
                return refusals
            refusals += _strike(parts, found)


def _creates(parts: Sequence[_FacetPlan]) -> bool:
    """Whether anything may follow: something is created, or is waited for."""
    return any(isinstance(change.target, _CREATING) for part in parts for change in part.allowed) or any(
        gap.kind is GapKind.NOT_READY and not gap.bounded for part in parts for gap in part.gaps
    )


def _foresee(parts: Sequence[_FacetPlan], later: Sequence[_FacetPlan]) -> None:
    """Mark what is not ready and will be, by what the plan does."""
    left = {(gap.facet, gap.subject, gap.reason) for part in later for gap in part.gaps}
    for part in parts:
        part.gaps = tuple(
            replace(gap, foreseen=gap.kind is GapKind.NOT_READY and (gap.facet, gap.subject, gap.reason) not in left)
            for gap in part.gaps
        )


def _awaiting(change: Change) -> Change:
    return replace(change, awaits=awaited_by(change))


def _restricted(parts: Sequence[_FacetPlan], owned: Restriction) -> list[Refusal]:
    """Take out what is not on an own agent pool: as a refusal, or where that is not known yet, with a gap."""
    if owned.held:
        held = {change.id: error for change, error in owned.held}
        for part in parts:
            gaps = [gap_of(part.facet.name, _place(one), held[one.id]) for one in part.allowed if one.id in held]
            part.gaps += tuple(dict.fromkeys(gaps))
            part.allowed = [change for change in part.allowed if change.id not in held]
    return _strike(parts, owned.refusals) if owned.refusals else []


def _place(change: Change) -> str:
    return change.place.organization if change.place is not None else change.subject


def _in_order_of_grants(parts: Sequence[_FacetPlan], refused: Sequence[Refusal]) -> list[Refusal]:
    """Let what takes roles away await the grants of its place; returns what is refused for them."""
    kinds = {part.facet.name: part.facet.grants_on for part in parts if part.facet.grants_on is not None}
    allowed = [change for part in parts for change in part.allowed]
    grants = order.RoleGrants(kinds, allowed, refused, [gap for part in parts for gap in part.gaps])
    found: list[Refusal] = []
    for part in parts:
        results = [(change, grants.ordered(change)) for change in part.allowed]
        found += [one for _, one in results if isinstance(one, Refusal)]
        part.allowed = [change if isinstance(one, Refusal) else one for change, one in results]
    return found


def _elsewhere(parts: Sequence[_FacetPlan]) -> list[Refusal]:
    """Nothing is written for a pool that is not where the spec says: another spec may have it by now."""
    moved = [gap for part in parts for gap in part.gaps if gap.reason == Moved.__name__]
    return [
        Refusal(change, "moved", f"{change.subject}: nothing is written: {moved[0].message}")
        for part in parts
        for change in part.allowed
        if moved
    ]


def of_this_run(spec: Spec, survey: Survey) -> ThisRun:
    """The spec with what ARM has where it is silent, and with ARM's names of agent pools, whatever the spec says.

    Where ARM cannot be read the spec stays silent, which is a gap, and no agent pool is its own.
    """
    try:
        document = survey.arm_pool(spec)
    except ReconcilerError as error:
        return ThisRun(spec, error)
    return ThisRun(settled(spec, document, agent_pools_of(spec.name, document)), document)


def _unread(parts: Sequence[_FacetPlan]) -> list[Refusal]:
    """Nothing is destroyed while anything about the pool is unread: what would be lost is not known."""
    gaps = sorted({gap for part in parts for gap in part.gaps}, key=_gap_order)
    message = "nothing is deleted while something about the pool cannot be read"
    return [
        Refusal(change, "unseen", f"{change.subject}: {message}: {gaps[0].message}")
        for part in parts
        for change in part.allowed
        if gaps and change.destroys
    ]


def _strike(parts: Sequence[_FacetPlan], found: Sequence[Refusal]) -> list[Refusal]:
    """Take the refused changes out, with the first refusal of each. Refusing what is not there is a bug of a guard."""
    first: dict[str, Refusal] = {}
    for refusal in found:
        first.setdefault(refusal.change.id, refusal)
    struck = []
    for part in parts:
        struck += [
            Refusal(change, first[change.id].rule, first[change.id].message)
            for change in part.allowed
            if change.id in first
        ]
        part.allowed = [change for change in part.allowed if change.id not in first]
    if not struck:
        raise AssertionError(f"guard refused what was not planned: {sorted(first)}")
    return struck


def _facet_plan(facet: AnyFacet, spec: Spec, desired: Any, survey: Survey) -> _FacetPlan:
    try:
        seen = facet.observe(spec, desired, survey)
        return _FacetPlan(facet, seen.value, list(facet.diff(desired, seen.value)), seen.gaps, seen.remarks)
    except ReconcilerError as error:
        return _FacetPlan(facet, gaps=(gap_of(facet.name, "", error),))


def gap_of(facet: str, subject: str, error: ReconcilerError) -> Gap:
    """A failed read as a gap: it does not exist yet, it is not known, or an administrator has to act."""
    if isinstance(error, NotReady):
        kind = GapKind.NOT_READY
    elif isinstance(error, Transient | Forbidden):
        kind = GapKind.UNKNOWN
    else:
        kind = GapKind.DEGRADED
    return Gap(facet, subject, kind, error.reason, str(error), error.retry_after)


def _gap_order(gap: Gap) -> tuple[str, str, str, str, str]:
    return gap.facet, gap.subject, gap.kind, gap.reason, gap.message
