"""Prerequisites of the pool, which the operator cannot write: read, reported, never changed.

Identities, the subnet and the key vault have other owners, often in a resource group that the operator may not even
see; machines do not start where something is missing there (`reconciler.facets.support.prerequisites` says what, and
why). What was *read* and is missing is a gap for a person to act on, with the remedy: the pool is Degraded, and
nothing else waits for it. What could not be read is a remark: it is reported, and the pool may be in sync.

Only specs that name an identity, a vault or a subnet cost a read. A deployment may switch the checks off
(`RECONCILER_PREREQUISITES=0`); then nothing is read and nothing is reported.
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
from reconciler.plan.rights.checks import Check, CheckResult
from reconciler.ports.readers_writers import Writers
from reconciler.spec.model import Spec
from reconciler.survey import Survey

NAME = "prerequisites"

Desired = prerequisites.Named
Observed = tuple[Check, ...]


def parse(spec: Spec, now: datetime) -> Desired | None:  # noqa: ARG001 - nothing of it has dates
    """Identities, vaults and subnets that the spec names; None where there are none."""
    return prerequisites.named(spec) or None


def observe(spec: Spec, desired: Desired, survey: Survey) -> Observation[Observed]:  # noqa: ARG001 - a facet's shape
    """Every check and its result."""
    around = survey.azure_resources()
    if around is None:
        return Observation(())
    found = tuple(prerequisites.checks(spec, survey, around))
    gaps = tuple(_gap(check) for check in found if check.verdict is CheckResult.MISSING)
    return Observation(found, gaps, tuple(_remark(check) for check in found if check.verdict is CheckResult.UNKNOWN))


def diff(desired: Desired, observed: Observed) -> Sequence[Change]:  # noqa: ARG001 - a facet's shape
    """Nothing: the owners of these resources supply what is missing."""
    return ()


def guard(observed: Observed, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:  # noqa: ARG001 - a facet's shape
    """Refuse every change."""
    return [Refusal(one, "never-written", f"{one.subject}: prerequisites are not written") for one in changes]


def apply(change: Change, writers: Writers) -> None:  # noqa: ARG001 - a facet's shape
    """Write nothing."""
    raise Refused(f"{change.subject}: prerequisites are not written")


def _gap(check: Check) -> Gap:
    grant = check.grant
    state = f" ({check.detail})" if check.detail else ""
    wanted = f"{grant.role} {'at' if check.advice else 'on'} {grant.where} for {grant.whom}"
    message = f"{check.place}: to {check.what} it needs {wanted}{state}: {grant.remedy}"
    return gap(NAME, _subject(check), NotFound(message))


def _remark(check: Check) -> Remark:
    return Remark(NAME, _subject(check), f"{check.place}: {check.what}: not checked: {check.detail}")


def _subject(check: Check) -> str:
    return f"{check.place} {check.what}"


FACET: Facet[Desired, Observed] = Facet(
    name=NAME,
    title="prerequisites of the pool",
    parse=parse,
    observe=observe,
    diff=diff,
    guard=guard,
    apply=apply,
)
