"""A plan as text: aligned columns, one line for each change, then what was refused or not read."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from reconciler.plan.model import Gap, Plan, Refusal
from reconciler.plan.render import words
from reconciler.plan.render.clean import clean, width
from reconciler.plan.render.folds import move
from reconciler.plan.sync import SyncCause
from reconciler.plan.wording import facet_words

_WIDEST = 72
"""Columns; a longer cell moves the rest of its own line only."""

_DEEPER = " " * 6
"""Before a line that belongs to the one above it."""

Cells = tuple[str, str, str, str]
"""Kind, subject, from → to, API and effect."""


def text(plan: Plan, columns: int | None = None, cause: SyncCause = SyncCause.UNKNOWN, *, full: bool = False) -> str:
    """The plan in lines of text, without a final newline.

    `columns`: width of the terminal; a change that is wider takes two lines. None: no limit. `cause`: why the pool is
    out of sync, as far as it is known. `full`: long values are whole. The hash stands at the end where the plan holds
    anything to approve.
    """
    end = [f"  {words.counts(plan)}", *(f"  {note}" for note in words.notes(plan))]
    if plan.checked and (plan.all_changes or plan.approvable):
        end.append(f"  plan {plan.hash}")
    return "\n".join([_head(plan, cause), *_body(plan, columns or sys.maxsize, full=full), *end])


def _head(plan: Plan, cause: SyncCause) -> str:
    revision = words.revision(plan)
    name = f"{clean(plan.pool)} @ {revision}" if revision else clean(plan.pool)
    return f"{name}   {words.state(plan, cause)}"


def _body(plan: Plan, columns: int, *, full: bool) -> Iterator[str]:
    marked = [(row.mark, _cells(row)) for change in plan.all_changes for row in words.rows(plan, change, full=full)]
    refused = [_refused(plan, refusal, full=full) for refusal in plan.refusals]
    table = _aligned([*marked, *(line for line, _ in refused)], columns)
    yield from table[: len(marked)]
    for line, (_, reason) in zip(table[len(marked) :], refused, strict=True):
        yield line
        yield f"{_DEEPER}{reason}"
    yield from _gaps(words.gaps_by_cause(plan))
    for remark in plan.remarks:
        yield f"  · {clean(facet_words(remark.facet))}  {clean(remark.subject)}"
        yield f"{_DEEPER}{clean(remark.message)}"


def _cells(row: words.PlanLine) -> Cells:
    return row.kind, row.subject, f"{row.before} → {row.after}", row.effect


def _refused(plan: Plan, refusal: Refusal, *, full: bool) -> tuple[tuple[str, Cells], str]:
    """A refused change is one line however many details it has: the reason matters."""
    change = refusal.change
    subject = clean(change.subject) or clean(plan.pool)
    sides = " → ".join(move(change.before, change.after, full=full))
    cells = (clean(change.kind), subject, sides, f"refused: {clean(refusal.rule)}")
    return ("!", cells), clean(refusal.message)


def _gaps(causes: Sequence[Sequence[Gap]]) -> Iterator[str]:
    cells = []
    for gaps in causes:
        facets, subjects = words.gap_cells(gaps)
        cells.append(("?", (clean(facets), clean(subjects), gaps[0].kind.value, clean(words.gap_reason(gaps[0])))))
    for line, gaps in zip(_aligned(cells, sys.maxsize), causes, strict=True):
        yield line
        yield f"{_DEEPER}{clean(gaps[0].message)}"


def _aligned(lines: Sequence[tuple[str, Cells]], columns: int) -> list[str]:
    widths = [min(_WIDEST, max((width(cells[column]) for _, cells in lines), default=0)) for column in range(3)]
    return [_fitted(mark, cells, widths, columns) for mark, cells in lines]


def _fitted(mark: str, cells: Cells, widths: Sequence[int], columns: int) -> str:
    padded = [cell + " " * max(0, wanted - width(cell)) for cell, wanted in zip(cells[:3], widths, strict=True)]
    line = "  ".join([f"  {mark} {padded[0]}", *padded[1:], cells[3]]).rstrip()
    if width(line) <= columns:
        return line
    return f"  {mark} {padded[0]}  {cells[1]}".rstrip() + f"\n{_DEEPER}{cells[2]}  {cells[3]}".rstrip()
