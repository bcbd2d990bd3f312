"""The words that all renderings share: the state of a plan, its counts, its rows, a value in short.

Decides nothing about layout, so that text and Markdown never tell different stories of one plan.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.documents import Json
from reconciler.plan.model import Action, Change, GapKind, Plan, Risk
from reconciler.plan.render.clean import clean

SHORT_REVISION = 7
"""Characters of a commit id that people read."""

LONGEST = 160
"""Characters of one value; what is longer is cut, and says so. JSON has it whole."""


MOST_DETAILS = 3
"""Fields of one change that a single line names."""

_PLAIN = re.compile(r"[\w.@/-]+")

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
    """Route, then what it does to people: ``Azure DevOps, widens``."""


def state(plan: Plan) -> str:
    """The plan in a word or two. Only an empty and complete plan is ``in sync``."""
    if plan.in_sync:
        return "in sync"
    drifted = "drifted" if plan.changes or plan.refusals else ""
    ready = all(gap.kind is GapKind.NOT_READY for gap in plan.gaps)
    incomplete = "" if not plan.gaps else "not all there yet" if ready else "not all known"
    return ", ".join(word for word in (drifted, incomplete) if word)


def revision(plan: Plan) -> str:
    """The commit as people write it, cleaned; empty for a folder that git does not keep, marked for unsaved work."""
    dirty = "-dirty" if "-dirty" in plan.revision else ""
    return clean(plan.revision[:SHORT_REVISION]) + dirty


def counts(plan: Plan) -> str:
    """``3 changes: 1 neutral, 1 widens, 1 narrows; 1 refused; 2 gaps: 1 not ready, 1 unknown``."""
    parts = [_counted(len(plan.changes), "change", _tally(Risk, (c.risk for c in plan.changes)))]
    if plan.refusals:
        parts.append(f"{len(plan.refusals)} refused")
    if plan.gaps:
        parts.append(_counted(len(plan.gaps), "gap", _tally(GapKind, (g.kind for g in plan.gaps))))
    if plan.remarks:
        parts.append(_counted(len(plan.remarks), "remark", ""))
    return "; ".join(parts)


def _counted(number: int, noun: str, parts: str) -> str:
    text = f"{number} {noun}" if number == 1 else f"{number} {noun}s"
    return f"{text}: {parts}" if parts else text


def _tally(order: type[Risk | GapKind], found: Iterable[Risk | GapKind]) -> str:
    numbers = Counter(found)
    return ", ".join(f"{numbers[member]} {member.value}" for member in order if numbers[member])


def rows(plan: Plan, change: Change) -> Iterator[PlanLine]:
    """One row a change, or one for each of its details; the first row says what is waited for, if anything."""
    if not change.details:
        yield _row(change, clean(change.subject), change.before, change.after, (change.risk, change.note))
        return
    prefix = "" if change.subject.casefold() in ("", plan.pool.casefold()) else f"{clean(change.subject)}  "
    for detail in change.details:
        said = (detail.risk, detail.note or change.note)
        yield _row(change, prefix + clean(detail.path), detail.before, detail.after, said)


def _row(change: Change, subject: str, before: Json, after: Json, said: tuple[Risk, str]) -> PlanLine:
    risk, note = said
    harm = "" if risk is Risk.NEUTRAL else risk.value
    waiting = "waited for once" if change.wait_once else ""
    words = [word for word in (harm, clean(note), waiting) if word] or [risk.value]
    effect = ", ".join([change.route.value, *words])
    return PlanLine(_MARKS[change.action], clean(change.kind), subject, value(before), value(after), effect)


def summary(change: Change) -> str:
    """One change in one line without columns: ``+ open access fabrikam-tailspin/Web: none → all pipelines``."""
    moves = [f"{clean(one.path)} {value(one.before)} → {value(one.after)}" for one in change.details[:MOST_DETAILS]]
    if len(change.details) > MOST_DETAILS:
        moves.append(f"{len(change.details) - MOST_DETAILS} more")
    told = ", ".join(moves) or f"{value(change.before)} → {value(change.after)}"
    return f"{_MARKS[change.action]} {clean(change.kind)} {clean(change.subject)}: {told}"


def value(given: Json) -> str:
    """A short value for people: ``none`` for nothing, JSON for lists and objects, cut where it is very long."""
    if given is None:
        return "none"
    text = given if isinstance(given, str) else _written(given)
    shown = clean(text) or '""'
    if len(shown) <= LONGEST:
        return shown
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{shown[:LONGEST]}… ({len(text)} characters, sha256 {digest}…)"


def _written(given: Json) -> str:
    """Lists of plain names as YAML writes them, everything else as JSON."""
    if isinstance(given, list) and given and all(isinstance(one, str) and _PLAIN.fullmatch(one) for one in given):
        return f"[{', '.join(given)}]"
    return json.dumps(given, sort_keys=True, ensure_ascii=False, default=str)
