"""What the looks at an organization keep in one document, ``looks/<organization>``: an unchanged pool costs no request.

It holds two things. *Kept documents*: statuses and safety facts of the organization's pools as they were last read,
each with its ETag. A look lists the ETags of all documents, in one transaction for thousands, and loads only those that
changed. *Moments*: what moves in the status of a pool that is as it was, its last run and the age of its evidence.
They belong to one version of the status document, by its ETag, and count for no other: any writer of the status
ends them. So no order of writes matters, and a process that dies between two of them costs loads and loses nothing.

Nothing is written to either plane by what is kept here: a run that would write reads everything again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from reconciler.documents import Json
from reconciler.documents.packing import packed, unpacked
from reconciler.engine.status import PoolStatus
from reconciler.engine.tenure import Tenure
from reconciler.errors import LeaseHeld, ReconcilerError, Refused
from reconciler.ports.stores import StateStore, StoredDocument, look_document, pool_document
from reconciler.safety import Safety
from reconciler.spec.model import Spec

FORMAT = 1
MOVING = ("attemptedRevision", "appliedRevision", "lastRun", "covered", "seen")
"""Fields of a status that change although nothing else does."""
MOST = 20_000
"""Documents that are kept; beyond them those that the last look did not read are dropped."""


def organization_of(specs: Sequence[Spec]) -> str:
    """The organization under which pools are looked at: the first one of a spec; empty for pools without one."""
    return specs[0].organizations[0].name if specs and specs[0].organizations else ""


class KeptStore:
    """A store for reading: documents whose ETag is known to be current are not loaded again."""

    def __init__(self, store: StateStore, prefix: str, known: dict[str, Any]) -> None:
        """`known`: name → ETag and body, completed by what is loaded. `prefix`: of all names that are read."""
        self._store = store
        self._prefix = prefix
        self._known = known
        self._tags: Mapping[str, str] | None = None
        self.read: set[str] = set()
        self.changed = False

    @property
    def tags(self) -> Mapping[str, str]:
        """ETags, listed once."""
        if self._tags is None:
            self._tags = self._store.versions(self._prefix)
        return self._tags

    def load(self, name: str) -> StoredDocument | None:
        """The document, or None; as of the list."""
        tag = self.tags.get(name)
        if tag is None:
            return None
        self.read.add(name)
        known = self._known.get(name)
        if isinstance(known, list) and len(known) == 2 and known[0] == tag:  # noqa: PLR2004 - ETag and body
            return StoredDocument(known[1], tag)
        found = self._store.load(name)
        if found is not None and not _grants(found.body):
            self._known[name] = [found.etag, found.body]
            self.changed = True
        return found

    def names(self, prefix: str) -> Sequence[str]:
        """Names of all documents with this prefix, sorted."""
        return sorted(name for name in self.tags if name.startswith(prefix))

    def versions(self, prefix: str) -> Mapping[str, str]:
        """As of the list."""
        return {name: tag for name, tag in self.tags.items() if name.startswith(prefix)}

    def save(self, name: str, body: Json, etag: str | None) -> str:  # noqa: ARG002 - as of the port
        """Nothing is written through it."""
        raise Refused(f"{name}: is not written by a look")


class Packed:
    """The document of one organization, while a look goes on."""

    def __init__(self, state: StateStore, safety: Safety | None, organization: str, tenure: Tenure) -> None:
        """`tenure`: the hold on the organization's lease, under which it is saved."""
        self._state = state
        self._tenure = tenure
        self._name = look_document(organization)
        document = state.load(self._name)
        self._etag = None if document is None else document.etag
        body = _read(document)
        self._kept: dict[str, dict[str, Any]] = {area: dict(body.get(area) or {}) for area in ("state", "safety")}
        self._moments: dict[str, Any] = dict(body.get("moments") or {})
        self._moved = False
        self._statuses = KeptStore(state, pool_document(""), self._kept["state"])
        self._facts: KeptStore | None = None
        self.safety = None if safety is None else safety.through(self._through)

    def _through(self, store: StateStore) -> StateStore:
        self._facts = KeptStore(store, "", self._kept["safety"])
        return self._facts

    def status(self, key: str) -> PoolStatus | None:
        """The status of a pool, with the moments of later looks; None where none is stored."""
        document = self._statuses.load(pool_document(key))
        return None if document is None else PoolStatus.from_json(key, newest(key, document, self._moments))

    def newest(self, key: str, document: StoredDocument) -> Json:
        """The body of a status document that was loaded now, with the moments of later looks."""
        return newest(key, document, self._moments)

    def move(self, key: str, status: PoolStatus) -> None:
        """Take note that the pool is as its status document says, with the moments of this status."""
        body = status.to_json()
        tag = self._statuses.tags[pool_document(key)]
        self._moments[key] = [tag, {name: body[name] for name in MOVING}]
        self._moved = True

    def save(self) -> None:
        """Store it once, where anything changed. What cannot be stored is learned again by the next look."""
        facts = self._facts
        if not (self._moved or self._statuses.changed or (facts is not None and facts.changed)):
            return
        body: dict[str, Json] = {"format": FORMAT, "moments": self._moments}
        for area, kept in (("state", self._statuses), ("safety", facts)):
            documents = self._kept[area]
            if len(documents) > MOST and kept is not None:
                documents = {name: one for name, one in documents.items() if name in kept.read}
            body[area] = documents
        with suppress(ReconcilerError):
            self._tenure.check()
            try:
                self._state.save(self._name, packed(body), self._etag)
            except LeaseHeld:
                # A renewal may change the tag of the document on which the lease lies; its content none but the holder.
                known = self._state.load(self._name)
                self._tenure.check()
                self._state.save(self._name, packed(body), None if known is None else known.etag)


class Statuses:
    """Statuses as people read them: as stored, with the moments of the looks that found them so."""

    def __init__(self, state: StateStore) -> None:
        self._state = state
        self._looks: dict[str, Mapping[str, Any]] = {}

    def of(self, spec: Spec) -> PoolStatus | None:
        """The status of a spec's pool; None where none is stored."""
        document = self._state.load(pool_document(spec.key))
        if document is None:
            return None
        return PoolStatus.from_json(
            spec.key, newest(spec.key, document, self._moments(look_document(organization_of([spec]))))
        )

    def every(self, documents: Mapping[str, StoredDocument]) -> dict[str, PoolStatus]:
        """By key, of pools whose specs are not known: all looks are read."""
        moments: dict[str, Any] = {}
        for name in self._state.names(look_document("")[:-1]) if documents else ():
            moments.update(self._moments(name))
        return {key: PoolStatus.from_json(key, newest(key, document, moments)) for key, document in documents.items()}

    def _moments(self, name: str) -> Mapping[str, Any]:
        if name not in self._looks:
            self._looks[name] = _read(self._state.load(name)).get("moments") or {}
        return self._looks[name]


def newest(key: str, document: StoredDocument, moments: Mapping[str, Any]) -> Json:
    """The body of a status document, with moments that belong to this very version of it."""
    match moments.get(key):
        case [tag, dict() as moved] if tag == document.etag and isinstance(document.body, dict):
            return {**document.body, **{name: moved[name] for name in MOVING if name in moved}}
    return document.body


def _read(document: StoredDocument | None) -> Mapping[str, Any]:
    """The stored form; empty where there is none that this release reads."""
    body = unpacked(document.body) if document is not None else None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        return {}
    return {name: one for name, one in body.items() if isinstance(one, dict)}


def _grants(body: Json) -> bool:
    """Whether a document holds the signed URL of an operation: it is not copied."""
    return isinstance(body, Mapping) and body.get("pending") is not None
