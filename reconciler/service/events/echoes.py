"""Echoes of the operator's own writes: entries of the audit log about a place that was verified after them.

Each write is in the record of writes with its place, and with the moment at which a new read showed it. An entry by the
operator itself about such a place tells nothing new. It costs no read: neither of the pool that was written, nor of all
others that the entry would concern.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.documents import JsonObject, moment_of, text_of
from reconciler.errors import ReconcilerError
from reconciler.ports.write_log import WriteLog, organization_chain
from reconciler.service.events.pools import ChangedPlace
from reconciler.survey.scopes import Scope, ScopeKind

BEFORE = timedelta(minutes=10)
"""How long before its entry in the audit log the intent of a write may be on record: longer than a run may take."""


@dataclass(frozen=True, slots=True)
class _Write:
    """The last write to a place."""

    id: str
    at: datetime
    verified: datetime | None = None


class Echoes:
    """What the operator wrote in some organizations lately; each record is read once, and only where it is needed."""

    def __init__(self, record: WriteLog) -> None:
        self._record = record

    def left(self, changes: Iterable[ChangedPlace]) -> frozenset[ChangedPlace]:
        """Changes by the operator that are no echoes: nothing shows that their place was verified since."""
        own = [one for one in changes if one.own]
        done: set[ChangedPlace] = set()
        for organization in {one.organization for one in own}:
            here = [one for one in own if one.organization == organization and one.at is not None]
            if here:
                writes = self._writes(organization, min(one.at for one in here if one.at is not None) - BEFORE)
                done |= {one for one in here if _verified(one, writes)}
        return frozenset(own) - done

    def _writes(self, organization: str, since: datetime) -> dict[tuple[str, str], _Write]:
        """Place → its last write; empty where the record cannot be read: then nothing is an echo."""
        found: dict[tuple[str, str], _Write] = {}
        places: dict[str, list[tuple[str, str]]] = {}
        try:
            entries = self._record.since(organization_chain(organization), since)
        except ReconcilerError:
            return {}
        for entry in entries:
            at = moment_of(entry.get("at"))
            if at is None:
                continue
            if entry.get("kind") == "intent":
                name = text_of(entry, "id")
                places[name] = _places(entry)
                found |= {place: _Write(name, at) for place in places[name]}
            elif entry.get("kind") == "proof" and entry.get("outcome") == "verified":
                name = text_of(entry, "of")
                for place in places.get(name, ()):
                    if found[place].id == name:
                        found[place] = _Write(name, found[place].at, at)
        return found


def _places(intent: JsonObject) -> list[tuple[str, str]]:
    """The places of an intent by which entries may name it."""
    place = intent.get("place")
    if not isinstance(place, dict):
        return []
    named = [("queue", f"{place.get('projectId')}/{place.get('queueId')}")] if "queueId" in place else []
    pools = [("agent pool", str(place.get("poolId")))] if "poolId" in place and "queueId" not in place else []
    return [*named, *pools]


def _verified(change: ChangedPlace, writes: dict[tuple[str, str], _Write]) -> bool:
    scope = Scope.read(change.scope)
    if scope is None or change.at is None:
        return False
    name = None
    if scope.kind is ScopeKind.PROJECT and scope.queue:
        name = ("queue", f"{scope.project}/{scope.queue}")
    elif scope.kind is ScopeKind.ROLES and scope.agent_pool:
        name = ("agent pool", str(scope.agent_pool))
    write = writes.get(name) if name is not None else None
    # The entry's clock is the service's, the proof's a worker's: where that one is behind, the place is read once more.
    return write is not None and write.verified is not None and write.verified >= change.at
