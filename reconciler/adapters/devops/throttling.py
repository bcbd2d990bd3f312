"""When an organization may be called again: one gate for each (organization, identity), closed by its own responses.

Azure DevOps counts what an identity consumes, and requests fewer calls on any response, a 200 included (Microsoft
Learn: Azure DevOps rate and usage limits). Further calls would be slowed for minutes, so the first such response
closes the gate for all calls of this process. An organization that does not respond at all is paused for some seconds
too, since calls that each wait for a timeout cost time only.

A gate never sleeps. It returns how long it is closed, and raises; the caller decides whether a short wait is worth it.
Pauses of other workers come in by `learn`, pauses of this one go out by `publish`: `GateClosings` joins the gates of
several processes over the state store.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from reconciler.adapters.boundary import port
from reconciler.documents import Json, moment, moment_of
from reconciler.errors import LeaseHeld, ReconcilerError, Throttled, Unavailable
from reconciler.ports.clock import Clock
from reconciler.ports.stores import Gates, StateStore, StoredDocument
from reconciler.telemetry import NO_TELEMETRY, Metrics

LONGEST = 3600.0
"""Longest pause in seconds, so that a wrong header does not stop calls for a day."""

SILENT_CALLS = 3
"""Calls in a row without a response, each with its retries, before an organization is paused."""

SILENCE = 10.0
"""Seconds of this pause."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and randomness; tests replace both."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    """Seconds since the epoch; only for dates that the service sends."""
    chance: Callable[[], float] = random.random
    """From 0 up to 1; spreads retries."""


@dataclass(slots=True)
class _Gate:
    until: float = 0.0
    silent: bool = False
    """Closed since nothing came back, not by a request of the service."""
    misses: int = 0


class ThrottlingGates:
    """All gates of a process; safe to share between threads and sessions."""

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, publish: Callable[[str, str, float], None] | None = None
    ) -> None:
        """`publish` is called where a response extends a pause: organization, identity, seconds from now."""
        self._monotonic = monotonic
        self._publish = publish
        self._lock = Lock()
        self._gates: dict[tuple[str, str], _Gate] = {}

    def close(self, organization: str, identity: str, seconds: float) -> None:
        """Close for `seconds` from now; never opens earlier than an earlier response requested."""
        if self.learn(organization, identity, seconds) and self._publish:
            self._publish(organization, identity, min(seconds, LONGEST))

    def learn(self, organization: str, identity: str, seconds: float) -> bool:
        """Close by the pause of another worker; returns whether the gate opens later now."""
        with self._lock:
            gate = self._gate(organization, identity)
            until = self._monotonic() + min(seconds, LONGEST)
            if seconds <= 0 or until <= gate.until:
                return False
            gate.until, gate.silent = until, False
            return True

    def answered(self, organization: str, identity: str) -> None:
        """Record that a response came, of any status."""
        with self._lock:
            self._gate(organization, identity).misses = 0

    def unanswered(self, organization: str, identity: str) -> None:
        """Record that a call with all its retries got no response."""
        with self._lock:
            gate = self._gate(organization, identity)
            gate.misses += 1
            until = self._monotonic() + SILENCE
            if gate.misses >= SILENT_CALLS and until > gate.until:
                gate.until, gate.silent = until, True

    def remaining(self, organization: str, identity: str) -> float:
        """Seconds until the gate opens; 0 where it is open."""
        with self._lock:
            return max(0.0, self._gate(organization, identity).until - self._monotonic())

    def closed(self, organization: str, identity: str) -> ReconcilerError | None:
        """The error of a call now, or None where the gate is open; the text is constant, the seconds are a field."""
        with self._lock:
            gate = self._gate(organization, identity)
            seconds = gate.until - self._monotonic()
        if seconds <= 0:
            return None
        if gate.silent:
            text = f"organization {organization}: not called, the last {SILENT_CALLS} calls got no response"
            return Unavailable(text, retry_after=seconds)
        return Throttled(f"organization {organization}: the service requests fewer calls", retry_after=seconds)

    def check(self, organization: str, identity: str) -> None:
        """Raise what `closed` says."""
        if error := self.closed(organization, identity):
            raise error

    def _gate(self, organization: str, identity: str) -> _Gate:
        return self._gates.setdefault((organization.lower(), identity), _Gate())


WORTH_PUBLISHING = 5.0
"""Seconds; a shorter pause ends before other workers read of it."""
CLOSE_ENOUGH = timedelta(seconds=1)
"""Of several responses with the same request the first is written."""
READ_AGAIN = 2.0
"""Seconds for which a read counts: a batch of a hundred pools reads once."""
_TRIES = 3


@port("gates", Gates)
class GateClosings:
    """`reconciler.ports.stores.Gates` over a state store."""

    def __init__(self, state: StateStore, clock: Clock, metrics: Metrics = NO_TELEMETRY) -> None:
        self.gates = ThrottlingGates(clock.monotonic, self._publish)
        self._metrics = metrics
        self._state = state
        self._clock = clock
        self._lock = Lock()
        self._read: dict[str, float] = {}

    def join(self, organizations: Iterable[str]) -> None:
        """Apply the pauses that other workers stored for these organizations."""
        for organization in organizations:
            if self._due(organization):
                with suppress(ReconcilerError):
                    self._learn(organization)

    def _due(self, organization: str) -> bool:
        now = self._clock.monotonic()
        with self._lock:
            if organization in self._read and now - self._read[organization] < READ_AGAIN:
                return False
            self._read[organization] = now
        return True

    def _learn(self, organization: str) -> None:
        for identity, until in _closings(self._state.load(_name(organization))).items():
            self.gates.learn(organization, identity, (until - self._clock.now()).total_seconds())

    def _publish(self, organization: str, identity: str, seconds: float) -> None:
        self._metrics.record("reconciler.gate.seconds", seconds, organization=organization)
        if seconds <= WORTH_PUBLISHING:
            return
        until = self._clock.now() + timedelta(seconds=seconds)
        with suppress(ReconcilerError):
            self._write(organization, identity, until)

    def _write(self, organization: str, identity: str, until: datetime) -> None:
        for _ in range(_TRIES):
            document = self._state.load(_name(organization))
            known = {name: when for name, when in _closings(document).items() if when > self._clock.now()}
            if identity in known and until <= known[identity] + CLOSE_ENOUGH:
                return
            body = {name: moment(when) for name, when in sorted({**known, identity: until}.items())}
            try:
                self._state.save(_name(organization), body, document.etag if document else None)
            except LeaseHeld:
                continue  # another worker wrote meanwhile
            return


def _name(organization: str) -> str:
    return f"gates/{organization.lower()}"


def _closings(document: StoredDocument | None) -> dict[str, datetime]:
    """Identity → until when; unreadable entries are skipped."""
    body: Json = document.body if document else {}
    found = {name: moment_of(text) for name, text in body.items()} if isinstance(body, Mapping) else {}
    return {name: when for name, when in found.items() if when is not None}
