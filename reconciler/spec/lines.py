"""In which line of its file each part of a spec stands, for the record of writes.

Kept as one short text for each spec, since a deployment holds thousands of specs and asks for a line once for a write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.documents import Json
from reconciler.spec.source import YamlDocument

DEPTH = 6
"""Levels of keys that are kept: ``pool.properties.organizationProfile.organizations.0.openAccess`` is the deepest."""


def lines_of(document: YamlDocument) -> str:
    """``path<tab>line`` for each key and list entry of a document, one below the other."""
    return "\n".join(f"{path}\t{line}" for path, line in _lines(document, document.value, "", DEPTH))


def line_at(lines: str, paths: Sequence[str]) -> int:
    """The line of the first of these dotted paths that the file has; 0 where it has none of them."""
    known = dict(line.split("\t") for line in lines.splitlines())
    return next((int(known[path]) for path in paths if path in known), 0)


def _lines(document: YamlDocument, value: Json, above: str, depth: int) -> Iterator[tuple[str, int]]:
    marks = document.places.get(id(value))
    if marks is None or not depth:
        return
    for key, inner in enumerate(value) if isinstance(value, list) else value.items():
        path = f"{above}.{key}" if above else str(key)
        if "\t" not in path and path.isprintable():
            yield path, marks[key].line + 1
            yield from _lines(document, inner, path, depth - 1)
