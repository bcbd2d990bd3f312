"""A plan for writing: made again on facts that are read now, as far as its changes rest on them.

The plan of a batch rests on facts of other times and messages. What it would write is planned again on new ones; where
that brings up other changes, those rest on other facts, and so on until nothing new comes up.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from reconciler.engine.status import PoolStatus
from reconciler.plan.model import Change, GapKind, Plan
from reconciler.ports import pacing
from reconciler.ports.pacing import Priority
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey

_ROUNDS = 3
"""After that the whole pool is read."""


@pacing.at_least(Priority.EVENT)
def replanned(
    spec: Spec, view: SharedSurvey, plan: Plan, make: Callable[[SharedSurvey], Plan], before: datetime | None = None
) -> tuple[SharedSurvey, Plan]:
    """The survey and the plan to write by; `before`: what was read earlier is read again too, whatever it is about."""
    if not view.shares:
        view = view.fresh([spec])
        return view, make(view)
    known: dict[str, Change] | None = None
    for _ in range(_ROUNDS):
        found = {one.id: one for one in (*plan.all_changes, *(refusal.change for refusal in plan.refusals))}
        if known is not None and found.keys() <= known.keys():
            return view, plan
        known = {**(known or {}), **found}
        view = view.fresh([spec], tuple(known.values()), before)
        plan = make(view)
    view = view.fresh([spec])
    return view, make(view)


def outdated(status: PoolStatus, view: SharedSurvey, plan: Plan) -> datetime | None:
    """What was read before this moment does not count, even where nothing would be written; None: all counts.

    A later run may have read already; and an agent pool that was missing before the request was put may be there by
    now. What is missing in a project is waited for by follow-ups of its own.
    """
    last = status.run.facts_read if status.run is not None else None
    missing = any(one.kind is GapKind.NOT_READY and "/" not in one.subject for one in plan.gaps)
    moments = [last, view.requested if missing else None]
    found = [one for one in moments if one is not None and view.oldest is not None and view.oldest < one]
    return max(found, default=None)
