"""How many calls of an organization its size explains: the goals of benchmarks, and the ground of docs/scale.md."""

from __future__ import annotations

from benchmarks.estates import Size

GROUP = 200
"""Pools that share one list of queues."""


def upwards(count: int, by: int) -> int:
    """Divided, and rounded up."""
    return -(-count // by)


def full_look(size: Size) -> int:
    """The most reads of a full look at an organization: two lists a project, two reads a pool, and a few more."""
    lists = 2 * size.projects * upwards(size.pools, GROUP)
    return lists + 2 * size.pools + upwards(size.projects, 500) + upwards(size.projects, 50) + 20


def rotation(size: Size, slots: int) -> int:
    """The most reads of a full resync that reads the lists of one of so many groups of projects."""
    lists = 2 * upwards(size.projects, slots) * upwards(size.pools, GROUP)
    return lists + size.pools + upwards(size.projects, 500) + upwards(size.projects, 50) + 15
