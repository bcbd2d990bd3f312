"""Reads an estate's mappings strictly: every mistake names its place, unknown keys name the nearest known one."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from emulator.documents import Json


@dataclass(frozen=True, slots=True)
class EstateNode:
    """A mapping of the estate and where it stands."""

    raw: dict[str, Json]
    where: str

    def _wrong(self, key: str, value: Json, what: str) -> ValueError:
        return ValueError(f"{self.where}.{key}: {value!r} is {what}")

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it has to be there."""
        value = self.raw.get(key, default)
        if value is None:
            raise ValueError(f"{self.where}.{key}: is missing")
        if not isinstance(value, str):
            raise self._wrong(key, value, "not a text")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.raw.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, value, "neither true nor false")
        return value

    def whole(self, key: str) -> int | None:
        """A whole number, or None where there is none."""
        value = self.raw.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self._wrong(key, value, "not a whole number")
        return value

    def items(self, key: str) -> list[Json]:
        """A list; empty where there is none."""
        value = self.raw.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(key, value, "not a list")
        return value

    def texts(self, key: str) -> list[str]:
        """A list of texts."""
        found = self.items(key)
        for value in found:
            if not isinstance(value, str):
                raise self._wrong(key, value, "not a text")
        return found

    def wholes(self, key: str) -> list[int]:
        """A list of whole numbers."""
        found = self.items(key)
        for value in found:
            if isinstance(value, bool) or not isinstance(value, int):
                raise self._wrong(key, value, "not a whole number")
        return found

    def nodes(self, key: str, known: tuple[str, ...], *, short: str = "") -> Iterator[EstateNode]:
        """The mappings of a list; a bare text stands for a mapping with `short` only."""
        for index, value in enumerate(self.items(key)):
            raw = {short: value} if short and isinstance(value, str) else value
            yield node(raw, f"{self.where}.{key}[{index}]", known)

    def roles(self, key: str) -> dict[str, list[str]]:
        """Role name → names of those who have it."""
        value = self.raw.get(key) or {}
        if not isinstance(value, dict):
            raise self._wrong(key, value, "not a mapping of role to names")
        inner = EstateNode(value, f"{self.where}.{key}")
        return {str(role): inner.texts(role) for role in value}


def node(raw: Json, where: str, known: tuple[str, ...]) -> EstateNode:
    """A mapping with none but these keys."""
    found = _mapping(raw, where)
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            raise ValueError(f"{where}: unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return EstateNode(found, where)


def _mapping(raw: Json, where: str) -> dict[str, Json]:
    if isinstance(raw, dict):
        return raw
    raise ValueError(f"{where}: {raw!r} is not a mapping")
