"""Git: the spec files at one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The spec files at one commit."""

    revision: str
    """Full commit id; empty for a folder outside git."""
    files: Mapping[str, bytes]
    """Path below the prefix → content."""
    stale: str = ""
    """Why this is an older commit than the newest; empty where it is the newest."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Path → why it is not in `files` although its name is that of a spec: too large, a symbolic link, too deep.
    Shown like any other problem of the specs: the pool of such a file is not managed."""


class SpecSource(Protocol):
    """Where specs come from."""

    def snapshot(self) -> Snapshot:
        """The files at the ref's commit; an unchanged head costs one round trip.

        Where git fails, the last commit that was read, with `stale` set; raises where there is none.
        """
