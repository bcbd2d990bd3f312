"""What is known when a run that planned ends: one value, from which verdict, status and result follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.engine import waits
from reconciler.engine.gate import WriteGate
from reconciler.engine.result import Failure
from reconciler.engine.run_state import RunState
from reconciler.engine.status import InFlight, PoolStatus
from reconciler.engine.stored import Awaited, Replacing
from reconciler.engine.tenure import RunLimits
from reconciler.errors import NotEffective
from reconciler.plan.model import Action, Change, Plan
from reconciler.plan.sync import SyncCause
from reconciler.plan.wording import change_words
from reconciler.safety import ModeSetting
from reconciler.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Assessment:
    """The end of a run, as a value."""

    spec: Spec
    revision: str
    before: PoolStatus
    """As the run before left it."""
    planned: Plan
    """With what the run began."""
    plan: Plan
    """What is left."""
    written: tuple[Change, ...] = ()
    """Sent and confirmed, in order."""
    verified: tuple[Change, ...] = ()
    """Written, and seen in effect, in order."""
    failures: Mapping[str, Failure] = field(default_factory=dict)
    """By change id; an operation that failed stands under its own change's id."""
    unverified: Mapping[str, int] = field(default_factory=dict)
    """Id of a change that was written and not seen → how often, with earlier runs."""
    waiting: tuple[str, ...] = ()
    """Ids of the changes that are left to Azure, first seen in this run."""
    pending: InFlight | None = None
    exhausted: bool = False
    """Whether the budget ended before the changes did."""
    left_over: bool = False
    """Whether something is left that the next run does without a further approval."""
    unapproved: bool = False
    """Whether all that is left is not in the approved plan: what would follow from it is not waited for."""
    awaited: Mapping[str, Awaited] = field(default_factory=dict)
    """What does not exist yet, by the message of its gap."""
    overdue: Mapping[str, str] = field(default_factory=dict)
    """Of these, what takes too long, with the message for an administrator."""
    replacing: Replacing | None = None
    """The pool that was deleted to be replaced and is not created again, as far as is known."""
    digest: str = ""
    """Of the spec's content."""
    cause: SyncCause = SyncCause.UNKNOWN
    """Why the pool is out of sync, if it is."""
    modes: WriteGate | None = None
    """What the modes allowed at the end; None: whatever the spec's own mode does."""

    @property
    def gate(self) -> WriteGate:
        """What the modes allowed at the end."""
        return self.modes or WriteGate(self.spec)

    @property
    def reports_only(self) -> bool:
        """Whether a mode says that nothing may be written."""
        return self.gate.closed is not None

    @property
    def held(self) -> tuple[tuple[Change, ModeSetting], ...]:
        """The changes that are left because of a mode, a pause or a window, each with the setting."""
        held = [(change, self.gate.held_with(change, self.plan.following)) for change in self.plan.changes]
        return tuple((change, setting) for change, setting in held if setting is not None)

    @property
    def opens(self) -> datetime | None:
        """The next moment at which something that is held back may be written; None: none is known."""
        ends = [setting.until for _, setting in self.held if setting.until is not None]
        return min(ends, default=None)

    @property
    def not_recreated(self) -> bool:
        """Whether a pool that was deleted to be replaced is known not to exist."""
        return self.replacing is not None and _not_created(self.plan, self.replacing.facet)

    def all_failures(self, limits: RunLimits) -> tuple[Failure, ...]:
        """What went wrong while applying, with the writes that stayed without effect too often."""
        known = {change.id: change for change in self.plan.changes}
        known.update({refusal.change.id: refusal.change for refusal in self.plan.refusals})
        ineffective = [
            Failure(
                known.get(name),
                NotEffective(f"{change_words(name)}: {count} writes were confirmed, and a new read shows no effect"),
            )
            for name, count in sorted(self.unverified.items())
            if count >= limits.writes
        ]
        return (*self.failures.values(), *ineffective)


def assess(run: RunState, deleted: Replacing | None, now: datetime, limits: RunLimits) -> Assessment:
    """The assessment of a run that ends now; `deleted`: the stored note of a pool that is being replaced."""
    basis, failures = run.basis, run.failures
    coming = waits.under_way(run.plan, run.held)
    awaited = {} if run.pending else waits.count_waits(basis.status.awaited, coming, basis.spec, now)
    left = [c for c in run.plan.changes if c.facet != basis.withheld and c.id not in failures and not c.awaits]
    return Assessment(
        spec=basis.spec,
        revision=basis.revision,
        before=basis.status,
        planned=basis.planned,
        plan=run.plan,
        written=run.written,
        verified=tuple(run.verified),
        failures=failures,
        unverified=dict(run.unverified),
        waiting=tuple(sorted(run.waiting)),
        pending=run.pending,
        exhausted=run.exhausted,
        left_over=any(basis.approves(change) and run.held(change) is None for change in left),
        unapproved=basis.approves_none(run.plan),
        awaited=awaited,
        overdue=waits.overdue(awaited, now, limits),
        replacing=_still_replacing(run, deleted),
        digest=basis.digest,
        cause=basis.cause(run.plan),
        modes=run.gate.at(now),
    )


def _still_replacing(run: RunState, note: Replacing | None) -> Replacing | None:
    """The note of a deletion, kept until the pool is seen to exist: again, or still, where it was not deleted.

    With checks that are owed it is kept until they are seen, too.
    """
    if note is None:
        return None
    in_flight = run.pending is not None and run.pending.facet == note.facet
    unread = any(gap.facet == note.facet and not gap.bounded for gap in run.plan.gaps)
    if in_flight or unread or _not_created(run.plan, note.facet):
        return note
    outstanding = run.basis.survey.debts.outstanding
    return replace(note, owed=outstanding, created=True) if outstanding else None


def _not_created(plan: Plan, facet: str) -> bool:
    """Whether what the facet creates is planned, or refused, and does not exist."""
    return any(change.facet == facet and change.action is Action.CREATE for change in plan.differing)
