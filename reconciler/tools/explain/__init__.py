"""Whether a project or pipeline may run on a pool now; if not, what is missing and what the operator will do.

::

    question  a spec, one of its organizations, a project, perhaps a pipeline (`Question`)
    steps     the path from the ARM resource to the roles, step by step, as far as it leads (`follow`)
    answer    the steps, what the spec says, and the operator's plan, as text and as JSON (`Explanation`)

Reads only, and decides nothing: what will be done is taken from a plan.
"""

from __future__ import annotations

from reconciler.tools.explain.answer import Explanation, explanation_of
from reconciler.tools.explain.question import Question, parse_question
from reconciler.tools.explain.steps import ExplainStep, State, follow

__all__ = ["ExplainStep", "Explanation", "Question", "State", "explanation_of", "follow", "parse_question"]
