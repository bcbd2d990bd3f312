"""What time was to bring, and has not: a wait that is counted, so that it ends where a person sees it.

An agent pool that nobody made, one that is hidden from the identity, and one that will be there in a minute all look
the same: the service cannot tell. So each is waited for, and for no longer than `Limits.arrival` and `Limits.looks`
both allow. After that the pool is `Stalled` with the reason `Overdue`, and the next event or sweep looks again; as soon
as the thing is seen, or the spec asks for something else, the count is forgotten. Waits that have an end of their own
are not counted, and none is while an operation is in flight.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from reconciler.engine.tenure import Limits
from reconciler.plan import GapKind, Plan
from reconciler.spec.model import Spec
from reconciler.stored import Awaited


def counted(known: Mapping[str, Awaited], plan: Plan, spec: Spec, now: datetime) -> dict[str, Awaited]:
    """What is missing after this look, by the message of its gap, with this look in the count."""
    missing = {gap.message for gap in plan.gaps if gap.kind is GapKind.NOT_READY and not gap.bounded}
    if not missing:
        return {}
    digest = _digest(spec)
    fresh = Awaited(now, 0, digest)
    before = {what: one for what, one in known.items() if one.spec == digest}
    return {
        what: Awaited(before.get(what, fresh).since, before.get(what, fresh).looks + 1, digest)
        for what in sorted(missing)
    }


def overdue(awaited: Mapping[str, Awaited], now: datetime, limits: Limits) -> dict[str, str]:
    """Message of a gap → what a person is told, for what should have come by now."""
    patience = timedelta(seconds=limits.arrival)
    return {
        what: f"{what}; awaited since {one.since.astimezone(UTC):%FT%RZ}, and time alone will not bring it"
        for what, one in awaited.items()
        if one.looks >= limits.looks and now - one.since >= patience
    }


def _digest(spec: Spec) -> str:
    """Short, and the same in every process for equal specs."""
    text = json.dumps(asdict(spec), sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, frozenset) else str(value)
