"""How a setting is declared and read: one row for each environment variable.

A row says what the variable means, its default, its unit and how its text is read. `reconciler.config.settings` and
`reconciler.config.triggers` hold the rows; `scripts/reference.py` writes them into the documentation. Every
problem is one line that names the variable, its value (a secret's never) and the remedy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from reconciler.config.endpoints import endpoint_problem, is_loopback, unresolved
from reconciler.documents.spelling import nearest
from reconciler.errors import Terminal

Kind = TypeVar("Kind", bound=StrEnum)
PREFIX = "RECONCILER_"
MISSPELT = 0.8
"""How alike an unknown variable has to be to a setting to be an error: others may use the prefix too."""


class SettingsInvalid(Terminal):
    """Settings are missing or wrong; `problems` has one line each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Secret:
    """A value that must not be shown: only `reveal` returns it; its `repr` and `str` do not contain it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(set)" if self._value else "Secret(not set)"


class Environment:
    """Texts of variables, and the problems that were found while reading them."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = given
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        """What is set for a variable without its prefix; empty where nothing is."""
        return self.given.get(PREFIX + name, "").strip()

    def wrong(self, name: str, message: str) -> None:
        """Add a problem of a variable."""
        self.problems.append(f"{PREFIX}{name}: {message}")

    def check_names(self, known: Iterable[str], others: Iterable[str] = ()) -> None:
        """A misspelt name is an error: with `RECONCILER_POLCY` the policy would silently not apply.

        `others`: names of another table, which are no error. The Functions host reads ``STORAGE__…`` itself.
        """
        names = set(known)
        ignored = {*names, *others}
        for name in sorted(self.given):
            short = name.removeprefix(PREFIX)
            if name == short or short in ignored or short.startswith("STORAGE__"):
                continue
            if near := nearest(short, sorted(names), MISSPELT):
                self.wrong(short, f"no such setting; the nearest is {PREFIX}{near}")

    def check(self) -> None:
        """Raise `SettingsInvalid` where there are problems."""
        if self.problems:
            raise SettingsInvalid(tuple(self.problems))


def text(given: Environment, row: Variable) -> str:
    """The text as it is, or the default."""
    return given.text(row.name) or row.default


@dataclass(frozen=True, slots=True)
class Variable:
    """One row."""

    meaning: str
    default: str = ""
    """As one would write it; empty: not set."""
    unit: str = ""
    read: Callable[[Environment, Variable], Any] = text
    name: str = ""
    """Without the prefix."""

    @property
    def secret(self) -> bool:
        """Whether its value must not be shown."""
        return self.read is secret


def named(rows: Mapping[str, Variable]) -> dict[str, Variable]:
    """The rows, each with its name; upper case."""
    return {name.upper(): replace(row, name=name.upper()) for name, row in rows.items()}


# --- how a variable's text is read; `text` stands above --------------------------------------------------


def path(given: Environment, row: Variable) -> Path | None:
    """A path; None where none is set."""
    return Path(given.text(row.name)) if given.text(row.name) else None


def secret(given: Environment, row: Variable) -> Secret:
    """A secret; a Key Vault reference that was not resolved is an error."""
    if problem := unresolved(given.text(row.name)):
        given.wrong(row.name, problem)
    return Secret(given.text(row.name))


def switch(given: Environment, row: Variable) -> bool:
    """`0` or `1`."""
    value = text(given, row)
    if value not in ("0", "1"):
        given.wrong(row.name, f"{value!r} is neither 0 nor 1")
    return value == "1"


def number(least: float, most: float) -> Callable[[Environment, Variable], float]:
    """A number within bounds."""

    def read(given: Environment, row: Variable) -> float:
        value = text(given, row)
        found = float(value) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) else -1.0
        if not least <= found <= most:
            given.wrong(row.name, f"{value!r} is not a number from {least:g} to {most:g}")
        return found

    return read


def whole(least: int, most: int) -> Callable[[Environment, Variable], int]:
    """A whole number within bounds."""

    def read(given: Environment, row: Variable) -> int:
        value = text(given, row)
        found = int(value) if re.fullmatch(r"[0-9]{1,9}", value) else -1
        if not least <= found <= most:
            given.wrong(row.name, f"{value!r} is not a whole number from {least} to {most}")
        return found

    return read


def choice(kinds: type[Kind]) -> Callable[[Environment, Variable], Kind]:
    """One of a few words; the default where it is none of them."""

    def read(given: Environment, row: Variable) -> Kind:
        value = text(given, row)
        if value not in list(kinds):
            given.wrong(row.name, f"{value!r} is none of {', '.join(kinds)}")
            return kinds(row.default)
        return kinds(value)

    return read


def endpoint(hosts: frozenset[str], beside: str = "") -> Callable[[Environment, Variable], str]:
    """A URL without a slash at its end, on one of these hosts, or on loopback where that is allowed.

    `beside`: a variable with another endpoint, which is this one too where it is on loopback and this one is not set.
    """

    def read(given: Environment, row: Variable) -> str:
        url = text(given, row).rstrip("/")
        if beside and not given.text(row.name) and is_loopback(given.text(beside)):
            return given.text(beside).rstrip("/")
        if problem := endpoint_problem(url, hosts, loopback=given.text("ALLOW_LOOPBACK") == "1"):
            given.wrong(row.name, problem)
        return url

    return read
