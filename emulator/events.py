"""Events of the services: Event Grid events of ARM writes, audit entries of Azure DevOps, and their subscriptions.

The planes publish; a test or a demonstration reads the list, or subscribes a URL to which `emulator.delivery` posts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.clock import Clock
from emulator.documents import Json

SOURCES = ("arm", "audit", "hook")
"""``arm``: Event Grid events of resource writes; ``audit``: audit entries; ``hook``: service hooks such as git.push."""

SCHEMAS = ("eventgrid", "cloudevents", "raw")


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """One event with its place in the order of all."""

    sequence: int
    source: str
    organization: str
    """Of the Azure DevOps plane; empty for ARM."""
    event: Json
    at: str


@dataclass(slots=True)
class EventSubscription:
    """A URL that wants the events of some sources."""

    number: int
    url: str
    sources: tuple[str, ...]
    schema: str
    """``eventgrid`` (array, with the validation handshake), ``cloudevents``, or ``raw`` (the event as it is)."""
    headers: dict[str, str] = field(default_factory=dict)
    delivered: int = 0
    failed: int = 0
    error: str = ""


class Events:
    """Everything published since the start, in order, and the subscriptions to it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.published: list[PublishedEvent] = []
        self.subscriptions: list[EventSubscription] = []
        self._number = 0
        self.hooks: list[Callable[[PublishedEvent], None]] = []
        """Called with every event as it is published; the delivery puts itself here."""

    def publish(self, source: str, event: Json, *, organization: str = "") -> None:
        """Add an event, and call the hooks."""
        found = PublishedEvent(len(self.published) + 1, source, organization, event, self._clock.stamp())
        self.published.append(found)
        for hook in self.hooks:
            hook(found)

    def since(self, sequence: int = 0, source: str = "") -> list[PublishedEvent]:
        """What was published after that number, of one source or of all."""
        return [e for e in self.published if e.sequence > sequence and source in ("", e.source)]

    def subscribe(
        self, url: str, *, sources: tuple[str, ...], schema: str, headers: dict[str, str]
    ) -> EventSubscription:
        """Send events to a URL; ValueError for an unknown source or schema."""
        unknown = [source for source in sources if source not in SOURCES]
        if unknown or schema not in SCHEMAS:
            raise ValueError(f"subscription: sources are {', '.join(SOURCES)}, schemas are {', '.join(SCHEMAS)}")
        self._number += 1
        self.subscriptions.append(EventSubscription(self._number, url, sources, schema, headers))
        return self.subscriptions[-1]

    def unsubscribe(self, number: int) -> None:
        """Remove a subscription; an unknown number is ignored."""
        self.subscriptions = [s for s in self.subscriptions if s.number != number]

    def clear(self) -> None:
        """Remove all events and subscriptions."""
        self.published.clear()
        self.subscriptions.clear()
