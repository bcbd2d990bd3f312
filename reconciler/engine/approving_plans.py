"""The owner's approval of a plan by its hash: it is planned again, so that what is stored is what was shown.

Who is the owner is decided by the store: only the owner can write the safety facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reconciler.documents import moment
from reconciler.engine.memory import load_status
from reconciler.engine.ownership import Claims
from reconciler.engine.planner import Planner
from reconciler.errors import NotFound, ReconcilerError, SpecInvalid
from reconciler.plan.model import Plan
from reconciler.ports.specs import Snapshot
from reconciler.ports.stores import StateStore
from reconciler.safety import Safety
from reconciler.safety.approvals import ApprovedPlan, ApprovedSpec
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey


@dataclass(frozen=True, slots=True)
class PlanApproval:
    """What was approved."""

    spec: Spec
    plan: Plan
    at: datetime


def approve_plan(
    parts: tuple[Planner, Safety, StateStore],
    specs: Iterable[Spec],
    snapshot: Snapshot,
    plan_hash: str,
    *,
    by: str = "",
    outside_windows: bool = False,
) -> PlanApproval:
    """Record the approval of the plan with this hash; `snapshot`: what the specs were read from.

    `by`: who approves; empty: the identity that reads. `outside_windows`: its changes wait for no window of the policy.
    `NotFound` where no pool has such a plan now.
    """
    (planner, safety, state), candidates = parts, list(specs)
    survey = planner.survey(candidates).fresh()
    for spec in candidates:
        facts = safety.read(spec.key, [one.name for one in spec.organizations])
        try:
            status = load_status(state, spec.key)
            view = survey.knowing(spec, status.remembered, status.owed)
            plan = planner.plan(spec, view, snapshot.revision, Claims(facts, safety))
        except SpecInvalid:
            continue
        if plan.hash == plan_hash:
            break
    else:
        names = ", ".join(spec.name for spec in candidates[:5]) + (", …" if len(candidates) > 5 else "")  # noqa: PLR2004
        raise NotFound(
            f"plan {plan_hash}: is not the plan of {names} now; the spec, the policy or one of the planes changed: "
            "run `mdp-reconciler plan` again"
        )
    at, who = planner.clock.now(), by or caller_name(survey, spec)
    text = snapshot.files.get(spec.path, b"").decode("utf-8-sig", "replace")
    approved = ApprovedSpec(spec.blob, spec.path, text, who, moment(at))
    safety.approve_plan(spec.key, ApprovedPlan.of_plan(plan, who, at, outside_windows=outside_windows), approved)
    return PlanApproval(spec, plan, at)


def caller_name(survey: SharedSurvey, spec: Spec) -> str:
    """The name of the caller in an organization of the pool; empty where none can say."""
    for organization in spec.organizations:
        try:
            me = survey.me(organization.name)
        except ReconcilerError:
            continue
        return me.unique_name or me.display_name
    return ""
