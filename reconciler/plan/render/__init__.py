"""A plan for people and programs: text for a terminal, Markdown for a pull request, JSON for machines.

Pure functions from a plan to a string or a document; colours, widths of terminals and files are the command line's
business. Every value in a plan may come from outside (a project's name, a person's name, an error text), so each
passes `clean` before it is shown: the name of a project cannot control a terminal.
"""

from reconciler.plan.render.clean import clean
from reconciler.plan.render.document import json_text, plans_to_json, to_json
from reconciler.plan.render.folds import move, value
from reconciler.plan.render.lines import text
from reconciler.plan.render.tables import code, escaped, markdown
from reconciler.plan.render.words import MOST_NAMES, SHORT_REVISION, counts, effect, state, summary, total

__all__ = [
    "MOST_NAMES",
    "SHORT_REVISION",
    "clean",
    "code",
    "counts",
    "effect",
    "escaped",
    "json_text",
    "markdown",
    "move",
    "plans_to_json",
    "state",
    "summary",
    "text",
    "to_json",
    "total",
    "value",
]
