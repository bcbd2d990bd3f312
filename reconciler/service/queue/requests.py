"""Requests about several pools at once: one message for all pools of an organization, whatever they are about.

A commit to twenty files, or a project that is created in an organization with a hundred pools, is one cause. As one
message its pools share what they read; as a message each, every pool would read for itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.service.queue.messages import MAX_KEYS, MAX_SCOPES, WorkMessage
from reconciler.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Concern:
    """What one pool has to do with what happened."""

    key: str
    group: str = ""
    """Pools of one group share a message: the first organization of the pool's spec."""
    scopes: frozenset[str] = frozenset()
    """Where it happened; empty: anywhere."""
    at: datetime | None = None
    """When it happened, by the reporting service's clock."""


def whole(specs: Iterable[Spec]) -> list[Concern]:
    """Requests about whole pools."""
    return [Concern(spec.key, group_of(spec)) for spec in specs]


def group_of(spec: Spec) -> str:
    """The first organization: its pools share most of what they read."""
    return spec.organizations[0].name if spec.organizations else ""


def works(concerns: Iterable[Concern], trigger: str, trace: str = "") -> list[WorkMessage]:
    """The messages of these requests, in a fixed order.

    Each message is about all places of its pools, and of no others: a read of one of them serves all pools. A pool that
    is requested as a whole needs no request about a place.
    """
    given = list(concerns)
    everything = {one.key for one in given if not one.scopes}
    groups: dict[tuple[str, bool], list[Concern]] = defaultdict(list)
    for one in given:
        if not one.scopes or one.key not in everything:
            groups[one.group, bool(one.scopes)].append(one)
    found = []
    for _, members in sorted(groups.items(), key=lambda item: item[0]):
        at = min((one.at for one in members if one.at is not None), default=None)
        for keys, scopes in _together(members):
            found += [WorkMessage(keys, trigger, trace, None, part, None, at) for part in _cut(scopes, MAX_SCOPES)]
    return found


def _together(members: Iterable[Concern]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Pools with all their places: as many in a row as one message holds, so that the runs are as many as the pools.

    Pools that have more places each than one message holds are together, in a message for each part of the places.
    """
    places: dict[str, set[str]] = defaultdict(set)
    for one in members:
        places[one.key] |= one.scopes
    many = sorted(key for key, scopes in places.items() if len(scopes) > MAX_SCOPES)
    for some in _cut(many, MAX_KEYS) if many else []:
        yield some, sorted(set().union(*(places[key] for key in some)))
    keys, scopes = list[str](), set[str]()
    for key in sorted(places.keys() - set(many)):
        if keys and (len(keys) == MAX_KEYS or len(scopes | places[key]) > MAX_SCOPES):
            yield tuple(keys), sorted(scopes)
            keys, scopes = [], set()
        keys.append(key)
        scopes |= places[key]
    if keys:
        yield tuple(keys), sorted(scopes)


def _cut(texts: Sequence[str], most: int) -> list[tuple[str, ...]]:
    """In parts of at most so many; one part where there are none."""
    return [tuple(texts[start : start + most]) for start in range(0, max(len(texts), 1), most)]
