"""Which form a file has, and the reader for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Final

from reconciler.documents import Json
from reconciler.errors import SpecInvalid
from reconciler.tools.convert import bicep, json_text, printed, profiles, template
from reconciler.tools.convert.piece import KIND, Piece

_REFUSED: Final = {
    ".tf": "is Terraform, which convert does not read; `import` makes a spec of the live pool",
    ".hcl": "is Terraform, which convert does not read; `import` makes a spec of the live pool",
    ".sh": "is a script; give the profile files that it names, or `import` the live pool",
    ".ps1": "is a script; give the profile files that it names, or `import` the live pool",
    ".bicepparam": "is a Bicep parameter file; run `az bicep build-params` and give the JSON by --parameters",
    ".yaml": "is YAML; convert reads templates, Bicep and JSON of az mdp",
    ".yml": "is YAML; convert reads templates, Bicep and JSON of az mdp",
}
"""Suffix → why a file of this kind is not read, and what to do."""


def pieces(files: Mapping[str, bytes], parameters: Mapping[str, Json] | None = None) -> list[Piece]:
    """All pieces of all files, in the order of the files. `SpecInvalid` says which file cannot be read, and where."""
    found: list[Piece] = []
    for path, data in files.items():
        found += _file(path, data, parameters or {})
    return found


def parameters_of(path: str, data: bytes) -> dict[str, Json]:
    """The values of a parameter file in JSON."""
    refuse(path)
    return json_text.parameters_of(path, data)


def refuse(path: str) -> None:
    """`SpecInvalid` for a kind of file that convert does not read."""
    reason = _REFUSED.get(PurePath(path).suffix.lower())
    if reason:
        raise SpecInvalid(f"{path}: {reason}")


def _file(path: str, data: bytes, parameters: Mapping[str, Json]) -> Sequence[Piece]:
    refuse(path)
    is_bicep = path.lower().endswith(".bicep")
    text = printed.marked(json_text.text_of(path, data), bicep=is_bicep)
    if is_bicep:
        return bicep.read(path, text, parameters)
    found = json_text.parse(path, text)
    document = found.value
    if isinstance(document, dict) and "resources" in document and not _is_pool(document):
        return template.read(found, parameters)
    if _is_pool(document):
        scope = template.TemplateScope({name.casefold(): (value, None) for name, value in parameters.items()})
        piece = template.resource(found, (), document, scope)
        if piece is None:
            raise SpecInvalid(f"{path}: the condition of the pool is false, so it is not made")
        return [piece]
    return profiles.read(found)


def _is_pool(document: Json) -> bool:
    return isinstance(document, dict) and str(document.get("type", "")).casefold() == KIND
