"""When an organization may be called again: closed by its own answers, one gate for each (organization, identity).

Azure DevOps counts what an identity consumes, and asks for fewer calls on any answer, a 200 included (Microsoft
Learn: Azure DevOps rate and usage limits). Whoever goes on calling is slowed for minutes, so the first answer that
asks closes the gate for all calls of this process. An organization from which nothing at all comes back is left
alone for a short while too: a thousand calls that each wait for a time-out help nobody.

A gate never sleeps. It says how long it is shut, and raises; whether that is worth a short wait is its caller's
choice. What other workers were told comes in by `learn`, what we were told goes out by `told`:
`reconciler.adapters.devops.throttling` joins the gates of several processes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from reconciler.documents import Json, moment, moment_of
from reconciler.errors import LeaseHeld, ReconcilerError, Throttled, Unavailable
from reconciler.ports.clock import Clock
from reconciler.ports.stores import StateStore, StoredDocument
from reconciler.telemetry import NO_TELEMETRY, Metrics

LONGEST = 3600.0
"""Seconds. A service that asks for more is asked again after this: a slip there must not silence us for a day."""

SILENT_CALLS = 3
"""Calls in a row that got no answer, each with its retries, before an organization is left alone."""

SILENCE = 10.0
"""Seconds for which it is left alone."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and chance, handed in so that tests need neither."""

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
    """Shut because nothing came back, and not because the service asked."""
    misses: int = 0


class ThrottlingGates:
    """All gates of a process; safe to share between threads and sessions."""

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, told: Callable[[str, str, float], None] | None = None
    ) -> None:
        """`told` hears of each answer that shut a gate further: organization, identity, seconds from now."""
        self._monotonic = monotonic
        self._told = told
        self._lock = Lock()
        self._gates: dict[tuple[str, str], _Gate] = {}

    def close(self, organization: str, identity: str, seconds: float) -> None:
        """Shut for `seconds` from now; never opens earlier than what was asked before."""
        if self.learn(organization, identity, seconds) and self._told:
            self._told(organization, identity, min(seconds, LONGEST))

    def learn(self, organization: str, identity: str, seconds: float) -> bool:
        """The same, without telling others: they told us. Whether the gate opens later by it."""
        with self._lock:
            gate = self._gate(organization, identity)
            until = self._monotonic() + min(seconds, LONGEST)
            if seconds <= 0 or until <= gate.until:
                return False
            gate.until, gate.silent = until, False
            return True

    def answered(self, organization: str, identity: str) -> None:
        """Something came back, whatever it said."""
        with self._lock:
            self._gate(organization, identity).misses = 0

    def unanswered(self, organization: str, identity: str) -> None:
        """A call with all its retries got no answer."""
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
        """The error of a call now, or None where the gate is open; its text never changes, the seconds go beside."""
        with self._lock:
            gate = self._gate(organization, identity)
            seconds = gate.until - self._monotonic()
        if seconds <= 0:
            return None
        if gate.silent:
            text = f"organization {organization}: not called, the last {SILENT_CALLS} calls got no answer"
            return Unavailable(text, retry_after=seconds)
        return Throttled(f"organization {organization}: the service asked for fewer calls", retry_after=seconds)

    def check(self, organization: str, identity: str) -> None:
        """Raise what `closed` says."""
        if error := self.closed(organization, identity):
            raise error

    def _gate(self, organization: str, identity: str) -> _Gate:
        return self._gates.setdefault((organization.lower(), identity), _Gate())


WORTH_TELLING = 5.0
"""Seconds. What is shorter is over before anybody else has read of it."""
CLOSE_ENOUGH = timedelta(seconds=1)
"""Four answers at once ask for the same; the first is written."""
READ_AGAIN = 2.0
"""Seconds for which what was read is believed: a batch of a hundred pools reads once."""
_TRIES = 3


class GateClosings:
    """`reconciler.ports.stores.Gates` over a state store."""

    def __init__(self, state: StateStore, clock: Clock, metrics: Metrics = NO_TELEMETRY) -> None:
        self.gates = ThrottlingGates(clock.monotonic, self._told)
        self._metrics = metrics
        self._state = state
        self._clock = clock
        self._lock = Lock()
        self._read: dict[str, float] = {}

    def join(self, organizations: Iterable[str]) -> None:
        """Learn what others were told by these organizations."""
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

    def _told(self, organization: str, identity: str, seconds: float) -> None:
        self._metrics.record("reconciler.gate.seconds", seconds, organization=organization)
        if seconds <= WORTH_TELLING:
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
    """Identity → until when; what cannot be read says nothing."""
    body: Json = document.body if document else {}
    found = {name: moment_of(text) for name, text in body.items()} if isinstance(body, Mapping) else {}
    return {name: when for name, when in found.items() if when is not None}
