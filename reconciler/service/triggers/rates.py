"""What full resyncs need and have, for metrics, log and health."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.documents import Json, JsonObject
from reconciler.engine.rate_needs import needs_of
from reconciler.errors import ReconcilerError
from reconciler.service.triggers import logs
from reconciler.service.triggers.context import TriggerContext
from reconciler.spec.model import Spec


def report(context: TriggerContext, specs: Iterable[Spec]) -> JsonObject:
    """Record what the organizations of these specs need and have; returns the counts that `health` shows.

    An error is logged: a full resync does not depend on it.
    """
    names = {organization.name for spec in specs for organization in spec.organizations}
    try:
        found = needs_of(context.state, context.clock.now(), names, context.options.max_age_seconds)
    except ReconcilerError as error:
        logs.event("budget", reason=error.reason, message=str(error))
        return {}
    for need in found:
        context.telemetry.gauge("reconciler.budget.needs", need.needs, organization=need.organization)
        if need.has is not None:
            context.telemetry.gauge("reconciler.budget.has", need.has, organization=need.organization)
        if need.short or need.too_old:
            logs.event("budget", organization=need.organization, message=need.age_text() or str(need))
    short, old = sum(one.short for one in found), sum(one.too_old for one in found)
    return {"budgets": {"measured": len(found), "short": short, "tooOld": old}}


def check(body: Json) -> tuple[bool, str]:
    """Health by these counts. No key is needed, so no name is shown."""
    counts = body.get("budgets") if isinstance(body, dict) else None
    measured, short, old = (_count(counts, name) for name in ("measured", "short", "tooOld"))
    if not measured:
        return True, "no full resync was measured yet"
    if old:
        return False, f"{old} of {measured} organizations: the rate budget does not allow the maximum age of evidence"
    if short:
        return True, f"{short} of {measured} organizations: a full resync takes longer than its interval"
    return True, f"rate budgets suffice for {measured} organizations"


def _count(body: Json, name: str) -> int:
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
