"""The specs of a commit by key: parsed once for each commit, however many runs use them.

An invalid file never hides a valid one. Where Git cannot be read, the last good commit is used and `stale` is set.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.ports.specs import Snapshot, SpecSource
from reconciler.spec.loader import load
from reconciler.spec.model import Spec
from reconciler.spec.problem import Problem


@dataclass(frozen=True, slots=True)
class Specs:
    """The desired state at one commit."""

    snapshot: Snapshot
    by_key: Mapping[str, Spec]
    """Sorted by key."""
    problems: tuple[Problem, ...]

    @property
    def revision(self) -> str:
        """The commit; empty for a plain folder."""
        return self.snapshot.revision

    def in_file(self, path: str) -> tuple[Spec, ...]:
        """The specs of one file."""
        return tuple(spec for spec in self.by_key.values() if spec.path == path)


class Catalogue:
    """Reads specs through a source, and parses only what is new."""

    def __init__(self, source: SpecSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._read: Specs | None = None

    def specs(self) -> Specs:
        """The newest specs that can be read; raises the source's error where none were ever read."""
        snapshot = self._source.snapshot()
        with self._lock:
            if self._read is None or self._read.snapshot.files != snapshot.files:
                loaded = load(snapshot.files)
                by_key = {spec.key: spec for spec in sorted(loaded.specs, key=lambda spec: spec.key)}
                left_out = [Problem(path, 1, "", f"left out: {why}") for path, why in snapshot.skipped.items()]
                self._read = Specs(snapshot, by_key, (*loaded.problems, *left_out))
            elif self._read.snapshot != snapshot:
                self._read = Specs(snapshot, self._read.by_key, self._read.problems)
            return self._read
