"""The words of a message, harmless in every receiver: what others named can neither format, link, mention nor hide.

`harmless` makes invisible characters visible, masks secrets, and breaks what receivers turn into mentions (``@name``,
``<!channel>``) and links (``https://…``). What a receiver parses on top is escaped by its own module.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.engine.notice_state import Notice, NoticeLine
from reconciler.plan.render import clean
from reconciler.ports.notices import NoticeKind
from reconciler.service.notify.letters import Letter

MOST_POOLS = 10
"""Pools that a message spells out."""
MOST_LINES = 5
"""Changes of each."""
LONGEST = 300
LONGEST_TITLE = 140
MOST_READ = 1000
"""Characters that are looked at: far more than are shown, so that no secret is cut before it is recognised."""
_MENTION = re.compile(r"(?<![\w.+-])([@\uff20])(?=\S)")
_LINK = re.compile(r":(?=//)|(?:mailto|tel|javascript|data)(?=:\S)|www\.(?=\S)", re.IGNORECASE)

_TITLES = {
    NoticeKind.FIGHT: "Two owners change the same field, and it is corrected no more",
    NoticeKind.REFUSED: "Changes are refused",
    NoticeKind.STALLED: "An administrator has to act",
    NoticeKind.APPROVAL: "Changes wait for an approval",
    NoticeKind.DRIFT: "Drift that is not corrected",
    NoticeKind.WINDOW: "The maintenance window opened",
    NoticeKind.REPAIRED: "Drift was corrected",
    NoticeKind.RECOVERED: "In sync again",
}
DAMPED = "It changes often: further notices about this pool wait until it was quiet for an hour."


@dataclass(frozen=True, slots=True)
class Item:
    """One pool of a message."""

    pool: str
    text: str
    lines: tuple[str, ...]


def harmless(text: str, longest: int = LONGEST) -> str:
    """One line that no receiver formats, links or takes for a mention."""
    shown = " ".join(clean(text[:MOST_READ]).split()) or "-"
    shown = _LINK.sub(lambda found: f"{found[0]} ", _MENTION.sub(r"\1 ", shown))
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def title(letter: Letter) -> str:
    """``An administrator has to act: 100 pools in fabrikam-prime (Forbidden)``."""
    count = letter.pools
    where = f" in {letter.organization}" if letter.organization else ""
    what = letter.notices[0].pool if count == 1 and letter.notices else f"{count} pools"
    cause = "" if letter.kind in (NoticeKind.REPAIRED, NoticeKind.RECOVERED) else f" ({letter.cause})"
    return harmless(f"{_TITLES[letter.kind]}: {what}{where}{cause}", LONGEST_TITLE)


def items(letter: Letter, most: int = MOST_POOLS) -> list[Item]:
    """The first pools; a text that all of them share stands at the first."""
    found, said = [], set[str]()
    for notice in letter.notices[:most]:
        text = "" if notice.text in said else harmless(notice.text)
        said.add(notice.text)
        found.append(Item(harmless(notice.pool, 80), text, _lines(notice)))
    return found


def rest(letter: Letter, shown: int) -> str:
    """``and 37 more``; empty where all are shown."""
    more = letter.pools - shown
    return f"and {more} more" if more > 0 else ""


def _lines(notice: Notice) -> tuple[str, ...]:
    shown = [line_text(one) for one in notice.lines[:MOST_LINES]]
    more = len(notice.lines) - len(shown) + notice.more
    return (*shown, *([f"and {more} more changes"] if more > 0 else []), *([DAMPED] if notice.damped else []))


def line_text(line: NoticeLine) -> str:
    """``open access fabrikam-tailspin/Web: closed → open, changed probably by eve``."""
    values: Sequence[str] = [one or "nothing" for one in (line.before, line.after)]
    by = f", changed {line.by}" if line.by else ""
    return harmless(f"{line.what}: {' → '.join(values)}{by}")
