"""The merge base of any history: no other common ancestor is behind it, whatever the clocks of the authors said."""

from __future__ import annotations

import random

import pytest
from dulwich.objects import Commit, ObjectID

from reconciler.adapters.git.ancestry import SKEW, merge_base

WHEN = 1_800_000_000


class History:
    """Commits with random parents and times."""

    def __init__(self, chance: random.Random, count: int, spread: int) -> None:
        self.commits: dict[ObjectID, Commit] = {}
        self.before: dict[ObjectID, set[ObjectID]] = {}
        """Each commit with all that it rests on, itself too."""
        self.order: list[ObjectID] = []
        for number in range(count):
            parents = chance.sample(self.order[-5:], min(chance.choice([1, 1, 2]), len(self.order)))
            name = self._add(parents, WHEN + (number if spread == 1 else chance.randrange(spread)), number)
            self.before[name] = {name}.union(*(self.before[parent] for parent in parents))
            self.order.append(name)

    def _add(self, parents: list[ObjectID], when: int, number: int) -> ObjectID:
        commit = Commit()
        commit.tree = ObjectID(b"4b825dc642cb6eb9a060e54bf8d69288fbee4904")
        commit.author = commit.committer = b"Ann <ann@fabrikam.com>"
        commit.author_time = commit.commit_time = when
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = str(number).encode()
        commit.parents = parents
        self.commits[commit.id] = commit
        return commit.id

    def best(self, one: ObjectID, other: ObjectID) -> set[ObjectID]:
        """Common ancestors that no other one rests on."""
        common = self.before[one] & self.before[other]
        return {name for name in common if not any(name in self.before[more] - {more} for more in common)}


@pytest.mark.parametrize("spread", [1, 2, 60, SKEW], ids=["in order", "two seconds", "a minute", "a day"])
def test_the_best_common_ancestor_is_found(spread: int) -> None:
    for seed in range(60):
        chance = random.Random(seed)  # noqa: S311 - reproducible histories
        history = History(chance, 24, spread)
        for _ in range(8):
            one, other = chance.choices(history.order[-8:], k=2)
            found = merge_base(history.commits.__getitem__, (), one, other, "here")
            assert found in history.best(one, other), (seed, one, other)
