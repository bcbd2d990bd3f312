"""What ARM holds: subscriptions, resource groups, pools and operations. Names and ids are found whatever their case."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from emulator.documents import Json

Body: TypeAlias = dict[str, Json]
PROVIDER = "Microsoft.DevOpsInfrastructure"
TENANT = "7c0f4a36-6f0b-4f6e-9a5e-0d2f4f9d6b10"


@dataclass(slots=True)
class ResourceGroup:
    """A resource group; nothing but pools is in it here."""

    name: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class AzureSubscription:
    """A subscription with its resource groups by lower-cased name."""

    id: str
    name: str
    tenant: str = TENANT
    groups: dict[str, ResourceGroup] = field(default_factory=dict)
    registered: bool = True
    """Whether the resource provider is registered in it."""
    cores: Mapping[str, int] = field(default_factory=dict)
    """Core quota by SKU family; a family that is not named has no limit here."""
    resources: list[Body] = field(default_factory=list)
    """Raw bodies of what lies beside the pools: identities, key vaults."""


@dataclass(slots=True)
class ManagedPool:
    """One pool: what was put, and what the service adds to it."""

    subscription: str
    group: str
    name: str
    body: Body
    """`location`, `tags`, `identity`, `properties` as accepted; `openAccess` and all."""
    state: str = "Succeeded"
    """`properties.provisioningState`."""
    system: Body = field(default_factory=dict)
    """`systemData`."""
    revision: int = 1
    operation: str = ""
    """Id of the operation under way; empty where there is none."""

    @property
    def id(self) -> str:
        """Resource id in the casing of its documentation."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{PROVIDER}/pools/{self.name}"

    @property
    def properties(self) -> Body:
        """The body's properties."""
        found = self.body["properties"]
        assert isinstance(found, dict)  # noqa: S101 the validation has seen to it
        return found


@dataclass(slots=True)
class Operation:
    """One long operation."""

    id: str
    """Name as it stands in the URL."""
    kind: str
    """``write`` or ``delete``."""
    pool_id: str
    location: str
    subscription: str
    version: str
    started: str
    status: str = "Accepted"
    ended: str = ""
    error: Body | None = None


class Arm:
    """All of it."""

    def __init__(self) -> None:
        self.subscriptions: dict[str, AzureSubscription] = {}
        self.pools: dict[str, ManagedPool] = {}
        self.operations: dict[str, Operation] = {}
        self.secret = "signs-operation-urls"  # noqa: S105 it protects nothing; it makes a changed URL notable
        self.serial = itertools.count(1)
        self.window: dict[tuple[str, str], list[float]] = {}
        """Moments of the calls in the rate window, by subscription and kind."""
        self.returning: dict[str, str] = {}
        """Machines that were given back, by id, with their status."""

    def subscription(self, name: str) -> AzureSubscription | None:
        """By id, whatever its case."""
        return self.subscriptions.get(name.lower())

    def pool(self, subscription: str, group: str, name: str) -> ManagedPool | None:
        """By place, whatever its case."""
        return self.pools.get(ManagedPool(subscription, group, name, {}).id.lower())

    def add(self, pool: ManagedPool) -> None:
        """Keep it."""
        self.pools[pool.id.lower()] = pool

    def remove(self, pool: ManagedPool) -> None:
        """Forget it."""
        self.pools.pop(pool.id.lower(), None)

    def named(self, name: str) -> ManagedPool | None:
        """A pool of that name in any subscription: names are unique in the whole service."""
        return next((pool for pool in self.pools.values() if pool.name.lower() == name.lower()), None)

    def within(self, subscription: str, group: str | None = None) -> Iterator[ManagedPool]:
        """The pools of a subscription, or of one of its resource groups, in order of their names."""
        for pool in sorted(self.pools.values(), key=lambda found: found.id.lower()):
            if pool.subscription.lower() == subscription.lower() and group in (None, pool.group.lower()):
                yield pool
