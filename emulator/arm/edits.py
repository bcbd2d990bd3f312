"""Manual edits in ARM, as people make them in the portal: the control port's edits of pools.

A pool is moved as a whole: its settings, its agent pools and their queues stay (azure-devops-docs, features timeline,
November 2024). Whether `systemData.createdAt` stays is a switch. The event of a move names the group that was left.
"""

from __future__ import annotations

from emulator.arm import event_grid
from emulator.documents import Json
from emulator.world import World

EDITS = ("move-pool",)


def edit(world: World, what: str, **arguments: Json) -> None:
    """Make one edit; `move-pool` takes pool, group, and subscription where that changes too."""
    known = {"pool", "group", "subscription"}
    if set(arguments) - known or {"pool", "group"} - set(arguments):
        raise ValueError(f"edit {what!r} takes pool, group, subscription; got {', '.join(sorted(arguments)) or 'none'}")
    _move_pool(world, str(arguments["pool"]), str(arguments["group"]), arguments.get("subscription"))


def _move_pool(world: World, name: str, group: str, subscription: Json) -> None:
    pool = world.arm.named(name)
    if pool is None:
        there = ", ".join(sorted(one.name for one in world.arm.pools.values())) or "none"
        raise ValueError(f"pool {name!r} does not exist; there are: {there}")
    if pool.operation:
        raise ValueError(f"pool {name!r}: an operation is under way")
    target = world.arm.subscription(str(subscription or pool.subscription))
    if target is None:
        raise ValueError(f"subscription {subscription!r} does not exist")
    if group.lower() not in target.groups:
        raise ValueError(f"resource group {group!r} does not exist in subscription {target.id}")
    source = pool.id.partition("/providers/")[0]
    world.arm.remove(pool)
    pool.subscription, pool.group = target.id, target.groups[group.lower()].name
    if world.switches.word("arm.moved-created-at") == "renewed":
        pool.system["createdAt"] = world.clock.stamp()
    world.arm.add(pool)
    event_grid.moved(world, pool, source)
