"""What is read again before a write: everything that is known of a pool, or what the write rests on.

A write to one queue rests on ARM's word that the pool is there and lists the organization, on the list of agent pools,
and on what is read in its project; not on five hundred other projects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from reconciler.survey.evidence import LOCAL
from reconciler.survey.memo import Key, Memo

_KINDS = frozenset({"arm pool", "arm pools", "agent pools"})
"""What is about no project."""


@dataclass(frozen=True, slots=True)
class Afresh:
    """What a decision to write rests on."""

    places: frozenset[tuple[str, str]] | None = None
    """Organizations and ids of the projects to which alone it writes; None: all facts."""
    since: datetime | None = None
    """What was read then or later counts as it is."""

    def of(self, memo: Memo) -> Callable[[Key], bool]:
        """Whether a fact is read again; `memo`: what is known."""

        def again(key: Key) -> bool:
            if not self._rests_on(key):
                return False
            began = None if self.since is None else memo.began(key)
            return began is None or self.since is None or began < self.since

        return again

    def _rests_on(self, key: Key) -> bool:
        if self.places is None or key.kind in LOCAL:
            return True
        if key.project:
            return (key.organization, key.project) in self.places
        organizations = {"", *(organization for organization, _ in self.places)}
        return key.kind in _KINDS and key.organization in organizations


EVERYTHING = Afresh()
"""All facts, now."""
