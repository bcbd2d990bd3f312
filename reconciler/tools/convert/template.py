"""ARM templates: every pool in them, with parameters and variables put in where they are values.

Of the template language only what changes no value is understood: ``[parameters('x')]``, ``[variables('x')]`` and the
escape ``[[`` (Microsoft Learn: ARM template syntax and expressions). Any other expression is left out and named. A
parameter that is nullable and has no value is null. A template inside a template has parameters of its own where its
expressions are evaluated inside (Microsoft Learn: linked templates, expression evaluation scope).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from reconciler.documents import Json
from reconciler.errors import SpecInvalid
from reconciler.spec.problem import Path, show
from reconciler.tools.convert.json_text import JsonText
from reconciler.tools.convert.piece import DEEPEST, KIND, LEFT, MOST_VALUES, LeftOut, Piece, Remarks
from reconciler.tools.convert.printed import DOTS, DOTS_AMONG, DOTS_REASON, SPREAD

_DEPLOYMENT = "microsoft.resources/deployments"
_REFERENCE = re.compile(r"\[\s*(parameters|variables)\(\s*'([^']+)'\s*\)\s*\]", re.IGNORECASE)
_DEPENDENT = {"copy": "a copy loop makes the pool; what the resource says is written once"}
"""Keys of a resource that decide how often it is made."""


TemplateParameters: TypeAlias = "dict[str, tuple[Json, TemplateScope | None]]"
"""Name in lower case → value and the scope that resolves it, None for the template's own."""


@dataclass(frozen=True, slots=True)
class TemplateScope:
    """What expressions of one template may name, by names in lower case."""

    parameters: TemplateParameters = field(default_factory=dict)
    variables: Mapping[str, Json] = field(default_factory=dict)

    def find(self, kind: str, name: str) -> tuple[Json, TemplateScope]:
        """A parameter's or variable's value, `LEFT` where it has none, and the scope that resolves it."""
        if kind.lower() == "variables":
            return self.variables.get(name.casefold(), LEFT), self
        value, scope = self.parameters.get(name.casefold(), (LEFT, None))
        return value, scope or self


def read(found: JsonText, parameters: Mapping[str, Json]) -> list[Piece]:
    """All pools of a template; `SpecInvalid` where it has none."""
    given: TemplateParameters = {name.casefold(): (value, TemplateScope()) for name, value in parameters.items()}
    reader = _TemplateReader(found)
    pieces = list(reader.pools(found.value, (), given, 0))
    if not pieces:
        raise SpecInvalid(
            f"{found.path}: the template has no resource of type Microsoft.DevOpsInfrastructure/pools that it makes"
            f"{''.join(f'; {one}' for one in reader.hints)}"
        )
    return pieces


def resource(found: JsonText, base: Path, given: Mapping[str, Json], scope: TemplateScope) -> Piece | None:
    """The resource at a path of the document as a piece; None where its condition is false."""
    remarks = Remarks()
    source = found.where(base) if base else found.path

    def where(path: Path) -> str:
        return found.where((*base, *path))

    values = Values(remarks, where)
    body: dict[str, Json] = {}
    for key, value in given.items():
        if key == "condition":
            made = _condition(value, scope)
            if made is False:
                return None
            if made is not True:
                remarks.leave_out((), where((key,)), _undecided(value))
        elif key in _DEPENDENT:
            remarks.leave_out((), where((key,)), _DEPENDENT[key])
        elif (read := values.resolved(value, (key,), scope, 0)) is not LEFT:
            body[key] = read
    return Piece(source, body, values.name(body), whole=True, left_out=remarks.left_out, where=where)


class _TemplateReader:
    """Pools of one file, also of templates inside it."""

    def __init__(self, found: JsonText) -> None:
        self.hints: list[str] = []
        self._found = found

    def pools(
        self,
        template: Mapping[str, Json],
        base: Path,
        given: TemplateParameters,
        depth: int,
    ) -> Iterator[Piece]:
        """All pools of the template at a path of the document."""
        scope = TemplateScope({**_defaults(template), **given}, _lowered(template.get("variables")))
        yield from self._of_resources(template, base, scope, depth)

    def _of_resources(
        self, template: Mapping[str, Json], base: Path, scope: TemplateScope, depth: int
    ) -> Iterator[Piece]:
        for key, one in _resources(template):
            path = (*base, "resources", key)
            kind = str(one.get("type", "")).casefold()
            if kind == KIND and one.get("existing") is not True:
                piece = resource(self._found, path, one, scope)
                if piece is not None:
                    yield piece
                else:
                    self.hints.append(f"the condition of {self._found.where(path)} is false")
            elif kind == _DEPLOYMENT:
                yield from self._of_deployment(one, path, scope, depth)

    def _of_deployment(self, one: Mapping[str, Json], path: Path, scope: TemplateScope, depth: int) -> Iterator[Piece]:
        properties = one.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        inner = properties.get("template")
        made = _condition(one.get("condition", True), scope)
        if made is False:
            self.hints.append(f"the condition of {self._found.where(path)} is false")
        elif not isinstance(inner, dict):
            self.hints.append(f"the deployment at {self._found.where(path)} has its template elsewhere; convert that")
        elif depth >= DEEPEST:
            self.hints.append(f"templates are nested deeper than {DEEPEST} at {self._found.where(path)}")
        else:
            base = (*path, "properties", "template")
            held = (
                self.pools(inner, base, _passed(properties, scope), depth + 1)
                if _evaluated_inside(properties, inner)
                else self._of_resources(inner, base, scope, depth + 1)
            )
            doubts = [] if made is True else [LeftOut((), self._found.where(path), _undecided(one["condition"]))]
            if "copy" in one:
                doubts.append(LeftOut((), self._found.where(path), _DEPENDENT["copy"]))
            yield from (replace(piece, left_out=[*piece.left_out, *doubts]) for piece in held)


class Values:
    """Values of one pool; what is left out goes to the remarks."""

    def __init__(self, remarks: Remarks, where: Callable[[Path], str]) -> None:
        self._remarks, self._where = remarks, where
        self._read = 0

    def name(self, body: dict[str, Json]) -> str:
        """Take the pool's name out of a body; empty where it has none."""
        name = body.pop("name", "")
        if isinstance(name, str):
            return name
        self._remarks.leave_out(("name",), self._where(("name",)), f"is {show(name)}, and a name is a text")
        return ""

    def resolved(self, value: Json, path: Path, scope: TemplateScope, depth: int) -> Json:
        """The value at a path of the pool with parameters and variables put in, or `LEFT`."""
        self._read += 1
        if self._read > MOST_VALUES:
            raise SpecInvalid(f"{self._where(path)}: has more than {MOST_VALUES} values; a pool has fewer")
        if isinstance(value, dict | list):
            return self._remarks.whole(path, lambda: self._container(value, path, scope, depth))
        if not (isinstance(value, str) and value.startswith("[") and value.endswith("]")):
            return value
        if value.startswith("[["):
            return value[1:]
        return self._expression(value, path, scope, depth)

    def _expression(self, value: str, path: Path, scope: TemplateScope, depth: int) -> Json:
        if value == DOTS:
            if path and str(path[-1]).startswith(SPREAD):
                return self._remarks.leave_out(path[:-1], self._where(path), DOTS_AMONG)
            return self._left(path, DOTS_REASON)
        named = _REFERENCE.fullmatch(value)
        if named is None:
            return self._left(path, f"{show(value)} is an expression, and convert computes nothing")
        if depth >= DEEPEST:
            return self._left(path, f"{show(value)} refers to itself, or through too many others")
        inner, its_scope = scope.find(named[1], named[2])
        if inner is LEFT:
            return self._left(path, f"{named[1].lower()[:-1]} {show(named[2])} has no value")
        return self.resolved(inner, path, its_scope, depth + 1)

    def _left(self, path: Path, reason: str) -> Json:
        return self._remarks.leave_out(path, self._where(path), reason)

    def _container(self, value: Json, path: Path, scope: TemplateScope, depth: int) -> Json:
        if isinstance(value, list):
            return [self.resolved(item, (*path, index), scope, depth) for index, item in enumerate(value)]
        items = {key: self.resolved(item, (*path, key), scope, depth) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not LEFT}


def _condition(value: Json, scope: TemplateScope) -> Json:
    """The value of a condition; anything but true or false where it is not known."""
    if isinstance(value, str) and (named := _REFERENCE.fullmatch(value)):
        return scope.find(named[1], named[2])[0]
    return value


def _undecided(condition: Json) -> str:
    return f"condition {show(condition)} decides whether the pool is made; it is written as if it held"


def _resources(template: Mapping[str, Json]) -> Iterator[tuple[str | int, Mapping[str, Json]]]:
    """A list, or by symbolic names since languageVersion 2.0."""
    given = template.get("resources")
    pairs: Sequence[tuple[str | int, Json]] = (
        list(given.items()) if isinstance(given, dict) else list(enumerate(given)) if isinstance(given, list) else []
    )
    yield from ((key, one) for key, one in pairs if isinstance(one, dict))


def _lowered(given: Json) -> dict[str, Json]:
    return {name.casefold(): value for name, value in given.items()} if isinstance(given, dict) else {}


def _defaults(template: Mapping[str, Json]) -> TemplateParameters:
    """Defaults of parameters, which their own template resolves; null where a parameter is nullable."""
    values: TemplateParameters = {}
    for name, one in _lowered(template.get("parameters")).items():
        if isinstance(one, dict) and ("defaultValue" in one or one.get("nullable") is True):
            values[name] = (one.get("defaultValue"), None)
    return values


def _evaluated_inside(properties: Mapping[str, Json], inner: Mapping[str, Json]) -> bool:
    options = properties.get("expressionEvaluationOptions")
    scope = str(options.get("scope", "")) if isinstance(options, dict) else ""
    return scope.casefold() == "inner" or bool(inner.get("parameters"))


def _passed(properties: Mapping[str, Json], scope: TemplateScope) -> TemplateParameters:
    """Parameters that a template passes to one inside it; the outer one resolves them."""
    given = _lowered(properties.get("parameters"))
    return {name: (one["value"], scope) for name, one in given.items() if isinstance(one, dict) and "value" in one}
