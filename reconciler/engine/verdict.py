"""What a run came to: one word, three conditions, and when to look again. Pure.

A plan's texts are shown; its kinds, and the families of the errors, decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from reconciler.engine.backoff import Backoff, chance, delay
from reconciler.engine.result import Failure, Outcome
from reconciler.engine.run_state import RunState
from reconciler.engine.status import Finding, PoolStatus, Truth
from reconciler.engine.stored import Replacing
from reconciler.engine.tenure import RunLimits
from reconciler.errors import NotEffective, Refused, Terminal, Transient, family
from reconciler.plan.model import Action, Gap, GapKind, Plan, Route
from reconciler.spec.model import Mode

SHOWN = 3
"""Troubles that a condition's message spells out."""


@dataclass(frozen=True, slots=True, order=True)
class Trouble:
    """Something that is not as it should be and is no change."""

    transient: bool
    """False sorts first: what a person has to act on leads."""
    reason: str
    message: str
    unseen: bool = False
    """It kept something from being read, so nobody knows."""
    retry_after: float = 0.0


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """What follows from a run."""

    outcome: Outcome
    finding: Finding
    next_look: float | None
    backoff: Backoff


def judge(work: RunState, limits: RunLimits) -> RunVerdict:
    """The verdict on a run that planned."""
    motion = _motion(work, limits)
    troubles = _troubles(work, limits)
    if work.replacing is not None and work.unmade(work.replacing.facet) and not motion:
        troubles = sorted([*troubles, Trouble(False, "Replacing", unmade(work.replacing))])
    arriving = _arriving(work)
    backoff = _backoff(work, [*(t.reason for t in troubles if t.transient), *(gap.reason for gap in arriving)])
    looks = [look for look, _ in motion]
    if backoff.attempts:
        asked = [t.retry_after for t in troubles if t.transient] + [gap.retry_after or 0.0 for gap in arriving]
        share = delay(backoff.attempts, chance(work.spec.key, backoff.attempts))
        looks.append(max([share, *asked]))
    outcome = _outcome(work, troubles, moving=bool(motion), arriving=bool(arriving))
    if work.spec.mode is Mode.REPORT and outcome is not Outcome.FAILED:
        looks = []
    says = [text for _, text in motion] or [gap.message for gap in arriving]
    finding = _finding(work.plan, outcome, troubles, says)
    if looks:
        finding = replace(finding, in_motion=_mover(outcome, troubles))
    return RunVerdict(outcome, finding, min(looks, default=None), backoff)


def unmade(note: Replacing) -> str:
    """What is told of a pool that was deleted to be made anew, and is not there."""
    when = f"{note.since.astimezone(UTC):%FT%RZ}"
    return f"{note.description}: deleted {when} to be replaced by commit {note.revision[:7]}, and not made again yet"


def concluded(status: PoolStatus, verdict: RunVerdict, revision: str, started: datetime) -> PoolStatus:
    """The status with the revisions and counters that follow from a verdict."""
    good = verdict.outcome in (Outcome.IN_SYNC, Outcome.APPLIED)
    settled = good or verdict.outcome in (Outcome.DRIFTED, Outcome.STALLED)
    return replace(
        status,
        applied=revision if good else status.applied,
        covered=started if settled and verdict.next_look is None else status.covered,
        attempts=verdict.backoff.attempts,
        error=verdict.backoff.error,
    )


def failures(work: RunState, limits: RunLimits) -> tuple[Failure, ...]:
    """What went wrong while applying, with the writes that stayed without effect too often."""
    known = {change.id: change for change in work.plan.changes}
    known.update({refusal.change.id: refusal.change for refusal in work.plan.refusals})
    mute = [
        Failure(
            known.get(name), NotEffective(f"{name}: was answered with success {count} times, and a fresh read says no")
        )
        for name, count in sorted(work.unproven.items())
        if count >= limits.proofs
    ]
    return (*work.failed.values(), *mute)


def _troubles(work: RunState, limits: RunLimits) -> list[Trouble]:
    errors = [failure.error for failure in failures(work, limits)]
    found = {Trouble(isinstance(e, Transient), e.reason, str(e), retry_after=e.retry_after or 0.0) for e in errors}
    found |= {Trouble(False, Refused.__name__, refusal.message) for refusal in work.plan.refusals}
    for gap in work.plan.gaps:
        if gap.kind is GapKind.DEGRADED:
            found.add(Trouble(False, "Degraded", gap.message))
        elif gap.message in work.overdue:
            found.add(Trouble(False, "Overdue", work.overdue[gap.message]))
        elif gap.kind is GapKind.UNKNOWN:
            transient = family(gap.reason) is Transient
            found.add(Trouble(transient, gap.reason, gap.message, unseen=True, retry_after=gap.retry_after or 0.0))
    return sorted(found)


def _arriving(work: RunState) -> list[Gap]:
    """What time may bring: nothing that is overdue, and nothing at all while the pool itself will not be made."""
    unmade = [refusal.change for refusal in work.plan.refusals]
    unmade += [
        change
        for change in work.plan.changes
        if change.id in work.failed and isinstance(work.failed[change.id].error, Terminal)
    ]
    if any(change.route is Route.ARM and change.action is Action.CREATE for change in unmade):
        return []
    return [g for g in work.plan.gaps if g.kind is GapKind.NOT_READY and g.message not in work.overdue]


def _backoff(work: RunState, reasons: Iterable[str]) -> Backoff:
    """One more of what failed before, or the first of another kind; nothing where nothing failed."""
    reason = min(reasons, default="")
    status = work.status
    return (
        Backoff(status.attempts, status.error, status.attempted).after(reason, work.revision) if reason else Backoff()
    )


def _motion(work: RunState, limits: RunLimits) -> list[tuple[float, str]]:
    """What goes on by itself: seconds until it is worth looking, and what it is."""
    motion: list[tuple[float, str]] = []
    if work.pending is not None:
        motion.append((work.pending.retry_after, f"{work.pending.description} is in flight"))
    if work.waiting:
        motion.append((limits.wait_once, f"the service is given time for {_some(sorted(work.waiting))}"))
    if work.exhausted:
        motion.append((0.0, "the run's time is used up, the next run goes on"))
    lagging = sorted(name for name, count in work.unproven.items() if count < limits.proofs)
    if lagging:
        motion.append((limits.lag, f"not yet visible: {_some(lagging)}"))
    if not motion and work.spec.mode is Mode.ENFORCE and not work.failed and not work.unproven and work.more:
        motion.append((limits.lag, f"left for the next run: {summary(work.plan)}"))
    return motion


def _outcome(work: RunState, troubles: list[Trouble], *, moving: bool, arriving: bool) -> Outcome:
    if moving:
        return Outcome.PROGRESSING
    if work.spec.mode is Mode.REPORT and (work.plan.changes or work.plan.refusals):
        return Outcome.DRIFTED
    if troubles:
        return Outcome.FAILED if all(trouble.transient for trouble in troubles) else Outcome.STALLED
    if arriving:
        return Outcome.PROGRESSING
    if work.plan.changes:
        return Outcome.DRIFTED
    return Outcome.APPLIED if work.applied else Outcome.IN_SYNC


def _finding(plan: Plan, outcome: Outcome, troubles: list[Trouble], motion: list[str]) -> Finding:
    stuck = [trouble for trouble in troubles if not trouble.transient]
    stalled, stalled_message = (stuck[0].reason, _some([t.message for t in stuck])) if stuck else ("", "")
    if outcome is Outcome.DRIFTED:
        ready, reason, message = Truth.FALSE, "OutOfSync", summary(plan)
    elif troubles:
        ready = Truth.UNKNOWN if troubles[0].unseen and not plan.changes else Truth.FALSE
        reason, message = troubles[0].reason, _some([trouble.message for trouble in troubles])
    elif outcome is Outcome.PROGRESSING:
        ready, reason, message = Truth.FALSE, "Progressing", _some(motion)
    else:
        said = ["both planes are as the spec says", *(remark.message for remark in plan.remarks)]
        ready, reason, message = Truth.TRUE, "InSync", _some(said)
    return Finding(ready, reason, message, stalled=stalled, stalled_message=stalled_message)


def _mover(outcome: Outcome, troubles: list[Trouble]) -> str:
    healing = [trouble.reason for trouble in troubles if trouble.transient]
    return healing[0] if healing and outcome is not Outcome.PROGRESSING else "Progressing"


def summary(plan: Plan) -> str:
    """``3 changes: 1 neutral, 2 narrows``, and what was refused."""
    count = len(plan.changes)
    risks = ", ".join(f"{number} {risk.value}" for risk, number in plan.counts.items())
    text = f"{count} change{'' if count == 1 else 's'}{f': {risks}' if risks else ''}"
    return f"{text}; {len(plan.refusals)} refused" if plan.refusals else text


def _some(texts: list[str]) -> str:
    more = len(texts) - SHOWN
    return "; ".join(texts[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
