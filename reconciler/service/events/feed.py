"""What the polled audit log said, from the process that reads it to those that sweep: in the document of its cursor.

Each read leaves behind where something changed, and that the log was read to its end. A sweep takes both over before it
decides which reads to postpone. Where nothing is known of some time (the first read, a cut), everything has changed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.documents import Json, list_of, moment, moment_of
from reconciler.errors import ReconcilerError
from reconciler.ports.clock import MARGIN, Clock
from reconciler.ports.stores import StateStore
from reconciler.service.events.pools import ChangedPlace
from reconciler.survey import scopes
from reconciler.survey.evidence import Evidence
from reconciler.survey.rotation import Feed
from reconciler.survey.scopes import Scope

MOST = 300
"""Places that are kept one by one; more of them are the organization as a whole."""
INTERVAL = timedelta(minutes=5)
"""A log that is not read twice as often as this counts for nothing. A read that found nothing is stored this often."""


def document(organization: str) -> str:
    """Name of the state document."""
    return f"audit/{organization}"


def after_read(
    body: Mapping[str, Json],
    organization: str,
    changes: Iterable[ChangedPlace],
    *,
    cursor: str,
    now: datetime,
    kept: timedelta,
    whole: bool,
) -> dict[str, Json]:
    """The document after a read. `kept`: for how long places are; `whole`: no entry since the last is missing."""
    last = moment_of(body.get("read"))
    known = [one for one in map(_place, list_of(body, "places")) if one is not None and one[2] > now - kept]
    known += [(one.scope, (one.at or now) + MARGIN, now) for one in changes]
    if not whole or last is None or len(known) > MOST:
        known = [(scopes.organization(organization).text(), now, now)]
    places = [[scope, moment(at), moment(noted)] for scope, at, noted in known]
    same = whole and cursor == body.get("cursor") and places == body.get("places")
    if same and last is not None and timedelta() <= now - last < INTERVAL:
        return dict(body)
    return {"cursor": cursor, "read": moment(now), "places": places}


def _place(value: Json) -> tuple[str, datetime, datetime] | None:
    """Scope, when it changed, and when that was noted."""
    if not isinstance(value, list) or len(value) != len(("scope", "at", "noted")) or not isinstance(value[0], str):
        return None
    at, noted = moment_of(value[1]), moment_of(value[2])
    return (value[0], at, noted) if at is not None and noted is not None else None


@dataclass(slots=True)
class FeedReader:
    """Takes over into this process's evidence what was read of the logs. Safe to share between threads."""

    state: StateStore
    evidence: Evidence
    clock: Clock
    _heard: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, organizations: Iterable[str]) -> frozenset[str]:
        """Organizations whose sweeps may postpone reads; an error of the store means none."""
        for name in sorted(set(organizations)):
            try:
                stored = self.state.load(document(name))
            except ReconcilerError:
                self.evidence.heard(name, Feed())
                continue
            self._take(name, stored.body if stored is not None and isinstance(stored.body, dict) else {})
        return self.evidence.quiet()

    def _take(self, name: str, body: Mapping[str, Json]) -> None:
        read, now = moment_of(body.get("read")), self.clock.now()
        if read is None or read > now + MARGIN:
            self.evidence.heard(name, Feed())
            return
        with self._lock:
            before = self._heard.get(name)
            self._heard[name] = read
        for scope, at, noted in filter(None, map(_place, list_of(body, "places"))):
            if before is None or noted > before:
                # A place of a later release may be anywhere.
                self.evidence.hint(Scope.read(scope) or scopes.organization(name), min(at, now + MARGIN))
        self.evidence.heard(name, Feed(min(read, now), INTERVAL, whole=True))
