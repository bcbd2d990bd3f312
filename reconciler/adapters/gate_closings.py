"""Joins the gates of several processes: who is asked for fewer calls writes it down, and the others stay away too.

One state document for each organization (``gates/{organization}``) holds, by name of the identity, until when. It is
written at once when a gate shuts for longer than `WORTH_TELLING`, and read at the beginning of a run. It is advice:
where the store fails, everybody still learns from his own answers, so no trouble with it leaves this module.

Moments are of the wall clock, since processes share no other; a clock that is ahead costs a wait of as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock

from reconciler.adapters.gate import Gates
from reconciler.errors import LeaseHeld, ReconcilerError
from reconciler.plan import Json
from reconciler.ports import Clock, Document, StateStore
from reconciler.telemetry import NO_TELEMETRY, Metrics

WORTH_TELLING = 5.0
"""Seconds. What is shorter is over before anybody else has read of it."""
CLOSE_ENOUGH = timedelta(seconds=1)
"""Four answers at once ask for the same; the first is written."""
READ_AGAIN = 2.0
"""Seconds for which what was read is believed: a batch of a hundred pools reads once."""
_TRIES = 3


class GateClosings:
    """`reconciler.ports.Gates` over a state store."""

    def __init__(self, state: StateStore, clock: Clock, metrics: Metrics = NO_TELEMETRY) -> None:
        self.gates = Gates(clock.monotonic, self._told)
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
            known = {name: moment for name, moment in _closings(document).items() if moment > self._clock.now()}
            if identity in known and until <= known[identity] + CLOSE_ENOUGH:
                return
            body = {name: moment.isoformat() for name, moment in sorted({**known, identity: until}.items())}
            try:
                self._state.save(_name(organization), body, document.etag if document else None)
            except LeaseHeld:
                continue  # another worker wrote meanwhile
            return


def _name(organization: str) -> str:
    return f"gates/{organization.lower()}"


def _closings(document: Document | None) -> dict[str, datetime]:
    """Identity → until when; what cannot be read says nothing."""
    body: Json = document.body if document else {}
    found = {name: _moment(text) for name, text in body.items()} if isinstance(body, Mapping) else {}
    return {name: moment for name, moment in found.items() if moment is not None}


def _moment(text: Json) -> datetime | None:
    with suppress(TypeError, ValueError):
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else None
    return None
