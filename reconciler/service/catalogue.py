"""The specs of a commit by key: parsed once for each commit, however many runs use them.

An invalid file never hides a valid one. Where Git cannot be read, the last good commit is used and `stale` is set.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.errors import ReconcilerError, Unavailable
from reconciler.ports.clock import MARGIN, Clock
from reconciler.ports.specs import Snapshot, SpecSource
from reconciler.spec.dated import ending
from reconciler.spec.loader import Loader
from reconciler.spec.model import Spec
from reconciler.spec.problem import Problem


@dataclass(frozen=True, slots=True)
class Specs:
    """The desired state at one commit."""

    snapshot: Snapshot
    by_key: Mapping[str, Spec]
    """Sorted by key."""
    problems: tuple[Problem, ...]
    read: datetime | None
    """When the read of them began: what was pushed later is not in them. None: not known, by an earlier process."""
    warned: tuple[Problem, ...] = ()
    """What deserves a look and keeps no spec from being used, whatever the day."""

    @property
    def revision(self) -> str:
        """The commit; empty for a plain folder."""
        return self.snapshot.revision

    def broken(self) -> dict[str, str]:
        """Path of a file that gives no spec, or not all of them, → what is wrong, in one line."""
        found = {path: f"{path}: {why}" for path, why in self.snapshot.unread().items()}
        for problem in self.problems:
            found.setdefault(problem.path, str(problem))
        return found

    def warnings(self, now: datetime) -> list[Problem]:
        """All warnings of this day, sorted."""
        return sorted([*self.warned, *ending(self.by_key.values(), now)])

    def in_file(self, path: str) -> tuple[Spec, ...]:
        """The specs of one file."""
        return tuple(spec for spec in self.by_key.values() if spec.path == path)


class Catalogue:
    """Reads specs through a source, one read at a time, and parses only what is new. Safe to share between threads.

    A read serves a message that was put on its queue before the read began: the commit that the message is about was
    pushed before that. Callers that wait for a read under way share the next one.
    """

    def __init__(self, source: SpecSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._loader = Loader()
        self._turn = threading.Condition()
        self._reading = False
        self._begun = 0
        """Reads that began."""
        self._last: _Read | None = None
        """The last one that ended."""

    def specs(self, put: datetime | None = None) -> Specs:
        """The newest specs that can be read; raises the source's error where none were ever read.

        `put`: when the message was put for which they are read, by its store's clock; None: read now.
        """
        with self._turn:
            last = self._last
            if (
                put is not None
                and last is not None
                and last.specs is not None
                and self._serves(last.specs, last.began, put)
            ):
                return last.specs
            number = self._begun
            self._turn.wait_for(lambda: not self._reading or self._shared(number) is not None)
            if (shared := self._shared(number)) is not None:
                return shared.result()
            self._reading = True
            self._begun += 1
            number = self._begun
        read = _Read(number, self._clock.now())
        try:
            read = replace(read, specs=self._parsed(self._source.snapshot(), read.began))
        except ReconcilerError as error:
            read = replace(read, error=error)
        finally:
            with self._turn:
                self._reading = False
                self._last = read
                self._turn.notify_all()
        return read.result()

    def _serves(self, specs: Specs, began: datetime, put: datetime) -> bool:
        """A read that found an older commit serves for some seconds alone: Git may be back."""
        now = self._clock.now()
        return put + MARGIN < began <= now + MARGIN and (not specs.snapshot.stale or now < began + MARGIN)

    def _shared(self, number: int) -> _Read | None:
        """A read that began after this many others."""
        return self._last if self._last is not None and self._last.number > number else None

    def _parsed(self, snapshot: Snapshot, began: datetime) -> Specs:
        before = self._last.specs if self._last is not None else None
        known = before.read if before is not None else None
        read = known if snapshot.stale else began  # while Git cannot be read, the last good commit was read earlier
        if before is not None and _content(before.snapshot) == _content(snapshot):
            return replace(before, snapshot=snapshot, read=read)
        loaded = self._loader.load(snapshot.files)
        by_key = {spec.key: spec for spec in loaded.specs}
        left_out = [Problem(path, 1, "", why) for path, why in snapshot.left_out().items()]
        return Specs(snapshot, by_key, (*left_out, *loaded.problems), read, loaded.warnings)


def _content(snapshot: Snapshot) -> tuple[object, ...]:
    return snapshot.files, snapshot.skipped, snapshot.beyond


@dataclass(frozen=True, slots=True)
class _Read:
    """One read of the source: specs, or the error; neither where a bug ended it."""

    number: int
    began: datetime
    specs: Specs | None = None
    error: ReconcilerError | None = None

    def result(self) -> Specs:
        if self.specs is None:
            raise self.error or Unavailable("specs: another thread's read of them ended with a bug")
        return self.specs
