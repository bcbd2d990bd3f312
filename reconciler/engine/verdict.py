"""What a run came to: one word, three conditions, and when to read again. Pure.

An assessment is sorted into causes (`reconciler.engine.causes`), and the table says what follows from each. A plan's
texts are shown; its kinds, and the families of the errors, decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from reconciler.documents.spelling import counted
from reconciler.engine import causes
from reconciler.engine.assessment import Assessment
from reconciler.engine.backoff import Backoff, chance, delay
from reconciler.engine.causes import Occurrence, some
from reconciler.engine.gate import not_applied
from reconciler.engine.result import Outcome
from reconciler.engine.status import Finding, PoolStatus
from reconciler.engine.stored import Replacing
from reconciler.engine.tenure import RunLimits
from reconciler.errors import Moved, Terminal, Transient, family
from reconciler.plan.model import Action, GapKind, Plan, Route
from reconciler.plan.render.words import risks_text
from reconciler.plan.sync import SyncCause, VerifiedSpec
from reconciler.plan.wording import change_words
from reconciler.safety import HoldKind, ModeSetting

_HOLDS = {
    HoldKind.WINDOW: causes.OUTSIDE_WINDOW,
    HoldKind.PAUSE: causes.HELD_BY_PAUSE,
    HoldKind.MODE: causes.HELD,
}


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """What follows from a run."""

    outcome: Outcome
    finding: Finding
    next_look: float | None
    backoff: Backoff
    due: datetime | None = None
    """When something that is held back may be made; None: nothing is, or not at a moment that is known."""

    @property
    def good(self) -> bool:
        """Whether the pool is in sync."""
        return self.outcome in (Outcome.IN_SYNC, Outcome.APPLIED)

    @property
    def complete(self) -> bool:
        """Whether the run left no work to a later one, and so covers requests."""
        ended = (Outcome.OUT_OF_SYNC, Outcome.STALLED, Outcome.SUSPENDED)
        return self.next_look is None and (self.good or self.outcome in ended)


def judge(end: Assessment, limits: RunLimits) -> RunVerdict:
    """The verdict on a run that planned."""
    moving = _moving(end, limits)
    problems = _problems(end, limits, moving=bool(moving))
    missing = [] if end.reports_only else _missing(end, causes.MISSING)
    closed, left = end.gate.closed, out_of_sync(end.cause, end.plan)
    reported = closed is not None and closed.unknown is None and bool(end.plan.changes or end.plan.refusals)
    held = _held(end)
    groups: list[list[Occurrence]] = [
        [Occurrence(_of_pool(closed), f"{left}; {not_applied(closed)}")] if closed is not None and reported else [],
        problems,
        moving,
        missing or _missing(end, causes.MISSING_REPORTED),
        held,
        [Occurrence(causes.AWAITING, not_applied(end.gate.waiting))] if end.gate.waiting else [],
        [Occurrence(causes.UNAPPROVED, left)] if end.plan.all_changes else [],
        [Occurrence(causes.APPLIED if end.verified else causes.IN_SYNC, _in_sync(end.plan))],
    ]
    lead = next(group for group in groups if group)
    others = [one for group in (problems, moving, missing) if group is not lead for one in group]
    outcome = (moving or lead)[0].cause.outcome
    backoff, pause = _backoff(end, [*lead, *others])
    reads = [seconds for one in (*lead, *others) if (seconds := one.seconds(limits)) is not None]
    beside = held if lead is not held and closed is None else ()
    finding = causes.finding(lead, others, beside, differs=bool(end.plan.changes))
    return RunVerdict(outcome, finding, min([*reads, *pause], default=None), backoff, end.opens)


def _of_pool(setting: ModeSetting) -> causes.Cause:
    return causes.PAUSED if setting.kind is HoldKind.PAUSE else causes.REPORTED


def concluded(status: PoolStatus, end: Assessment, verdict: RunVerdict, seen: datetime | None) -> PoolStatus:
    """The status with the revisions and counters that follow from a verdict; `seen`: age of the run's evidence."""
    good = verdict.good
    return replace(
        status,
        applied=end.revision if good else status.applied,
        verified=VerifiedSpec(end.digest) if good else status.verified,
        cause=None if good else end.cause,
        covered=seen or status.covered if verdict.complete else status.covered,
        attempts=verdict.backoff.attempts,
        error=verdict.backoff.error,
    )


def not_recreated(note: Replacing) -> str:
    """The message about a pool that was deleted to be replaced, and does not exist."""
    when = f"{note.since.astimezone(UTC):%FT%RZ}"
    return f"{note.description}: deleted {when} to be replaced by commit {note.revision[:7]}, and not created again yet"


def out_of_sync(cause: SyncCause, plan: Plan) -> str:
    """``drift: 3 changes: 1 without impact, 2 revoking access``, and what was refused."""
    count = len(plan.all_changes)
    risks = risks_text(change.risk for change in plan.all_changes)
    text = counted(count, "change") + (f": {risks}" if risks else "")
    text = f"{text}; {len(plan.refusals)} refused" if plan.refusals else text
    return text if cause is SyncCause.UNKNOWN else f"{cause}: {text}"


def _problems(end: Assessment, limits: RunLimits, *, moving: bool) -> list[Occurrence]:
    """What is wrong; first what an administrator has to act on."""
    found = {
        Occurrence(
            causes.WRITE_FAILED if isinstance(one.error, Transient) else causes.WRITE_REJECTED,
            str(one.error), one.error.reason, one.error.retry_after or 0.0,
        )
        for one in end.all_failures(limits)
    }  # fmt: skip
    found |= {
        Occurrence(
            causes.SAFETY_UNREAD if isinstance(error, Transient) else causes.SAFETY_DAMAGED,
            f"nothing is written: {error}", error.reason, error.retry_after or 0.0,
        )
        for error in end.gate.unreadable()
    }  # fmt: skip
    found |= {Occurrence(causes.REFUSED, refusal.message) for refusal in end.plan.refusals}
    for gap in end.plan.gaps:
        if gap.kind is GapKind.DEGRADED:
            moved = gap.reason == Moved.__name__
            found.add(Occurrence(causes.MOVED if moved else causes.DEGRADED, gap.message))
        elif gap.message in end.overdue:
            found.add(Occurrence(causes.OVERDUE, end.overdue[gap.message]))
        elif gap.kind is GapKind.UNKNOWN:
            cause = causes.READ_FAILED if family(gap.reason) is Transient else causes.READ_REJECTED
            found.add(Occurrence(cause, gap.message, gap.reason, gap.retry_after or 0.0))
    if end.replacing is not None and end.not_recreated and not moving:
        found.add(Occurrence(causes.REPLACING, not_recreated(end.replacing)))
    return sorted(found, key=lambda one: (not one.cause.stalled, one.reason, one.message, one.cause.ready or ""))


def _missing(end: Assessment, cause: causes.Cause) -> list[Occurrence]:
    """What does not exist yet: nothing that is overdue, and nothing at all while the pool itself is not created."""
    blocked = [refusal.change for refusal in end.plan.refusals]
    blocked += [
        change
        for change in end.plan.changes
        if change.id in end.failures and isinstance(end.failures[change.id].error, Terminal)
    ]
    if any(change.route is Route.ARM and change.action is Action.CREATE for change in blocked):
        return []
    return [
        Occurrence(cause, gap.message, gap.reason, gap.retry_after or 0.0)
        for gap in end.plan.gaps
        if gap.kind is GapKind.NOT_READY
        and gap.message not in end.overdue
        and not (gap.foreseen and (end.unapproved or end.held))
    ]


def _held(end: Assessment) -> list[Occurrence]:
    """What is held back of a pool that may be written; settings that cannot be read are problems already.

    What opens by itself comes first.
    """
    counts = Counter((_HOLDS[setting.kind], not_applied(setting)) for _, setting in end.held if setting.unknown is None)
    found = [
        Occurrence(cause, f"{text}: {counted(count, 'change')}")
        for (cause, text), count in sorted(counts.items(), key=lambda one: one[0][1])
    ]
    order = list(_HOLDS.values())
    return sorted(found, key=lambda one: order.index(one.cause))


def _moving(end: Assessment, limits: RunLimits) -> list[Occurrence]:
    """What goes on without a person."""
    moving: list[Occurrence] = []
    if end.pending is not None:
        text = f"{end.pending.description} is in flight"
        moving.append(Occurrence(causes.OPERATION, text, retry_after=end.pending.retry_after))
    if end.waiting:
        moving.append(
            Occurrence(
                causes.LEFT_TO_AZURE, f"Azure is given time for {some([change_words(name) for name in end.waiting])}"
            )
        )
    if end.exhausted:
        moving.append(Occurrence(causes.BUDGET_USED, "the run's time is used up, the next run goes on"))
    lagging = sorted(name for name, count in end.unverified.items() if count < limits.writes)
    if lagging:
        moving.append(
            Occurrence(causes.NOT_VISIBLE, f"not yet visible: {some([change_words(name) for name in lagging])}")
        )
    if not moving and not end.reports_only and not end.failures and not end.unverified and end.left_over:
        text = f"left for the next run: {out_of_sync(SyncCause.UNKNOWN, end.plan)}"
        moving.append(Occurrence(causes.LEFT_OVER, text))
    return moving


def _in_sync(plan: Plan) -> str:
    return some(["both planes are as the spec says", *(remark.message for remark in plan.remarks)])


def _backoff(end: Assessment, found: Sequence[Occurrence]) -> tuple[Backoff, list[float]]:
    """One more of what failed before, or the first of another kind, and its pause; nothing where nothing failed."""
    tried_again = [one for one in found if one.cause.next_read is causes.NextRead.BACKOFF]
    if not tried_again:
        return Backoff(), []
    before = end.before
    reason = min(one.error for one in tried_again)
    backoff = Backoff(before.attempts, before.error, before.attempted).after(reason, end.revision)
    pause = delay(backoff.attempts, chance(end.spec.key, backoff.attempts))
    return backoff, [max([pause, *(one.retry_after for one in tried_again)])]
