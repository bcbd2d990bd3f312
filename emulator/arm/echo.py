"""A pool as answers show it, which is not what was put: what is left out, what is added, and in which spelling."""

from __future__ import annotations

import copy
import hashlib
import uuid

from emulator.arm.model import POOL, Field
from emulator.arm.rules import PREDICTIONS
from emulator.arm.schema import ORDER
from emulator.documents import Json
from emulator.principals import NAMES
from emulator.state.arm import PROVIDER, TENANT, Body, ManagedPool
from emulator.world import World


def shown(world: World, pool: ManagedPool, version: str) -> Body:
    """The whole resource at one api-version."""
    properties = copy.deepcopy(pool.properties)
    _organizations(world, properties)
    _predictions(world, properties["agentProfile"])
    if not world.switches.on("arm.echo-runtime-configuration"):
        properties.pop("runtimeConfiguration", None)
    _fabric(world, properties, pool)
    kind = PROVIDER if world.switches.word("arm.type-casing") == "documented" else PROVIDER.lower()
    found: Body = {
        "id": shown_id(world, pool),
        "name": pool.name,
        "type": f"{kind}/pools",
        "location": pool.body["location"],
    }
    if world.switches.on("arm.system-data"):
        found["systemData"] = dict(pool.system)
    if "tags" in pool.body:
        found["tags"] = dict(pool.body["tags"])
    if pool.body.get("identity"):
        found["identity"] = _identity(pool)
    found["properties"] = {"provisioningState": pool.state, **_at(properties, POOL.fields["properties"], version)}
    return found


def shown_id(world: World, pool: ManagedPool) -> str:
    """The resource id in the casing that the switch asks for."""
    if world.switches.word("arm.id-casing") == "documented":
        return pool.id.replace("/pools/", "/Pools/")
    return pool.id


def etag(pool: ManagedPool) -> str:
    """An ETag like the recorded ones; changes with every write."""
    digest = hashlib.sha256(f"{pool.id.lower()}:{pool.revision}:{pool.state}".encode()).hexdigest()
    return f'"{digest[:8]}-0000-0200-0000-{digest[8:20]}"'


def _organizations(world: World, properties: Body) -> None:
    profile = properties["organizationProfile"]
    if profile["kind"] != "AzureDevOps":
        return
    for organization in profile["organizations"]:
        if not world.switches.on("arm.echo-open-access"):
            organization.pop("openAccess", None)
        if world.switches.on("arm.echo-organization-defaults"):
            organization.setdefault("projects", [])
            organization.setdefault("parallelism", 0)
    if world.switches.on("arm.echo-permission-default"):
        profile.setdefault("permissionProfile", {"kind": "CreatorOnly"})
    if _applies(world, "arm.hide-permission-profile", properties):
        profile.pop("permissionProfile", None)


def _applies(world: World, switch: str, properties: Body) -> bool:
    """Always, never, or with static addresses."""
    word = world.switches.word(switch)
    return word == "always" or (word == "with-static-ip" and _static_addresses(properties) > 0)


def _static_addresses(properties: Body) -> int:
    return int((properties["fabricProfile"].get("networkProfile") or {}).get("staticIpAddressCount") or 0)


def _predictions(world: World, agents: Body) -> None:
    """The untyped schedule, in the spelling that was sent, or in that of the product's pages; one day or the week."""
    given = agents.get("resourcePredictions")
    if not given:
        return
    for name, days in given.items():
        if name.lower() == "daysdata" and len(days) == 1 and world.switches.word("arm.one-day-schedule") == "week":
            given[name] = [dict(days[0]) for _ in range(7)]
    if world.switches.word("arm.predictions-spelling") == "documented":
        agents["resourcePredictions"] = {PREDICTIONS.get(name.lower(), name): value for name, value in given.items()}


def _fabric(world: World, properties: Body, pool: ManagedPool) -> None:
    fabric = properties["fabricProfile"]
    for image in fabric["images"]:
        image.setdefault("buffer", "*")
        if _applies(world, "arm.echo-defaults", properties):
            image.setdefault("aliases", [])
            image.setdefault("ephemeralType", "Automatic")
        if image.get("ephemeralType") is not None:
            image["isEphemeral"] = True
    if _applies(world, "arm.echo-defaults", properties):
        secrets = {"observedCertificates": [], "keyExportable": False}
        fabric.setdefault("osProfile", {"secretsManagementSettings": secrets, "logonType": "Service"})
    count = _static_addresses(properties)
    if count:
        first = int(hashlib.sha256(pool.id.lower().encode()).hexdigest()[:4], 16) % 200
        fabric["networkProfile"]["ipAddresses"] = [f"203.0.113.{(first + n) % 256}" for n in range(count)]


def _identity(pool: ManagedPool) -> Body:
    raw = pool.body["identity"]
    found: Body = {"type": raw["type"]}
    if "SystemAssigned" in raw["type"]:
        found["principalId"] = str(uuid.uuid5(NAMES, f"principal:{pool.id.lower()}"))
        found["tenantId"] = TENANT
    if raw.get("userAssignedIdentities"):
        found["userAssignedIdentities"] = {
            name: {
                "principalId": str(uuid.uuid5(NAMES, f"principal:{name.lower()}")),
                "clientId": str(uuid.uuid5(NAMES, f"client:{name.lower()}")),
            }
            for name in raw["userAssignedIdentities"]
        }
    return found


def _at(value: Json, model: Field, version: str) -> Json:
    """Without the properties that this api-version does not have yet."""
    if isinstance(value, list) and model.of is not None:
        return [_at(item, model.of, version) for item in value]
    if not isinstance(value, dict) or model.kind not in {"object", "choice"}:
        return value
    fields = model.kinds.get(value.get("kind", ""), {}) if model.kind == "choice" else model.fields
    return {
        name: _at(found, fields[name], version) if name in fields else found
        for name, found in value.items()
        if name not in fields or ORDER[fields[name].since] <= ORDER[version]
    }
