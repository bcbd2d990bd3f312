"""One run's notes: what was written, seen, refused by a service, and what can be done next.

The order of a run is decided here. In one pass a place (an agent pool, or its queue in one project) is either widened
or narrowed, never both: a grant is seen in force before anything is taken away there, and while a grant is outstanding
nothing is. A run that dies half-way leaves too many rights, never too few.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.engine.result import Failure
from reconciler.engine.status import InFlight, PoolStatus
from reconciler.engine.stored import Replacing
from reconciler.errors import ReconcilerError, Throttled
from reconciler.plan import guards
from reconciler.plan.model import Action, Change, Plan
from reconciler.plan.policy import Policy
from reconciler.plan.targets import Place
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey


@dataclass(slots=True)
class RunState:
    """Everything that changes while a run goes on."""

    spec: Spec
    revision: str
    status: PoolStatus
    policy: Policy
    survey: SharedSurvey
    plan: Plan
    planned: Plan
    approved: frozenset[str] | None = None
    """Texts of the changes in the approved plan; None: whatever is planned."""
    applied: list[Change] = field(default_factory=list)
    """Written and seen."""
    failed: dict[str, Failure] = field(default_factory=dict)
    """By change id; an operation that failed stands under its own change's id."""
    tried: set[str] = field(default_factory=set)
    """Ids of changes that went out in this run, whatever came back: no second time."""
    unproven: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, Change] = field(default_factory=dict)
    """First seen in this run, and left to the service."""
    withheld: set[str] = field(default_factory=set)
    """Facets whose operation just failed: not begun again at once."""
    closed: set[str | None] = field(default_factory=set)
    """Organizations that asked for fewer calls."""
    refused_grants: set[Place | None] = field(default_factory=set)
    """Where a grant failed: nothing is narrowed there in this run."""
    replacing: Replacing | None = None
    """The pool that was deleted and is not made again, as far as is known."""
    overdue: Mapping[str, str] = field(default_factory=dict)
    """Gaps that time was to fill and did not, by their message → what is told of them."""
    pending: InFlight | None = None
    removals: int = 0
    exhausted: bool = False
    begun: bool = False
    """Whether what is attempted was written down."""

    def next_changes(self) -> tuple[Change, ...]:
        """What can be done in the next pass, in order."""
        grants = [change for change in self.plan.changes if not change.narrows and change.facet not in self.withheld]
        outstanding = self.refused_grants | {guards.place_of(change) for change in grants}
        able = [change for change in self.plan.changes if self._able(change)]
        ready = [c for c in able if not c.narrows or guards.place_of(c) not in outstanding]
        gentle = tuple(change for change in ready if not change.destroys)
        # What destroys goes alone, last, and first in its run: on reads of this moment, with all else in order.
        return gentle if gentle or self.tried else tuple(ready[:1])

    def _able(self, change: Change) -> bool:
        return (
            change.id not in self.tried
            and change.id not in self.waiting
            and change.facet not in self.withheld
            and guards.organization_of(change) not in self.closed
            and (self.approved is None or text_of(change) in self.approved)
        )

    @property
    def more(self) -> bool:
        """Whether something is left that the next run would do without anybody's doing."""
        left = [c for c in self.plan.changes if c.facet not in self.withheld and c.id not in self.failed]
        return any(self.approved is None or text_of(change) in self.approved for change in left)

    def notice(self) -> list[Change]:
        """Note the changes that the service is given time for; returns those that were not noted before."""
        new = [
            change
            for change in self.plan.changes
            if change.wait_once and change.id not in self.status.waited and change.id not in self.waiting
        ]
        self.waiting.update({change.id: change for change in new})
        return new

    def allowed_now(self, change: Change) -> bool:
        """Whether what happened since the pass began still lets this change go out."""
        if guards.is_removal(change) and self.removals >= self.policy.max_role_removals:
            return False
        refused = change.narrows and guards.place_of(change) in self.refused_grants
        return guards.organization_of(change) not in self.closed and not refused

    def unmade(self, facet: str) -> bool:
        """Whether what the facet makes is planned, or refused, and does not exist."""
        planned = [*self.plan.changes, *(refusal.change for refusal in self.plan.refusals)]
        return any(change.facet == facet and change.action is Action.CREATE for change in planned)

    def wrote(self, change: Change) -> None:
        """The service said yes."""
        self.tried.add(change.id)
        self.removals += guards.is_removal(change)

    def failure(self, change: Change, error: ReconcilerError) -> None:
        """The service said no, or nothing."""
        self.tried.add(change.id)
        self.failed[change.id] = Failure(change, error)
        if not change.narrows:
            self.refused_grants.add(guards.place_of(change))
        if isinstance(error, Throttled):
            self.closed.add(guards.organization_of(change))

    def prove(self, plan: Plan, written: list[Change]) -> list[Change]:
        """Take over the plan of a read after the writes; returns the written changes that are seen to be in force."""
        open_ids = {change.id for change in plan.changes} | {refusal.change.id for refusal in plan.refusals}
        seen = [change for change in written if change.id not in open_ids and not _hidden(plan, change)]
        for change in written:
            if change.id in open_ids and change.id not in self.failed:
                self.unproven[change.id] = self.status.unproven.get(change.id, 0) + 1
        for change in seen:
            self.failed.pop(change.id, None)  # the answer was lost on the way, the write was not
        self.applied += seen
        self.plan = plan
        return seen


def text_of(change: Change) -> str:
    """The change as a text: what is approved is approved to the letter."""
    return json.dumps(change.to_json(), sort_keys=True)


def _hidden(plan: Plan, change: Change) -> bool:
    """Whether a gap of the same facet covers the change: what cannot be read is not proven."""
    subjects = ("", change.subject, guards.organization_of(change))
    return any(gap.facet == change.facet and gap.subject in subjects for gap in plan.gaps)
