"""What a full resync reads again: everything, or where an audit log is read regularly, each project in its turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.service.events.feed import FeedReader
from reconciler.spec.model import Spec
from reconciler.survey.demand import Demand
from reconciler.survey.rotation import Rotation


@dataclass(frozen=True, slots=True)
class Sweeps:
    """Which facts the sweeps of a deployment read again."""

    feeds: FeedReader
    interval: timedelta
    max_age: timedelta

    def demand(self, specs: Sequence[Spec], received: datetime, since: datetime) -> Demand:
        """Of the sweep that was put then; the look adds the pools that are read whole in any case."""
        quiet = self.feeds.hear(one.name for spec in specs for one in spec.organizations)
        return Demand.of_sweep(received, since, Rotation(self.interval, self.max_age, quiet))
