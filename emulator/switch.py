"""Switches: questions about Azure that have more than one possible answer here.

Switches exist for what is not known of the services, for what they are known to do at some times only, and for
figures that a test wants small. Names read `plane.words-with-hyphens`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Switch:
    """A named choice with its stated default."""

    name: str
    """``plane.words-with-hyphens``, for instance ``arm.echo-open-access``."""
    default: Value
    about: str
    """What the switch decides, in one sentence."""
    known: str
    """What Azure is known to do here, or that it is unknown."""
    source: str
    """The public source of what is known; `-` where there is none."""
    choices: tuple[str, ...] = ()
    """The possible words; empty: any value of the default's type (a number: not negative)."""

    @property
    def values(self) -> str:
        """The possible values, for people."""
        if self.choices:
            return " | ".join(self.choices)
        if isinstance(self.default, bool):
            return "on | off"
        return {int: "whole number", float: "number", str: "text"}[type(self.default)]

    @property
    def shown(self) -> str:
        """The default, for people."""
        if isinstance(self.default, bool):
            return "on" if self.default else "off"
        return str(self.default)

    def read(self, value: Value) -> Value:
        """The value in the switch's own type; ValueError names the possible values."""
        try:
            found = self._convert(value)
        except ValueError:
            found = None
        if found is None:
            raise ValueError(f"switch {self.name}: {value!r} is not one of: {self.values}")
        return found

    def _convert(self, value: Value) -> Value | None:
        if self.choices:
            return str(value) if str(value) in self.choices else None
        if isinstance(self.default, bool):
            words: dict[str, bool] = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
            return words.get(str(value).lower())
        if isinstance(self.default, str):
            return str(value)
        if isinstance(value, bool):
            return None
        number = type(self.default)(value)
        return number if number >= 0 else None


class Switches(Mapping[str, Value]):
    """All switches with the values that hold now. Reading an unknown name is a KeyError that names the nearest."""

    def __init__(self, table: Iterable[Switch]) -> None:
        self._table = {switch.name: switch for switch in table}
        self._values: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        return self._values.get(name, self.find(name).default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def find(self, name: str) -> Switch:
        """The switch of that name."""
        if name not in self._table:
            near = difflib.get_close_matches(name, self._table, n=1)
            raise KeyError(f"switch {name!r} does not exist" + (f"; did you mean {near[0]!r}?" if near else ""))
        return self._table[name]

    def set(self, name: str, value: Value) -> None:
        """Set a switch; KeyError for an unknown name, ValueError for an impossible value."""
        self._values[name] = self.find(name).read(value)

    def reset(self) -> None:
        """Every switch back to its default."""
        self._values.clear()

    def on(self, name: str) -> bool:
        """A switch that is on or off."""
        return bool(self[name])

    def number(self, name: str) -> float:
        """A switch that holds a number."""
        return float(self[name])

    def word(self, name: str) -> str:
        """A switch that holds one of some words."""
        return str(self[name])
