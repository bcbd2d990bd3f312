"""ARM templates: every pool in them, with parameters and variables put in where they are values.

Of the template language only what changes no value is understood: ``[parameters('x')]``, ``[variables('x')]`` and the
escape ``[[`` (Microsoft Learn: ARM template syntax and expressions). Any other expression is left out and named, and
so is a copy loop: a pool that a loop makes has no one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import SpecInvalid
from reconciler.spec.problem import show, spell
from reconciler.tools.convert.piece import Piece

Json = Any
KIND = "microsoft.devopsinfrastructure/pools"
_DEPLOYMENT = "microsoft.resources/deployments"
_REFERENCE = re.compile(r"\[\s*(parameters|variables)\(\s*'([^']+)'\s*\)\s*\]", re.IGNORECASE)
_BODY = ("location", "tags", "identity", "properties")
DEEPEST = 8
"""Parameters that name variables that name parameters; and templates in templates."""


class _LeftOut:
    """Stands where a value was left out."""


LEFT = _LeftOut()


@dataclass(frozen=True, slots=True)
class TemplateScope:
    """What expressions of one template may name."""

    given: Mapping[str, Json]
    """From a parameter file."""
    defaults: Mapping[str, Json] = field(default_factory=dict)
    variables: Mapping[str, Json] = field(default_factory=dict)

    def value(self, kind: str, name: str) -> Json:
        """A parameter's or variable's value; `LEFT` where it has none."""
        places = (self.variables,) if kind.lower() == "variables" else (self.given, self.defaults)
        for place in places:
            for key, value in place.items():
                if key.casefold() == name.casefold():
                    return value
        return LEFT


def read(path: str, template: Mapping[str, Json], parameters: Mapping[str, Json]) -> list[Piece]:
    """All pools of a template; `SpecInvalid` where it has none."""
    found = list(_pools(path, template, parameters, 0))
    if not found:
        raise SpecInvalid(f"{path}: the template holds no resource of type Microsoft.DevOpsInfrastructure/pools")
    return found


def resource(where: str, given: Mapping[str, Json], scope: TemplateScope) -> Piece:
    """One resource as a piece."""
    notes: list[str] = []
    if "copy" in given:
        notes.append(f"{where}: is made by a copy loop; one pool of it is written")
    taken = {key: _resolved(given[key], (key,), scope, notes) for key in ("name", *_BODY) if key in given}
    name = taken.pop("name", "")
    body = {key: value for key, value in taken.items() if value is not LEFT}
    return Piece(where, body, name if isinstance(name, str) else "", whole=True, notes=tuple(notes))


def _pools(path: str, template: Mapping[str, Json], given: Mapping[str, Json], depth: int) -> Iterator[Piece]:
    scope = TemplateScope(given, _defaults(template), template.get("variables") or {})
    for key, one in _resources(template):
        kind = str(one.get("type", "")).casefold()
        where = f"{path}: resources[{key}]"
        if kind == KIND:
            yield resource(where, one, scope)
        elif kind == _DEPLOYMENT and depth < DEEPEST:
            inner = (one.get("properties") or {}).get("template")
            if isinstance(inner, dict):
                yield from _pools(where, inner, _passed(one, scope), depth + 1)


def _resources(template: Mapping[str, Json]) -> Iterator[tuple[str | int, Mapping[str, Json]]]:
    """A list, or by symbolic names since languageVersion 2.0."""
    given = template.get("resources")
    pairs: Sequence[tuple[str | int, Json]] = (
        list(given.items()) if isinstance(given, dict) else list(enumerate(given)) if isinstance(given, list) else []
    )
    yield from ((key, one) for key, one in pairs if isinstance(one, dict))


def _defaults(template: Mapping[str, Json]) -> dict[str, Json]:
    declared = template.get("parameters") or {}
    return {
        name: one["defaultValue"] for name, one in declared.items() if isinstance(one, dict) and "defaultValue" in one
    }


def _passed(deployment: Mapping[str, Json], scope: TemplateScope) -> dict[str, Json]:
    """Parameters that a template gives to one inside it."""
    given = (deployment.get("properties") or {}).get("parameters") or {}
    values = {name: one["value"] for name, one in given.items() if isinstance(one, dict) and "value" in one}
    resolved = {name: _resolved(value, (name,), scope, []) for name, value in values.items()}
    return {name: value for name, value in resolved.items() if value is not LEFT}


def _resolved(value: Json, path: tuple[str | int, ...], scope: TemplateScope, notes: list[str], depth: int = 0) -> Json:
    if isinstance(value, dict):
        items = {key: _resolved(item, (*path, key), scope, notes, depth) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not LEFT}
    if isinstance(value, list):
        entries = [_resolved(item, (*path, index), scope, notes, depth) for index, item in enumerate(value)]
        return [item for item in entries if item is not LEFT]
    if not (isinstance(value, str) and value.startswith("[") and value.endswith("]")):
        return value
    if value.startswith("[["):
        return value[1:]
    found = _REFERENCE.fullmatch(value)
    named = scope.value(found[1], found[2]) if found and depth < DEEPEST else LEFT
    if named is LEFT:
        why = f"{found[1].lower()[:-1]} {found[2]} has no value" if found else "is an expression, and none is computed"
        notes.append(f"left out: {spell(path)}: {show(value)}: {why}")
        return LEFT
    return _resolved(named, path, scope, notes, depth + 1)
