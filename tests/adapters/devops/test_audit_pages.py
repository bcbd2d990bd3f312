"""The audit log is read page by page, newest first, and for no more pages than one look may take."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.adapters.devops.audit import PAGES, DevOpsAuditLog
from reconciler.adapters.devops.session import Session
from tests.adapters.devops.scripted import Scripted

PATH = "/prime/_apis/audit/auditlog"
SINCE = "2026-11-22T12:00:00+00:00"


def page(number: int, *, more: bool) -> dict[str, Any]:
    """One entry, a minute younger than that of the next page."""
    entry = {"id": f"e{number:03}", "timestamp": f"2026-11-22T13:{59 - number:02}:00+00:00", "actionId": "x"}
    return {"decoratedAuditLogEntries": [entry], "continuationToken": f"t{number}", "hasMore": more}


@pytest.mark.parametrize(("pages", "cut"), [(1, False), (PAGES, False), (PAGES + 1, True)])
def test_a_look_that_does_not_reach_the_end_says_so(service: Scripted, session: Session, pages: int, cut: bool) -> None:
    """Older entries are beyond the cut; the next read begins after the newest, so they would never be read."""
    service.reply("GET", PATH, *(page(number, more=number < pages - 1) for number in range(pages)))

    entries, cursor, told = DevOpsAuditLog(session).entries("prime", SINCE)

    assert told is cut
    assert len(service.seen) == len(entries) == min(pages, PAGES)
    assert [entry["id"] for entry in entries] == sorted((entry["id"] for entry in entries), reverse=True)
    assert cursor.startswith("2026-11-22T13:58:58")
