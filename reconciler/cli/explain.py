"""`explain`: whether a project or pipeline may run on a pool now, and why not."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR, PENDING
from reconciler.cli.options import Form, NoColor, OutputFormat, Policy, Ref, Specs, Verbose
from reconciler.cli.plan import facts_by_pool
from reconciler.cli.screen import Screen
from reconciler.cli.selection import recalled, require, select, settings_of, view
from reconciler.engine.gate import annotated, gate_now
from reconciler.engine.ownership import Claims
from reconciler.engine.planner import of_this_run
from reconciler.tools.explain import Explanation, explanation_of, follow, parse_question

Pool = Annotated[str, typer.Argument(metavar="POOL", help="The pool's name.")]
Project = Annotated[
    str, typer.Argument(metavar="PROJECT", help="organization/project; the project alone where that is clear.")
]
Pipeline = Annotated[
    str, typer.Argument(metavar="PIPELINE", help="A pipeline by id, path or name.", show_default=False)
]


def explain(
    pool: Pool,
    project: Project,
    pipeline: Pipeline = "",
    *,
    specs: Specs = "",
    ref: Ref = "",
    policy: Policy = "",
    output: Form = OutputFormat.TEXT,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Explain whether a project or pipeline may run on a pool now: each step, who opened it, what will be done."""
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(specs, ref, policy)
    tools = bootstrap.tools(settings)
    selection = select(bootstrap.source(settings), [pool], screen, place=settings.specs)
    require(selection, screen)
    (spec,) = selection.specs
    with screen.progress("reading", None):
        tools.sign_in()
        now = tools.clock.now()
        # An explanation is about what is there now, so no read is saved.
        known = recalled(settings, [spec], screen)
        survey = view(tools.planner.survey([spec]).fresh(), spec, known)
        question = parse_question(of_this_run(spec, survey).spec, project, pipeline)
        steps = follow(question, survey)
        facts = facts_by_pool(settings, [spec], screen)[spec.key]
        claims = Claims(facts, owner=bootstrap.owners_of(settings))
        plan = tools.planner.plan(spec, survey, selection.revision, claims)
        plan = annotated(plan, gate_now(tools.planner, spec, facts, known.get(spec.key)), checked=facts.checked)
        answer = explanation_of(question, steps, plan, now)
    show(answer, output, screen)
    return {True: DONE, False: PENDING, None: ERROR}[answer.may]


def show(answer: Explanation, output: OutputFormat, screen: Screen) -> None:
    """The explanation in the requested form."""
    if output is OutputFormat.JSON:
        screen.document(answer.to_json())
    elif output is OutputFormat.MARKDOWN:
        screen.result(f"```\n{answer.text()}\n```")
    else:
        screen.result(answer.text())
