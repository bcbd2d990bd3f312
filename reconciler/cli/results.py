"""Results of an apply in the three output formats, and their exit codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from reconciler.cli.codes import DONE, ERROR, PENDING
from reconciler.cli.options import OutputFormat
from reconciler.cli.run_reporter import PoolWrites
from reconciler.cli.screen import Screen
from reconciler.documents import Json, moment
from reconciler.documents.spelling import counted
from reconciler.engine import Outcome, Result
from reconciler.plan import render
from reconciler.plan.model import Change
from reconciler.plan.sync import SyncCause

FORMAT = "reconciler/results/v2"

_CODES = {
    Outcome.IN_SYNC: DONE,
    Outcome.APPLIED: DONE,
    Outcome.SUSPENDED: DONE,
    Outcome.PROGRESSING: PENDING,
    Outcome.OUT_OF_SYNC: PENDING,
    Outcome.FAILED: ERROR,
    Outcome.STALLED: ERROR,
}
"""A pool that is paused is done: what differs is shown, and nothing is to be changed."""

_WORDS = {
    Outcome.IN_SYNC: "in sync",
    Outcome.APPLIED: "applied and verified",
    Outcome.SUSPENDED: "paused",
    Outcome.PROGRESSING: "in progress",
    Outcome.OUT_OF_SYNC: "out of sync",
    Outcome.FAILED: "failed (transient, will be retried)",
    Outcome.STALLED: "stalled (needs action)",
}


def _cause(result: Result) -> SyncCause:
    """Why the pool is out of sync."""
    return result.status.cause or SyncCause.UNKNOWN


def _word(result: Result) -> str:
    """The result in a few words, with why the pool is out of sync where that is known."""
    known = result.outcome is Outcome.OUT_OF_SYNC and _cause(result) is not SyncCause.UNKNOWN
    return f"{_WORDS[result.outcome]} ({_cause(result)})" if known else _WORDS[result.outcome]


def exit_code(result: Result) -> int:
    """The exit code of one pool."""
    return _CODES[result.outcome]


def show(
    results: Sequence[Result], output: OutputFormat, screen: Screen, interrupted: Mapping[str, PoolWrites] | None = None
) -> None:
    """All results in the chosen format; `interrupted`: by pool, the writes of runs that did not come to an end."""
    cut_off = interrupted or {}
    results = [one for one in results if one.pool not in cut_off]
    if output is OutputFormat.JSON:
        document: dict[str, Json] = {"format": FORMAT, "summary": _total(results, cut_off)}
        document["results"] = [_document(one) for one in results]
        document["interrupted"] = [_interrupted(pool, writes) for pool, writes in cut_off.items()]
        screen.document(document)
    elif output is OutputFormat.MARKDOWN:
        parts = [_markdown(one) for one in results]
        parts += ["\n".join(f"- {render.escaped(line)}" for line in truth(pool, one)) for pool, one in cut_off.items()]
        screen.result("\n\n".join(parts))
    else:
        _texts(results, screen)
        for pool, writes in cut_off.items():
            for line in truth(pool, writes):
                screen.bad(line)
        if len(results) + len(cut_off) > 1:
            screen.total(_total(results, cut_off))


def truth(pool: str, writes: PoolWrites) -> list[str]:
    """What is known of a run that was interrupted: written, verified, on its way, not begun."""
    planned = len(writes.plan.all_changes)
    lines = [f"{pool}   interrupted; {planned} planned, {len(writes.written)} written, {len(writes.verified)} verified"]
    lines += [f"  verified: {render.summary(change)}" for change in writes.verified.values()]
    lines += [f"  written, not verified: {render.summary(change)}" for change in writes.unverified]
    if writes.sending is not None:
        lines.append(f"  sent, result not known: {render.summary(writes.sending)}")
    lines += [f"  failed: {render.summary(change)}" for change in writes.failed.values()]
    return [*lines, *(f"  not begun: {render.summary(change)}" for change in writes.not_begun)]


def _interrupted(pool: str, writes: PoolWrites) -> dict[str, Json]:
    return {
        "pool": pool,
        "planned": [change.id for change in writes.plan.all_changes],
        "written": list(writes.written),
        "verified": list(writes.verified),
        "resultNotKnown": None if writes.sending is None else writes.sending.id,
        "failed": list(writes.failed),
        "notBegun": [change.id for change in writes.not_begun],
    }


def _total(results: Sequence[Result], cut_off: Mapping[str, PoolWrites]) -> str:
    """``3 pools: 1 applied and verified, 2 in sync; 4 planned, 4 written, 4 verified``."""
    words = Counter(_WORDS[one.outcome] for one in results)
    if cut_off:
        words["interrupted"] = len(cut_off)
    kinds = ", ".join(f"{number} {word}" for word, number in words.items())
    planned = sum(len(one.planned.all_changes) for one in results if one.planned)
    planned += sum(len(one.plan.all_changes) for one in cut_off.values())
    written = sum(len(one.written) for one in results) + sum(len(one.written) for one in cut_off.values())
    verified = sum(len(one.verified) for one in results) + sum(len(one.verified) for one in cut_off.values())
    pools = len(results) + len(cut_off)
    head = f"{counted(pools, 'pool')}: {kinds}" if pools else "no pool"
    return f"{head}; {planned} planned, {written} written, {verified} verified"


def _texts(results: Sequence[Result], screen: Screen) -> None:
    """One block for each pool; several that are in sync are one line."""
    quiet = [one for one in results if one.outcome is Outcome.IN_SYNC and not one.verified]
    folded = quiet if len(quiet) > 1 else []
    for one in results:
        if one not in folded:
            _text(one, screen)
    if folded:
        names = ", ".join(one.pool for one in folded[: render.MOST_NAMES])
        more = f", and {len(folded) - render.MOST_NAMES} more" if len(folded) > render.MOST_NAMES else ""
        screen.good(f"in sync; nothing changed: {names}{more}")


def _text(result: Result, screen: Screen) -> None:
    line = f"{_head(result)}   {_word(result)}; {numbers(result)}"
    if exit_code(result) == DONE:
        screen.good(line)
    else:
        screen.bad(line)
    for failure in _failures(result):
        screen.bad(f"  {failure}")
    for change in _unverified(result):
        screen.bad(f"  written, not verified: {render.summary(change)}")
    if result.plan and not result.plan.in_sync:
        screen.plan(result.plan, _cause(result))


def _head(result: Result) -> str:
    revision = result.revision[: render.SHORT_REVISION]
    return f"{result.pool} @ {revision}" if revision else result.pool


def numbers(result: Result) -> str:
    """``3 planned, 3 written, 2 verified``; ``nothing changed`` where nothing was to be."""
    planned = len(result.planned.all_changes) if result.planned else 0
    if not result.written and not result.verified:
        return f"{planned} planned, nothing written" if planned else "nothing changed"
    return f"{planned} planned, {len(result.written)} written, {len(result.verified)} verified"


def _unverified(result: Result) -> list[Change]:
    seen = {change.id for change in result.verified}
    return [change for change in result.written if change.id not in seen]


def _failures(result: Result) -> list[str]:
    lines = []
    for failure in result.failures:
        what = f"{render.summary(failure.change)}: " if failure.change else ""
        lines.append(f"{what}{failure.error.reason}: {failure.error}")
    return list(dict.fromkeys(lines))


def _markdown(result: Result) -> str:
    lines = [f"### {render.code(_head(result))}: {_word(result)}", "", numbers(result)]
    for title, changes in (("verified", result.verified), ("written, not verified", _unverified(result))):
        listed = [f"- {render.escaped(render.summary(change))}" for change in changes]
        lines += ["", f"**{title}**", "", *listed] if listed else []
    failures = _failures(result)
    lines += ["", "**failed**", "", *(f"- {render.escaped(one)}" for one in failures)] if failures else []
    if result.plan and not result.plan.in_sync:
        lines += ["", "What remains:", "", render.markdown(result.plan, _cause(result))]
    return "\n".join(lines)


def _document(result: Result) -> dict[str, Json]:
    return {
        "pool": result.pool,
        "revision": result.revision,
        "outcome": result.outcome.value,
        "planned": render.to_json(result.planned, _cause(result)) if result.planned else None,
        "written": [change.id for change in result.written],
        "verified": [change.id for change in result.verified],
        "failures": [
            {
                "change": failure.change.id if failure.change else None,
                "reason": failure.error.reason,
                "message": str(failure.error),
            }
            for failure in result.failures
        ],
        "left": render.to_json(result.plan, _cause(result)) if result.plan else None,
        "nextLook": result.next_look,
        "due": None if result.due is None else moment(result.due),
    }
