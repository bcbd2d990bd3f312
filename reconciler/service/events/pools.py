"""Pools that ARM wrote or deleted: from Event Grid's resource events to pool keys.

Two topics report this: the subscription's or resource group's system topic (`Microsoft.Resources.Resource…`), and
Azure Resource Notifications (`Microsoft.ResourceNotifications.Resources.…`). Failures and cancellations count as
well: a failed write may leave a pool out of sync. Actions (`…/pools/resources`, deleting single machines) change
nothing that a spec says. Sources: Microsoft Learn, "Azure subscription as an Event Grid source" and "Azure Resource
Notifications - Resource Management events".

Tags that are edited through the tags API (portal, `az tag`, Azure Policy) are announced as
`Microsoft.Resources/tags/write`, of the pool or of its extension `tags/default`; both are accepted. Deleting a resource
group, or moving its resources, names the group alone: its pools follow from the specs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

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
    r"/providers/microsoft\.devopsinfrastructure/pools/(?P<name>[a-z0-9][a-z0-9.-]{0,63})"
    r"(?:/providers/microsoft\.resources/tags/default)?$",
    re.IGNORECASE,
)
_GROUP = re.compile(r"^/subscriptions/[^/]+/resourcegroups/[^/]+$", re.IGNORECASE)
_GROUP_TYPES = frozenset(
    f"microsoft.resources.resource{verb}{end}"
    for verb in ("delete", "action")
    for end in ("success", "failure", "cancel")
)
_GROUP_OPERATIONS = frozenset(
    {
        "microsoft.resources/subscriptions/resourcegroups/delete",
        "microsoft.resources/subscriptions/resourcegroups/moveresources/action",
    }
)
"""Microsoft Learn, "Azure permissions for Management and governance", Microsoft.Resources."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Pools to reconcile."""

    keys: tuple[str, ...] = ()
    """Lower-case pool names, each once, sorted."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Reason → how many; for one log line and a counter."""
    trace: str = ""
    """`traceparent` of the first event that has one; as sent, not checked."""
    groups: tuple[str, ...] = ()
    """Resource ids of the groups that were deleted, or whose resources were moved; lower case, sorted."""


def pool_keys(body: bytes | str) -> Keys:
    """Keys of the pools that a queue message or a delivery of Event Grid names."""
    opened = open_document(body)
    dropped = Counter(opened.dropped)
    keys, groups = set(), set()
    for event in opened.events:
        if name := pool_of(event):
            keys.add(name)
        elif group := _group(event):
            groups.add(group)
        else:
            dropped["not a write or delete of a pool"] += 1
    trace = next((event.trace for event in opened.events if event.trace), "")
    return Keys(tuple(sorted(keys)), dict(dropped), trace, tuple(sorted(groups)))


def in_groups(found: Keys, pool_ids: Mapping[str, str]) -> Keys:
    """With the pools of the groups; `pool_ids`: key of a pool → its resource id, for all specs."""
    keys, dropped = set(found.keys), Counter(found.dropped)
    for group in found.groups:
        inside = {key for key, number in pool_ids.items() if number.lower().startswith(f"{group}/")}
        keys |= inside
        if not inside:
            dropped["a resource group without pools"] += 1
    return replace(found, keys=tuple(sorted(keys)), dropped=dict(dropped), groups=())


def pool_of(event: Envelope) -> str:
    """Key of the pool that an event says was written or deleted; empty where it says no such thing."""
    if event.type.lower() not in _TYPES:
        return ""
    return next((match["name"].lower() for match in map(_POOL.match, _resources(event)) if match), "")


def _group(event: Envelope) -> str:
    operation = event.data.get("operationName") if isinstance(event.data, dict) else None
    known = isinstance(operation, str) and operation.lower() in _GROUP_OPERATIONS
    if not known or event.type.lower() not in _GROUP_TYPES:
        return ""
    return next((one.lower() for one in _resources(event) if _GROUP.match(one)), "")


def _resources(event: Envelope) -> Iterator[str]:
    """The ids that an event may name its resource by."""
    data = event.data if isinstance(event.data, dict) else {}
    info = data.get("resourceInfo")
    notified = info.get("id") if isinstance(info, dict) else None
    for candidate in (event.subject, data.get("resourceUri"), notified):
        if isinstance(candidate, str):
            yield candidate.rstrip("/")
