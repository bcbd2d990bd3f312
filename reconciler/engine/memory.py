"""What a run remembers between runs: the pool's status and the evidence about its organizations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from reconciler.engine.packed import MOVING, Packed
from reconciler.engine.status import Condition, PoolStatus
from reconciler.engine.tenure import Tenure
from reconciler.errors import LeaseHeld
from reconciler.ports.stores import StateStore, pool_document
from reconciler.spec.model import Spec
from reconciler.survey import ListEvidence


def load_status(state: StateStore, key: str) -> PoolStatus:
    """The stored status of a pool; an empty one where there is none."""
    document = state.load(pool_document(key))
    return PoolStatus(key) if document is None else PoolStatus.from_json(key, document.body)


def evidence_document(organization: str) -> str:
    """Name of the document about an organization; see `reconciler.engine.snapshots` for its other part."""
    return f"evidence/{organization}"


def load_evidence(state: StateStore, specs: Iterable[Spec]) -> dict[str, ListEvidence]:
    """The stored evidence about the organizations of these specs."""
    names = sorted({organization.name for spec in specs for organization in spec.organizations})
    stored = {name: state.load(evidence_document(name)) for name in names}
    return {name: ListEvidence.from_json(document.body) for name, document in stored.items() if document is not None}


def save_evidence(state: StateStore, learned: Mapping[str, ListEvidence]) -> None:
    """Store it, merged with what other workers stored meanwhile. Three tries: a resync learns again what is lost."""
    for organization, evidence in learned.items():
        for _ in range(3):
            document = state.load(evidence_document(organization))
            merged = evidence if document is None else evidence.merged(ListEvidence.from_json(document.body))
            rest = document.body if document is not None and isinstance(document.body, Mapping) else {}
            body, tag = {**rest, **merged.to_json()}, None if document is None else document.etag
            try:
                state.save(evidence_document(organization), body, tag)
            except LeaseHeld:
                continue
            break


class StatusMemory(Protocol):
    """What a run knows of its pool, and where it leaves what it found."""

    status: PoolStatus
    conditions: tuple[Condition, ...]
    """As the run before left them."""

    def save(self, status: PoolStatus) -> None:
        """Leave the status."""


class UnsavedStatus:
    """A run that may find what is stored already: what it would store, and nothing stored."""

    def __init__(self, status: PoolStatus) -> None:
        self._before = self.status = status
        self.conditions = status.conditions

    def save(self, status: PoolStatus) -> None:
        """Keep it."""
        self.status = status

    @property
    def settled(self) -> bool:
        """Whether all that the run would store is stored, moments aside."""
        before, now = self._before.to_json(), self.status.to_json()
        return all(value == before[name] for name, value in now.items() if name not in MOVING)


class Memory:
    """The status document of one run, written only while this run holds the lease and no other wrote it."""

    def __init__(self, state: StateStore, key: str, tenure: Tenure, packed: Packed | None = None) -> None:
        """`packed`: of the look that the run belongs to, with the moments of looks since the document was written."""
        self._state = state
        self._tenure = tenure
        self._name = pool_document(key)
        document = state.load(self._name)
        self._etag = None if document is None else document.etag
        body = None if document is None else packed.newest(key, document) if packed is not None else document.body
        self.status = PoolStatus.from_json(key, body)
        self._content = None if document is None else document.body
        self.conditions = self.status.conditions
        """As the run before left them: the conditions at the end are compared with these, not with the begun ones."""

    def save(self, status: PoolStatus) -> None:
        """Store the status; `LeaseHeld` where another worker took over."""
        self._tenure.check()
        body = status.to_json()
        try:
            self._etag = self._state.save(self._name, body, self._etag)
        except LeaseHeld:
            # A renewal writes down who holds the lease, on the same blob: another tag, and the content as it was.
            known = self._state.load(self._name)
            if known is None or not _same(known.body, self._content):
                raise
            self._tenure.check()
            self._etag = self._state.save(self._name, body, known.etag)
        self.status, self._content = status, body


def _same(one: Any, other: Any) -> bool:
    """Whether two bodies are one document, as it is stored."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
