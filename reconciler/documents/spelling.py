"""Finds the known name that a misspelt one most likely stands for.

Comparing is slow, and files may be made to be slow, or name hundreds of things that are not there (yet). So a name is
compared with the likeliest of many known ones alone, the same question is answered once, and of many unknown names the
first few get advice (`nearest_of`).
"""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

SIMILAR = 0.72
"""How alike two names have to be for one to be suggested for the other, from 0 to 1."""

ADVISED = 20
"""Unknown names of one list that are compared with the known ones. Once these are corrected, the next ones are."""

_COMPARED = 200
"""Names that are compared with one."""
_LONGEST = 60
"""Characters that are compared."""
_LISTS = 16
"""Lists of known names that are kept ready: facet after facet and pool after pool ask about the same ones."""
_ANSWERS = 1024
"""Answers that are kept for each of them."""


def nearest(name: str, known: Iterable[str], cutoff: float = SIMILAR) -> str | None:
    """The known name that was probably meant: the same but for case and separators, else the most similar one.

    `cutoff` is given only where a similar name is an error by itself, and not mere advice.
    """
    return next(iter(similar(name, known, 1, cutoff)), None)


def nearest_of(names: Iterable[str], known: Iterable[str]) -> dict[str, str | None]:
    """Name → the nearest known one, of the first `ADVISED` names alone; the others are missing."""
    given = tuple(known)
    return {name: nearest(name, given) for name in islice(names, ADVISED)}


def counted(number: object, noun: str) -> str:
    """``1 pool``, ``2 pools``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def similar(name: str, known: Iterable[str], most: int, cutoff: float = SIMILAR) -> list[str]:
    """At most `most` known names that resemble `name`, the most similar one first."""
    return _known(tuple(known)).similar(bare(name)[:_LONGEST], most, cutoff)


class _Known:
    """Known names, and what was answered about them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_bare = {bare(one): one for one in names}
        self._answers: dict[tuple[str, int, float], list[str]] = {}

    def similar(self, wanted: str, most: int, cutoff: float) -> list[str]:
        answer = self._answers.get((wanted, most, cutoff))
        if answer is None:
            if len(self._answers) >= _ANSWERS:
                self._answers.clear()
            answer = self._answers[wanted, most, cutoff] = self._compare(wanted, most, cutoff)
        return list(answer)

    def _compare(self, wanted: str, most: int, cutoff: float) -> list[str]:
        compared = list(self._by_bare)
        if len(compared) > _COMPARED:
            # A slip seldom changes how a name begins, or its length by much.
            compared = heapq.nsmallest(
                _COMPARED, compared, key=lambda one: (one[:1] != wanted[:1], abs(len(one) - len(wanted)))
            )
        found = difflib.get_close_matches(wanted, compared, most, cutoff)
        if not found and cutoff == SIMILAR:  # in a short name two swapped letters make it very different
            found = [one for one in compared if wanted and sorted(one) == sorted(wanted)][:most]
        return [self._by_bare[one] for one in found]


@lru_cache(maxsize=_LISTS)
def _known(names: tuple[str, ...]) -> _Known:
    return _Known(names)


def bare(name: str) -> str:
    """A name without case and separators: ``azure-dev-ops`` and ``AzureDevOps`` are the same word."""
    return name.replace("-", "").replace("_", "").replace(" ", "").casefold()
