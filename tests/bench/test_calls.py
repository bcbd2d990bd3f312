"""What a spec and a converged pool cost, in calls of functions of the program: the same on every machine, or fewer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from benchmarks import parsing
from reconciler.spec.loader import load

POOLS = 2 * parsing.BATCH
LOADED, PLANNED = 140, 395
"""Calls for each at most; 131 and 383 were made when this was written, 154 and 521 before decision 0228."""


def calls(work: Callable[[], object]) -> int:
    """How many functions of `reconciler` are called, comprehensions included where this Python calls them."""
    count = 0

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call" and frame.f_globals.get("__name__", "").startswith("reconciler.")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def test_a_spec_is_loaded_in_a_bounded_number_of_calls() -> None:
    files = parsing.specs(POOLS)
    load(dict(list(files.items())[:5]))
    assert POOLS * LOADED / 2 < calls(lambda: load(files)) <= POOLS * LOADED


def test_a_converged_pool_is_planned_in_a_bounded_number_of_calls() -> None:
    specs = load(parsing.specs(POOLS)).specs
    batches = [specs[: parsing.BATCH], specs[parsing.BATCH :]]
    planners = [parsing._planner(batch) for batch in batches]
    parsing._planned(batches[0][:5], planners[0])

    def plan() -> None:
        for batch, planner in zip(batches, planners, strict=True):
            assert parsing._planned(batch, planner) == 0

    assert POOLS * PLANNED / 2 < calls(plan) <= POOLS * PLANNED
