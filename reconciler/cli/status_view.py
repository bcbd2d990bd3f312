"""What `status` says below the conditions of a pool: what was done, what is next and when, where help is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.cli.history_view import written
from reconciler.config.settings import Settings
from reconciler.documents import JsonObject, moment
from reconciler.documents.redaction import redact
from reconciler.engine.outlook import Schedule, next_step, runbook
from reconciler.engine.status import ConditionKind, PoolStatus
from reconciler.errors import ReconcilerError

LOOKED_BACK = timedelta(days=7)
"""For the last write of a pool, as `history` looks back."""
MOST = 50
"""Pools that are not in sync for which the record of writes is read."""
_MOMENT = "%Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True, slots=True)
class PoolsOutlook:
    """What is known of some pools beside their stored status."""

    now: datetime
    named: bool = False
    """Whether a person named the pools: then those in sync say more too."""
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    writes: Mapping[str, JsonObject] = field(default_factory=dict)
    unread: str = ""
    """Why the record cannot be read."""

    def facts(self, status: PoolStatus) -> JsonObject:
        """What `lines` says beyond the stored status, as JSON: nulls for a pool in sync that was not named."""
        if not self._about(status):
            return {"next": None, "nextRead": None, "lastWrite": None, "lastWriteUnread": None, "runbook": None}
        due = self._schedule(status).due
        return {
            "next": self._next(status),
            "nextRead": moment(due) if due is not None and due > self.now else None,
            "lastWrite": self.writes.get(status.key),
            "lastWriteUnread": redact(self.unread) or None,
            "runbook": runbook(status) or None,
        }

    def lines(self, status: PoolStatus) -> Iterator[str]:
        """Of a pool that is not in sync, or that was named."""
        ready = status.condition_true(ConditionKind.READY)
        if not self._about(status):
            return
        if status.unready is not None and not ready:
            yield f"not in sync since {status.unready:{_MOMENT}}"
        if (run := status.run) is not None:
            numbers = f"{run.planned} planned, {run.written} written, {run.verified} verified"
            yield f"last run: {run.ended:{_MOMENT}}, {run.outcome}; {numbers}"
        if self.unread:
            yield f"last write: the record cannot be read: {self.unread}"
        elif (last := self.writes.get(status.key)) is not None:
            yield f"last write: {written(last)}"
        else:
            yield f"last write: none within {LOOKED_BACK.days} days"
        yield f"next: {self._next(status)}"
        if not ready:
            yield f"who changed it: `mdp-reconciler plan {status.key}`"
            yield f"all that was written: `mdp-reconciler history {status.key}`"
        if where := runbook(status):
            yield f"runbook: {where}"

    def _about(self, status: PoolStatus) -> bool:
        return self.named or not status.condition_true(ConditionKind.READY)

    def _next(self, status: PoolStatus) -> str:
        return next_step(status, self._schedule(status), self.now)

    def _schedule(self, status: PoolStatus) -> Schedule:
        return self.schedules.get(status.key, Schedule())


def outlook_of(settings: Settings, chosen: Sequence[PoolStatus], *, named: bool) -> PoolsOutlook:
    """Read from the state what the lines need; a record that cannot be read is said, and ends nothing."""
    now = SystemClock().now()
    keys = [one.key for one in chosen if named or not one.condition_true(ConditionKind.READY)]
    schedules = bootstrap.schedules(settings, keys)
    try:
        writes = bootstrap.last_writes(settings, frozenset(keys[:MOST]), now - LOOKED_BACK)
    except ReconcilerError as error:
        return PoolsOutlook(now, named, schedules, unread=str(error))
    return PoolsOutlook(now, named, schedules, writes)
