"""The shortest list of steps that still breaks the same rule, and files of such lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.intended import Json

CASES = Path(__file__).with_name("cases")


@dataclass(frozen=True, slots=True)
class Case:
    """A history that failed once."""

    seed: int
    rule: str
    """The first word of what it broke."""
    why: str
    """What was wrong, for people."""
    steps: tuple[Json, ...]

    def write(self, path: Path) -> None:
        """As a file."""
        body = {"seed": self.seed, "rule": self.rule, "why": self.why, "steps": list(self.steps)}
        path.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def read(path: Path) -> Case:
        """From a file."""
        body = json.loads(path.read_text(encoding="utf-8"))
        return Case(body["seed"], body["rule"], body["why"], tuple(body["steps"]))


def rule_of(violation: str) -> str:
    """Which rule was broken; empty where none was."""
    return violation.partition(":")[0]


def shrunk(steps: Sequence[Json], fails: Callable[[Sequence[Json]], bool], tries: int = 300) -> list[Json]:
    """Steps of which none can be left out; `fails` says whether the same rule is still broken."""
    best, left = list(steps), tries
    size = max(1, len(best) // 2)
    while left > 0:
        for shorter in _without(best, size):
            left -= 1
            if fails(shorter):
                best = shorter
                break
            if left <= 0:
                break
        else:
            if size == 1:
                break
            size = max(1, size // 2)
    return best


def _without(steps: list[Json], size: int) -> Iterator[list[Json]]:
    """The same with so many neighbours fewer; at last also without single steps amid others."""
    for begin in range(0, len(steps), size):
        yield [*steps[:begin], *steps[begin + size :]]
    if size > 1:
        return
    for number, step in enumerate(steps):
        inner = step.get("steps", [])
        for begin in range(len(inner)):
            fewer = {**step, "steps": [*inner[:begin], *inner[begin + 1 :]]}
            yield [*steps[:number], fewer, *steps[number + 1 :]]
