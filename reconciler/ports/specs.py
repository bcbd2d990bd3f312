"""The seam to git: the spec files at one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The spec files at one commit."""

    revision: str
    """Full commit id; empty for a plain folder that git does not keep."""
    files: Mapping[str, bytes]
    """Path below the prefix → content."""
    stale: str = ""
    """Why this is the last good commit and not the newest; empty where it is the newest."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Path → why it is not in `files` although its name is that of a spec: too large, a symbolic link, too deep.
    To be shown like any other problem of the specs: a pool described there goes unmanaged."""


class SpecSource(Protocol):
    """Where specs come from."""

    def snapshot(self) -> Snapshot:
        """The files at the ref's commit; an unchanged head costs one round trip.

        A failing git gives the last good commit with `stale` set; without one it raises.
        """
