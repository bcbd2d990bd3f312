"""A message as an incoming webhook of Slack takes it: blocks of plain text, in which nothing is a mention or a link.

Limits: 50 blocks, 150 characters of a header, 3,000 of a section's text (Slack, "Blocks"). The top-level text is shown
in notifications; `mrkdwn` is off for it, it holds the title alone, and ``& < >`` are escaped (Slack, "Formatting text
for app surfaces"). `link_names` and `parse` stay at their defaults, which link no name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from reconciler.documents import Json
from reconciler.service.notify import wording
from reconciler.service.notify.letters import Letter
from reconciler.service.notify.wording import Item

MOST_BLOCKS = 50
LONGEST_HEADER = 150
LONGEST_SECTION = 3000
LARGEST = 12 * 1024
"""Characters of all blocks together; Slack rejects more than about 13,000 without saying so in its limits
(slackapi/bolt-js issue 2509)."""


def body(letter: Letter, page: str) -> bytes:
    """The request's body; with fewer pools where it would be too large."""
    items = wording.items(letter)
    for most in range(len(items), -1, -1):
        blocks = _blocks(letter, page, items[:most])
        if len(blocks) <= MOST_BLOCKS and len(json.dumps(blocks, ensure_ascii=False)) < LARGEST:
            return json.dumps(
                {"text": escaped(wording.title(letter)), "mrkdwn": False, "blocks": blocks, "unfurl_links": False,
                 "unfurl_media": False}, separators=(",", ":"),
            ).encode()  # fmt: skip
    raise AssertionError("a message without pools is small")


def escaped(text: str) -> str:
    """A text in which Slack finds no link and no mention."""
    for sign, stand_in in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, stand_in)
    return text


def _blocks(letter: Letter, page: str, shown: Sequence[Item]) -> list[Json]:
    blocks: list[Json] = [{"type": "header", "text": _plain(wording.title(letter), LONGEST_HEADER)}]
    for item in shown:
        text = "\n".join([f"{item.pool}: {item.text}" if item.text else item.pool, *(f"• {one}" for one in item.lines)])
        blocks.append({"type": "section", "text": _plain(text, LONGEST_SECTION)})
    if more := wording.rest(letter, len(shown)):
        blocks.append({"type": "section", "text": _plain(more, LONGEST_SECTION)})
    if page:
        button = {"type": "button", "text": _plain("More on the status page", 75), "url": page}
        blocks.append({"type": "actions", "elements": [button]})
    return blocks


def _plain(text: str, longest: int) -> Json:
    shown = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return {"type": "plain_text", "text": shown, "emoji": False}
