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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.service.events.envelope import Envelope, open_document
from reconciler.service.queue.requests import Concern, group_of
from reconciler.spec.model import Spec
from reconciler.survey import scopes

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
class ChangedPlace:
    """A place that a service reported to have changed."""

    organization: str
    """Bare name; empty where the report names none."""
    scope: str
    at: datetime | None
    """When, by the service's clock."""
    own: bool = False
    """Whether the operator itself changed it."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Pools to reconcile, and why."""

    concerns: tuple[Concern, ...] = ()
    """Sorted by pool."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Reason → how many; for one log line and a counter."""
    trace: str = ""
    """`traceparent` of the first event that has one; as sent, not checked."""
    groups: tuple[str, ...] = ()
    """Resource ids of the groups that were deleted, or whose resources were moved; lower case, sorted."""
    changes: tuple[ChangedPlace, ...] = ()
    """Every place that was reported to have changed, whether a pool is concerned or not."""
    put: datetime | None = None
    """When the report was put on its queue."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Lower-case pool names, each once, sorted."""
        return tuple(sorted({one.key for one in self.concerns}))


def pool_keys(body: bytes | str) -> Keys:
    """Keys of the pools that a queue message or a delivery of Event Grid names."""
    opened = open_document(body)
    dropped = Counter(opened.dropped)
    concerns: dict[str, Concern] = {}
    groups = set()
    for event in opened.events:
        if name := pool_of(event):
            concerns.setdefault(name, Concern(name, name, _body(name), event.at))
        elif group := _group(event):
            groups.add(group)
        else:
            dropped["not a write or delete of a pool"] += 1
    trace = next((event.trace for event in opened.events if event.trace), "")
    return Keys(tuple(concerns[key] for key in sorted(concerns)), dict(dropped), trace, tuple(sorted(groups)))


def in_groups(found: Keys, specs: Iterable[Spec]) -> Keys:
    """With the pools of the groups, by their specs."""
    concerns, dropped = {one.key: one for one in found.concerns}, Counter(found.dropped)
    for group in found.groups:
        inside = [spec for spec in specs if spec.pool_id.lower().startswith(f"{group}/")]
        concerns |= {spec.key: Concern(spec.key, group_of(spec), _body(spec.key)) for spec in inside}
        if not inside:
            dropped["a resource group without pools"] += 1
    return replace(found, concerns=tuple(concerns[key] for key in sorted(concerns)), dropped=dict(dropped), groups=())


def _body(key: str) -> frozenset[str]:
    """What such an event is about."""
    return frozenset({scopes.arm(key).text()})


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
