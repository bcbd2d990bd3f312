"""The report on a pull request, as Markdown: first in words who gains and who loses access, then the plans.

It is bounded: whole pools are left out from the end, never half a table, and what is left out is named with the place
where it is. Every name stands in `code`, so that it can neither be a mention nor end what surrounds it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.documents.spelling import counted
from reconciler.plan.model import GapKind, Plan
from reconciler.plan.render import folds, words
from reconciler.plan.render.access import Effect, Words, effects
from reconciler.plan.render.clean import clean, cut
from reconciler.plan.render.tables import code, escaped, markdown
from reconciler.plan.sync import SyncCause

MOST_SENTENCES = 20
"""Of one effect."""
LONGEST_LINE = 500
"""Characters of a problem or a failure."""
MOST_NAMES = 100
"""In a list of pools."""
_RESERVE = 6_000
"""Characters that are kept for the lines behind the pools."""
_PART = 3
"""The sentences take at most one part of so many of the whole."""


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """What a run found out about a change of specs."""

    plans: Sequence[tuple[Plan, SyncCause]] = ()
    """Of the pools that the change concerns, each with why it is out of sync."""
    problems: Sequence[str] = ()
    """Of files: ``specs/web.yaml:7: …``."""
    failures: Sequence[str] = ()
    """Why something was not planned: ``fabrikam-managed-pool: Unavailable: …``."""
    removed: Sequence[str] = ()
    """Pools whose spec is gone."""
    untouched: int = 0
    """Valid specs that the change leaves as they mean."""
    policy: str = ""
    """File of the policy, where the change touches it: the plans are by what it said before."""

    @property
    def changes(self) -> int:
        """All changes of all plans."""
        return sum(len(plan.all_changes) for plan, _ in self.plans)

    @property
    def refused(self) -> int:
        """Changes that no approval allows."""
        return sum(not refusal.approvable for plan, _ in self.plans for refusal in plan.refusals)

    @property
    def held(self) -> int:
        """Changes that wait for an approval."""
        return sum(refusal.approvable for plan, _ in self.plans for refusal in plan.refusals)

    @property
    def unread(self) -> bool:
        """Whether the plans are not complete, because something could not be read."""
        failed = any(gap.kind is GapKind.UNKNOWN for plan, _ in self.plans for gap in plan.gaps)
        return bool(self.failures) or failed


def verdict(report: ChangeReport) -> str:
    """The report in one line, for a status and a title; plain text without a name."""
    if report.problems or report.unread:
        parts = [counted(len(report.problems), "problem") + " in specs"] if report.problems else []
        parts += ["the plan failed" if report.failures and not report.plans else "the plan is not complete"]
        return "; ".join(parts if report.unread else parts[:1])
    parts = []
    if report.refused:
        parts.append(f"{counted(report.refused, 'change')} refused")
    if report.held:
        parts.append(f"{counted(report.held, 'change')} held back until approved")
    if report.changes:
        risks = words.risks_text(change.risk for plan, _ in report.plans for change in plan.all_changes)
        pools = sum(bool(plan.all_changes) for plan, _ in report.plans)
        parts.append(f"{counted(report.changes, 'change')} in {counted(pools, 'pool')}: {risks}")
    if open_ends := sum(not plan.in_sync for plan, _ in report.plans) if not parts else 0:
        parts.append(f"{counted(open_ends, 'pool')} not verified")
    if report.removed:
        parts.append(f"{counted(len(report.removed), 'pool')} no longer managed")
    if parts:
        return "; ".join(parts)
    return f"in sync: {counted(len(report.plans), 'pool')}" if report.plans else "no pool is concerned"


def succeeded(report: ChangeReport) -> bool:
    """Whether the change can be applied as far as is known: changes are what a pull request is for."""
    return not (report.problems or report.unread or report.refused)


def comment(report: ChangeReport, longest: int, elsewhere: str = "the summary of the run") -> str:
    """The report in at most so many characters; `elsewhere`: where the whole of it is, as plain text."""
    room = _Room(longest // _PART)
    head = [f"### Plan: {verdict(report)}", *_policy(report), *_problems(report, room), *_sentences(report, room)]
    behind = list(_behind(report))
    parts, left_out = list(head), list[str]()
    used = sum(len(part) + 2 for part in parts) + sum(len(part) + 2 for part in behind) + _RESERVE
    for plan, cause in report.plans:
        if plan.in_sync and not plan.remarks:
            continue
        block = markdown(plan, cause)
        used += len(block) + 2
        if used > longest or left_out:
            left_out.append(plan.pool)
        else:
            parts.append(block)
    if left_out:
        where = f"Left out, because a comment has a limit: {_listed(left_out, 20)}. See {escaped(elsewhere)}."
        parts.append(where)
    return "\n\n".join([*parts, *behind])


def _policy(report: ChangeReport) -> Iterator[str]:
    if report.policy:
        yield f"**The policy changes** in {code(folds.value(report.policy))}; this report is by the policy before it."


def _problems(report: ChangeReport, left: _Room) -> Iterator[str]:
    for title, lines in (("Problems in specs", report.problems), ("Not planned", report.failures)):
        yield from left.list(
            title, [escaped(cut(clean(line), len(line), LONGEST_LINE)) for line in lines[:MOST_SENTENCES]], len(lines)
        )


def _sentences(report: ChangeReport, left: _Room) -> Iterator[str]:
    found: dict[Effect, list[Words]] = defaultdict(list)
    for plan, _ in report.plans:
        for one in effects(plan):
            found[one.effect].append(one)
    for effect in Effect:
        lines = [_sentence(one) for one in found[effect][:MOST_SENTENCES]]
        yield from left.list(effect.value, lines, len(found[effect]))
    touched = found[Effect.ADMINISTRATORS] or found[Effect.GAINS] or found[Effect.LOSES]
    if report.plans and not report.unread and not touched:
        yield "No access is granted or revoked."


def _sentence(one: Words) -> str:
    first, *rest = one.text.split("{}")
    return first + "".join(code(folds.value(name)) + after for name, after in zip(one.names, rest, strict=True))


class _Room:
    """How many characters the sentences may still take."""

    def __init__(self, characters: int) -> None:
        self._left = characters

    def list(self, title: str, lines: Sequence[str], number: int) -> Iterator[str]:
        """The lines that have room, below a title; `number`: how many there are in all."""
        if not number:
            return
        shown: list[str] = []
        for line in lines:
            self._left -= len(line) + 3
            if self._left < 0:
                break
            shown.append(f"- {line}")
        if number > len(shown):
            shown.append(f"- … and {number - len(shown)} more")
        yield "\n".join([f"**{title}**", "", *shown])


def _behind(report: ChangeReport) -> Iterator[str]:
    if report.removed:
        yield (
            f"**No longer managed**, since no spec names them: {_listed(report.removed)}. "
            "Nothing is deleted and no access is taken away."
        )
    if quiet := [plan.pool for plan, _ in report.plans if plan.in_sync and not plan.remarks]:
        yield (f"<details><summary>In sync: {counted(len(quiet), 'pool')}</summary>\n\n{_listed(quiet)}\n\n</details>")
    if report.untouched:
        yield f"{counted(report.untouched, 'spec')} not touched by this change, and not planned."


def _listed(names: Sequence[str], most: int = MOST_NAMES) -> str:
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(code(folds.value(name)) for name in names[:most]) + more
