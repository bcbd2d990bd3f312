"""Checks a body against the model at one api-version and gives back what of it the service takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from emulator.arm.model import Field, Fields
from emulator.arm.versions import PUBLISHED
from emulator.documents import Json

ORDER = {version: index for index, version in enumerate(PUBLISHED)}
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "uri": str,
    "int": int,
    "bool": bool,
    "list": list,
    "object": dict,
    "choice": dict,
}


@dataclass(frozen=True, slots=True)
class BodyProblem:
    """What is wrong at which path."""

    path: str
    words: str


@dataclass(slots=True)
class BodyCheck:
    """One check of one body."""

    version: str
    unknown: str = "refused"
    """``refused``, ``dropped`` or ``kept``: properties that no version has."""
    newer: str = "dropped"
    """``refused`` or ``dropped``: properties that only later versions have."""
    values: str = "refused"
    """``refused`` or ``accepted``: enum values that the document does not name."""
    partial: bool = False
    """A PATCH: the direct properties of `properties` are optional."""
    problems: list[BodyProblem] = field(default_factory=list)

    def take(self, model: Field, value: Json, path: str = "") -> Json:
        """The value without what is dropped; problems are collected."""
        if model.kind == "any":
            return value
        if not _fits(model.kind, value):
            self._say(path, f"must be {_named(model.kind)}, not {_shown(value)}")
            return value
        if model.kind == "list":
            assert model.of is not None  # noqa: S101 the model's own promise
            of = model.of
            return [self.take(of, item, f"{path}[{index}]") for index, item in enumerate(value)]
        if model.kind == "object":
            return self._object(model.fields, value, path)
        if model.kind == "choice":
            return self._choice(model, value, path)
        self._scalar(model, value, path)
        return value

    def _say(self, path: str, words: str) -> None:
        self.problems.append(BodyProblem(path, words))

    def _choice(self, model: Field, value: dict[str, Json], path: str) -> Json:
        kind = str(value.get("kind"))
        if kind not in model.kinds:
            self._say(f"{path}.kind", f"must be one of {', '.join(model.kinds)}, not {_shown(kind)}")
            return value
        rest = {name: found for name, found in value.items() if name != "kind"}
        return {"kind": kind, **self._object(model.kinds[kind], rest, path)}

    def _object(self, fields: Fields, value: dict[str, Json], path: str) -> dict[str, Json]:
        taken = {}
        for name, found in value.items():
            where = f"{path}.{name}" if path else name
            if name not in fields and self.unknown == "kept":
                taken[name] = found
            elif self._known(fields.get(name), where) and not (found is None and not self._needed(fields[name])):
                taken[name] = self.take(fields[name], found, where)
        for name in self._missing(fields, value, path):
            self._say(f"{path}.{name}" if path else name, "is required")
        return taken

    def _known(self, model: Field | None, path: str) -> bool:
        """Whether the property is kept; read-only ones are ignored, others reported or dropped."""
        if model is None:
            if self.unknown == "refused":
                self._say(path, "is not a property of this type")
            return False
        if ORDER[model.since] > ORDER[self.version]:
            if self.newer == "refused":
                self._say(path, f"is not a property in api-version {self.version}; it is since {model.since}")
            return False
        return not model.read_only

    def _missing(self, fields: Fields, value: dict[str, Json], path: str) -> Iterator[str]:
        if self.partial and path in ("", "properties"):
            return
        for name, model in fields.items():
            if self._needed(model) and value.get(name) is None:
                yield name

    def _needed(self, model: Field) -> bool:
        before = bool(model.required_before) and ORDER[self.version] < ORDER[model.required_before]
        return (model.required or before) and ORDER[model.since] <= ORDER[self.version]

    def _scalar(self, model: Field, value: Json, path: str) -> None:
        known = [one for one in model.values if ORDER[model.values_since.get(one, model.since)] <= ORDER[self.version]]
        if known and value not in known and self.values == "refused":
            self._say(path, f"must be one of {', '.join(known)}, not {_shown(value)}")
        if model.kind == "uri" and not (urlsplit(value).scheme and urlsplit(value).netloc):
            self._say(path, f"must be an absolute URI, not {_shown(value)}")
        if model.kind == "int" and not -(2**31) <= value < 2**31:
            self._say(path, f"must be a 32-bit integer, not {value}")
        elif model.low is not None and value < model.low:
            self._say(path, f"must be at least {model.low}, not {value}")
        elif model.high is not None and value > model.high:
            self._say(path, f"must be at most {model.high}, not {value}")


def _fits(kind: str, value: Json) -> bool:
    return isinstance(value, TYPES[kind]) and not (kind == "int" and isinstance(value, bool))


def _named(kind: str) -> str:
    words = {"string": "a string", "uri": "a string", "int": "an integer", "bool": "a boolean", "list": "an array"}
    return words.get(kind, "an object")


def _shown(value: Json) -> str:
    return repr(value)[:80]
