"""Pools that ARM wrote or deleted: from Event Grid's resource events to pool keys.

Two topics report this: the subscription's or resource group's system topic (`Microsoft.Resources.Resource…`), and
Azure Resource Notifications (`Microsoft.ResourceNotifications.Resources.…`). Failures and cancellations count as
well: a failed write may leave a pool out of sync. Actions (`…/pools/resources`, deleting single machines) change
nothing that a spec says. Sources: Microsoft Learn, "Azure subscription as an Event Grid source" and "Azure Resource
Notifications - Resource Management events".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.service.events.envelope import Envelope, open_document

_TYPES = frozenset(
    name.lower()
    for name in (
        *(
            f"Microsoft.Resources.Resource{verb}{end}"
            for verb in ("Write", "Delete")
            for end in ("Success", "Failure", "Cancel")
        ),
        "Microsoft.ResourceNotifications.Resources.CreatedOrUpdated",
        "Microsoft.ResourceNotifications.Resources.Deleted",
    )
)

_POOL = re.compile(
    r"^/subscriptions/[^/]+/resourcegroups/[^/]+"
    r"/providers/microsoft\.devopsinfrastructure/pools/(?P<name>[a-z0-9][a-z0-9.-]{0,63})$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Keys:
    """Pools to reconcile."""

    keys: tuple[str, ...] = ()
    """Lower-case pool names, each once, sorted."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Reason → how many; for one log line and a counter."""
    trace: str = ""
    """`traceparent` of the first event that has one; as sent, not checked."""


def pool_keys(body: bytes | str) -> Keys:
    """Keys of the pools that a queue message or a delivery of Event Grid names."""
    opened = open_document(body)
    dropped = Counter(opened.dropped)
    keys = set()
    for event in opened.events:
        name = _pool_name(event)
        if name:
            keys.add(name)
        else:
            dropped["not a write or delete of a pool"] += 1
    trace = next((event.trace for event in opened.events if event.trace), "")
    return Keys(tuple(sorted(keys)), dict(dropped), trace)


def _pool_name(event: Envelope) -> str:
    if event.type.lower() not in _TYPES:
        return ""
    data = event.data if isinstance(event.data, dict) else {}
    info = data.get("resourceInfo")
    notified = info.get("id") if isinstance(info, dict) else None
    for candidate in (event.subject, data.get("resourceUri"), notified):
        match = _POOL.match(candidate.rstrip("/")) if isinstance(candidate, str) else None
        if match:
            return match["name"].lower()
    return ""
