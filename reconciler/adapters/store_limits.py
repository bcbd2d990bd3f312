"""Limits that both families of stores share, set by the stricter one, so that nothing works with the one alone."""

from __future__ import annotations

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


CLOCKS = 60.0
"""Seconds by which a stored moment may lie ahead of a machine's clock; a later one was written under a wrong clock."""


def lease_seconds(seconds: float) -> float:
    """A length that both can give."""
    return min(max(seconds, SHORTEST_LEASE), LONGEST_LEASE)


def hide_seconds(seconds: float) -> float:
    """How long a taken message is hidden at first: never less than both can."""
    return max(delay_seconds(seconds), SHORTEST_HIDE)


def delay_seconds(seconds: float) -> float:
    """A delay that both can give."""
    return min(max(seconds, 0.0), LONGEST_DELAY)
