"""How old the evidence is on which pools count as in sync."""

from __future__ import annotations

from datetime import datetime, timedelta

from reconciler.engine.packed import Statuses
from reconciler.engine.status import ConditionKind
from reconciler.ports.clock import MARGIN
from reconciler.service.triggers.context import TriggerContext

SAMPLE = 50
"""Pools whose status one health probe reads; with more of them each minute reads others."""
RECENT = timedelta(minutes=1)
"""Age up to which specs are not read again for it."""


def oldest_seen(context: TriggerContext) -> tuple[datetime | None, int]:
    """The oldest evidence of a pool that is in sync, and how many of them were looked up; None: there is none."""
    now = context.clock.now()
    specs = context.catalogue.specs(now - RECENT).by_key
    keys = tuple(specs)
    first = int(now.timestamp() // 60) * SAMPLE % len(keys) if len(keys) > SAMPLE else 0
    stored = Statuses(context.state)
    statuses = [stored.of(specs[key]) for key in (*keys[first:], *keys[:first])[:SAMPLE]]
    seen = [
        one.seen
        for one in statuses
        if one is not None
        and one.seen is not None
        and one.seen <= now + MARGIN
        and one.condition_true(ConditionKind.READY)
    ]
    return min(seen, default=None), len(seen)
