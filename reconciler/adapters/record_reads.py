"""How both stores read the record of writes back to a moment: from its end, link by link."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from reconciler.adapters.store_limits import damaged_record
from reconciler.documents import JsonObject, moment_of

SKEW = timedelta(hours=1)
"""How far the clocks of two writers may differ: how much further back a search goes."""
OLDER = 200
"""Entries in a row that are too old, after which a search ends: a writer whose clock is wrong hides no others."""


def back_to(chain: str, newest_first: Iterable[tuple[JsonObject | None, str]], moment: datetime) -> list[JsonObject]:
    """Entries of this moment and later, oldest first; None stands for a damaged one, beside it the place of each.

    `Rejected` where an entry on the way is damaged, or one is missing between two: caps would count too little. What is
    older than a seal was accepted by an owner as it is.
    """
    found: list[JsonObject] = []
    after: JsonObject | None = None
    sealed, older = False, 0
    for entry, place in newest_first:
        if entry is None:
            if sealed:
                continue
            raise damaged_record(chain, f"{place} is edited or damaged")
        if not sealed and after is not None and not _links(entry, after):
            raise damaged_record(
                chain, f"entry {after['number']} does not follow {place}: entries between them are missing or replaced"
            )
        sealed = sealed or "sealed" in entry
        after = entry
        at = moment_of(entry.get("at"))
        older = older + 1 if at is not None and at < moment - SKEW else 0
        if older > OLDER:
            break
        if at is None or at >= moment:
            found.append(entry)
    return found[::-1]


def _links(entry: JsonObject, after: JsonObject) -> bool:
    return bool(after["number"] == entry["number"] + 1 and after.get("previous") == entry["hash"])
