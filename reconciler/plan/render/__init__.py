"""A plan for people and programs: text for a terminal, Markdown for a pull request, JSON for machines.

Pure functions from a plan to a string or a document; colours, widths of terminals and files are the command line's
business. Every value in a plan may come from outside (a project's name, a person's name, an error text), so each
passes `clean` before it is shown: the name of a project cannot control a terminal.

What shows a plan is imported when it is first used: `validate` and the messages of every command need `clean` alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from reconciler.plan.render.clean import clean

if TYPE_CHECKING:
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

_PARTS = {
    "document": ("json_text", "plans_to_json", "to_json"),
    "folds": ("move", "value"),
    "lines": ("text",),
    "tables": ("code", "escaped", "markdown"),
    "words": ("MOST_NAMES", "SHORT_REVISION", "counts", "effect", "state", "summary", "total"),
}


def __getattr__(name: str) -> Any:
    """The part that a name belongs to is imported when the name is first used, and found at once from then on."""
    for part, names in _PARTS.items():
        if name in names:
            found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{part}"), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
