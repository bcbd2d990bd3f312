"""How far the change feed of an organization is believed: what it left out is counted.

A fact that is read in its turn and differs from the one before should have been announced. Where it was not, not even
some time later, that is a gap. Several gaps within a day, and the feed does not count for the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.documents import list_of, moment, moment_of
from reconciler.survey.memo import Key
from reconciler.survey.rotation import Feed
from reconciler.survey.scopes import Scope

ANNOUNCED = frozenset({"authorized", "permissions", "roles"})
"""Kinds of project facts whose changes the audit log has actions for; it has none for queues that are made or deleted
(published list of actions). A queue that disappears is found in its turn."""
LAG = timedelta(minutes=30)
"""An entry that appears within this time is late, and no gap: the log of a stream is bundled for as long."""
MOST_GAPS = 3
DAY = timedelta(days=1)
_CANDIDATES = 100


class Trust:
    """In the feed of one organization. Not for threads: its owner holds a lock."""

    def __init__(self) -> None:
        self.feed = Feed()
        self.gaps: list[datetime] = []
        self._candidates: list[tuple[Key, datetime]] = []

    def counts(self, now: datetime) -> bool:
        """Whether reads may be postponed for the feed."""
        return self.feed.counts(now)

    def heard(self, feed: Feed, now: datetime) -> tuple[int, bool]:
        """The feed was read: new gaps, and whether it is distrusted from now on and was not before."""
        until = self.feed.distrusted_until
        self.feed = replace(feed, distrusted_until=until)
        if feed.read is None or not feed.whole:
            return 0, False
        late = [at for _, at in self._candidates if at + LAG <= feed.read]
        self._candidates = [(key, at) for key, at in self._candidates if at + LAG > feed.read]
        self.gaps = [at for at in (*self.gaps, *late) if now - at < DAY]
        if len(self.gaps) < MOST_GAPS or (until is not None and now < until):
            return len(late), False
        self.feed = replace(feed, distrusted_until=now + DAY)
        self.gaps = []
        return len(late), True

    def differs(self, key: Key, at: datetime) -> None:
        """A fact that was read at a moment is not what it was, and no hint came before."""
        if key.project and key.kind in ANNOUNCED and self.feed.counts(at) and len(self._candidates) < _CANDIDATES:
            self._candidates.append((key, at))

    def hinted(self, scope: Scope) -> None:
        """The feed announced a change after all."""
        self._candidates = [(key, at) for key, at in self._candidates if not scope.holds(key)]

    def to_json(self) -> dict[str, Any]:
        """The stored form: gaps, and the end of distrust."""
        until = self.feed.distrusted_until
        return {"gaps": [moment(at) for at in self.gaps], "until": None if until is None else moment(until)}

    def learn(self, body: Any, now: datetime) -> None:
        """Take over the stored form, as far as it can be read and is not of another time."""
        if not isinstance(body, Mapping):
            return
        until = moment_of(body.get("until"))
        if until is not None and now < until <= now + DAY:
            self.feed = replace(self.feed, distrusted_until=max(until, self.feed.distrusted_until or until))
        found = [at for at in map(moment_of, list_of(body, "gaps")) if at is not None and timedelta() <= now - at < DAY]
        self.gaps = sorted({*self.gaps, *found})[-MOST_GAPS:]
