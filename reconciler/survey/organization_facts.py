"""What is known of one organization: facts, reads under way, hints, and how far its change feed is believed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from threading import Lock
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.survey.feeds import Trust
from reconciler.survey.memo import Key, Slot
from reconciler.survey.rotation import Feed
from reconciler.survey.scopes import Scope

_HINTS = 100
"""Hints that are kept one by one, for facts that are learned of later; older ones count for all of them."""


class OrganizationFacts:
    """What is known of one organization; of ARM where its name is empty. Safe to share between threads."""

    def __init__(self, name: str, now: Callable[[], datetime]) -> None:
        self.name = name
        self._now = now
        self._lock = Lock()
        self._facts: dict[Key, Slot] = {}
        self._reading: dict[Key, Slot] = {}
        self._hinted: dict[Key, datetime] = {}
        self._dropped: dict[Key, datetime] = {}
        self._hints: list[tuple[Scope, datetime]] = []
        self._all_hinted: datetime | None = None
        self._trust = Trust()
        self._changes = 0

    def fresh(self, key: Key, needed: datetime | None) -> Slot | None:
        """A fact, or a read under way, that began when it is needed or later; None needed: only a new read will do."""
        with self._lock:
            return self._fresh(key, needed)

    def slot(self, key: Key, began: datetime, needed: datetime | None) -> tuple[Slot, bool]:
        """The same, or else a new one that the caller has to fill (True)."""
        with self._lock:
            if (known := self._fresh(key, needed)) is not None:
                return known, False
            self._reading[key] = slot = Slot(began)
            return slot, True

    def settled(self, key: Key, slot: Slot, *, in_turn: bool) -> None:
        """Keep what a slot holds, unless it is an error, or was dropped while it was read.

        `in_turn`: no message was about it, so a feed should have announced what is different now.
        """
        with self._lock:
            if self._reading.get(key) is not slot:
                return
            del self._reading[key]
            if slot.error is not None or isinstance(slot.value, ReconcilerError):
                return
            known = self._facts.get(key)
            if known is None or known.began <= slot.began:
                if in_turn and known is not None and known.value != slot.value and not self._announced(key, known):
                    self._trust.differs(key, slot.began)
                self._put(key, slot)
                self._changes += 1
                if key.kind == "projects":
                    self._only({one.id for one in slot.value}, slot.began)

    def forget(self, touched: Callable[[Key], bool]) -> None:
        """Drop facts and reads under way."""
        now = self._now()
        with self._lock:
            for slots in (self._facts, self._reading):
                for key in [key for key in slots if touched(key)]:
                    del slots[key]
                    self._dropped[key] = now

    def hint(self, scope: Scope, at: datetime) -> None:
        """Something of this scope may have changed until `at`: what was read earlier does not count any more."""
        with self._lock:
            self._hints.append((scope, at))
            for _, moment in self._hints[:-_HINTS]:
                self._all_hinted = max(moment, self._all_hinted or moment)
            self._hints = self._hints[-_HINTS:]
            for slots in (self._facts, self._reading):
                for key, slot in slots.items():
                    if slot.began < at and scope.holds(key):
                        self._hinted[key] = max(at, self._hinted.get(key, at))
            self._trust.hinted(scope)

    def announced(self, scope: Scope) -> None:
        """A message is about this scope, so what it finds there is no gap of the feed."""
        with self._lock:
            self._trust.hinted(scope)

    def heard(self, feed: Feed) -> tuple[int, bool]:
        """See `feeds.Trust.heard`."""
        with self._lock:
            return self._trust.heard(feed, self._now())

    def counts(self, now: datetime) -> bool:
        """Whether reads may be postponed for the feed."""
        with self._lock:
            return self._trust.counts(now)

    @property
    def distrusted_until(self) -> datetime | None:
        """Until when its feed does not count, since it left out changes; may be over."""
        return self._trust.feed.distrusted_until

    @property
    def changes(self) -> int:
        """Grows with every fact that is read: what was saved at the same number is the same."""
        return self._changes

    def snapshot(self) -> tuple[dict[Key, Slot], dict[str, Any]]:
        """The facts that no hint made old, and what is known of the feed."""
        with self._lock:
            facts = {k: slot for k, slot in self._facts.items() if self._hinted.get(k, slot.began) <= slot.began}
            return facts, self._trust.to_json()

    def learn(self, facts: Mapping[Key, Slot], trust: Any) -> None:
        """Take over what another process read later than this one, or read at all; a hint since outweighs it."""
        with self._lock:
            now = self._now()
            self._trust.learn(trust, now)
            for key, slot in facts.items():
                known = self._facts.get(key)
                if self._outdated(key, slot.began):
                    continue
                if known is None or known.began < slot.began:
                    self._put(key, slot)

    def oldest(self, holds: Callable[[Key], bool], judged: datetime) -> list[datetime] | None:
        """When the reads of these facts began; None where one is not what it was at a moment, or is not known now."""
        with self._lock:
            if any(holds(key) for key in self._dropped):
                return None
            held = [(key, slot) for key, slot in self._facts.items() if holds(key)]
            if any(slot.changed > judged or slot.began < self._hinted.get(key, slot.began) for key, slot in held):
                return None
            return [slot.began for _, slot in held]

    def still(self, key: Key, slot: Slot) -> bool:
        """Whether a slot holds what is known now. One that ended with an error holds nothing."""
        known = self._facts.get(key)
        return known is not None and slot.ready and slot.error is None and (known is slot or known.value == slot.value)

    def began(self, key: Key) -> datetime | None:
        """When the read of a fact began that is known, whatever its age."""
        slot = self._facts.get(key)
        return None if slot is None else slot.began

    def peek(self, key: Key) -> Any:
        """The value of a fact of any age; None where there is none."""
        slot = self._facts.get(key)
        return None if slot is None else slot.value

    def values(self, kind: str, project: str) -> list[Any]:
        """The values of all facts of a kind about a project, of any age."""
        with self._lock:
            return [slot.value for key, slot in self._facts.items() if (key.kind, key.project) == (kind, project)]

    def forget_older(self, than: datetime) -> None:
        """Drop the facts that were read earlier."""
        now = self._now()
        with self._lock:
            self._dropped |= {key: now for key, slot in self._facts.items() if slot.began < than}
            self._facts = {key: slot for key, slot in self._facts.items() if slot.began >= than}
            self._hinted = {key: at for key, at in self._hinted.items() if key in self._facts or key in self._reading}
            self._dropped = {key: at for key, at in self._dropped.items() if at >= than}

    def _announced(self, key: Key, known: Slot) -> bool:
        """Whether a hint said that a fact may be another by now."""
        return self._hinted.get(key, known.began) > known.began

    def _put(self, key: Key, slot: Slot) -> None:
        """Under the lock: the newest that is known of a fact; it keeps the moment since when it has this value."""
        known = self._facts.get(key)
        slot.changed = known.changed if known is not None and known.value == slot.value else self._now()
        self._facts[key] = slot
        self._dropped.pop(key, None)

    def _only(self, projects: Collection[str], at: datetime) -> None:
        """Under the lock: drop facts of projects that a newer list does not have."""
        gone = [k for k, slot in self._facts.items() if k.project and k.project not in projects and slot.began < at]
        for key in gone:
            del self._facts[key]

    def _outdated(self, key: Key, began: datetime) -> bool:
        """Whether a write or a hint came after a fact was read that is not known here."""
        later = [at for at in (self._dropped.get(key), self._all_hinted) if at is not None]
        return any(began < at for at in later) or any(began < at and one.holds(key) for one, at in self._hints)

    def _fresh(self, key: Key, needed: datetime | None) -> Slot | None:
        if needed is None:
            return None
        least = max(needed, self._hinted.get(key, needed))
        for slots in (self._facts, self._reading):
            slot = slots.get(key)
            if slot is not None and slot.began >= least:
                return slot
        return None
