"""A message as a Teams workflow takes it: an adaptive card 1.4 in a message, smaller than 28 KB.

Texts of others stand in `TextRun`s, which know no Markdown (Adaptive Cards, "RichTextBlock"); no entity makes a
mention. Microsoft Learn, "Create incoming webhooks with Workflows for Microsoft Teams", has the envelope, and "Create
and send messages" the size of a message, 28 KB.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from reconciler.documents import Json
from reconciler.ports.notices import NoticeKind
from reconciler.service.notify import wording
from reconciler.service.notify.letters import Letter
from reconciler.service.notify.wording import Item

LARGEST = 28 * 1024
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
_COLORS = {
    NoticeKind.FIGHT: "attention", NoticeKind.REFUSED: "attention", NoticeKind.STALLED: "attention",
    NoticeKind.APPROVAL: "warning", NoticeKind.DRIFT: "warning", NoticeKind.WINDOW: "accent",
    NoticeKind.REPAIRED: "good", NoticeKind.RECOVERED: "good",
}  # fmt: skip


def body(letter: Letter, page: str) -> bytes:
    """The request's body; with fewer pools where it would be too large."""
    items = wording.items(letter)
    for most in range(len(items), -1, -1):
        made = json.dumps(_message(letter, page, items[:most]), separators=(",", ":")).encode()
        if len(made) < LARGEST:
            return made
    raise AssertionError("a card without pools is small")


def _message(letter: Letter, page: str, shown: Sequence[Item]) -> Json:
    blocks: list[Json] = [
        _rich(_run(wording.title(letter), weight="bolder", size="medium", color=_COLORS[letter.kind]))
    ]
    for item in shown:
        runs = [_run(item.pool, weight="bolder"), *([_run(f": {item.text}")] if item.text else [])]
        blocks.append(_rich(*runs, spacing="medium"))
        blocks += [_rich(_run(f"• {line}", isSubtle=True), spacing="none") for line in item.lines]
    if more := wording.rest(letter, len(shown)):
        blocks.append(_rich(_run(more), spacing="medium"))
    card: dict[str, Json] = {"$schema": SCHEMA, "type": "AdaptiveCard", "version": "1.4", "body": blocks}
    card["fallbackText"] = wording.title(letter)
    card["msteams"] = {"width": "Full"}
    if page:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "More on the status page", "url": page}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _rich(*runs: Json, spacing: str = "default") -> Json:
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": list(runs)}


def _run(text: str, **style: Json) -> Json:
    return {"type": "TextRun", "text": text, **style}
