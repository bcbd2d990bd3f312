"""A hash chain of JSON entries: each carries its number, the hash of the one before, and its own.

The hash covers all of an entry, unknown fields included, so another release can check a chain that it did not write.
Segments (one for each month) make one chain: a segment ends with an entry of kind ``closed`` that names the next one,
which begins with a ``checkpoint`` that carries the number and the hash on. What is older can be deleted by whole
segments without breaking the rest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.documents import JsonObject, moment_of, text_of

CLOSED = "closed"
CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """The last entry of a chain."""

    number: int = 0
    """From 1; 0 where there is no entry yet."""
    hash: str = ""
    """SHA-256 in hexadecimal digits."""


def linked(bodies: Iterable[JsonObject], end: ChainEnd) -> tuple[list[JsonObject], ChainEnd]:
    """These bodies as the next entries of a chain, and its new end."""
    entries: list[JsonObject] = []
    for body in bodies:
        entry = {**body, "number": end.number + 1, "previous": end.hash}
        end = ChainEnd(end.number + 1, digest_of(entry))
        entries.append({**entry, "hash": end.hash})
    return entries, end


def digest_of(entry: JsonObject) -> str:
    """SHA-256 of an entry without its own hash, as JSON with sorted keys and without spaces."""
    content = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(_text(content).encode("ascii")).hexdigest()


def line_of(entry: JsonObject) -> bytes:
    """An entry as it is stored: one line of ASCII."""
    return _text(entry).encode("ascii") + b"\n"


def end_of(entry: object) -> ChainEnd | None:
    """The end of a chain that this entry is; None where it is no entry, or its hash is not that of its content."""
    if not isinstance(entry, dict):
        return None
    number, own = entry.get("number"), text_of(entry, "hash")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1 or own != digest_of(entry):
        return None
    return ChainEnd(number, own)


def entry_of(line: bytes) -> JsonObject | None:
    """The entry of a stored line; None where it is damaged."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if end_of(found) is not None else None


def problems(entries: Iterable[object]) -> Iterator[str]:
    """What is wrong with a chain, from its oldest entry on: what was edited, is missing, or is not in its place."""
    before: ChainEnd | None = None
    for position, entry in enumerate(entries, 1):
        end = end_of(entry)
        if end is None or not isinstance(entry, dict):
            yield f"entry at position {position}: is edited or damaged: its hash is not that of its content"
            before = None
            continue
        if before is not None and end.number != before.number + 1:
            yield f"entry {end.number}: follows entry {before.number}: entries are missing or not in their order"
        elif before is not None and entry.get("previous") != before.hash:
            yield f"entry {end.number}: does not carry the hash of entry {before.number}: one of them was replaced"
        elif before is None and position == 1 and end.number > 1 and entry.get("kind") != CHECKPOINT:
            yield f"entry {end.number}: is the oldest one and no checkpoint: entries before it are missing"
        before = end


def month_of(body: JsonObject) -> str:
    """The month (UTC) of an entry's time, ``2026-11``: the name of its segment begins with it."""
    at = moment_of(body.get("at"))
    if at is None:
        raise ValueError(f"an entry has no time: {sorted(body)}")
    return f"{at:%Y-%m}"


def next_segment(current: str, body: JsonObject, *, full: bool = False) -> str | None:
    """The segment in which this entry is to be stored, where that is not the current one; None: it is.

    Names sort by age: a clock that was set back opens no older segment.
    """
    month = month_of(body)
    if not current:
        return f"{month}.0000"
    if month > current[:7]:
        return f"{month}.0000"
    return f"{current[:7]}.{int(current[8:]) + 1:04d}" if full else None


def closing(current: str, following: str, at: str) -> dict[str, object]:
    """The last entry of a segment."""
    return {"kind": CLOSED, "at": at, "segment": current, "next": following}


def checkpoint(previous: str, segment: str, at: str) -> dict[str, object]:
    """The first entry of a segment; `previous`: the segment before, empty where there is none."""
    return {"kind": CHECKPOINT, "at": at, "segment": segment, "of": previous}


def expired(segments: Sequence[str], month: str, days: int) -> list[str]:
    """Segments that hold nothing younger than so many days, judged in the given month: a whole month counts as 31."""
    now = _months(month)
    return [name for name in segments if (now - _months(name[:7]) - 1) * 28 >= days]


def _months(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7])


def _text(content: object) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
