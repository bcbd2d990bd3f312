"""Where a story without a fault stands after each look, so that a case ends where it is at the same place again.

From there both would do the same, and the rest was played once already: the planes' dump is equal, the stored document
is equal but for moments, what the look returned is equal. What a process remembers is not compared: cases of calls
whose answers it keeps are played to their end, and so is every case where `make soak` plays them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.engine import Result
from tests.faults.oracle import unlike

KEPT = frozenset({"locations.options", "connectiondata.get"})
"""Calls whose answers a process keeps."""
PASSING = frozenset(
    {
        *("since", "lastRun", "seen", "covered", "unreadySince", "createdAt", "busySince"),
        *("attempts", "notices"),
        *("url", "record"),
    }
)
"""Fields of a stored pool that differ after each run: moments, how often a failure came, names of one operation."""


@dataclass(frozen=True)
class Mark:
    """A place in a story."""

    stored: Any
    returned: Any
    dump: Any

    def found_in(self, marks: Sequence[Mark]) -> int:
        """How many looks a story of these marks has from here to its end; -1 where it was never here."""
        for number, one in enumerate(marks):
            if (one.stored, one.returned) == (self.stored, self.returned) and not unlike(one.dump, self.dump):
                return len(marks) - 1 - number
        return -1


@dataclass(frozen=True, slots=True)
class Ideal:
    """A story without a fault."""

    end: Any
    writes: frozenset[tuple[str, str]]
    """Method and path: what a spec names is written to, and nothing else."""
    sites: tuple[Any, ...]
    marks: tuple[Mark, ...]
    """Where it stands after each look."""


def mark_of(document: Any, result: Result, dump: Any) -> Mark:
    """The place of a pool whose look has ended."""
    conditions = [(one.kind, one.status, one.reason, one.message) for one in result.status.conditions]
    return Mark(_lasting(document), (result.outcome, result.next_look, conditions), dump)


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lasting(inner) for name, inner in value.items() if name not in PASSING}
    return [_lasting(one) for one in value] if isinstance(value, list) else value
