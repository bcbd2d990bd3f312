"""What came of mutants, read from what mutmut stores, and the list of those that may stay unnoticed."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.tracked import ROOT

LIST = ROOT / "tests" / "mutants.toml"
FOLDER = ROOT / "build" / "mutants"
RUN = "run.json"
"""In the folder of a group: which mutants its last run was to try."""
KILLED = {1, 3, 36, 24, -24, 152, 255, 37}
"""Exit codes of mutmut's workers: a test failed, or did not end."""

OPEN = {None, 2}
"""Not run yet, or interrupted."""


@dataclass(frozen=True)
class Survivor:
    """A mutant that no test noticed: the function, and what became of which line."""

    function: str
    change: str


@dataclass(frozen=True)
class Score:
    """What came of one module's mutants."""

    module: str
    killed: int
    survivors: tuple[Survivor, ...]
    untested: int = 0
    """Of those that the run was to try."""
    one_of: int = 1
    """The run tried one mutant of so many."""
    mutants: int = 0
    """How many there are."""
    code: str = ""
    """Digest of the module whose mutants they are."""

    @property
    def total(self) -> int:
        """How many mutants have a result."""
        return self.killed + len(self.survivors)

    @property
    def percent(self) -> float:
        """Killed of those with a result."""
        return 100 * self.killed / self.total if self.total else 100.0


def read_list() -> Mapping[str, Any]:
    """The groups, the bar, and the reasons."""
    return tomllib.loads(LIST.read_text())


def reasons(listed: Mapping[str, Any]) -> Mapping[Survivor, str]:
    """Why each known survivor is left."""
    return {
        Survivor(entry["function"], change): entry["reason"]
        for entry in listed.get("survivor", ())
        for change in entry["changes"]
    }


@dataclass(frozen=True)
class Explained:
    """The survivors that the list explains: one by one, or as a kind of change."""

    single: frozenset[Survivor]
    kinds: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]
    """Patterns of a function and of a change."""

    def __contains__(self, one: object) -> bool:
        """Whether there is a reason."""
        return isinstance(one, Survivor) and (
            one in self.single
            or any(where.fullmatch(one.function) and kind.fullmatch(one.change) for where, kind in self.kinds)
        )


def explained(listed: Mapping[str, Any]) -> Explained:
    """All that the list says of survivors."""
    kinds = tuple(
        (re.compile(kind.get("function", ".*")), re.compile(kind["change"])) for kind in listed.get("kind", ())
    )
    return Explained(frozenset(reasons(listed)), kinds)


def codes_of(meta: Path) -> dict[str, int | None] | None:
    """Mutant → exit code, as mutmut stored it; None where that cannot be read."""
    try:
        found: dict[str, int | None] = json.loads(meta.read_text())["exit_code_by_key"]
    except (OSError, ValueError):
        return None
    return found


def scores(folder: Path, group: Mapping[str, Any]) -> Iterator[Score]:
    """What came of a group's modules so far, in the folder of the group."""
    run = folder / RUN
    plan = json.loads(run.read_text()) if run.is_file() else {}
    for module in group["modules"]:
        codes = codes_of(folder / "mutants" / f"{module}.meta")
        if codes is None:
            continue
        wanted = set(plan.get("mutants", codes))
        survived = [_survivor(folder, module, key) for key, code in codes.items() if code not in KILLED | OPEN]
        alike = [one for one in survived if module in group.get("any_case", ()) and only_case(one.change)]
        yield Score(
            module,
            killed=sum(code in KILLED for code in codes.values()),
            survivors=tuple(one for one in survived if one not in alike),
            untested=sum(code in OPEN for key, code in codes.items() if key in wanted),
            one_of=plan.get("one_of", 1) if OPEN & set(codes.values()) else 1,
            mutants=len(codes) - len(alike),
            code=digest(folder / module) if (folder / module).is_file() else "",
        )


def digest(path: Path) -> str:
    """The short name of a module's text."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def only_case(change: str) -> bool:
    """Whether nothing but the case of letters became another."""
    before, _, after = change.partition(" => ")
    return before.casefold() == after.casefold()


def _survivor(folder: Path, module: str, key: str) -> Survivor:
    """Named by what a reader sees, so that numbers of mutants and other functions do not matter."""
    name = key.rpartition(".")[2]
    lines = (folder / "mutants" / module).read_text().splitlines()
    before = _lines_of(lines, f"{name.partition('__mutmut_')[0]}__mutmut_orig")
    after = _lines_of(lines, name)
    while before and after and before[0] == after[0]:
        before, after = before[1:], after[1:]
    while before and after and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    function = name.partition("__mutmut_")[0].removeprefix("x_").replace("xǁ", "").replace("ǁ", ".")
    package = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return Survivor(f"{package}.{function}", f"{' '.join(before)} => {' '.join(after)}")


def _lines_of(lines: Sequence[str], name: str) -> list[str]:
    """The lines of one generated function, without its name and indentation."""
    start = next(at for at, line in enumerate(lines) if re.match(rf"\s*(async )?def {re.escape(name)}\(", line))
    indent = len(lines[start]) - len(lines[start].lstrip())
    found = [lines[start].strip().replace(name, "")]
    for line in lines[start + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) <= indent and not line.strip().startswith(")"):
            break
        found.append(line.strip())
    return [line for line in found if line]
