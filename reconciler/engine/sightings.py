"""Who changed something, as events reported it: kept for a while in the state, so that drift can be attributed.

Of an event only the actor's id, name and kind, what was changed, and a class of client and network are kept; claims,
addresses and tokens are not. A few hundred for each organization, the newest: they explain drift, and decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.documents import Json, moment, moment_of, text_of
from reconciler.errors import LeaseHeld, ReconcilerError
from reconciler.ports.stores import StateStore, StoredDocument

MOST = 300
"""Of one organization, or of one pool in ARM."""
KEEP = timedelta(days=14)
LONGEST = 200
"""Characters of one text."""
AUDIT, ARM = "audit log", "ARM event"
_TRIES = 3


class StateReads(Protocol):
    """The reads of the state that plans need."""

    def load(self, name: str) -> StoredDocument | None:
        """As of `StateStore`."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One change, and who made it."""

    at: str
    """ISO 8601, UTC; by the service's clock."""
    via: str
    """`AUDIT` or `ARM`."""
    id: str
    """Of the actor, lower case: local id in the organization, or object id in Entra."""
    name: str = ""
    kind: str = ""
    """``user`` or ``application``; empty where the event does not say."""
    action: str = ""
    """`actionId`, lower case, or the operation of ARM."""
    project: str = ""
    """Id, lower case."""
    resource: str = ""
    """Id of the queue."""
    token: str = ""
    """Of the access control list."""
    client: str = ""
    """``browser``, or the first word of the user agent."""
    network: str = ""
    """``private``, ``public`` or ``loopback``: never the address."""

    def to_json(self) -> dict[str, Json]:
        """The stored form: what is known."""
        return {name: value[:LONGEST] for name, value in asdict(self).items() if value}

    @staticmethod
    def from_json(body: Json) -> Sighting | None:
        """None where a stored one cannot be read."""
        if not isinstance(body, dict) or moment_of(body.get("at")) is None:
            return None
        return Sighting(**{one.name: text_of(body, one.name) for one in fields(Sighting)})


def of_organization(organization: str) -> str:
    """Name of the document about an organization."""
    return f"sightings/devops/{organization}"


def of_pool(key: str) -> str:
    """Name of the document about a pool in ARM."""
    return f"sightings/arm/{key}"


def load(state: StateReads, name: str) -> tuple[Sighting, ...]:
    """What is kept, oldest first; nothing where it cannot be read."""
    with suppress(ReconcilerError):
        document = state.load(name)
        return () if document is None else _of_body(document.body)
    return ()


def keep(state: StateStore, name: str, seen: Iterable[Sighting], now: datetime, *, names: bool = True) -> None:
    """Add sightings; those that are known already cost no write. What cannot be stored is lost: nothing rests on it."""
    new = [one if names else _nameless(one) for one in seen]
    if not new:
        return
    with suppress(ReconcilerError):
        for _ in range(_TRIES):
            document = state.load(name)
            known = () if document is None else _of_body(document.body)
            merged = _newest([*known, *new], now)
            if set(merged) == set(known):
                return
            body = {"seen": [one.to_json() for one in merged]}
            with suppress(LeaseHeld):
                state.save(name, body, None if document is None else document.etag)
                return


def _nameless(one: Sighting) -> Sighting:
    return Sighting(**{**asdict(one), "name": ""})


def _of_body(body: Json) -> tuple[Sighting, ...]:
    listed = body.get("seen") if isinstance(body, dict) else None
    found = map(Sighting.from_json, listed if isinstance(listed, list) else [])
    return tuple(one for one in found if one is not None)


def _newest(seen: Sequence[Sighting], now: datetime) -> list[Sighting]:
    """Each once, oldest first, none that is too old or from the future."""
    oldest, latest = moment(now - KEEP), moment(now + timedelta(hours=1))
    kept = {one for one in seen if oldest <= moment(moment_of(one.at) or now) <= latest}
    return sorted(kept, key=lambda one: (moment_of(one.at) or now, one.action, one.id, one.token))[-MOST:]
