"""What a full resync reads again: everything, or where an audit log is read regularly, each project in its turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.engine.look import DemandOf
from reconciler.engine.status import ConditionKind, PoolStatus, Truth
from reconciler.plan.sync import spec_digest
from reconciler.service.events.feed import FeedReader
from reconciler.spec.model import Spec
from reconciler.survey import scopes
from reconciler.survey.demand import Demand
from reconciler.survey.rotation import Rotation


@dataclass(frozen=True, slots=True)
class Sweeps:
    """Which facts the sweeps of a deployment read again."""

    feeds: FeedReader
    interval: timedelta
    max_age: timedelta

    def demand(self, specs: Sequence[Spec], received: datetime, since: datetime) -> DemandOf:
        """Of the sweep that was put then, by the statuses of its pools."""
        quiet = self.feeds.hear(one.name for spec in specs for one in spec.organizations)

        def demand(status: Callable[[str], PoolStatus | None]) -> Demand:
            hot = (scopes.pool(spec.key) for spec in specs if self._hot(spec, status(spec.key), received))
            return Demand.of_sweep(received, since, Rotation(self.interval, self.max_age, quiet), hot)

        return demand

    def _hot(self, spec: Spec, status: PoolStatus | None, now: datetime) -> bool:
        """Whether a pool is not in sync, was changed within the last interval, or has another spec than it had then."""
        if status is None or status.run is None or status.verified is None:
            return True
        ready = status.condition(ConditionKind.READY)
        settled = ready is not None and ready.status is Truth.TRUE
        changed = status.run.written > 0 and status.run.ended > now - self.interval
        return not settled or changed or status.verified.digest != spec_digest(spec, now.date())
