"""The published ways to write a pool, brought to ARM's one.

===================  ===================================================================================================
shape                what it looks like
===================  ===================================================================================================
ARM, Bicep           ``location``, ``tags``, ``identity``, ``properties``; kinds are a field: ``kind: Stateless``
``az mdp`` files     ``organization-profile``, ``maximum-concurrency``, … with kinds as keys: ``stateless: {}``
``az mdp`` output    ARM's names with the contents of ``properties`` beside ``location``
===================  ===================================================================================================

Kinds as keys, parameter names in kebab case and flattened properties are those of azure-cli-extensions, mdp
(`aaz/latest/mdp/pool/_create.py`), and of the profile files on Microsoft Learn, with the one there that repeats
``organizationProfile`` inside ``AzureDevOps``. Values are not looked at here, with one exception: a template expression
is not a value. Fields that only the service sets are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from reconciler.documents.spelling import bare
from reconciler.spec.body import Properties
from reconciler.spec.findings import homes
from reconciler.spec.problem import Finding, Path, show

Trace = dict[int, dict[str | int, Path]]
"""id of a container of the canonical body → key → path in the file."""

_KINDS: Mapping[str, Mapping[str, str]] = {
    "organizationProfile": {"azuredevops": "AzureDevOps", "github": "GitHub"},
    "fabricProfile": {"vmss": "Vmss"},
    "agentProfile": {"stateless": "Stateless", "stateful": "Stateful"},
    "resourcePredictionsProfile": {"manual": "Manual", "automatic": "Automatic"},
}
"""Object → its kinds, as keys without case and separators."""

_READ_ONLY: Mapping[str, frozenset[str]] = {
    "pool": frozenset({"systemData", "provisioningState"}),
    "properties": frozenset({"provisioningState"}),
    "images": frozenset({"isEphemeral"}),
    "networkProfile": frozenset({"ipAddresses"}),
    "identity": frozenset({"principalId", "tenantId"}),
}
"""Object → its fields that only the service sets."""
_FREE_KEYS = frozenset({"tags", "userAssignedIdentities", "daysData"})
"""Objects whose keys are the author's own."""
_UNTYPED: Mapping[str, Mapping[str, str]] = {
    "resourcePredictions": {"timezone": "timeZone", "daysdata": "daysData"},
}
"""Untyped object → its fields in lower case: terraform-provider-azurerm writes `TimeZone` and `DaysData`."""

_OTHER_NAMES = {
    "devcenter-project-id": "devCenterProjectResourceId",
    "devcenter-project-resource-id": "devCenterProjectResourceId",
    "disk-size-gi-b": "diskSizeGiB",
    "timezone": "timeZone",
}
_PROPERTIES = frozenset(Properties.__annotations__)


@cache
def kebab_names() -> Mapping[str, str]:
    """``maximum-concurrency`` → ``maximumConcurrency``, for every field; snake case as well."""
    kebab = {"".join(f"-{c.lower()}" if c.isupper() else c for c in name): name for name in homes()}
    snake = {name.replace("-", "_"): arms for name, arms in kebab.items()}
    return {**snake, **kebab, **_OTHER_NAMES}


class Shaping:
    """One pool, brought to ARM's shape; with a trace it also notes where everything came from.

    Without a trace the paths of findings are not all known; that there are any is.
    """

    def __init__(self, *, trace: Trace | None = None) -> None:
        self.trace = trace
        self.findings: list[Finding] = []

    def pool(self, pool: Mapping[str, Any], path: Path) -> dict[str, Any]:
        """The canonical body: location, tags, identity, properties."""
        shaped = self.mapping(pool, path, "pool")
        loose = [name for name in shaped if name in _PROPERTIES]
        if loose and isinstance(properties := shaped.get("properties", {}), dict):
            if "properties" not in shaped:
                shaped["properties"] = self.mapping(properties, path, "properties")
            for name in loose:
                self.move(shaped, shaped["properties"], name)
        if isinstance(identity := shaped.get("identity"), dict):
            self.identity(identity)
        return shaped

    def value(self, value: Any, path: Path, owner: str) -> Any:
        """A copy in canonical shape; `owner` is the canonical name of the field that holds it."""
        if isinstance(value, str):
            if value[:1] == "[" and value[-1:] == "]":
                self.findings.append((path, f"is the template expression {show(value)}; write the value itself"))
        elif isinstance(value, dict):
            return self.mapping(value, path, owner)
        elif isinstance(value, list):
            if self.trace is None:
                return [self.value(item, path, owner) for item in value]
            shaped = [self.value(item, (*path, index), owner) for index, item in enumerate(value)]
            self.trace[id(shaped)] = {index: (*path, index) for index in range(len(shaped))}
            return shaped
        return value

    def mapping(self, value: Mapping[str, Any], path: Path, owner: str) -> dict[str, Any]:
        """A mapping with ARM's names; the keys of some are the author's own."""
        shaped: dict[str, Any] = {}
        origin: dict[str | int, Path] | None = None
        if self.trace is not None:
            origin = self.trace[id(shaped)] = {}
        free, dropped, untyped = owner in _FREE_KEYS, _READ_ONLY.get(owner, ()), _UNTYPED.get(owner)
        for key, item in value.items():
            name = key if free or (key.isalpha() and key != "timezone") else kebab_names().get(key, key)
            name = name if untyped is None else untyped.get(name.lower(), name)
            if name in dropped:
                continue
            below = path if origin is None else (*path, key)
            if name in shaped:
                self.findings.append((below, f"is given twice, also as {show(origin_key(value, key))}; keep one"))
                continue
            if type(item) is dict:
                shaped[name] = self.mapping(item, below, name)
            elif type(item) is list or (type(item) is str and item[:1] == "["):
                shaped[name] = self.value(item, below, name)
            else:
                shaped[name] = item
            if origin is not None:
                origin[name] = below
        if owner in _KINDS and "kind" not in shaped:
            self.unwrap(shaped, owner, path)
        return shaped

    def unwrap(self, shaped: dict[str, Any], owner: str, path: Path) -> None:
        """``{stateful: {…}}`` → ``{kind: Stateful, …}``; two kinds at once stay, and are reported as unknown fields."""
        found = [key for key in shaped if bare(key) in _KINDS[owner]]
        if len(found) != 1 or not isinstance(inner := shaped[found[0]], dict):
            return
        key = found[0]
        origin = self.trace[id(shaped)].pop(key) if self.trace is not None else path
        del shaped[key]
        nested = inner.get("organizationProfile")
        if owner == "organizationProfile" and isinstance(nested, dict) and len(inner) == 1:
            inner = nested
        for name in list(inner):
            self.move(inner, shaped, name)
        shaped["kind"] = _KINDS[owner][bare(key)]
        if self.trace is not None:
            self.trace[id(shaped)]["kind"] = origin

    def move(self, source: dict[str, Any], target: dict[str, Any], name: str) -> None:
        """A field to where ARM has it."""
        value = source.pop(name)
        origin = self.trace[id(source)].pop(name) if self.trace is not None else ()
        if name in target:
            self.findings.append((origin, "is given twice, here and where ARM has it; keep one"))
            return
        target[name] = value
        if self.trace is not None:
            self.trace[id(target)][name] = origin

    def identity(self, identity: dict[str, Any]) -> None:
        """Identities as a list of ids are a map with empty values; what the service filled in is dropped."""
        given = identity.get("userAssignedIdentities")
        if isinstance(identity.get("type"), str):
            kind = identity["type"].replace(" ", "")
            identity["type"] = f"{kind[:1].upper()}{kind[1:]}" if kind in _LOWER else kind
        if isinstance(given, list) and all(isinstance(one, str) for one in given):
            shaped: dict[str, Any] = {one: {} for one in given}
            identity["userAssignedIdentities"] = shaped
            if self.trace is not None:
                origin = self.trace[id(given)]
                self.trace[id(shaped)] = {one: origin[index] for index, one in enumerate(given)}
        elif isinstance(given, dict):
            for key, value in given.items():
                if isinstance(value, dict) and value.keys() <= {"principalId", "clientId"}:
                    given[key] = {}


_LOWER = frozenset({"none", "systemAssigned", "userAssigned", "systemAssigned,UserAssigned"})


def origin_key(value: Mapping[str, Any], key: str) -> str:
    """The other spelling of the same field."""
    names = kebab_names()
    spelt = bare(names.get(key, key))
    return next(other for other in value if other != key and bare(names.get(other, other)) == spelt)


def source_path(trace: Trace, body: Any, path: Path, root: Path) -> Path:
    """Where in the file a path of the canonical body comes from; a missing field belongs to its owner."""
    place, value = root, body
    for step in path:
        origin = trace.get(id(value), {})
        place = origin.get(step, (*place, step))
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            value = None
    return place
