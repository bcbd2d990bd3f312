"""What would be done to one pool: every facet looked at, every guard asked, in the order of application.

A planner holds readers and nothing that could write, so planning cannot become applying by a wrong flag. It knows no
facet by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol, TypeAlias

from reconciler.engine.facet import Facet
from reconciler.errors import Forbidden, NotReady, ReconcilerError, Transient
from reconciler.plan import guards
from reconciler.plan.model import Change, Gap, GapKind, Plan, Refusal, Remark, in_order
from reconciler.plan.policy import Policy
from reconciler.ports.clock import Clock
from reconciler.ports.readers_writers import Readers
from reconciler.spec.model import Spec
from reconciler.survey import ListEvidence, SharedSurvey, Survey
from reconciler.survey.capabilities import Beliefs
from reconciler.telemetry import NO_TELEMETRY, Telemetry

AnyFacet: TypeAlias = Facet[Any, Any]
"""The engine carries desired and observed from one promise of a facet to the next, and never looks inside."""


class PlanGuard(Protocol):
    """Refuses changes of a whole plan; see `reconciler.plan.guards.refuse`."""

    def __call__(
        self, spec: Spec, changes: Sequence[Change], policy: Policy, *, today: date | None = None
    ) -> Sequence[Refusal]:
        """Every change that may not be done, with the first rule that says so."""


@dataclass(slots=True)
class _Look:
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
        believe: Callable[[datetime], Mapping[str, Beliefs]] = lambda _: {},
        telemetry: Telemetry = NO_TELEMETRY,
    ) -> None:
        """`refuse`: the lock behind every facet's own guard. `believe`: by organization, what `probe` found out."""
        self.facets = tuple(facets)
        self.readers = readers
        self.policy = policy
        self.clock = clock
        self.telemetry = telemetry
        self._believe = believe
        self._refuse = refuse

    def survey(
        self, specs: Iterable[Spec], evidence: Mapping[str, ListEvidence] | None = None, *, sample: int = 1
    ) -> SharedSurvey:
        """The shared reads of a batch; `evidence` by organization, as far as it is stored."""
        made = SharedSurvey.about(self.readers, specs, evidence, sample=sample)
        return made.believing(self._believe(self.clock.now()))

    def plan(self, spec: Spec, survey: Survey, revision: str) -> Plan:
        """Compare both planes with the spec.

        A facet that cannot be read becomes a gap, and nothing is planned on it; one that cannot be parsed
        (`SpecInvalid`) leaves no plan at all.
        """
        with self.telemetry.span("plan", attributes={"reconciler.pool": spec.key}) as span:
            plan = self._plan(spec, survey, revision)
            span.set("reconciler.planned", len(plan.changes))
            span.set("reconciler.gaps", len(plan.gaps))
            if plan.refusals:
                span.set("reconciler.refused", len(plan.refusals))
                span.set("reconciler.rules", " ".join(sorted({refusal.rule for refusal in plan.refusals})))
            return plan

    def _plan(self, spec: Spec, survey: Survey, revision: str) -> Plan:
        now = self.clock.now()
        desired = [(facet, facet.parse(spec, now)) for facet in self.facets]
        looks = [_look(facet, spec, wish, survey) for facet, wish in desired if wish is not None]
        refusals = self._guarded(spec, looks, now)
        names = [facet.name for facet in self.facets]
        allowed = in_order([change for look in looks for change in look.allowed], names)
        gaps = sorted({gap for look in looks for gap in look.gaps}, key=_gap_order)
        by_change = {id(refusal.change): refusal for refusal in refusals}
        refused = in_order([refusal.change for refusal in refusals], names)
        remarks = sorted({remark for look in looks for remark in look.remarks})
        refusals_in_order = tuple(by_change[id(change)] for change in refused)
        return Plan(spec.name, revision, allowed, refusals_in_order, tuple(gaps), tuple(remarks))

    def _guarded(self, spec: Spec, looks: Sequence[_Look], now: datetime) -> list[Refusal]:
        """Ask all guards until none refuses any more: a refused grant may have been what made a removal safe."""
        refusals: list[Refusal] = []
        while True:
            asked = [look for look in looks if look.allowed]
            if not asked:
                return refusals
            found = [r for look in asked for r in look.facet.guard(look.observed, tuple(look.allowed), self.policy)]
            if not found:
                allowed = [change for look in looks for change in look.allowed]
                found = list(self._refuse(spec, allowed, self.policy, today=now.date()))
            if not found:
                return refusals + _strike(looks, _blind(looks)) if _blind(looks) else refusals
            refusals += _strike(looks, found)


def _blind(looks: Sequence[_Look]) -> list[Refusal]:
    """Nothing is destroyed while anything about the pool is unseen: whoever looks away does not know what is lost."""
    gaps = sorted({gap for look in looks for gap in look.gaps}, key=_gap_order)
    message = "nothing is deleted while something about the pool cannot be seen"
    return [
        Refusal(change, "unseen", f"{change.subject}: {message}: {gaps[0].message}")
        for look in looks
        for change in look.allowed
        if gaps and change.destroys
    ]


def _strike(looks: Sequence[_Look], found: Sequence[Refusal]) -> list[Refusal]:
    """Take the refused changes out, with the first refusal of each. Refusing what is not there is a bug of a guard."""
    first: dict[str, Refusal] = {}
    for refusal in found:
        first.setdefault(refusal.change.id, refusal)
    struck = []
    for look in looks:
        struck += [
            Refusal(change, first[change.id].rule, first[change.id].message)
            for change in look.allowed
            if change.id in first
        ]
        look.allowed = [change for change in look.allowed if change.id not in first]
    if not struck:
        raise AssertionError(f"guard refused what was not planned: {sorted(first)}")
    return struck


def _look(facet: AnyFacet, spec: Spec, desired: Any, survey: Survey) -> _Look:
    try:
        seen = facet.observe(spec, desired, survey)
        return _Look(facet, seen.value, list(facet.diff(desired, seen.value)), seen.gaps, seen.remarks)
    except ReconcilerError as error:
        return _Look(facet, gaps=(gap_of(facet.name, "", error),))


def gap_of(facet: str, subject: str, error: ReconcilerError) -> Gap:
    """A read that failed, as a gap: not there yet, not to be known, or for somebody to act on."""
    if isinstance(error, NotReady):
        kind = GapKind.NOT_READY
    elif isinstance(error, Transient | Forbidden):
        kind = GapKind.UNKNOWN
    else:
        kind = GapKind.DEGRADED
    return Gap(facet, subject, kind, error.reason, str(error), error.retry_after)


def _gap_order(gap: Gap) -> tuple[str, str, str, str, str]:
    return gap.facet, gap.subject, gap.kind, gap.reason, gap.message
