"""Documents of one deployment: judged when they are loaded, marked when they are saved.

What cannot be used is copied to ``damaged/…`` before anything is written over it, counted, and logged once in a
process; the caller gets what is left of it, under its ETag, and so replaces it with the next save. Documents that
govern writing are not repaired: their damage is an error.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Mapping, Sequence

from reconciler.adapters.owned.owner import Owner, unless_unread
from reconciler.adapters.store_limits import SHOWN
from reconciler.documents import Json, moment
from reconciler.documents.kinds import DAMAGED, OWNER, STATE, DocumentKind, kind_of, marked, read
from reconciler.errors import ReconcilerError, Rejected
from reconciler.ports.clock import Clock
from reconciler.ports.stores import StateStore, StoredDocument, UnreadableDocument
from reconciler.telemetry import Metrics

_log = logging.getLogger("reconciler.documents")


class Damages:
    """What this process has reported, so that a document that is not replaced is reported once."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lock = threading.Lock()
        self._known: set[str] = set()

    def report(self, kind: DocumentKind, name: str, place: str, line: str) -> bool:
        """Count and log it; whether that is new."""
        with self._lock:
            if place in self._known:
                return False
            self._known.add(place)
        self._metrics.count("reconciler.documents.damaged", document=kind.label)
        _log.warning("state %s: %s", name, line)
        return True


class OwnedState:
    """`reconciler.ports.stores.StateStore` over another one."""

    def __init__(
        self, store: StateStore, owner: Owner, clock: Clock, damages: Damages, kinds: tuple[DocumentKind, ...] = STATE
    ) -> None:
        """`kinds`: those of this store."""
        self._store = store
        self._owner = owner
        self._clock = clock
        self._damages = damages
        self._kinds = kinds

    def load(self, name: str) -> StoredDocument | None:
        """What can be used of the document, or None where there is none.

        `Refused` where it is another deployment's; `Rejected` where it governs writing and is damaged.
        """
        kind = kind_of(name, self._kinds)
        unless_unread(self._owner)
        try:
            found = self._store.load(name)
        except UnreadableDocument as error:
            if kind.governs:
                raise
            _, _, problem = str(error).partition(": ")
            self._set_aside(kind, name, problem, error.content, error.size)
            return StoredDocument({}, error.etag)
        if found is None:
            return None
        usable = read(kind, found.body)
        if not self._owner.adopts(usable.deployment):
            raise self._owner.foreign(f"state {name}", usable.deployment)
        if usable.problem and kind.governs:
            raise Rejected(f"state {name}: the document {usable.problem}; restore it, or use the release that wrote it")
        if usable.problem:
            content = json.dumps(found.body).encode()
            self._set_aside(kind, name, f"the document {usable.problem}", content, len(content))
        return StoredDocument(usable.body, found.etag)

    def save(self, name: str, body: Json, etag: str | None) -> str:
        """Store it with its mark, and return the new ETag; as of `StateStore`, and `Refused` as of `load`."""
        kind = kind_of(name, self._kinds)
        self._owner.claim()
        return self._store.save(name, marked(kind, body, self._owner.name), etag)

    def names(self, prefix: str) -> Sequence[str]:
        """Names of all documents with this prefix, sorted; those that were set aside are no others' documents."""
        unless_unread(self._owner)
        return [name for name in self._store.names(prefix) if _shown(name, prefix)]

    def versions(self, prefix: str) -> Mapping[str, str]:
        """Name → ETag of the same documents."""
        unless_unread(self._owner)
        found = self._store.versions(prefix)
        return {name: etag for name, etag in found.items() if _shown(name, prefix)}

    def _set_aside(self, kind: DocumentKind, name: str, problem: str, content: bytes, size: int) -> None:
        place = f"{DAMAGED}{name}/{hashlib.sha256(content).hexdigest()[:16]}"
        line = f"{problem}; it is kept as {place}, and the rest of it counts as never stored"
        if not self._damages.report(kind, name, place, line):
            return
        text = content[:SHOWN].decode("utf-8", "replace")
        body = {"name": name, "at": moment(self._clock.now()), "problem": problem, "size": size, "content": text}
        try:
            self._owner.claim()
            self._store.save(place, marked(kind, body, self._owner.name), None)
        except ReconcilerError as error:  # it is there already, or this identity may only read: it is logged above
            _log.info("state %s: not kept: %s", place, error)


def _shown(name: str, prefix: str) -> bool:
    return name != OWNER and (prefix.startswith(DAMAGED) or not name.startswith(DAMAGED))
