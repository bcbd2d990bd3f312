"""Notices and statuses by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from reconciler.engine.notice_state import Notice, NoticeLine, NoticeState
from reconciler.engine.status import PoolStatus
from reconciler.ports.notices import NoticeKind
from reconciler.service.notify.letters import Letter

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOSTILE = (
    "<!channel> <@U123> <https://evil.example|click> &<b>", "@everyone @here", "[click](https://evil.example) **bold**",
    "<at>ann</at>", "\u202egnp.exe\u2066\u200b", "\x1b[31m\x00\r\n\n# head", "javascript:alert(1)", "x" * 2500, "🦊" * 400,
    '"},{"type":"Action.OpenUrl"', "AccountKey=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0;", "ann@fabrikam.com", "|a|b|\n|-|-|",
)  # fmt: skip


def notice(
    pool: str = "build-pool", kind: NoticeKind = NoticeKind.STALLED, *, cause: str = "Forbidden",
    organization: str = "fabrikam-prime", text: str = "denied", at: datetime = NOW, lines: tuple[NoticeLine, ...] = (),
) -> Notice:  # fmt: skip
    return Notice(f"{pool}-{kind}-{cause}-{at:%s}", kind, at, pool, organization, cause, text, lines, 0, "c0ffee")


def letter(*notices: Notice, target: str = "teams", beyond: int = 0) -> Letter:
    first = notices[0]
    ids = tuple(f"more-{number}" for number in range(beyond))
    return Letter("letter-1", target, first.kind, first.organization, first.cause, notices, ids, first.at)


def status(*notices: Notice) -> PoolStatus:
    return replace(PoolStatus(notices[0].pool), notices=NoticeState(notices=notices))
