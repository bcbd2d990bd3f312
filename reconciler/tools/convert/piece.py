"""What a file gives: a pool, or a part of one, and what could not be read of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.documents import Json
from reconciler.documents.spelling import bare
from reconciler.spec.problem import Path, spell

KIND: Final = "microsoft.devopsinfrastructure/pools"
"""Resource type of a pool, in lower case."""

DEEPEST: Final = 8
"""Parameters that name variables that name parameters; and templates in templates."""

MOST_VALUES: Final = 10_000
"""Values of one pool at most; variables that name each other many times over would never end."""

MOST_LEVELS: Final = 100
"""Objects and lists inside each other at most."""

LEFT: Final = object()
"""Stands where a value was left out."""

_WHOLE: Final = frozenset({"userassignedidentities", "daysdata"})
"""Maps whose keys are data: without one of its entries such a map says something else."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a pool that is not in the spec, although the file has it."""

    path: Path
    """In the body of the piece."""
    where: str
    """File and line."""
    reason: str

    def __str__(self) -> str:
        named = f" {spell(self.path)}:" if self.path else ""
        return f"{self.where}:{named} {self.reason}"


@dataclass(slots=True)
class Remarks:
    """What a reader leaves out of one piece."""

    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, path: Path, where: str, reason: str) -> Json:
        """Name a part that is left out; the result is `LEFT`."""
        self.left_out.append(LeftOut(path, where, reason))
        return LEFT

    def whole(self, path: Path, read: Callable[[], Json]) -> Json:
        """A list or map that `read` gives; left out as a whole, in one line, where an entry of it is unknown.

        Part of a list means something else than the list: no projects are all projects.
        """
        before = len(self.left_out)
        value = read()
        lost = self.left_out[before:]
        if isinstance(value, list):
            broken = any(one is LEFT for one in value) or any(len(one.path) == len(path) + 1 for one in lost)
        else:
            broken = isinstance(value, dict) and bool(lost) and _is_whole(path)
        if not broken:
            return value
        del self.left_out[before:]
        first = next((one for one in lost if len(one.path) == len(path) + 1), lost[0])
        entry = f"entry {spell(first.path[len(path) :])}: " if len(first.path) > len(path) else ""
        return self.leave_out(path, first.where, f"all of it, because of {entry}{first.reason}")


def _is_whole(path: Path) -> bool:
    """Whether the object at this path is a map whose keys are data, or one day of a schedule."""
    names = [bare(str(step)) for step in path[-2:]]
    return bool(names) and (names[-1] in _WHOLE or names[0] == "daysdata")


@dataclass(frozen=True, slots=True)
class Piece:
    """A pool, or a part of one."""

    source: str
    """File, and where in it."""
    body: Mapping[str, Json]
    """In any of the shapes that the spec knows."""
    name: str = ""
    """The pool's name, where the file says it."""
    whole: bool = False
    """Whether it is a resource and not a part of one."""
    left_out: Sequence[LeftOut] = ()
    where: Callable[[Path], str] | None = None
    """File and line of a part of the body."""

    def place(self, path: Path) -> str:
        """File and line of a part of the body; of the piece where the reader does not know more."""
        return self.where(path) if self.where else self.source
