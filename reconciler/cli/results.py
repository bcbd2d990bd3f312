"""Results of an apply in the three output formats, and their exit codes."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.cli.codes import DONE, ERROR, PENDING
from reconciler.cli.options import OutputFormat
from reconciler.cli.screen import Screen
from reconciler.documents import Json
from reconciler.engine import Outcome, Result
from reconciler.plan import render
from reconciler.plan.sync import SyncCause

FORMAT = "reconciler/results/v1"

_CODES = {
    Outcome.IN_SYNC: DONE,
    Outcome.APPLIED: DONE,
    Outcome.SUSPENDED: DONE,
    Outcome.PROGRESSING: PENDING,
    Outcome.OUT_OF_SYNC: PENDING,
    Outcome.FAILED: ERROR,
    Outcome.STALLED: ERROR,
}
"""A pool that its spec pauses is done: nothing was to be changed."""

_WORDS = {
    Outcome.IN_SYNC: "in sync",
    Outcome.APPLIED: "applied and verified",
    Outcome.SUSPENDED: "paused by its spec",
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


def show(results: Sequence[Result], output: OutputFormat, screen: Screen) -> None:
    """All results in the chosen format."""
    if output is OutputFormat.JSON:
        screen.document({"format": FORMAT, "results": [_document(one) for one in results]})
    elif output is OutputFormat.MARKDOWN:
        screen.result("\n\n".join(_markdown(one) for one in results))
    else:
        for one in results:
            _text(one, screen)


def _text(result: Result, screen: Screen) -> None:
    line = f"{_head(result)}   {_word(result)}; {_applied(result)}"
    if exit_code(result) == DONE:
        screen.good(line)
    else:
        screen.bad(line)
    for failure in _failures(result):
        screen.bad(f"  {failure}")
    if result.plan and not result.plan.in_sync:
        screen.plan(result.plan, _cause(result))


def _head(result: Result) -> str:
    revision = result.revision[: render.SHORT_REVISION]
    return f"{result.pool} @ {revision}" if revision else result.pool


def _applied(result: Result) -> str:
    number = len(result.applied)
    return f"{number} change{'' if number == 1 else 's'} applied" if number else "nothing changed"


def _failures(result: Result) -> list[str]:
    lines = []
    for failure in result.failures:
        what = f"{render.summary(failure.change)}: " if failure.change else ""
        lines.append(f"{what}{failure.error.reason}: {failure.error}")
    return list(dict.fromkeys(lines))


def _markdown(result: Result) -> str:
    lines = [f"### {render.code(_head(result))}: {_word(result)}", "", _applied(result)]
    lines += (
        ["", *(f"- {render.escaped(render.summary(change))}" for change in result.applied)] if result.applied else []
    )
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
        "applied": [change.id for change in result.applied],
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
    }
