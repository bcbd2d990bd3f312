"""Messages on their way to a receiver: grouped notices, how often they were sent in vain, and the dead letters."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.config.notify import NotifyTarget
from reconciler.documents import Json, list_of, moment, moment_of, number_of, text_of
from reconciler.engine.backoff import chance, delay
from reconciler.engine.notice_state import Notice
from reconciler.ports.notices import Delivery, NoticeKind

DOCUMENT = "notices/letters"
ATTEMPTS = 10
"""Tries of one message; then it is a dead letter. With the backoff that is more than two hours."""
MOST_DEAD = 200
"""Dead letters that are kept, for `KEPT`; the oldest go first."""
KEPT = timedelta(days=30)
MOST = 500
"""Messages on their way to all receivers together; of more, the newest are dead letters at once."""
SHOWN = 50
"""Notices that a message keeps whole; the rest is counted, and its pools are on the status page."""
LETTER = 64 * 1024
"""Characters of the notices that a message keeps whole: no receiver takes more."""
CHARACTERS = 8 * 1024 * 1024
"""Of all stored messages on their way, of all dead letters, and of all that waits: a document never becomes too long to
be stored, after which nothing would be sent any more."""
_RANK = list(NoticeKind)


class _Storable(Protocol):
    def to_json(self) -> dict[str, Json]: ...


def fitting(found: Iterable[_Storable], most: int, characters: int = CHARACTERS) -> int:
    """How many of the first are stored together; one at least."""
    number = 0
    for one in found:
        characters -= len(json.dumps(one.to_json()))
        if number and (number == most or characters < 0):
            break
        number += 1
    return number


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one receiver: notices of one kind, organization and cause."""

    id: str
    target: str
    kind: NoticeKind
    organization: str
    cause: str
    notices: tuple[Notice, ...]
    beyond: tuple[str, ...] = ()
    """Ids of further notices, which are counted alone."""
    made: datetime | None = None
    attempts: int = 0
    due: datetime | None = None
    why: str = ""
    """Why the last try failed."""

    @property
    def pools(self) -> int:
        """How many pools it is about."""
        return len({one.pool for one in self.notices}) + len(self.beyond)

    @property
    def ids(self) -> set[str]:
        """Of all its notices."""
        return {*(one.id for one in self.notices), *self.beyond}

    def to_json(self) -> dict[str, Json]:
        """The stored form."""
        return {
            "id": self.id,
            "target": self.target,
            "kind": self.kind.value,
            "organization": self.organization,
            "cause": self.cause,
            "notices": [one.to_json() for one in self.notices],
            "beyond": list(self.beyond),
            "made": None if self.made is None else moment(self.made),
            "attempts": self.attempts,
            "due": None if self.due is None else moment(self.due),
            "why": self.why,
        }

    @classmethod
    def from_json(cls, body: Json) -> Letter | None:
        """From the stored form; None for what cannot be read."""
        if not isinstance(body, Mapping) or text_of(body, "kind") not in set(NoticeKind) or not text_of(body, "id"):
            return None
        notices = tuple(one for one in map(Notice.from_json, list_of(body, "notices")) if one is not None)
        return cls(
            text_of(body, "id"), text_of(body, "target"), NoticeKind(text_of(body, "kind")),
            text_of(body, "organization"), text_of(body, "cause"), notices,
            tuple(one for one in list_of(body, "beyond") if isinstance(one, str)),
            moment_of(body.get("made")), int(number_of(body, "attempts")), moment_of(body.get("due")),
            text_of(body, "why"),
        )  # fmt: skip

    def is_due(self, now: datetime) -> bool:
        """Whether it may be sent; a moment that lies further ahead than any backoff is not believed."""
        return self.due is None or not now < self.due <= now + timedelta(days=1)

    def failed(self, delivery: Delivery, now: datetime) -> Letter:
        """With one more try that was in vain, and when the next one is due."""
        attempts = self.attempts + 1
        seconds = max(delay(attempts, 0.5 + chance(self.id, attempts) / 2), delivery.retry_after or 0.0, 1.0)
        return replace(self, attempts=attempts, due=now + timedelta(seconds=seconds), why=delivery.why)


@dataclass(frozen=True, slots=True)
class Letters:
    """The document, as a value."""

    open: tuple[Letter, ...] = ()
    dead: tuple[Letter, ...] = ()
    flush: datetime | None = None
    """When the message is due that goes on; None: none is known."""

    @classmethod
    def from_json(cls, body: Json) -> Letters:
        """From the stored form."""
        if not isinstance(body, Mapping):
            return cls()
        read = {name: map(Letter.from_json, list_of(body, name)) for name in ("messages", "dead")}
        found = [tuple(one for one in letters if one is not None) for letters in read.values()]
        return cls(found[0], found[1], moment_of(body.get("flushAt")))

    def to_json(self) -> dict[str, Json]:
        """The stored form."""
        return {
            "messages": [one.to_json() for one in self.open],
            "dead": [one.to_json() for one in self.dead],
            "flushAt": None if self.flush is None else moment(self.flush),
        }

    def waits(self, now: datetime) -> dict[str, datetime]:
        """Receivers whose last message failed, until when: the others wait for the same."""
        found: dict[str, datetime] = {}
        for one in self.open:
            if one.attempts and one.due is not None and not one.is_due(now):
                found[one.target] = max(one.due, found.get(one.target, one.due))
        return found

    def with_dead(self, letters: Iterable[Letter], now: datetime) -> Letters:
        """With these among the dead letters; old ones are dropped."""
        young = [one for one in self.dead if one.made is None or one.made > now - KEPT]
        kept = (*young, *letters)
        return replace(self, dead=kept[len(kept) - fitting(reversed(kept), MOST_DEAD) :])

    def resent(self, ids: Sequence[str]) -> Letters:
        """With these dead letters, or all, on their way again."""
        again = [one for one in self.dead if not ids or one.id in ids]
        back = [replace(one, attempts=0, due=None) for one in again]
        return Letters((*self.open, *back), tuple(one for one in self.dead if one not in again), self.flush)


def grouped(notices: Iterable[Notice], targets: Iterable[NotifyTarget], now: datetime) -> list[Letter]:
    """One letter for each receiver, kind, organization and cause, the most urgent first; what no one wants is dropped.

    Of one pool and kind the last notice counts, but each correction. What a pool did last is read last: a pool that
    recovered and is stalled again is no pool that is well. The id follows from the content: made again, it is the same
    letter.
    """
    newest = {
        (one.pool, one.kind, one.cause, one.id if one.kind is NoticeKind.REPAIRED else ""): one
        for one in sorted(notices, key=lambda one: (one.at, one.id))
    }
    turns = _turns(sorted(newest.values(), key=lambda one: (one.at, one.id)))
    groups: dict[tuple[int, int, str, str, str], list[Notice]] = defaultdict(list)
    for target in targets:
        for one in newest.values():
            if target.wanted.takes(one.kind.value, one.organization, one.pool):
                place = (turns[one.id], _RANK.index(one.kind), one.organization, one.cause, target.name)
                groups[place].append(one)
    letters = []
    for (_, rank, organization, cause, name), found in sorted(groups.items()):
        members = sorted(found, key=lambda one: (one.pool, one.at))
        text = "|".join([name, *(one.id for one in members)])
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        most = fitting(members, SHOWN, LETTER)
        shown, beyond = tuple(members[:most]), tuple(one.id for one in members[most:])
        letters.append(Letter(digest, name, _RANK[rank], organization, cause, shown, beyond, now))
    return letters


def _turns(notices: Iterable[Notice]) -> dict[str, int]:
    """Id → how often its pool turned from well to ill before, of notices in the order of their time."""
    found, last = dict[str, int](), dict[str, tuple[int, bool]]()
    for one in notices:
        turn, well = last.get(one.pool, (0, False))
        now_well = one.kind in (NoticeKind.REPAIRED, NoticeKind.RECOVERED)
        found[one.id] = turn + (well and not now_well)
        last[one.pool] = (found[one.id], now_well)
    return found
