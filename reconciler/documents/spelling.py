"""Finds the known name that a misspelt one most likely stands for."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterable

SIMILAR = 0.72
"""How alike two names have to be for one to be suggested for the other, from 0 to 1."""

_COMPARED = 200
"""Names that are compared; comparing is slow, and files may be made to be slow."""
_LONGEST = 60
"""Characters that are compared."""


def nearest(name: str, known: Iterable[str], cutoff: float = SIMILAR) -> str | None:
    """The known name that was probably meant: the same but for case and separators, else the most similar one.

    `cutoff` is given only where a similar name is an error by itself, and not mere advice.
    """
    return next(iter(similar(name, known, 1, cutoff)), None)


def similar(name: str, known: Iterable[str], most: int, cutoff: float = SIMILAR) -> list[str]:
    """At most `most` known names that resemble `name`, the most similar one first."""
    wanted, by_bare = bare(name)[:_LONGEST], {bare(one): one for one in known}
    if len(by_bare) > _COMPARED:
        # A slip seldom changes how a name begins, or its length by much.
        compared = heapq.nsmallest(
            _COMPARED, by_bare, key=lambda one: (one[:1] != wanted[:1], abs(len(one) - len(wanted)))
        )
    else:
        compared = list(by_bare)
    found = difflib.get_close_matches(wanted, compared, most, cutoff)
    if not found and cutoff == SIMILAR:  # in a short name two swapped letters make it very different
        found = [one for one in compared if wanted and sorted(one) == sorted(wanted)][:most]
    return [by_bare[one] for one in found]


def bare(name: str) -> str:
    """A name without case and separators: ``azure-dev-ops`` and ``AzureDevOps`` are the same word."""
    return name.replace("-", "").replace("_", "").replace(" ", "").casefold()
