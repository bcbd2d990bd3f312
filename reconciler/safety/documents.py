"""Documents of the safety store behind an index: one that was deleted is found missing, and is not taken for absent.

The document `index` marks the store and names every other document. A new document is entered in two steps: the index
names it, and says that it is being entered; then the document is stored, and the index settled. So an interrupted write
leaves a name without a document, never the reverse. Its writer had not ended, so nothing relies on it: the next write
starts from nothing, and readers of `NEVER_WRITTEN` take it for absent. Of any other kind it blocks writing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from reconciler.documents import Json, JsonObject, list_of
from reconciler.errors import LeaseHeld, NotFound, Rejected
from reconciler.ports.stores import StateStore

INDEX = "index"
FORMAT = "safety/v1"
REPAIR = "check what is missing, then run `mdp-reconciler mode repair`"
NEVER_WRITTEN = ("agent-pools/", "agent-pool-owners/", "approvals/")
"""Kinds whose absence permits nothing: no approval is none, and without recorded ids only other proofs count.

Not a mode, an undo or an operator: without those, writes would be made that a person was about to forbid.
"""
TRIES = 50
"""Writers of one document that may be faster than this one; each pool enters the index once."""


@dataclass(frozen=True, slots=True)
class SafetyIndex:
    """Which documents the safety store holds."""

    names: frozenset[str] = frozenset()
    entering: frozenset[str] = frozenset()
    """Those of them that may never have been stored: their first write has not ended, or was interrupted."""
    new: bool = False
    """Whether the store has no index and no document: nothing was ever stored here."""


class SafetyDocuments:
    """The documents of one safety store. Errors of the store leave every method."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def through(self, over: Callable[[StateStore], StateStore]) -> SafetyDocuments:
        """The same documents, read through another store over this one."""
        return SafetyDocuments(over(self._store))

    def index(self) -> SafetyIndex:
        """The index; `Rejected` where it is damaged, or missing although documents exist."""
        found = self._store.load(INDEX)
        if found is not None:
            return _read(found.body)
        if names := self._store.names(""):
            raise Rejected(
                f"safety store: the document {INDEX} is missing, but {len(names)} others exist ({names[0]}, …); "
                f"{REPAIR}"
            )
        return SafetyIndex(new=True)

    def load(self, name: str, index: SafetyIndex) -> JsonObject | None:
        """The document, or None where there is none; `NotFound` where the index names it, and it is missing.

        None also where it is being entered, and of `NEVER_WRITTEN`.
        `Rejected` where it exists and the index does not name it: an older index was restored, which would hide a stop.
        """
        found = self._store.load(name)
        if name not in index.names:
            if found is None:
                return None
            if name not in self.index().names:  # it is, where another process has just stored the document
                raise Rejected(f"safety store: the document {name} exists, but the index does not name it; {REPAIR}")
        if found is None and name in index.entering:
            if name.startswith(NEVER_WRITTEN):
                return None
            raise NotFound(f"safety store: the document {name} was not stored to its end; repeat the command that does")
        if found is None:
            raise NotFound(f"safety store: the document {name} is missing, but the index names it; restore it")
        if not isinstance(found.body, dict):
            raise Rejected(f"safety store: the document {name} is no JSON object; restore it")
        return found.body

    def interrupted(self, name: str) -> bool:
        """Whether its first write was begun and stored nothing: nothing relies on it."""
        return name in self.index().entering and self._store.load(name) is None

    def create(self) -> None:
        """Mark a new store. Harmless where it is marked; `Rejected` as of `index`."""
        self._repeated(INDEX, self._create)

    def change(
        self, name: str, edit: Callable[[dict[str, Any]], dict[str, Any]], *, replace_missing: bool = False
    ) -> None:
        """Replace a document by what `edit` makes of it ({} where there is none); repeated where others write too.

        `replace_missing`: write it also where the index names it and it is missing or no JSON object; otherwise that
        is an error, as in `load`.
        """
        if self._repeated(name, lambda: self._change(name, edit, replace_missing=replace_missing)):
            self._repeated(name, lambda: self._settle(name))

    def repair(self) -> tuple[str, ...]:
        """Make an index of the documents that exist, where it is missing, or names missing ones; returns its names."""
        names = [name for name in self._store.names("") if name != INDEX]
        found = self._store.load(INDEX)
        self._store.save(INDEX, _index(names), None if found is None else found.etag)
        return tuple(names)

    def _repeated(self, name: str, write: Callable[[], bool]) -> bool:
        """Write, and again where another writer was faster; `LeaseHeld` where the store refuses, and no other wrote."""
        known: tuple[str | None, ...] = ()
        for _ in range(TRIES - 1):
            try:
                return write()
            except LeaseHeld:
                before, known = known, tuple(self._tag(one) for one in (INDEX, name))
                if known == before:
                    raise
        return write()

    def _tag(self, name: str) -> str | None:
        found = self._store.load(name)
        return None if found is None else found.etag

    def _create(self) -> bool:
        if self.index().new:
            self._store.save(INDEX, _index([]), None)
        return True

    def _change(self, name: str, edit: Callable[[dict[str, Any]], dict[str, Any]], *, replace_missing: bool) -> bool:
        """Store the document; whether the index has to be settled afterwards."""
        index = self.index()
        new = name not in index.names
        if new:
            self._enter(name)
        elif not replace_missing and (name not in index.entering or self._store.load(name) is not None):
            self.load(name, index)
        found = self._store.load(name)
        body = found.body if found is not None and isinstance(found.body, dict) else {}
        self._store.save(name, edit(dict(body)), None if found is None else found.etag)
        return new or name in index.entering

    def _enter(self, name: str) -> None:
        """Name a document in the index, as one that is being entered; makes the index of a new store."""
        found = self._store.load(INDEX)
        known = SafetyIndex() if found is None else _read(found.body)
        left = {one for one in known.entering if self._store.load(one) is None}
        self._store.save(INDEX, _index([*known.names, name], {*left, name}), None if found is None else found.etag)

    def _settle(self, name: str) -> bool:
        """The document is stored: missing from now on means that it was lost."""
        found = self._store.load(INDEX)
        known = SafetyIndex() if found is None else _read(found.body)
        if found is not None and name in known.entering:
            self._store.save(INDEX, _index(known.names, known.entering - {name}), found.etag)
        return True


def _index(names: Collection[str], entering: Collection[str] = ()) -> JsonObject:
    return {
        "apiVersion": FORMAT,
        "documents": sorted(set(names)),
        **({"entering": sorted(entering)} if entering else {}),
    }


def _read(body: Json) -> SafetyIndex:
    """A stored index; `Rejected` where it is none that this release reads."""
    if not isinstance(body, dict) or not isinstance(body.get("documents"), list):
        raise Rejected(f"safety store: the document {INDEX} is damaged; restore it, or `mdp-reconciler mode repair`")
    if body.get("apiVersion") != FORMAT:
        raise Rejected(f"safety store: the document {INDEX} is not of {FORMAT}; use the release that wrote it")
    names = frozenset(str(name) for name in list_of(body, "documents"))
    return SafetyIndex(names, frozenset(str(name) for name in list_of(body, "entering")) & names)
