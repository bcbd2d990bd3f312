"""Finds where two commits part: git's own walk (commit-reach.c, `paint_down_to_common`), over any reader of commits."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection

from dulwich.objects import Commit, ObjectID, ShaFile

from reconciler.errors import Rejected, Unavailable

Read = Callable[[ObjectID], ShaFile]
"""Gives an object by its id; `KeyError` where it is missing."""

REMEDY = " here; where history was cut off, fetch more of it (git fetch --unshallow, or fetch-depth: 0)"
SKEW = 24 * 3600
"""Seconds by which the clocks of two authors may differ where several candidates are compared."""
_ONE, _OTHER, _STALE, _RESULT = 1, 2, 4, 8


def merge_base(read: Read, cut: Collection[ObjectID], one: ObjectID, other: ObjectID, where: str) -> ObjectID:
    """The best common ancestor of two commits; of several the newest.

    `cut`: commits whose parents are left out on purpose, as in a shallow clone. `Rejected` where there is none.
    """
    walk = _Walk(read, cut, where)
    walk.paint(one, _ONE)
    walk.paint(other, _OTHER)
    found = walk.common()
    if found:
        return max(found, key=lambda name: (walk.known[name].commit_time, name))
    if walk.missing:
        raise Rejected(f"{where}: its merge base with the planned commit is not{REMEDY}")
    raise Rejected(f"{where}: has no commit in common with the planned commit")


class _Walk:
    """Newest commits first; what is reached from both sides is common, and what is before that is stale."""

    def __init__(self, read: Read, cut: Collection[ObjectID], where: str) -> None:
        self.known: dict[ObjectID, Commit] = {}
        self.missing = False
        """Whether a commit is not there, or its parents are not."""
        self._read = read
        self._cut = cut
        self._where = where
        self._flags: dict[ObjectID, int] = {}
        self._queue: list[tuple[int, ObjectID]] = []

    def paint(self, name: ObjectID, flags: int) -> None:
        """Mark a commit, and look at it again where that is new."""
        before = self._flags.get(name, 0)
        if before & flags == flags:
            return
        self._flags[name] = before | flags
        if name not in self.known:
            try:
                commit = self._read(name)
            except KeyError:
                self.missing = True
                return
            if not isinstance(commit, Commit):
                raise Unavailable(f"{self._where}: a parent of a commit is no commit")
            self.known[name] = commit
        heapq.heappush(self._queue, (-self.known[name].commit_time, name))

    def common(self) -> list[ObjectID]:
        """Common ancestors that are behind no other one."""
        results: list[ObjectID] = []
        while any(not self._flags[name] & _STALE for _, name in self._queue):
            self._step(results)
        left = [name for name in results if not self._flags[name] & _STALE]
        if len(left) > 1:  # commits of one second, or of clocks that differ: one candidate may be behind another
            floor = min(self.known[name].commit_time for name in left) - SKEW
            while self._queue and -self._queue[0][0] >= floor:
                self._step(results)
        return [name for name in left if not self._flags[name] & _STALE]

    def _step(self, results: list[ObjectID]) -> None:
        """Look at the newest commit, and hand its paint to its parents."""
        _, name = heapq.heappop(self._queue)
        paint = self._flags[name] & (_ONE | _OTHER | _STALE)
        if paint & (_ONE | _OTHER) == _ONE | _OTHER:
            if not paint & _STALE and not self._flags[name] & _RESULT:
                self._flags[name] |= _RESULT
                results.append(name)
            paint |= _STALE
        if name in self._cut:
            self.missing = True
            return
        for parent in self.known[name].parents:
            self.paint(ObjectID(parent), paint)
