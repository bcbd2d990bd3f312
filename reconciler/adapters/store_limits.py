"""Limits that both families of stores share, set by the stricter one, so that nothing works with the one alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from reconciler.documents import Json, JsonObject
from reconciler.documents.chain import line_of
from reconciler.documents.kinds import LARGEST
from reconciler.errors import LeaseHeld, Rejected
from reconciler.ports.write_log import LONGEST_ENTRY

SHORTEST_LEASE = 15.0
LONGEST_LEASE = 60.0
"""Seconds; Azure Storage gives leases of 15 to 60 (Microsoft Learn, Lease Blob)."""

LONGEST_DELAY = 7 * 86_400.0
"""Seconds; a message can be hidden for seven days at most (Microsoft Learn, Put Message)."""

SHORTEST_HIDE = 1.0
"""Seconds that a taken message stays hidden (Microsoft Learn, Get Messages: visibilitytimeout)."""

MOST_AT_ONCE = 32
"""Messages of one request (Microsoft Learn, Get Messages)."""

ATTEMPTS = 5
"""Deliveries of a message before it is a dead letter, as in the Functions host (Microsoft Learn, host.json, queues)."""

POISON = "-poison"
"""Suffix of a dead-letter queue, as of the Functions host (Microsoft Learn, queue trigger, poison messages)."""


SHOWN = 256 * 1024
"""Bytes of an unreadable document that are kept for a person."""

CLOCKS = 60.0
"""Seconds by which a stored moment may lie ahead of a machine's clock; a later one was written under a wrong clock."""


def lease_seconds(seconds: float) -> float:
    """A length that both can give."""
    return min(max(seconds, SHORTEST_LEASE), LONGEST_LEASE)


def leased(key: str) -> str:
    """How messages name what a lease is about."""
    return key if "/" in key else f"pool {key}"


def lease_held(key: str, holder: str, until: datetime | None, seconds: float = LONGEST_LEASE) -> LeaseHeld:
    """The error about a lease that another worker has; `seconds`: until it can be free, never beyond its length."""
    who = f"{holder} holds" if holder else "another worker holds"
    end = f" until {until.astimezone(UTC):%T} UTC at most" if holder and until is not None else ""
    wait = min(max(seconds, 1.0), LONGEST_LEASE) if holder else None
    return LeaseHeld(f"{leased(key)}: {who} its lease{end}", retry_after=wait)


def hide_seconds(seconds: float) -> float:
    """How long a taken message is hidden at first: never less than both can."""
    return max(delay_seconds(seconds), SHORTEST_HIDE)


def delay_seconds(seconds: float) -> float:
    """A delay that both can give."""
    return min(max(seconds, 0.0), LONGEST_DELAY)


RECORD = "record"
"""How names in the store of the safety facts begin that are no documents: the record of writes lies there too."""

RECORD_DAYS = 400
"""Days for which the record of writes is kept; what is older is deleted by whole months."""


def entry_line(chain: str, entry: JsonObject) -> bytes:
    """An entry of the record as it is stored; `Rejected` where it is too long."""
    line = line_of(entry)
    if len(line) > LONGEST_ENTRY:
        raise Rejected(f"record {chain}: an entry has {len(line):,} bytes, and at most {LONGEST_ENTRY:,} are stored")
    return line


def damaged_record(chain: str, what: str) -> Rejected:
    """The error about a chain that cannot be continued."""
    return Rejected(
        f"record {chain}: {what}; nothing is written there until its owner has checked it "
        f"(`mdp-reconciler history verify`) and sealed the damage (`mdp-reconciler history seal {chain} --reason …`)"
    )


def document_text(name: str, body: Json) -> str:
    """A document as it is stored, in ASCII; `Rejected` where it is longer than any reader takes."""
    text = json.dumps(body, allow_nan=False)
    if len(text) > LARGEST:
        raise Rejected(f"state {name}: the document has {len(text):,} bytes, and at most {LARGEST:,} are stored")
    return text
