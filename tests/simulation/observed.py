"""What an emulated estate holds, cell by cell, and the edits that people make by hand."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from requests.structures import CaseInsensitiveDict

from benchmarks.estates import GROUP, SUBSCRIPTION
from emulator.arm.plane import ArmPlane
from emulator.devops import edits
from emulator.estate import dump
from emulator.exchange import Exchange, Incoming
from emulator.frame import Response
from emulator.world import World
from tests.simulation import intended
from tests.simulation.intended import FIRST, ORGANIZATIONS, PEOPLE, PROJECTS, Cell, Json

_ARM = ArmPlane()
_VERSION = "2025-09-20"


def estate() -> Json:
    """At first: both pools as their specs say, an agent pool that is nobody's, and people."""
    pools = [
        {"name": name, "resourceGroup": GROUP, "location": "eastus", "properties": intended.properties(spec)}
        for name, spec in FIRST.items()
    ]
    people = [{"name": one, "kind": "user", "mail": f"{one}@fabrikam.com"} for one in PEOPLE]
    return {
        "principals": [{"name": "operator", "kind": "servicePrincipal"}, *people],
        "subscriptions": [{"id": SUBSCRIPTION, "resourceGroups": [GROUP], "pools": pools}],
        "organizations": [_organization(key, name) for key, name in ORGANIZATIONS.items()],
    }


def _organization(key: str, name: str) -> Json:
    agents = []
    for pool, spec in FIRST.items():
        if key not in spec["organizations"]:
            continue
        projects = spec["organizations"][key] or list(PROJECTS)
        agents.append(
            {
                "name": pool,
                "managed": True,
                "allProjects": not spec["organizations"][key],
                "inherit": False,
                "roles": {"Administrator": ["operator", *spec.get("administrators", ())]},
                "queues": [{"project": one, "openAccess": True} for one in projects],
            }
        )
    foreign = {
        "name": "Hand made",
        "roles": {"Administrator": ["ann"], "Reader": ["bob"]},
        "queues": [{"project": "Web", "openAccess": False}],
    }
    return {
        "name": name,
        "identities": ["operator", *PEOPLE],
        "administrators": ["operator", "ann"],
        "projects": list(PROJECTS),
        "agentPools": [*agents, foreign],
    }


def cells(world: World) -> dict[Cell, Json]:
    """The whole estate; moments, versions and ids aside."""
    found: dict[Cell, Json] = {}
    document = dump(world)
    for subscription in document["subscriptions"]:
        for pool in subscription["pools"]:
            name = pool["name"]
            for path, value in intended.flat(pool["properties"]):
                found["arm", name, *path] = value
            for tag, value in (pool.get("tags") or {}).items():
                found["arm", name, "tags", tag] = value
    for organization in document["organizations"]:
        at = organization["name"]
        found["administrators", at] = organization["administrators"]
        found["organization", at] = (organization["roles"], organization["groups"])
        for project in organization["projects"]:
            if project["state"] == "wellFormed":
                found["project", at, project["name"]] = project["roles"]
        for agents in organization["agentPools"]:
            _agent_pool(found, at, agents)
    return found


def _agent_pool(found: dict[Cell, Json], at: str, agents: Json) -> None:
    name = agents["name"]
    found["agents", at, name] = (agents["id"], agents["autoProvision"], agents["autoUpdate"], agents["properties"])
    found["inherit", at, name] = agents["inherit"]
    for role, people in agents["roles"].items():
        for who in people:
            found["role", at, name, who] = role
    for queue in agents["queues"]:
        where = (at, name, queue["project"])
        found["queue", *where] = True
        found["open", *where] = queue["openAccess"] is not False
        found["rest of queue", *where] = (
            queue["id"],
            queue["inherit"],
            queue["roles"],
            [one["id"] for one in queue["pipelines"]],
        )


def edit(world: World, what: str, arguments: Json) -> bool:
    """A person clicks; what cannot be done, because the thing is not there (any more), is not done."""
    with contextlib.suppress(ValueError, KeyError):
        edits.edit(world, what, **arguments)
        return True
    return False


def edit_arm(world: World, name: str, change: Json) -> bool:
    """A person changes the pool in the portal, under a name of their own; False where ARM refuses."""
    pool = world.arm.named(name)
    if pool is None or pool.operation:
        return False
    body: dict[str, Any] = json.loads(json.dumps(pool.body))
    if "team" in change:
        body["tags"] = {**(body.get("tags") or {}), "team": change["team"]}
    else:
        body["properties"] = {**body["properties"], **change}
        profiles = body["properties"]["organizationProfile"]["organizations"]
        each, rest = divmod(body["properties"]["maximumConcurrency"], len(profiles))
        for number, profile in enumerate(profiles):
            profile["parallelism"] = each + (rest if number == 0 else 0)
    return _as_ann(world, "PUT", pool.id, json.dumps(body).encode()).status in (200, 201)


def in_arm(world: World, name: str) -> Json:
    """What ARM answers to a GET of a pool; None where it does not exist."""
    pool = world.arm.named(name)
    return None if pool is None else _as_ann(world, "GET", pool.id, b"").body


def _as_ann(world: World, method: str, path: str, raw: bytes) -> Response:
    token = world.principals["ann"].arm_token
    headers = CaseInsensitiveDict({"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Host": "x"})
    incoming = Incoming(method, f"{path}?api-version={_VERSION}", headers, raw, "http://127.0.0.1:1001")
    return Exchange.open(world, _ARM, incoming).answer()
