"""What was undone, by pool: writes that are not made again until the spec agrees, held back field by field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from reconciler.documents import Json, JsonObject, text_of
from reconciler.safety.documents import SafetyDocuments, SafetyIndex


@dataclass(frozen=True, slots=True)
class UndoneField:
    """One field, and the value that is not written again."""

    after: Json
    run: str
    """Whose write was undone."""
    by: str
    at: str
    """ISO 8601."""

    def __str__(self) -> str:
        """For people: who undid what, and when."""
        return f"undo of run {self.run} by {self.by}, {self.at}"


@dataclass(frozen=True, slots=True)
class Undone:
    """The fields of one pool."""

    fields: Mapping[str, UndoneField] = field(default_factory=dict)

    def holding(self, values: Mapping[str, Json]) -> UndoneField | None:
        """The undo that holds back a write of these values, by field; None: none does."""
        found = (self.fields[name] for name, value in values.items() if name in self.fields
                 and self.fields[name].after == value)  # fmt: skip
        return next(found, None)


def read_undone(documents: SafetyDocuments, index: SafetyIndex, key: str) -> Undone:
    """What is stored of a pool; costs no request where nothing was ever undone."""
    name = _document(key)
    body = documents.load(name, index) if name in index.names else None
    return Undone() if body is None else Undone(_fields(body))


def interrupted(documents: SafetyDocuments, key: str) -> bool:
    """Whether the first undo of a pool ended before it held anything back, and wrote nothing therefore."""
    return documents.interrupted(_document(key))


def hold(documents: SafetyDocuments, key: str, fields: Mapping[str, UndoneField]) -> None:
    """Hold these back from now on."""
    new = {name: asdict(one) for name, one in fields.items()}
    documents.change(_document(key), lambda body: {"fields": {**_stored(body), **new}})


def release(documents: SafetyDocuments, key: str, names: Collection[str]) -> None:
    """Hold these back no longer."""
    documents.change(
        _document(key), lambda body: {"fields": {name: one for name, one in _stored(body).items() if name not in names}}
    )


def _document(key: str) -> str:
    return f"undone/{key}"


def _stored(body: JsonObject) -> dict[str, Any]:
    fields = body.get("fields")
    return dict(fields) if isinstance(fields, Mapping) else {}


def _fields(body: JsonObject) -> dict[str, UndoneField]:
    return {
        name: UndoneField(one.get("after"), text_of(one, "run"), text_of(one, "by"), text_of(one, "at"))
        for name, one in _stored(body).items()
        if isinstance(one, Mapping)
    }
