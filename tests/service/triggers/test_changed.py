"""Which pools a commit is about, and what finding them costs."""

from __future__ import annotations

from typing import ClassVar

import pytest

from benchmarks import estates
from reconciler.documents import Json
from reconciler.ports.specs import Snapshot
from reconciler.service.catalogue import Specs
from reconciler.service.triggers.changed import changed, digests_of
from reconciler.spec.loader import load


def read(*names: str, **other: str) -> Specs:
    """Specs of a file each; `other`: name with underscores → more text of its file."""
    files = {f"{name}.json": estates.spec(name) + other.get(name.replace("-", "_"), "").encode() for name in names}
    loaded = load(files)
    return Specs(Snapshot("1" * 40, files), {spec.key: spec for spec in loaded.specs}, loaded.problems, None)


BEFORE = read("pool-a", "pool-b")
REMEMBERED = {"files": digests_of(BEFORE), "pools": list(BEFORE.by_key)}


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (REMEMBERED, BEFORE, []),
        (REMEMBERED, read("pool-a", "pool-b", pool_b=" "), ["pool-b"]),
        (REMEMBERED, read("pool-a", "pool-c"), ["pool-c"]),
        (REMEMBERED, read("pool-a"), []),
        ({**REMEMBERED, "pools": ["pool-a"]}, BEFORE, ["pool-b"]),
        ({**REMEMBERED, "pools": [["pool-a"], None, "pool-a"]}, BEFORE, ["pool-b"]),
        ({"files": REMEMBERED["files"]}, BEFORE, []),
        ({}, BEFORE, ["pool-a", "pool-b"]),
        (None, BEFORE, ["pool-a", "pool-b"]),
    ],
)
def test_pools_of_changed_files_and_of_new_names_are_run(before: Json, now: Specs, found: list[str]) -> None:
    assert [spec.key for spec in changed(now, before, digests_of(now))] == found


class Counted(str):
    """A name that counts how often it is compared."""

    __slots__ = ()
    comparisons: ClassVar[int] = 0

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return str.__eq__(self, other)


def test_names_are_compared_as_often_as_there_are_pools_and_not_as_their_square() -> None:
    specs = read(*(f"pool-{number:03d}" for number in range(200)))
    before = {"files": digests_of(specs), "pools": [Counted(name) for name in specs.by_key]}

    assert changed(specs, before, digests_of(specs)) == []
    assert Counted.comparisons <= 2 * len(specs.by_key)
