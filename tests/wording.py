"""Finds lines that name one thing twice: once by its identifier, once by its word."""

from __future__ import annotations

import re

from reconciler.engine.status import REASONS
from reconciler.facets.registry import FACETS
from reconciler.plan.wording import reason_words

PAIRS = {
    **{facet.name: facet.name.replace("_", " ") for facet in FACETS if "_" in facet.name},
    **{reason: reason_words(reason) for reason in REASONS if " " in reason_words(reason)},
}
"""Identifier → its word, where the two are spelt differently."""


def doubled(text: str) -> list[str]:
    """The lines of a text for people that hold both."""
    return [
        line
        for line in text.splitlines()
        if any(
            re.search(rf"\b{name}\b", line) and re.search(rf"\b{word}\b", line, re.IGNORECASE)
            for name, word in PAIRS.items()
        )
    ]


def identifiers(text: str) -> list[str]:
    """The lines of a text for people that hold the identifier of a facet at all."""
    return [line for line in text.splitlines() if any(re.search(rf"\b{one}\b", line) for one in PAIRS if "_" in one)]
