"""What has to hold around the pool, and what the operator cannot write: looked at, reported, never changed.

Identities, the subnet and the key vault belong to somebody else, often in a resource group that the operator may not
even see; machines do not start where something is missing there (`reconciler.facets.support.prerequisites` says what,
and why). What was *seen* to be missing is a gap for somebody to act on, with the remedy: the pool is Degraded, and
nothing else waits for it. What could not be seen is a remark: it is told, and keeps no pool from being in sync.

Only specs that name an identity, a vault or a subnet cost a read. A deployment may leave the looking out altogether
(`RECONCILER_PREREQUISITES=0`); then nothing is read and nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.engine.facet import Facet, Observation
from reconciler.errors import NotFound, Refused
from reconciler.facets.support import prerequisites
from reconciler.facets.support.observing import gap
from reconciler.plan.model import Change, Gap, Refusal, Remark
from reconciler.plan.policy import Policy
from reconciler.ports.readers_writers import Writers
from reconciler.rights.checks import Check, CheckResult
from reconciler.spec.model import Spec
from reconciler.survey import Survey

NAME = "prerequisites"

Desired = prerequisites.Named
Observed = tuple[Check, ...]


def parse(spec: Spec, now: datetime) -> Desired | None:  # noqa: ARG001 - nothing of it has dates
    """What the spec points to; None where that is nothing."""
    return prerequisites.named(spec) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:  # noqa: ARG001 - a facet's shape
    """Every question and its answer."""
    around = survey.azure_resources()
    if around is None:
        return Observation(())
    found = tuple(prerequisites.checks(spec, survey, around))
    gaps = tuple(_gap(check) for check in found if check.verdict is CheckResult.MISSING)
    return Observation(found, gaps, tuple(_remark(check) for check in found if check.verdict is CheckResult.UNKNOWN))


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:  # noqa: ARG001 - a facet's shape
    """Nothing: what is missing is given by somebody else."""
    return ()


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:  # noqa: ARG001 - a facet's shape
    """Refuse whatever there is."""
    return [Refusal(one, "never-written", f"{one.subject}: what lies around a pool is not written") for one in changes]


def apply(change: Change, writers: Writers) -> None:  # noqa: ARG001 - a facet's shape
    """Write nothing."""
    raise Refused(f"{change.subject}: what lies around a pool is not written")


def _gap(check: Check) -> Gap:
    grant = check.grant
    seen = f" ({check.detail})" if check.detail else ""
    wanted = f"{grant.role} {'at' if check.advice else 'on'} {grant.where} for {grant.whom}"
    message = f"{check.place}: to {check.what} it needs {wanted}{seen}: {grant.remedy}"
    return gap(NAME, _subject(check), NotFound(message))


def _remark(check: Check) -> Remark:
    return Remark(NAME, _subject(check), f"{check.place}: {check.what}: not seen: {check.detail}")


def _subject(check: Check) -> str:
    return f"{check.place} {check.what}"


FACET: Facet[Desired, Observed] = Facet(
    name=NAME,
    title="what has to hold around the pool",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
)
