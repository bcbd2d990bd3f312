"""May this project, or this pipeline, run on this pool now? And if not: what is missing, and what becomes of it.

::

    asked   who is asked about: a spec, one of its organizations, a project, perhaps a pipeline (`Question`)
    trail   the way from the ARM resource to the roles, step by step, as far as it leads (`follow`)
    wanted  what the spec says of it, in sentences
    answer  all of it with the operator's plan, as text and as JSON (`Explanation`)

Reads only, and decides nothing: what will be done is taken from a plan that somebody else made.
"""

from __future__ import annotations

from reconciler.tools.explain.answer import Explanation, explained
from reconciler.tools.explain.question import Question, asked
from reconciler.tools.explain.steps import ExplainStep, State, follow

__all__ = ["ExplainStep", "Explanation", "Question", "State", "asked", "explained", "follow"]
