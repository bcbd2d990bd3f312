"""One run while it goes on: what it began with, and the few notes that change.

The order of a run is decided here. In one pass a place (an agent pool, or its queue in one project) is either widened
or narrowed, never both: a grant is seen in effect before anything of its lane is taken away there, and while it is
outstanding or failed nothing is (`reconciler.plan.order`). What a plan of the run refused is not written in it. A run
that dies half-way leaves too many rights, never too few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.engine.gate import WriteGate
from reconciler.engine.ownership import Claims, unchecked
from reconciler.engine.result import Failure
from reconciler.engine.status import InFlight, PoolStatus
from reconciler.engine.stored import Ineffective, Rest
from reconciler.errors import ReconcilerError, Terminal, Throttled
from reconciler.plan import guards, order
from reconciler.plan.caps import NOTHING_SPENT, CapCheck
from reconciler.plan.following import covers
from reconciler.plan.model import Change, Plan
from reconciler.plan.policy import Policy
from reconciler.plan.sync import SyncCause, sync_cause
from reconciler.safety import ModeSetting
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey


@dataclass(frozen=True, slots=True)
class Approval:
    """What an administrator approved: a plan by its hash, or, after the first run of it, the plan itself."""

    plan_hash: str | None = None
    begun: Plan | None = None
    as_planned: bool = False
    """Whether the first plan of this run is what was approved: it is shown before anything is written."""

    @property
    def given(self) -> bool:
        """Whether the run makes the approved changes alone."""
        return self.plan_hash is not None or self.begun is not None or self.as_planned


@dataclass(frozen=True, slots=True)
class RunBasis:
    """What a run that planned began with."""

    spec: Spec
    revision: str
    status: PoolStatus
    """As the run before left it."""
    policy: Policy
    survey: SharedSurvey
    planned: Plan
    approved: Plan | None = None
    """The plan that was approved or shown: nothing else is written. None: whatever is planned."""
    failed_operation: tuple[str, Failure] | None = None
    """The operation of an earlier run that just failed, under its change's id; its facet begins nothing in this run."""
    digest: str = ""
    """Of the spec's content (`reconciler.plan.sync`)."""
    ineffective: Ineffective | None = None
    """Lines of writes that were confirmed and changed nothing, by the plan of this run."""
    held: Mapping[str, Rest] = field(default_factory=dict)
    """Id of a change that is not sent in this run, since it was rejected before → its rest."""
    caps: CapCheck = NOTHING_SPENT
    """What the policy's caps count, and what the owner approved beyond them."""
    gate: WriteGate | None = None
    """What the modes allow as the run begins; None: whatever the spec's own mode does."""
    claims: Claims = field(default_factory=unchecked)
    """What the run knows of its agent pools; what it proves is recorded before anything is written."""

    @property
    def withheld(self) -> str:
        """The facet whose operation just failed; empty where none did."""
        operation = self.status.pending
        return operation.facet if self.failed_operation is not None and operation is not None else ""

    def cause(self, left: Plan) -> SyncCause:
        """Why the pool is out of sync, if it is; `left`: the plan at this moment."""
        return sync_cause(self.status.verified, self.digest, self.planned, left)

    def approves(self, change: Change) -> bool:
        """Whether the approved plan shows the change, now or as what follows."""
        return self.approved is None or covers(self.approved, change)

    def approves_none(self, left: Plan) -> bool:
        """Whether nothing of what is left is in the approved plan, so that no run of this approval goes on."""
        return self.approved is not None and bool(left.all_changes) and not any(map(self.approves, left.all_changes))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A change that went out, and the error that came back."""

    change: Change
    error: ReconcilerError | None = None
    sent: bool = True

    @property
    def may_be_made(self) -> bool:
        """Whether the service may have made the change: a lost response says nothing about it."""
        return self.sent and not isinstance(self.error, Terminal)


@dataclass(slots=True)
class RunState:
    """All that changes while a run goes on; `reconciler.engine.assessment` makes one value of it at the end."""

    basis: RunBasis
    plan: Plan
    """What is left, by the last read."""
    gate: WriteGate = field(init=False)
    """What the modes allow, by their last read."""
    attempts: dict[str, Attempt] = field(default_factory=dict)
    """By change id: no change goes out a second time in one run."""
    verified: list[Change] = field(default_factory=list)
    """Written, and seen in effect."""
    unverified: dict[str, int] = field(default_factory=dict)
    """Id of a change that was written and not seen → how often, with earlier runs."""
    waiting: dict[str, Change] = field(default_factory=dict)
    """First seen in this run, and left to Azure."""
    sending: Change | None = None
    """The write that is on its way; of a run that dies now, its result is not known."""
    refused: set[str] = field(default_factory=set)
    """Ids of changes that a plan of this run refused: not written in it, even where a later plan of it allows them."""
    pending: InFlight | None = None
    exhausted: bool = False
    """Whether the budget ended before the changes did."""
    unrecorded: ReconcilerError | None = None
    """Why the results of this run's writes are not in the record of writes; None: they are."""

    def __post_init__(self) -> None:
        self.gate = self.basis.gate or WriteGate(self.basis.spec)
        self.refused |= {refusal.change.id for refusal in self.plan.refusals}

    @property
    def written(self) -> tuple[Change, ...]:
        """What a service confirmed, and what a read showed although the response was lost; in order."""
        seen = {change.id for change in self.verified}
        return tuple(one.change for one in self.attempts.values() if one.error is None or one.change.id in seen)

    @property
    def failures(self) -> Mapping[str, Failure]:
        """By change id; an operation that failed stands under its own change's id."""
        seen = {change.id for change in self.verified}
        # Where a response was lost on the way, the write was not: it is no failure once it is seen.
        failed = {
            name: Failure(attempt.change, attempt.error)
            for name, attempt in self.attempts.items()
            if attempt.error is not None and name not in seen
        }
        if self.unrecorded is not None and not any(one.error is self.unrecorded for one in failed.values()):
            failed["record"] = Failure(None, self.unrecorded)
        return dict([self.basis.failed_operation] if self.basis.failed_operation else ()) | failed

    def next_changes(self) -> tuple[Change, ...]:
        """What can be done in the next pass, in order."""
        throttled = self._throttled()
        possible = [change for change in self.plan.changes if self._may_go_out(change, throttled)]
        grants = [change for change in self.plan.changes if not change.narrows and change.facet != self.basis.withheld]
        places = {guards.place_of(change) for change in grants if change in possible}
        lanes = self._failed_grants() | {order.lane_of(change) for change in grants}
        ready = [
            change
            for change in possible
            if not change.narrows or (guards.place_of(change) not in places and order.lane_of(change) not in lanes)
        ]
        gentle = tuple(change for change in ready if not change.destroys)
        # What destroys goes alone, last, and first in its run: on reads of this moment, with all else in order.
        return gentle if gentle or self.attempts else tuple(ready[:1])

    def _may_go_out(self, change: Change, throttled: set[str | None]) -> bool:
        return (
            change.id not in self.attempts
            and not change.awaits
            and change.id not in self.refused
            and change.id not in self.waiting
            and change.facet != self.basis.withheld
            and guards.organization_of(change) not in throttled
            and self.basis.approves(change)
            and self.held(change) is None
        )

    def held(self, change: Change) -> ModeSetting | None:
        """What holds a change back by the last read of modes and pauses; None: it may be written."""
        return self.gate.held_with(change, self.plan.following)

    def still_allowed(self, change: Change) -> bool:
        """Whether what happened since the pass began still lets this change go out."""
        if self.held(change) is not None:
            return False
        if not self._within_caps(change):
            return False
        if change.narrows and order.lane_of(change) in self._failed_grants():
            return False
        return guards.organization_of(change) not in self._throttled()

    def left_to_azure(self) -> list[Change]:
        """Note the changes that Azure is given time for; returns those that were not noted before."""
        new = [
            change
            for change in self.plan.changes
            if change.wait_once
            and change.id not in self.basis.status.waited
            and change.id not in self.waiting
            and self.held(change) is None
        ]
        self.waiting.update({change.id: change for change in new})
        return new

    def attempted(self, change: Change, error: ReconcilerError | None = None, *, sent: bool = True) -> None:
        """Note that a change went out, and what came back; None: the service confirmed it. `sent`: whether it did."""
        self.attempts[change.id] = Attempt(change, error, sent)
        self.sending = None

    def verify(self, plan: Plan, written: list[Change]) -> list[Change]:
        """Take over the plan of a read after the writes; returns the written changes that were seen in effect."""
        open_ids = {change.id for change in plan.changes} | {refusal.change.id for refusal in plan.refusals}
        failed = self.failures
        for change in written:
            if change.id in open_ids and change.id not in failed:
                self.unverified[change.id] = self.basis.status.unverified.get(change.id, 0) + 1
        self.refused |= {refusal.change.id for refusal in plan.refusals}
        seen = [change for change in written if change.id not in open_ids and not _hidden(plan, change)]
        self.verified += seen
        self.plan = plan
        return seen

    def _failed(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts.values() if attempt.error is not None]

    def _failed_grants(self) -> set[order.Lane]:
        """Where a grant failed: nothing of its lane is narrowed there in this run."""
        return {order.lane_of(attempt.change) for attempt in self._failed() if not attempt.change.narrows}

    def _throttled(self) -> set[str | None]:
        """Organizations that throttle this identity."""
        failed = self._failed()
        return {guards.organization_of(one.change) for one in failed if isinstance(one.error, Throttled)}

    def _within_caps(self, change: Change) -> bool:
        """Whether the caps of a run leave room for a change beside those that this run made."""
        policy, caps = self.basis.policy, self.basis.caps
        made = [one.change for one in self.attempts.values() if one.may_be_made]
        if not caps.room(change, made, self.basis.spec.name, policy):
            return False
        full = sum(map(guards.is_removal, made)) >= policy.max_role_removals
        return not (full and guards.is_removal(change)) or caps.approved(change)


def _hidden(plan: Plan, change: Change) -> bool:
    """Whether a gap of the same facet covers the change: what cannot be read is not verified."""
    subjects = ("", change.subject, guards.organization_of(change))
    return any(gap.facet == change.facet and gap.subject in subjects for gap in plan.gaps)
