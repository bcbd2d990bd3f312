"""Notices to people: which kinds there are, and who sends a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class NoticeKind(StrEnum):
    """What a notice is about, the most urgent first."""

    FIGHT = "fight"
    """Another owner keeps changing a field back; it is corrected no more."""
    REFUSED = "refused"
    """A guard or the policy refuses a change."""
    STALLED = "stalled"
    """Nothing happens until an administrator acts."""
    APPROVAL = "approval-wanted"
    """Changes wait for an approval."""
    DRIFT = "drift"
    """The world changed, and no run will change it back."""
    WINDOW = "window-opened"
    """What waited for its maintenance window is being applied."""
    REPAIRED = "repaired"
    """Drift was corrected, and a read showed it."""
    RECOVERED = "recovered"
    """What an earlier notice reported is over."""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One HTTP request."""

    url: str = field(repr=False)
    """A secret: who knows it may post."""
    body: bytes
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of it."""

    accepted: bool
    why: str = ""
    """Why it was not: one line without URL, body or text of the receiver."""
    passing: bool = True
    """Whether a retry may succeed without a change of the configuration or of the message."""
    retry_after: float | None = None
    """Seconds, where the receiver named them."""


class NoticeSender(Protocol):
    """Sends one message to one receiver."""

    def send(self, message: OutgoingMessage) -> Delivery:
        """Send it once, within a bound of time; raises nothing that the receiver or the network causes."""
