"""Pools of one full resync, grouped by organization, so that what they share is read once.

A batch is a message with the keys of pools whose first organization is the same. Batches are spread over the
interval by a hash of their names, so that load is even and each batch runs at the same point of the interval.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.service.queue.messages import MAX_KEYS, WorkMessage
from reconciler.service.queue.requests import group_of
from reconciler.spec.model import Spec

LARGEST = MAX_KEYS
"""Pools in one batch: as many as one list of queues is about. What does not fit its time is put back."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Pools that are reconciled together."""

    name: str
    keys: tuple[str, ...]

    def delay(self, interval: float) -> float:
        """Seconds after the start of the resync; always the same for the same batch."""
        return zlib.crc32(self.name.encode()) % 1000 / 1000 * interval

    def work(self, trigger: str, trace: str = "") -> WorkMessage:
        """The message."""
        return WorkMessage(self.keys, trigger, trace)


def batches(specs: Iterable[Spec]) -> tuple[Batch, ...]:
    """All pools in batches, sorted; every key in one of them."""
    groups: dict[str, list[str]] = defaultdict(list)
    for spec in specs:
        groups[group_of(spec)].append(spec.key)
    cut = []
    for organization, keys in sorted(groups.items()):
        ordered = sorted(keys)
        parts = [ordered[start : start + LARGEST] for start in range(0, len(ordered), LARGEST)]
        cut += [Batch(f"{organization}/{number}", tuple(part)) for number, part in enumerate(parts)]
    return tuple(cut)
