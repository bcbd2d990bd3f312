"""What the writes of a plan rest on, and so is read afresh before the first of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reconciler.engine.status import PoolStatus
from reconciler.plan.model import Change, GapKind, Plan
from reconciler.plan.targets import OpenAccess, PipelineAuthorization
from reconciler.survey import SharedSurvey
from reconciler.survey.afresh import EVERYTHING, Afresh


def afresh_for(writes: Iterable[Change], since: datetime | None) -> Afresh:
    """Access to queues rests on their projects; everything else on all that is known of the pool."""
    targets = [change.target for change in writes]
    places = {
        (target.place.organization, target.place.project_id)
        for target in targets
        if isinstance(target, OpenAccess | PipelineAuthorization)
    }
    partial = bool(targets) and all(isinstance(target, OpenAccess | PipelineAuthorization) for target in targets)
    return Afresh(frozenset(places), since) if partial else EVERYTHING


def within(writes: Iterable[Change], read: Afresh) -> bool:
    """Whether writes rest on nothing but what was read afresh."""
    found = afresh_for(writes, None).places
    return read.places is None or (found is not None and found <= read.places)


def outdated(status: PoolStatus, view: SharedSurvey, plan: Plan) -> bool:
    """Whether to read all again: a later run has read, or what was missing before the request may be there by now."""
    before = status.run.facts_read if status.run is not None else None
    if view.oldest is None:
        return False
    known = view.requested is not None and view.oldest < view.requested
    late = before is not None and view.oldest < before
    return late or (known and any(gap.kind is GapKind.NOT_READY for gap in plan.gaps))
