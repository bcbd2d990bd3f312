"""In which line of its file each part of a spec stands, for the record of writes and for messages.

A deployment holds thousands of specs and asks for a line once for a write, so no line is kept: the file is read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.documents import Json
from reconciler.spec.source import YamlDocument, documents

DEPTH = 6
"""Levels of keys to look at: ``pool.properties.organizationProfile.organizations.0.openAccess`` is the deepest."""


@dataclass(frozen=True, slots=True)
class DocumentLines:
    """Where the parts of one document stand; the content is the one that the spec was built from."""

    content: bytes
    number: int = 0
    """Which of the file's documents, from 0; empty ones are not counted."""

    def __call__(self, paths: Sequence[str]) -> int:
        """The line, from 1, of the first of these dotted paths that the document has; 0 where it has none of them."""
        document = self.document()
        known = dict(_lines(document, document.value, "", DEPTH))
        return next((known[path] for path in paths if path in known), 0)

    def document(self) -> YamlDocument:
        """The document, read with the place of everything in it."""
        return documents(self.content)[self.number]


def _lines(document: YamlDocument, value: Json, above: str, depth: int) -> Iterator[tuple[str, int]]:
    marks = document.places.get(id(value))
    if marks is None or not depth:
        return
    for key, inner in enumerate(value) if isinstance(value, list) else value.items():
        path = f"{above}.{key}" if above else str(key)
        yield path, marks[key].line + 1
        yield from _lines(document, inner, path, depth - 1)
