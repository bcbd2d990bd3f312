"""The example of docs/notifications.md is what the program sends."""

from __future__ import annotations

import json
import re
from pathlib import Path

from reconciler.config.notify import Receiver
from reconciler.engine.notice_state import NoticeLine
from reconciler.ports.notices import NoticeKind
from reconciler.service.notify import cloudevents
from tests.service.notify.kit import letter, notice

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")


def example() -> str:
    line = NoticeLine("open access fabrikam-tailspin/Web", "closed", "open", "probably by person-3f1c9a2b7d10")
    made = letter(
        notice(kind=NoticeKind.REPAIRED, cause="InSync", text="drift was corrected, and read back", lines=(line,))
    )
    return json.dumps(json.loads(cloudevents.body(made, "https://func-reconciler.example.net", "prod")), indent=2)


def test_the_page_shows_an_event_as_it_is_sent() -> None:
    (shown,) = re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
    assert shown == example()


def test_the_page_names_every_kind_in_the_order_of_urgency_and_every_receiver() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \| (?!sends)", PAGE, re.MULTILINE) == list(NoticeKind)
    assert all(f"RECONCILER_NOTIFY_{one.name}" in PAGE for one in Receiver)
