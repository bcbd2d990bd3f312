"""What happens next with a pool, when, and where its runbook is: from its stored status alone, for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.engine.status import OUTSIDE_WINDOW, Condition, ConditionKind, PoolStatus

RUNBOOK = "docs/operations.md"
"""Has an entry for each reason of a condition."""
_SECOND = frozenset({"Throttled"})
"""Reasons whose heading stands a second time on that page, after an alert of the same name."""
_ENDED = {
    "NotInSpecs": "nothing: no spec names it; `mdp-reconciler forget {}` where it was retired on purpose",
}
"""Reason of `Ready` → what happens where nothing is read; the key of the pool is filled in."""
_HELD = {
    "Suspended": "nothing is written before its pause ends",
    OUTSIDE_WINDOW: "what waits is written when its window opens",
}
"""Reason of `Ready` → what happens where changes are held back until a moment, which the message names."""
_SETTLED = frozenset({"", "InSync"})


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a deployment reads a pool again, as far as its state says."""

    due: datetime | None = None
    """A follow-up of the last run."""
    swept: datetime | None = None
    """When the last full resync began; None: no service works on this state."""


def runbook(status: PoolStatus) -> str:
    """Where it stands what to do; empty where nothing is to be done."""
    condition = _leading(status)
    if condition is None or condition.reason == "InSync":
        return ""
    return f"{RUNBOOK}#{condition.reason.lower()}{'-1' if condition.reason in _SECOND else ''}"


def next_step(status: PoolStatus, schedule: Schedule, now: datetime) -> str:
    """What happens next without a person, and when; or what a person has to change first."""
    ready = status.condition(ConditionKind.READY)
    reason, again = "" if ready is None else ready.reason, _again(schedule, now)
    if reason in _ENDED:
        return _ENDED[reason].format(status.key)
    if status.condition_true(ConditionKind.STALLED):
        return f"nothing is done about it until an administrator acts; read again {again}"
    if status.pending is not None:
        since = f"{status.pending.since:%Y-%m-%d %H:%M:%S} UTC"
        return f"ARM finishes the {status.pending.description}, begun {since}; its state is read again {again}"
    if status.condition_true(ConditionKind.RECONCILING):
        tries = f", after {status.attempts} failures alike" if status.attempts > 1 else ""
        return f"tried again by itself{tries}, {again}"
    if reason in _SETTLED:
        return f"read again {again}"
    held = _HELD.get(reason, "nothing is written before its cause changes")
    return f"{held}; read again {again}"


def _again(schedule: Schedule, now: datetime) -> str:
    if schedule.due is not None and schedule.due > now:
        return f"at {schedule.due:%Y-%m-%d %H:%M:%S} UTC, or at an event before that"
    if schedule.swept is not None:
        swept = f"{schedule.swept:%Y-%m-%d %H:%M:%S} UTC"
        return f"at the next event or full resync (the last one began {swept})"
    return "by the next `mdp-reconciler apply` (no service works on this state)"


def _leading(status: PoolStatus) -> Condition | None:
    """The condition that a person acts on: what stalls, else Ready."""
    if status.condition_true(ConditionKind.STALLED):
        return status.condition(ConditionKind.STALLED)
    return status.condition(ConditionKind.READY)
