"""The machines of a pool, as far as its stand-by agents require any: no jobs run here.

Counts follow `resourcePredictions` (provider terraform-provider-azurerm: a map of time of day to count, one or seven
days from Sunday, in a Windows time zone; here read as UTC) or, with an automatic prediction, one machine.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from functools import partial

from emulator.arm.rules import prediction
from emulator.principals import NAMES
from emulator.state.arm import Body, ManagedPool
from emulator.world import World

ONE_DAY = 1


def standing_by(pool: ManagedPool, now: float) -> int:
    """How many machines should be there at that moment."""
    if pool.state not in {"Succeeded", "Updating"}:
        return 0
    agents = pool.properties["agentProfile"]
    most = int(pool.properties["maximumConcurrency"])
    if (agents.get("resourcePredictionsProfile") or {}).get("kind") == "Automatic":
        return 1
    days = prediction(agents.get("resourcePredictions") or {}, "daysData") or []
    if not days:
        return 0
    moment = datetime.fromtimestamp(now, UTC)
    day = days[0] if len(days) == ONE_DAY else days[(moment.weekday() + 1) % 7]
    begun = sorted((at, count) for at, count in day.items() if at <= f"{moment:%H:%M:%S}")
    return min(most, int(begun[-1][1])) if begun else 0


def listed(world: World, pool: ManagedPool) -> list[Body]:
    """The machines in the form of the list operation (azure-rest-api-specs, ResourceDetailsObject)."""
    image = pool.properties["fabricProfile"]["images"][0]
    name = image.get("wellKnownImageName") or str(image.get("resourceId", "")).rstrip("/").split("/")[-1]
    prefix = hashlib.sha256(pool.id.lower().encode()).hexdigest()[:9]
    middle = uuid.uuid5(NAMES, f"machines:{pool.id.lower()}")
    working = world.switches.word("arm.machine-status")
    found = []
    for index in range(standing_by(pool, world.clock.now())):
        key = f"{pool.name}:{middle}:{prefix}_{index}"
        found.append(
            {
                "id": f"{pool.id}/resources/{key}",
                "name": f"{prefix}{index:06d}",
                "type": "Microsoft.DevOpsInfrastructure/pools/resources",
                "properties": {
                    "status": world.arm.returning.get(f"{pool.id}/resources/{key}".lower(), working),
                    "image": name,
                    "imageVersion": "1.0.0",
                },
            }
        )
    return found


def give_back(world: World, pool: ManagedPool, resource_id: str) -> bool:
    """Recreate a machine; False if the pool has no such machine."""
    for machine in listed(world, pool):
        if resource_id.lower() in (machine["id"].lower(), machine["name"].lower()):
            key = machine["id"].lower()
            world.arm.returning[key] = "PendingReturn"
            world.later(world.switches.number("arm.update-seconds"), partial(world.arm.returning.pop, key, None))
            return True
    return False
