"""How `onboard` shows what it found: text, Markdown, JSON, and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reconciler.cli.codes import DONE, ERROR, PENDING
from reconciler.cli.options import OutputFormat
from reconciler.cli.screen import Screen
from reconciler.plan import render
from reconciler.tools.onboard import Leave, OnboardRequest, OnboardStep, Standing, View

FORMAT = "reconciler/onboard/v1"
_GOOD = (Standing.HELD, Standing.GIVEN)
_WRONG = (Standing.FAILED, Standing.UNKNOWN)
_LEAVES = {Leave.YES: "you may give it", Leave.NO: "you may not", Leave.UNKNOWN: "whether you may is not known"}


def code_of(view: View) -> int:
    """1 where something failed or could not be asked, 2 where something is missing, 0 where nothing is."""
    standings = {step.standing for step in view.steps}
    if standings & set(_WRONG):
        return ERROR
    return DONE if standings <= set(_GOOD) else PENDING


def show(views: Sequence[View], asked: OnboardRequest, *, applied: bool, output: OutputFormat, screen: Screen) -> None:
    """The result."""
    if output is OutputFormat.JSON:
        screen.document(
            {
                "format": FORMAT,
                "identity": asked.object_id,
                "mode": asked.mode.value,
                "applied": applied,
                "organizations": [view.to_json() for view in views],
            }
        )
        return
    if output is OutputFormat.MARKDOWN:
        rows = ["| place | needs | answer | who may | by hand |", "| --- | --- | --- | --- | --- |"]
        screen.result("\n".join([*rows, *(_row(step) for view in views for step in view.steps)]))
        return
    for view in views:
        _text(view, asked, screen)
    if not applied and any(step.standing is Standing.MISSING for view in views for step in view.steps):
        screen.note("nothing was written; the same with --apply gives what you may give")


def _text(view: View, asked: OnboardRequest, screen: Screen) -> None:
    who = view.identity or "an identity that it does not know yet"
    screen.result(render.clean(f"{view.organization}: {who} ({asked.object_id}), mode {asked.mode.value}"))
    for step in view.steps:
        _step(step, screen)
    for note in view.notes:
        screen.result(render.clean(f"  note     {note}"))
    counts = Counter(step.standing for step in view.steps)
    told = ", ".join(f"{counts[one]} {one.value}" for one in Standing if counts[one])
    (screen.good if code_of(view) == DONE else screen.bad)(f"  {len(view.steps)} steps: {told}")


def _step(step: OnboardStep, screen: Screen) -> None:
    detail = f": {step.detail}" if step.detail else ""
    line = f"  {step.standing.value:<8} {step.place}: {step.what}{detail}"
    if step.standing in _GOOD:
        screen.good(line)
        return
    screen.bad(line)
    screen.result(render.clean(f"           why      {step.why}"))
    screen.result(render.clean(f"           who may  {step.who}; {_LEAVES[step.leave]}"))
    screen.result(render.clean(f"           by hand  {step.grant.remedy}"))


def _row(step: OnboardStep) -> str:
    left = step.standing not in _GOOD
    answer = step.standing.value + (f": {step.detail}" if step.detail else "")
    cells = (step.place, step.what, answer, step.who if left else "", step.grant.remedy if left else "")
    return f"| {' | '.join(map(render.escaped, cells))} |"
