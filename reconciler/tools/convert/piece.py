"""One file, whatever its form, as pieces of pools."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.errors import SpecInvalid
from reconciler.tools.convert import elided

Json = Any


@dataclass(frozen=True, slots=True)
class Piece:
    """A pool, or a part of one."""

    source: str
    """File, and where in it."""
    body: Mapping[str, Json]
    """In any of the shapes that the spec knows."""
    name: str = ""
    """The pool's name, where the file says it."""
    whole: bool = False
    """Whether it is a resource and not a part of one."""
    notes: tuple[str, ...] = ()
    """What could not be read, one line each."""


def pieces(files: Mapping[str, bytes], parameters: Mapping[str, Json] | None = None) -> list[Piece]:
    """All pieces of all files, in the order of the files. `SpecInvalid` says which file cannot be read, and where."""
    found: list[Piece] = []
    for path, data in files.items():
        found += _file(path, data, parameters or {})
    return found


def parameters_of(path: str, data: bytes) -> dict[str, Json]:
    """The values of a parameter file; references to key vaults are no values."""
    document = document_of(path, _text(path, data))
    given = document.get("parameters", document) if isinstance(document, dict) else None
    if not isinstance(given, dict):
        raise SpecInvalid(f"{path}: is no parameter file; it has no parameters")
    return {name: one["value"] for name, one in given.items() if isinstance(one, dict) and "value" in one}


def document_of(path: str, text: str) -> Json:
    """JSON; a member without the braces around it is read as well, as pages print it."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        wrapped = _wrapped(text)
        if wrapped is not None:
            return wrapped
        line, said = elided.missing_bracket(text)
        if line:
            raise SpecInvalid(f"{path}:{line}: is no JSON: {said}") from None
        raise SpecInvalid(f"{path}:{error.lineno}: is no JSON: {error.msg}, column {error.colno}") from None


def _wrapped(text: str) -> Json:
    try:
        return json.loads("{" + text + "}")
    except json.JSONDecodeError:
        return None


def _text(path: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecInvalid(f"{path}: is no text in UTF-8, byte {error.start}") from None


def _file(path: str, data: bytes, parameters: Mapping[str, Json]) -> Sequence[Piece]:
    text, notes = elided.without(path, _text(path, data))
    found = _read(path, text, parameters)
    return [replace(found[0], notes=(*found[0].notes, *notes)), *found[1:]]


def _read(path: str, text: str, parameters: Mapping[str, Json]) -> Sequence[Piece]:
    from reconciler.tools.convert import bicep, profiles, template  # noqa: PLC0415 - they know `Piece`; Bicep needs an extra

    if path.lower().endswith(".bicep"):
        return bicep.read(path, text, parameters)
    document = document_of(path, text)
    if isinstance(document, dict) and "resources" in document:
        return template.read(path, document, parameters)
    if isinstance(document, dict) and str(document.get("type", "")).casefold() == template.KIND:
        return [template.resource(path, document, template.TemplateScope(parameters))]
    return profiles.read(path, document)
