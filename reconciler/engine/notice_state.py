"""Notices of one pool, as its status document keeps them: what people were told, and what is still to be handed over.

They are stored with the status itself, in one write: a process that dies after it loses no notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.documents import Json, list_of, moment, moment_of, number_of, text_of
from reconciler.ports.clock import MARGIN
from reconciler.ports.notices import NoticeKind

LASTS = timedelta(hours=1)
"""How long a notice is handed over again by each look at its pool: longer than a message needs to come back."""
LINES = 20
"""Changes that a notice keeps."""
KEPT = 8
"""Notices that a status keeps: as many as damping lets pass within `LASTS`, and a few."""


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One change, as a notice says it."""

    what: str
    """``open access fabrikam-tailspin/Web``."""
    before: str
    after: str
    by: str = ""
    """Who made the drift, with how sure that is; empty where it is not known."""

    def to_json(self) -> dict[str, Json]:
        """The stored form."""
        return {"what": self.what, "before": self.before, "after": self.after, "by": self.by}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people are informed about once: one pool, one state."""

    id: str
    kind: NoticeKind
    at: datetime
    pool: str
    organization: str
    cause: str
    """The reason of the condition; notices of one kind, organization and cause share a message."""
    text: str
    lines: tuple[NoticeLine, ...] = ()
    more: int = 0
    """Changes beyond `lines`."""
    commit: str = ""
    run: str = ""
    """When the run began, as the record of writes names it; empty where no run did."""
    damped: bool = False
    """Whether further notices of this pool are held back, since it changes too often."""

    def to_json(self) -> dict[str, Json]:
        """The stored form, which is also `data` of the generic webhook."""
        return {
            "id": self.id,
            "kind": self.kind.value,
            "at": moment(self.at),
            "pool": self.pool,
            "organization": self.organization,
            "cause": self.cause,
            "text": self.text,
            "lines": [line.to_json() for line in self.lines],
            "more": self.more,
            "commit": self.commit,
            "run": self.run,
            "damped": self.damped,
        }

    @classmethod
    def from_json(cls, body: Any) -> Notice | None:
        """From the stored form; None for what cannot be read."""
        if not isinstance(body, Mapping) or (at := moment_of(body.get("at"))) is None or not text_of(body, "id"):
            return None
        if text_of(body, "kind") not in set(NoticeKind):
            return None
        return cls(
            text_of(body, "id"), NoticeKind(text_of(body, "kind")), at, text_of(body, "pool"),
            text_of(body, "organization"), text_of(body, "cause"), text_of(body, "text"),
            _lines(body, "lines"), int(number_of(body, "more")), text_of(body, "commit"), text_of(body, "run"),
            body.get("damped") is True,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NoticeState:
    """What a status knows of its notices."""

    told: Mapping[str, str] = field(default_factory=dict)
    """Kind → digest of what people were told and is not over yet."""
    done: tuple[NoticeLine, ...] = ()
    """Corrections of drift since the pool was in sync."""
    begun: tuple[NoticeLine, ...] = ()
    """Corrections that a run is about to make. It takes them away at its end; of one that was cut off they stay."""
    notices: tuple[Notice, ...] = ()
    """The youngest notices: to be handed over, or handed over already."""

    def young(self, now: datetime) -> tuple[Notice, ...]:
        """Notices that may not be handed over yet. One whose moment lies ahead counts: its clock was wrong."""
        return tuple(one for one in self.notices if one.at > now - LASTS)

    def lately(self, now: datetime) -> int:
        """How many there were within `LASTS`; moments that lie ahead are not believed."""
        return sum(now - LASTS < one.at <= now + MARGIN for one in self.notices)

    def with_notice(self, notice: Notice, now: datetime) -> NoticeState:
        """With one more; those that were handed over long ago are dropped."""
        return replace(self, notices=(*self.young(now), notice)[-KEPT:])

    def to_json(self) -> dict[str, Json] | None:
        """The stored form; None where there is nothing."""
        if self == NoticeState():
            return None
        return {
            "told": dict(self.told),
            "done": [line.to_json() for line in self.done],
            "begun": [line.to_json() for line in self.begun],
            "notices": [one.to_json() for one in self.notices],
        }

    @classmethod
    def from_json(cls, body: Any) -> NoticeState:
        """From the stored form; what cannot be read counts as never told."""
        if not isinstance(body, Mapping):
            return cls()
        told = body.get("told")
        known = {str(k): v for k, v in told.items() if isinstance(v, str)} if isinstance(told, Mapping) else {}
        notices = tuple(one for one in map(Notice.from_json, list_of(body, "notices")) if one is not None)
        return cls(known, _lines(body, "done"), _lines(body, "begun"), notices)


def _lines(body: Mapping[str, Any], name: str) -> tuple[NoticeLine, ...]:
    found = [one for one in list_of(body, name) if isinstance(one, Mapping)]
    return tuple(NoticeLine(*(text_of(one, part) for part in ("what", "before", "after", "by"))) for one in found)
