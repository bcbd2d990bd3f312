"""How many examples a property is tried on, and whether they are the same in every run. `HYPOTHESIS_PROFILE` says it.

`same`, the usual one: the same in every run, so that a change is judged by the change. `quick`: fewer of them, for
`make quick`. `mutants`: as few, and a failure is enough, it need not be simple. `explore`: as many as usual, and others in every run. `soak`: others, and many times as many, for
`make soak`. What others find becomes a test of its own.

Some tables are too long for every run as well: `crossed`. A test of one, or of a property inside of it, has the marker
`soaked`; pytest knows the others by themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import product
from typing import TypeVar

from hypothesis import HealthCheck, Phase, settings

First = TypeVar("First")
Second = TypeVar("Second")

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "same")
SOAKED = 20
"""How many times as many `soak` tries."""
FEW = 20
"""How many `quick` and `mutants` try."""


def tries(number: int, *, soaked: int = 0) -> int:
    """How many examples to try of a property, where `make test` tries this number; `soaked`: what `soak` multiplies."""
    if PROFILE == "mutants":
        return min(number, FEW)
    return (soaked or number) * SOAKED if PROFILE == "soak" else number


def crossed(first: Iterable[First], second: Iterable[Second], *, one_of: int) -> list[tuple[First, Second]]:
    """Each with each in `soak`; else one pair of so many, with every one of both."""
    pairs = product(enumerate(first), enumerate(second))
    return [(one, other) for (x, one), (y, other) in pairs if PROFILE == "soak" or (x + y) % one_of == 0]


def whole(number: int, *, usual: int) -> int:
    """How many in `soak`, where it is so many as the rule is about; `usual`: in other runs, where fewer show the same."""
    return number if PROFILE == "soak" else usual


def load_profile() -> None:
    """For every property: judged by what it finds, never by how busy the machine is."""
    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=tries(40))
    settings.register_profile("explore", patient)
    settings.register_profile("soak", patient, print_blob=True)
    settings.register_profile("same", patient, derandomize=True, database=None)
    quick = settings(patient, derandomize=True, database=None, max_examples=FEW)
    settings.register_profile("quick", quick)
    settings.register_profile("mutants", quick, phases=[Phase.explicit, Phase.generate], report_multiple_bugs=False)
    settings.load_profile(PROFILE)


def some(entries: Iterable[First], *, one_of: int) -> list[First]:
    """All in `soak`, else one of so many: for a table whose every entry another test goes through."""
    return [one for one, _ in crossed(entries, [None], one_of=one_of)]
