"""Lines of a PUT that ARM confirmed and that are there again: counted, so that none is written for ever.

A PUT is a long operation, so the run that reads its effect is another one than the run that sent it. The operation in
flight therefore carries the lines of its change. If the next plan has the same line, with the same value before and
after, that write had no effect. The count ends with the spec's content, and as soon as the line is gone.
"""

from __future__ import annotations

import hashlib
import json

from reconciler.engine.status import InFlight, PoolStatus
from reconciler.engine.stored import Ineffective
from reconciler.engine.tenure import RunLimits
from reconciler.errors import WrittenWithoutEffect
from reconciler.plan.model import Change, Detail, Plan, facet_of


def lines_of(change: Change) -> tuple[str, ...]:
    """Short digests of a change's lines, each under its facet: what is stored holds no value."""
    return tuple(_line(change, detail) for detail in change.details)


def counted(status: PoolStatus, ended: InFlight | None, plan: Plan, digest: str) -> Ineffective | None:
    """The count after this plan; `ended`: the operation that ended without an error since the last plan."""
    known = status.ineffective.lines if status.ineffective and status.ineffective.spec == digest else {}
    planned = {line for change in plan.differing for line in lines_of(change)}
    unread = {gap.facet for gap in plan.gaps}
    counts = {line: n for line, n in known.items() if line in planned or facet_of(line) in unread}
    if ended is not None and ended.spec == digest:
        counts |= {line: counts.get(line, 0) + 1 for line in ended.lines if line in planned}
    return Ineffective(digest, dict(sorted(counts.items()))) if counts else None


def resting(plan: Plan, count: Ineffective | None, limits: RunLimits) -> dict[str, WrittenWithoutEffect]:
    """The changes, by id, of which every line was written without effect: they are not sent again.

    Of a value that is absent, ARM is known to take no notice after one write. Another value may have been put back by
    another process, so it is written as often as any other write.
    """
    if count is None:
        return {}
    found = {}
    for change in plan.changes:
        spent = [
            count.lines.get(_line(change, detail), 0) >= (1 if _absent(detail) else limits.writes)
            for detail in change.details
        ]
        if spent and all(spent):
            paths = ", ".join(detail.path for detail in change.details)
            found[change.id] = WrittenWithoutEffect(
                f"{change.subject}: ARM confirmed the write of {paths}, and a new read shows no effect; "
                "correct the value, or take it out of the spec"
            )
    return found


def _line(change: Change, detail: Detail) -> str:
    text = json.dumps([change.id, detail.path, detail.before, detail.after], sort_keys=True)
    return f"{change.facet}:{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _absent(detail: Detail) -> bool:
    return detail.before in (None, "", [], {})
