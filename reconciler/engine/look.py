"""One look at an organization: what all its pools that are due share, held by one worker at a time.

::

    with reconciler.look(specs, shared=True) as look:
        for spec in specs:
            look.reconcile(spec, revision)

A shared look holds the lease ``looks/<organization>``, so that two workers do not read the same organization side by
side. Runs of single pools take no such lease and never wait for one, nor do the reads before a write: what guards a
pool's status is the pool's own lease. A pool that is as its stored status says costs a shared look no transaction of
its own (`reconciler.engine.packed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from reconciler.engine.packed import Packed
from reconciler.engine.renewal import Wait
from reconciler.engine.result import Result
from reconciler.engine.status import ConditionKind, PoolStatus, Truth
from reconciler.engine.tenure import RunLimits, Tenure
from reconciler.errors import ReconcilerError
from reconciler.plan.sync import VerifiedSpec, spec_digest
from reconciler.ports.clock import Clock
from reconciler.ports.stores import Leases
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey, scopes
from reconciler.survey.demand import Demand


class Runs(Protocol):
    """The part of a `reconciler.engine.Reconciler` that a look uses."""

    def reconcile(
        self,
        spec: Spec,
        revision: str,
        survey: SharedSurvey | None = None,
        *,
        packed: Packed | None = None,
        requested: datetime | None = None,
        specs_read: datetime | None = None,
        trigger: str = "",
    ) -> Result:
        """One run of one pool, under its lease."""

    def unchanged(
        self,
        spec: Spec,
        revision: str,
        survey: SharedSurvey,
        packed: Packed,
        *,
        trace: str = "",
        requested: datetime | None = None,
        specs_read: datetime | None = None,
    ) -> Result | None:
        """The result of a run that finds all as the stored status says; None: it has to be made under the lease."""


@dataclass(frozen=True, slots=True)
class OrganizationLook:
    """What the pools of a message share. Made by `Reconciler.look`."""

    runs: Runs
    survey: SharedSurvey | None = None
    """Shared reads; None: a single pool reads for itself."""
    packed: Packed | None = None
    """What is known of the organization's pools; None where the look is not shared."""

    def status(self, key: str) -> PoolStatus | None:
        """The status of a pool at the beginning of this look, where it may be found unchanged; None elsewhere."""
        status = None if self.packed is None else self.packed.status(key)
        return status if status is not None and at_rest(status) else None

    def unchanged(
        self,
        spec: Spec,
        revision: str,
        *,
        trace: str = "",
        requested: datetime | None = None,
        specs_read: datetime | None = None,
    ) -> Result | None:
        """The result for a pool that is as its status says, at no transaction of its own; None: `reconcile` it."""
        if self.packed is None or self.survey is None:
            return None
        return self.runs.unchanged(
            spec, revision, self.survey, self.packed, trace=trace, requested=requested, specs_read=specs_read
        )

    def reconcile(
        self,
        spec: Spec,
        revision: str,
        *,
        requested: datetime | None = None,
        specs_read: datetime | None = None,
        trigger: str = "",
    ) -> Result:
        """One run of one of the pools; see `Reconciler.reconcile`."""
        return self.runs.reconcile(
            spec,
            revision,
            self.survey,
            requested=requested,
            specs_read=specs_read,
            trigger=trigger,
            packed=self.packed,
        )


def at_rest(status: PoolStatus) -> bool:
    """Whether the last run left nothing in motion."""
    moving = status.condition(ConditionKind.RECONCILING)
    return status.pending is None and moving is not None and moving.status is Truth.FALSE


def with_hot(demand: Demand, specs: Iterable[Spec], packed: Packed, now: datetime) -> Demand:
    """The demand of a resync, with the pools that it reads whole whatever a change feed says.

    Those are not in sync, came to be so since the last resync, or were verified with another content of their spec.
    """
    if demand.rotation is None:
        return demand
    lately = now - demand.rotation.interval
    hot = [scopes.pool(spec.key) for spec in specs if not _cold(spec, packed.status(spec.key), now, lately)]
    return replace(demand, scopes=(*demand.scopes, *hot))


def _cold(spec: Spec, status: PoolStatus | None, now: datetime, lately: datetime) -> bool:
    if status is None or status.verified is None or not at_rest(status):
        return False
    ready = status.condition(ConditionKind.READY)
    same = status.verified == VerifiedSpec(spec_digest(spec, now.astimezone(UTC).date()))
    return same and ready is not None and ready.status is Truth.TRUE and ready.since <= lately


@contextmanager
def held(name: str, leases: Leases, holder: str, *, clock: Clock, limits: RunLimits, wait: Wait) -> Iterator[Tenure]:
    """A lease, renewed in the background and given back at the end; `LeaseHeld` where another worker has it."""
    taken = clock.monotonic()
    lease = leases.acquire(name, limits.lease, holder)
    try:
        tenure = Tenure(lease, clock, limits, taken=taken, wait=wait)
        with tenure.kept():
            yield tenure
    finally:
        with suppress(ReconcilerError):  # a lease that cannot be released runs out
            lease.release()
