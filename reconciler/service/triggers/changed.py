"""Which pools a commit is about: their file, or the name of a pool that two files had, changed since the last look."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from reconciler.documents import Json
from reconciler.service.catalogue import Specs
from reconciler.spec.model import Spec


def digests_of(specs: Specs) -> dict[str, str]:
    """Path → a digest of the file's content, as it is remembered until the next look."""
    return {path: hashlib.sha256(content).hexdigest()[:16] for path, content in specs.snapshot.files.items()}


def changed(specs: Specs, before: Json, digests: Mapping[str, str]) -> list[Spec]:
    """The specs to run; `before`: what was remembered, None where nothing was."""
    body = before if isinstance(before, Mapping) else {}
    known, listed = body.get("files") or {}, body.get("pools")
    # A name that two files had is one file's alone once the other file changed.
    named = frozenset(filter(_text, listed)) if isinstance(listed, list) else specs.by_key.keys()
    return [
        spec for key, spec in specs.by_key.items() if known.get(spec.path) != digests.get(spec.path) or key not in named
    ]


def _text(value: object) -> bool:
    return isinstance(value, str)
