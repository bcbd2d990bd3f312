"""Documents of the safety store behind an index: one that was deleted is found missing, and is not taken for absent.

The document `index` marks the store and names every other document. It is written before a document that it names for
the first time, so an interrupted write leaves a name without a document, which blocks writing, never the reverse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.documents import Json, JsonObject, list_of
from reconciler.errors import LeaseHeld, NotFound, Rejected
from reconciler.ports.stores import StateStore

INDEX = "index"
FORMAT = "safety/v1"
REPAIR = "check what is missing, then run `reconciler mode repair`"
TRIES = 50
"""Writers of one document that may be faster than this one; each pool enters the index once."""


@dataclass(frozen=True, slots=True)
class SafetyIndex:
    """Which documents the safety store holds."""

    names: frozenset[str] = frozenset()
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
            return SafetyIndex(_names(found.body))
        if names := self._store.names(""):
            raise Rejected(
                f"safety store: the document {INDEX} is missing, but {len(names)} others exist ({names[0]}, …); "
                f"{REPAIR}"
            )
        return SafetyIndex(new=True)

    def load(self, name: str, index: SafetyIndex) -> JsonObject | None:
        """The document, or None where there is none; `NotFound` where the index names it, and it is missing.

        `Rejected` where it exists and the index does not name it: an older index was restored, which would hide a stop.
        """
        found = self._store.load(name)
        if name not in index.names:
            if found is None:
                return None
            if name not in self.index().names:  # it is, where another process has just stored the document
                raise Rejected(f"safety store: the document {name} exists, but the index does not name it; {REPAIR}")
        if found is None:
            raise NotFound(f"safety store: the document {name} is missing, but the index names it; restore it")
        if not isinstance(found.body, dict):
            raise Rejected(f"safety store: the document {name} is no JSON object; restore it")
        return found.body

    def create(self) -> None:
        """Mark a new store. Harmless where it is marked; `Rejected` as of `index`."""
        while self.index().new:
            try:
                self._store.save(INDEX, _index([]), None)
            except LeaseHeld:
                continue

    def change(
        self, name: str, edit: Callable[[dict[str, Any]], dict[str, Any]], *, replace_missing: bool = False
    ) -> None:
        """Replace a document by what `edit` makes of it ({} where there is none); repeated where others write too.

        `replace_missing`: write it also where the index names it and it is missing or no JSON object; otherwise that
        is an error, as in `load`.
        """
        for tries in range(1, TRIES + 1):
            try:
                self._change(name, edit, replace_missing=replace_missing)
            except LeaseHeld:
                if tries == TRIES:
                    raise
            else:
                return

    def repair(self) -> tuple[str, ...]:
        """Make an index of the documents that exist, where it is missing, or names missing ones; returns its names."""
        names = [name for name in self._store.names("") if name != INDEX]
        found = self._store.load(INDEX)
        self._store.save(INDEX, _index(names), None if found is None else found.etag)
        return tuple(names)

    def _change(self, name: str, edit: Callable[[dict[str, Any]], dict[str, Any]], *, replace_missing: bool) -> None:
        index = self.index()
        if name not in index.names:
            self._enter(name)
        elif not replace_missing:
            self.load(name, index)
        found = self._store.load(name)
        body = found.body if found is not None and isinstance(found.body, dict) else {}
        self._store.save(name, edit(dict(body)), None if found is None else found.etag)

    def _enter(self, name: str) -> None:
        """Name a document in the index; makes the index of a new store."""
        found = self._store.load(INDEX)
        names = _names(found.body) if found is not None else frozenset()
        self._store.save(INDEX, _index([*names, name]), None if found is None else found.etag)


def _index(names: list[str]) -> JsonObject:
    return {"apiVersion": FORMAT, "documents": sorted(set(names))}


def _names(body: Json) -> frozenset[str]:
    """The names of a stored index; `Rejected` where it is none that this release reads."""
    if not isinstance(body, dict) or not isinstance(body.get("documents"), list):
        raise Rejected(f"safety store: the document {INDEX} is damaged; restore it, or run `reconciler mode repair`")
    if body.get("apiVersion") != FORMAT:
        raise Rejected(f"safety store: the document {INDEX} is not of {FORMAT}; use the release that wrote it")
    return frozenset(str(name) for name in list_of(body, "documents"))
