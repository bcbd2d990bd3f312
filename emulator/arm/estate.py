"""The `subscriptions` of an estate file, into ARM's state and back.

::

    subscriptions:
      - id: 11111111-2222-3333-4444-555555555555
        name: Build
        resourceGroups: [rg-build, {name: rg-other, location: westeurope}]
        cores: {standardDADSv5Family: 64}
        pools:
          - {name: fabrikam-pool, resourceGroup: rg-build, location: eastus, properties: {…}}

A pool here has been created long ago: it makes nothing in Azure DevOps, whose side stands under `organizations`.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.documents import Json
from emulator.state.arm import TENANT, Arm, AzureSubscription, Body, ManagedPool, ResourceGroup
from emulator.world import World

REGION = "eastus"


def load(document: Mapping[str, Json], world: World) -> Arm:
    """ARM as the estate has it; ValueError names the place and the remedy."""
    arm = Arm()
    for index, raw in enumerate(document.get("subscriptions") or ()):
        where = f"subscriptions[{index}]"
        if "id" not in raw:
            raise ValueError(f"{where}: has no id; add `id: <subscription id>`")
        subscription = _subscription(raw)
        if arm.subscription(subscription.id):
            raise ValueError(f"{where}.id: {subscription.id} is there twice; keep one")
        arm.subscriptions[subscription.id.lower()] = subscription
        for place, pool in enumerate(raw.get("pools") or ()):
            arm.add(_pool(pool, subscription, arm=arm, world=world, where=f"{where}.pools[{place}]"))
    return arm


def dump(world: World) -> dict[str, Json]:
    """ARM as an estate has it."""
    return {"subscriptions": [_dumped(world.arm, found) for found in world.arm.subscriptions.values()]}


def _subscription(raw: Mapping[str, Json]) -> AzureSubscription:
    groups = {}
    for entry in raw.get("resourceGroups") or ():
        given: Mapping[str, Json] = {"name": entry} if isinstance(entry, str) else entry
        group = ResourceGroup(given["name"], given.get("location", REGION), dict(given.get("tags") or {}))
        groups[group.name.lower()] = group
    return AzureSubscription(
        id=str(raw["id"]),
        name=raw.get("name", str(raw["id"])),
        tenant=raw.get("tenant", TENANT),
        groups=groups,
        registered=bool(raw.get("registered", True)),
        cores=dict(raw.get("cores") or {}),
        resources=[dict(one) for one in raw.get("resources") or ()],
    )


def _pool(
    raw: Mapping[str, Json], subscription: AzureSubscription, *, arm: Arm, world: World, where: str
) -> ManagedPool:
    parts = str(raw.get("id", "")).split("/")
    group = raw.get("resourceGroup") or (parts[4] if len(parts) > 4 else "")  # noqa: PLR2004 /subscriptions/…/resourceGroups/{here}
    name = raw.get("name") or parts[-1]
    if not name or not group:
        raise ValueError(f"{where}: needs name and resourceGroup, or id")
    if not raw.get("properties"):
        raise ValueError(f"{where}.properties: {name} has none; add the properties of its ARM body")
    if arm.named(name):
        raise ValueError(f"{where}.name: {name!r} is taken; pool names are unique in the whole service")
    subscription.groups.setdefault(group.lower(), ResourceGroup(group, REGION))
    body: Body = {key: raw[key] for key in ("location", "tags", "identity", "properties") if key in raw}
    body.setdefault("location", REGION)
    properties = dict(body["properties"])
    state = properties.pop("provisioningState", "Succeeded")
    body["properties"] = properties
    return ManagedPool(subscription.id, group, name, body, state, system=_system(raw, world))


def _system(raw: Mapping[str, Json], world: World) -> Body:
    if raw.get("systemData"):
        return dict(raw["systemData"])
    who, stamp = world.principals.operator, world.clock.stamp()
    kind = "Application" if who.is_application else "User"
    by = who.application_id or who.upn or who.oid
    return {
        "createdBy": by,
        "createdByType": kind,
        "createdAt": stamp,
        "lastModifiedBy": by,
        "lastModifiedByType": kind,
        "lastModifiedAt": stamp,
    }


def _dumped(arm: Arm, found: AzureSubscription) -> Body:
    body: Body = {
        "id": found.id,
        "name": found.name,
        "tenant": found.tenant,
        "resourceGroups": [
            {"name": g.name, "location": g.location, **({"tags": g.tags} if g.tags else {})}
            for g in found.groups.values()
        ],
        "pools": [_dumped_pool(pool) for pool in arm.within(found.id)],
    }
    if not found.registered:
        body["registered"] = False
    if found.cores:
        body["cores"] = dict(found.cores)
    if found.resources:
        body["resources"] = [dict(one) for one in found.resources]
    return body


def _dumped_pool(pool: ManagedPool) -> Body:
    properties = dict(pool.properties)
    if pool.state != "Succeeded":
        properties["provisioningState"] = pool.state
    return {
        "name": pool.name,
        "resourceGroup": pool.group,
        **{key: value for key, value in pool.body.items() if key != "properties"},
        "properties": properties,
        "systemData": dict(pool.system),
    }
