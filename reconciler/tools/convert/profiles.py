"""Profile files of `az mdp`, and bodies of pools that stand alone.

Which profile a file holds is told by its own words: kinds as keys (azure-cli-extensions, mdp) or as a field (ARM).
Everything else that is a mapping is taken for a pool, whose shapes `reconciler.spec.shapes` knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.documents.spelling import bare
from reconciler.errors import SpecInvalid
from reconciler.spec.shapes import kebab_names
from reconciler.tools.convert.piece import Piece

Json = Any
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


def read(path: str, document: Json) -> list[Piece]:
    """The piece that a JSON document is. `SpecInvalid` where it is none."""
    if isinstance(document, dict):
        kinds = {_PROFILES[bare(word)] for word in _words(document) if bare(word) in _PROFILES}
        if len(kinds) == 1:
            return [Piece(path, {kinds.pop(): document})]
        if any(kebab_names().get(key, key) in _POOL for key in document):
            name = document.get("name")
            return [Piece(path, document, name if isinstance(name, str) else "")]
    raise SpecInvalid(
        f"{path}: is neither a template nor a pool nor a profile of az mdp; a profile begins with AzureDevOps, GitHub, "
        "vmss, stateless or stateful"
    )


def _words(document: Mapping[str, Json]) -> list[str]:
    kind = document.get("kind")
    return [*document, *([kind] if isinstance(kind, str) else [])]
