"""The words that all renderings share: the state of a plan, its counts, its rows, a value in short.

Decides nothing about layout, so that text and Markdown say the same of one plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.documents.spelling import counted
from reconciler.plan.model import QUEUE_EXISTS, Action, Change, Gap, GapKind, Plan, Risk
from reconciler.plan.render.clean import clean
from reconciler.plan.render.folds import move
from reconciler.plan.sync import SyncCause
from reconciler.plan.targets import CreatePool
from reconciler.plan.wording import facet_words, reason_words

SHORT_REVISION = 7
"""Characters of a commit id that are shown."""

MOST_NAMES = 20
"""Pools in sync that one line names."""

MOST_DETAILS = 3
"""Fields of one change that a single line names."""

_EFFECTS = {
    Risk.NEUTRAL: "no impact",
    Risk.WIDENS: "grants access",
    Risk.NARROWS: "revokes access",
    Risk.RESTARTS: "restarts agents",
    Risk.DESTROYS: "deletes for good",
}
_DOING = {
    Risk.NEUTRAL: "without impact",
    Risk.WIDENS: "granting access",
    Risk.NARROWS: "revoking access",
    Risk.RESTARTS: "restarting agents",
    Risk.DESTROYS: "deleting for good",
}


def effect(risk: str) -> str:
    """What a change of this risk does to people; of a record of another release the word that it has."""
    return next((words for known, words in _EFFECTS.items() if known.value == risk), risk)


WAIT_ONCE = "usually created by Azure, checked again first"
"""The effect of a change that the first run leaves to Azure for `RunLimits.wait_once`."""

_SUBJECTS = 3
"""Subjects of one cause that are named."""
_MARKS = {Action.CREATE: "+", Action.UPDATE: "~", Action.REMOVE: "-"}


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line about one change, cleaned, without layout."""

    mark: str
    """``+``, ``~`` or ``-``."""
    kind: str
    subject: str
    before: str
    after: str
    effect: str
    """Route, then what it does to people: ``Azure DevOps, grants access``."""


def state(plan: Plan, cause: SyncCause = SyncCause.UNKNOWN) -> str:
    """The plan in a few words: ``out of sync (drift); 2 changes wait for their queue``.

    Only an empty and complete plan is ``in sync``; one that holds no change and is not complete is ``not verified``.
    """
    if plan.in_sync:
        return "in sync"
    known = "" if cause is SyncCause.UNKNOWN else f" ({cause})"
    head = f"out of sync{known}" if plan.all_changes or plan.refusals else "not verified"
    return "; ".join([head, *_open_ends(plan)])


def gaps_shown(plan: Plan) -> tuple[Gap, ...]:
    """Gaps without those for which the plan shows what will be done."""
    return tuple(gap for gap in plan.gaps if not gap.foreseen)


def gaps_by_cause(plan: Plan) -> list[tuple[Gap, ...]]:
    """The gaps that a plan shows, those with one cause together, in the order of the first of each."""
    found: dict[tuple[GapKind, str, str], list[Gap]] = {}
    for gap in gaps_shown(plan):
        found.setdefault((gap.kind, gap.reason, gap.message), []).append(gap)
    return [tuple(gaps) for gaps in found.values()]


def gap_cells(gaps: Sequence[Gap]) -> tuple[str, str]:
    """Which facets and which subjects the gaps of one cause are about; of many subjects the first few."""
    facets, subjects = (
        dict.fromkeys(facet_words(gap.facet) for gap in gaps),
        dict.fromkeys(gap.subject or "(all)" for gap in gaps),
    )
    first = list(subjects)[:_SUBJECTS]
    more = [f"{len(subjects) - len(first)} more"] if len(subjects) > len(first) else []
    return ", ".join(facets), ", ".join([*first, *more])


def gap_reason(gap: Gap) -> str:
    """Why a gap is one, in a word; empty where its state says the same."""
    return "" if reason_words(gap.reason) == gap.kind.value else gap.reason


def _open_ends(plan: Plan) -> Iterator[str]:
    """What follows, and what the gaps of a plan mean, in the order of their kinds."""
    gaps = gaps_shown(plan)
    waiting = [gap for gap in gaps if gap.kind is GapKind.NOT_READY]
    # A gap below a project is about a queue that does not exist yet; the others are about the pool itself.
    gaps_of_queues = sum("/" in gap.subject for gap in waiting)
    queues = gaps_of_queues + sum(change.awaits == QUEUE_EXISTS for change in plan.following)
    if queues:
        yield "1 change waits for its queue" if queues == 1 else f"{queues} changes wait for their queue"
    if later := sum(change.awaits != QUEUE_EXISTS for change in plan.following):
        yield "1 change waits for others" if later == 1 else f"{later} changes wait for others"
    if others := len(waiting) - gaps_of_queues:
        yield f"{_counted(others, 'part', '')} not ready yet"
    kinds = Counter(gap.kind for gap in gaps)
    if failed := kinds[GapKind.UNKNOWN]:
        yield f"{_counted(failed, 'read', '')} failed"
    if degraded := kinds[GapKind.DEGRADED]:
        yield f"{_counted(degraded, 'problem', '')} to correct"


UNCHECKED = "ownership not checked: no state of the deployment was read, so this plan cannot be approved"


def notes(plan: Plan) -> list[str]:
    """What holds the plan as a whole back, and what was not checked; each one line, cleaned."""
    return [*map(clean, plan.not_applied), *([] if plan.checked else [UNCHECKED])]


def revision(plan: Plan) -> str:
    """The short commit, cleaned; empty for a folder without git, marked for files that are not committed."""
    dirty = "-dirty" if "-dirty" in plan.revision else ""
    return clean(plan.revision[:SHORT_REVISION]) + dirty


def counts(plan: Plan) -> str:
    """``2 changes: 1 without impact, 1 granting access; 1 refused; 2 gaps: 1 not ready, 1 unknown``."""
    risks = risks_text(change.risk for change in plan.all_changes)
    parts = [_counted(len(plan.all_changes), "change", risks)]
    if plan.refusals:
        parts.append(f"{len(plan.refusals)} refused")
    if gaps := gaps_shown(plan):
        numbers = Counter(gap.kind for gap in gaps)
        kinds = ", ".join(f"{numbers[kind]} {kind.value}" for kind in GapKind if numbers[kind])
        parts.append(_counted(len(gaps), "gap", kinds))
    if plan.remarks:
        parts.append(_counted(len(plan.remarks), "remark", ""))
    return "; ".join(parts)


def total(plans: Sequence[Plan], quiet: Sequence[Plan]) -> Iterator[str]:
    """Lines behind several plans: which of them are in sync, and what all of them come to."""
    if quiet:
        named = ", ".join(clean(one.pool) for one in quiet[:MOST_NAMES])
        more = f", and {len(quiet) - MOST_NAMES} more" if len(quiet) > MOST_NAMES else ""
        yield f"in sync: {named}{more}"
    changes = [change for one in plans for change in one.all_changes]
    parts = [_counted(len(changes), "change", risks_text(change.risk for change in changes))]
    if refused := sum(len(one.refusals) for one in plans):
        parts.append(f"{refused} refused")
    if gaps := sum(len(gaps_shown(one)) for one in plans):
        parts.append(_counted(gaps, "gap", ""))
    yield f"{len(plans)} pools, {sum(one.in_sync for one in plans)} in sync: {'; '.join(parts)}"


def _counted(number: int, noun: str, parts: str) -> str:
    return counted(number, noun) + (f": {parts}" if parts else "")


def risks_text(risks: Iterable[Risk]) -> str:
    """``1 without impact, 2 granting access``, harmless first; empty where there is none."""
    numbers = Counter(risks)
    return ", ".join(f"{numbers[risk]} {_DOING[risk]}" for risk in Risk if numbers[risk])


def rows(plan: Plan, change: Change, *, full: bool = False) -> Iterator[PlanLine]:
    """One row for each change, or for each of its details; what is created is named before its fields.

    `full`: long values are whole, and not folded to what differs.
    """
    if not change.details or isinstance(change.target, CreatePool):
        sides = move(change.before, change.after, full=full)
        yield _row(change, clean(change.subject), sides, (change.risk, change.note))
    prefix = "" if change.subject.casefold() in ("", plan.pool.casefold()) else f"{clean(change.subject)}  "
    for detail in change.details:
        effect_of = (detail.risk, detail.note or change.note)
        sides = move(detail.before, detail.after, full=full)
        yield _row(change, prefix + clean(detail.path), sides, effect_of)


def _row(change: Change, subject: str, sides: tuple[str, str], effect_of: tuple[Risk, str]) -> PlanLine:
    risk, note = effect_of
    harm = "" if risk is Risk.NEUTRAL else _EFFECTS[risk]
    awaits = f"after {clean(change.awaits)}" if change.awaits else ""
    words = [word for word in (harm, clean(note), awaits) if word]
    if not words and not change.wait_once:
        words = [_EFFECTS[risk]]
    effect = ", ".join([change.route.value, *words])
    if change.wait_once:
        effect = f"{effect}; {WAIT_ONCE}"
    return PlanLine(_MARKS[change.action], clean(change.kind), subject, *sides, effect)


def summary(change: Change) -> str:
    """One change in one line without columns: ``+ open access fabrikam-tailspin/Web: none → all pipelines``."""
    lines = () if isinstance(change.target, CreatePool) else change.details
    moves = [f"{clean(one.path)} {' → '.join(move(one.before, one.after))}" for one in lines[:MOST_DETAILS]]
    if len(lines) > MOST_DETAILS:
        moves.append(f"{len(lines) - MOST_DETAILS} more")
    moves_text = ", ".join(moves) or " → ".join(move(change.before, change.after))
    return f"{_MARKS[change.action]} {clean(change.kind)} {clean(change.subject)}: {moves_text}"
