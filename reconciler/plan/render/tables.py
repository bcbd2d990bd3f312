"""A plan as Markdown for a comment on a pull request: a table, with what is long folded away.

Names come from people who may not be trusted: each value stands in ``<code>`` with every character that Markdown
gives a meaning written as a numeric entity. CommonMark says of those that they cannot stand for structure
(spec 0.31, "Entity and numeric character references"), so a name neither ends a table nor mentions a person. The
entities are hexadecimal: a host that looks for work items in the source of a comment would find ``#46`` in ``&#46;``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reconciler.plan.model import Plan
from reconciler.plan.render import words
from reconciler.plan.render.clean import LONGEST, clean, cut
from reconciler.plan.sync import SyncCause
from reconciler.plan.wording import facet_words

FOLDED_FROM = 20
"""Rows from which a table is folded away."""

LONGEST_CELL = 2_000
"""Characters of one value, before they are encoded."""

_WHOLE = 10_000_000

MOST_ROWS = 200
"""Rows of one table; a comment has a limit (65,536 characters on GitHub)."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -/.,=+→…%;?")


_WWW = re.compile(r"(www)\.", re.IGNORECASE)
"""An address without a scheme that becomes a link by itself."""
_LINKING = re.compile(r"&#x(?:40|23);(?=\w)")


def markdown(plan: Plan, cause: SyncCause = SyncCause.UNKNOWN, *, full: bool = False) -> str:
    """The plan as GitHub-flavoured Markdown, without a final newline; `cause`: why the pool is out of sync.

    `full`: long values are whole, whatever a comment may hold.
    """
    return "\n".join([*_head(plan, cause), *_changes(plan, full=full), *_refusals(plan), *_gaps(plan), *_remarks(plan)])


def _head(plan: Plan, cause: SyncCause) -> Iterator[str]:
    revision = words.revision(plan)
    at = f" @ {code(revision)}" if revision else ""
    yield f"### {code(plan.pool)}{at}: {words.state(plan, cause)}"
    yield ""
    yield f"{words.counts(plan)} · plan {code(plan.hash)}" if plan.checked else words.counts(plan)
    for note in words.notes(plan):
        yield ""
        yield escaped(note)


def _changes(plan: Plan, *, full: bool) -> Iterator[str]:
    rows = [row for change in plan.all_changes for row in words.rows(plan, change, full=full)]
    longest = _WHOLE if full else LONGEST_CELL
    cells = [
        [
            *(code(row.mark), escaped(row.kind), code(row.subject)),
            *(code(row.before, longest), code(row.after, longest), escaped(row.effect)),
        ]
        for row in rows
    ]
    yield from _table("changes", ["", "what", "which", "from", "to", "API, effect"], cells)


def _refusals(plan: Plan) -> Iterator[str]:
    cells = [[escaped(r.change.kind), code(r.change.subject), code(r.rule), escaped(r.message)] for r in plan.refusals]
    yield from _table("refused", ["what", "which", "rule", "why"], cells)


def _gaps(plan: Plan) -> Iterator[str]:
    cells = []
    for gaps in words.gaps_by_cause(plan):
        facets, subjects = words.gap_cells(gaps)
        why = escaped(": ".join(filter(None, (words.gap_reason(gaps[0]), gaps[0].message))))
        cells.append([escaped(facets), code(subjects), gaps[0].kind.value, why])
    yield from _table("not known", ["what", "which", "state", "why"], cells)


def _remarks(plan: Plan) -> Iterator[str]:
    cells = [[escaped(facet_words(one.facet)), code(one.subject), escaped(one.message)] for one in plan.remarks]
    yield from _table("remarks", ["what", "which", "why"], cells)


def _table(title: str, header: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[str]:
    if not cells:
        return
    folded = len(cells) >= FOLDED_FROM
    yield ""
    yield f"<details><summary>{title}: {len(cells)} rows</summary>" if folded else f"**{title}**"
    yield ""
    yield _line(header)
    yield _line(["---"] * len(header))
    yield from (_line(row) for row in cells[:MOST_ROWS])
    if len(cells) > MOST_ROWS:
        yield ""
        yield f"… and {len(cells) - MOST_ROWS} more rows: the JSON output has them all."
    if folded:
        yield ""
        yield "</details>"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def code(value: str, longest: int = LONGEST_CELL) -> str:
    """A value from outside, in fixed-width letters, with nothing in it that Markdown or a terminal would obey."""
    return f"<code>{_encoded(value, longest)}</code>"


def escaped(value: str) -> str:
    """A value from outside as plain text, with nothing in it that Markdown or a terminal would obey.

    GitHub looks for people and issues (``@ann``, ``#12``) after it has resolved entities, though not in `code`: there a
    zero-width space keeps the sign apart from what follows.
    """
    return _LINKING.sub(r"\g<0>&#x200b;", _encoded(value))


def _encoded(value: str, longest: int = LONGEST_CELL) -> str:
    shown = cut(clean(value, max(longest, LONGEST)), len(value), longest)
    text = "".join(c if c in _PLAIN or c.isalnum() else f"&#x{ord(c):x};" for c in shown)
    return _WWW.sub(r"\1&#x2e;", text)
