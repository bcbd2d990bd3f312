"""JSON of `az mdp`: profile files, printed pools, and bodies of pools that stand alone.

Which profile a file holds is said by its own words: kinds as keys (azure-cli-extensions, mdp) or as a field (ARM).
Everything else that is a mapping is taken for a pool, whose shapes `reconciler.spec.shapes` knows. `az mdp pool show`
prints ARM's names with the contents of `properties` beside `location`; `az mdp pool list` prints a list of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.documents import Json
from reconciler.documents.spelling import bare
from reconciler.errors import SpecInvalid
from reconciler.spec.problem import Path
from reconciler.spec.shapes import kebab_names
from reconciler.tools.convert.json_text import JsonText
from reconciler.tools.convert.piece import KIND, LEFT, Piece, Remarks
from reconciler.tools.convert.template import TemplateScope, Values

_PROFILES: Mapping[str, str] = {
    "azuredevops": "organizationProfile",
    "github": "organizationProfile",
    "vmss": "fabricProfile",
    "stateless": "agentProfile",
    "stateful": "agentProfile",
}
_POOL = frozenset(
    {
        *("properties", "location", "tags", "identity", "maximumConcurrency", "organizationProfile"),
        *("agentProfile", "fabricProfile", "devCenterProjectResourceId", "runtimeConfiguration"),
    }
)


def read(found: JsonText) -> list[Piece]:
    """The pieces that a JSON document is. `SpecInvalid` where it is none."""
    pools = list(_printed(found))
    if pools:
        return pools
    document = found.value
    if isinstance(document, dict):
        kinds = {_PROFILES[bare(word)] for word in _words(document) if bare(word) in _PROFILES}
        if len(kinds) == 1:
            return [_piece(found, (), {kinds.pop(): document}, depth=1)]
        if any(kebab_names().get(key, key) in _POOL for key in document):
            return [_piece(found, (), document)]
        example = document.get("parameters")
        if isinstance(example, dict) and isinstance(example.get("resource"), dict):
            return [_piece(found, ("parameters", "resource"), example["resource"], name=example.get("poolName"))]
    raise SpecInvalid(
        f"{found.path}: is neither a template nor a pool nor a profile of az mdp; a profile begins with AzureDevOps, "
        "GitHub, vmss, stateless or stateful"
    )


def _printed(found: JsonText) -> Iterator[Piece]:
    """The pools of a list as az prints it; nothing where it is no such list."""
    given = found.value if isinstance(found.value, list) else []
    if all(isinstance(one, dict) and str(one.get("type", "")).casefold() == KIND for one in given):
        yield from (_piece(found, (index,), one, whole=True) for index, one in enumerate(given))


def _piece(
    found: JsonText, base: Path, given: Mapping[str, Json], *, depth: int = 0, name: Json = None, whole: bool = False
) -> Piece:
    """A mapping as a piece; `depth` steps of its paths are not in the document."""
    remarks = Remarks()

    def where(path: Path) -> str:
        return found.where((*base, *path[depth:]))

    values = Values(remarks, where)
    body = values.resolved(given, (), TemplateScope(), 0)
    assert body is not LEFT  # noqa: S101 a mapping without a place of its own is never left out whole
    if name is not None:
        body = {"name": name, **body}
    source = found.where(base) if base else found.path
    return Piece(source, body, values.name(body), whole=whole, left_out=remarks.left_out, where=where)


def _words(document: Mapping[str, Json]) -> list[str]:
    kind = document.get("kind")
    return [*document, *([kind] if isinstance(kind, str) else [])]
