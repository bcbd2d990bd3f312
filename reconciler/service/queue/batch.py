"""Pools of one full resync, one message for each organization, so that what its pools share is read once.

A message names the organization and its first pool; which pools these are, the worker reads in the specs. Messages are
spread over the interval by a hash of the name, so that load is even and each comes at the same point of the interval.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.requests import group_of
from reconciler.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Batch:
    """Pools that are reconciled together."""

    organization: str
    keys: tuple[str, ...]

    def delay(self, interval: float) -> float:
        """Seconds after the start of the resync; always the same for the same batch."""
        return zlib.crc32(f"{self.organization}/0".encode()) % 1000 / 1000 * interval

    def work(self, trigger: str, trace: str = "") -> WorkMessage:
        """The message."""
        return WorkMessage(self.keys, trigger, trace, organization=self.organization)


def batches(specs: Iterable[Spec]) -> tuple[Batch, ...]:
    """All pools in batches, sorted; every key in one of them."""
    groups: dict[str, list[str]] = defaultdict(list)
    for spec in specs:
        groups[group_of(spec)].append(spec.key)
    return tuple(Batch(organization, tuple(sorted(keys))) for organization, keys in sorted(groups.items()))


def spread_out(work: WorkMessage, specs: Iterable[Spec]) -> WorkMessage:
    """The message with the keys of all pools that it is about."""
    if work.organization is None:
        return work
    keys = sorted(one.key for one in specs if group_of(one) == work.organization and one.key >= work.keys[0])
    return replace(work, keys=tuple(keys) or work.keys)
