"""One pool in memory, and the real planner with all facets: what a spec's change comes to under a policy.

`BASE` is the spec that the estate is in sync with. A case changes the spec, and says nothing of how the change is found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, cast

from reconciler.engine.planner import Planner
from reconciler.facets.registry import FACETS
from reconciler.plan.model import Plan
from reconciler.plan.policy import Policy, load
from reconciler.plan.policy.fields import ROWS, Kind
from reconciler.ports.clock import Clock
from reconciler.ports.devops import Pipeline, Project, Queue
from reconciler.ports.readers_writers import Readers
from reconciler.spec import loader
from reconciler.spec.model import Spec
from tests.facets.world import OPERATOR, POOL, Org, World, person

Json = Any
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
PRIME, TAILSPIN = "fabrikam-prime", "fabrikam-tailspin"
NAME = POOL.name
_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-build/providers"
IDENTITY = f"{_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/build"
PRODUCTION = f"{_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/production"
SUBNET = f"{_GROUP}/Microsoft.Network/virtualNetworks/build/subnets/agents"
OTHER_SUBNET = f"{_GROUP}/Microsoft.Network/virtualNetworks/production/subnets/databases"
FOREIGN_IMAGE = f"{_GROUP}/Microsoft.Compute/galleries/contoso/images/linux/versions/latest"
SCRIPTS = f"{_GROUP}/Microsoft.Storage/storageAccounts/fabrikamscripts"
CLIENT = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"
CERTIFICATE = "https://fabrikam-build.vault.azure.net/secrets/signing"
ANN, CAROL = "ann@fabrikam.com", "carol@fabrikam.com"
GUEST = "dora_contoso.com#EXT#@fabrikam.onmicrosoft.com"
PROPERTIES = ("pool", "properties")
FABRIC = (*PROPERTIES, "fabricProfile")
ORGANIZATIONS = (*PROPERTIES, "organizationProfile", "organizations")
IMAGE = {"wellKnownImageName": "ubuntu-24.04"}
SCRIPT = {
    **IMAGE,
    "provisioningScriptStorageAccountResourceId": SCRIPTS,
    "provisioningScriptManagedIdentityClientId": CLIENT,
    "provisioningScriptEntryPoint": "scripts/setup.sh",
}

BASE: dict[str, Json] = {
    "apiVersion": "reconciler/v1",
    "kind": "ManagedDevOpsPool",
    "name": NAME,
    "subscription": SUBSCRIPTION,
    "resourceGroup": "rg-build",
    "pool": {
        "location": "eastus",
        "properties": {
            "maximumConcurrency": 4,
            "organizationProfile": {
                "kind": "AzureDevOps",
                "organizations": [{"url": f"https://dev.azure.com/{PRIME}", "projects": ["Web", "App"]}],
            },
            "agentProfile": {"kind": "Stateless"},
            "fabricProfile": {
                "kind": "Vmss",
                "sku": {"name": "Standard_D2ads_v5"},
                "images": [{"wellKnownImageName": "ubuntu-24.04"}],
                "networkProfile": {"subnetId": SUBNET},
            },
        },
    },
}


class _Noon:
    """A clock that stands."""

    def now(self) -> datetime:
        return datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def changed(*edits: tuple[Sequence[str | int], Json], base: Mapping[str, Json] = BASE) -> dict[str, Json]:
    """The document with values put at paths."""
    document = deepcopy(dict(base))
    for path, value in edits:
        place: Json = document
        for step in path[:-1]:
            place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
        place[path[-1]] = value
    return document


def parsed(document: Mapping[str, Json]) -> Spec:
    loaded = loader.load({"pool.json": json.dumps(document).encode()})
    assert loaded.problems == (), [str(problem) for problem in loaded.problems]
    return loaded.specs[0]


def estate(*, pools: bool = True) -> World:
    """Both organizations; the pool is as `BASE` says, unless it does not exist."""
    queues = {("web", 7): Queue(1, NAME, "web", 7), ("app", 7): Queue(2, NAME, "app", 7)}
    dora = person("dora")
    guest = type(dora)("id-guest", "Dora", GUEST, origin_id="origin-guest")
    people = [OPERATOR, person("ann"), guest]
    prime = Org(
        [Project("web", "Web"), Project("app", "App"), Project("lab", "Lab")],
        queues=queues if pools else {},
        inherits=False,
        assigned={OPERATOR.id: "Administrator"},
        inherited={OPERATOR.id: "Administrator"},
        people=people,
        entra={CAROL: person("carol")},
        pipelines={"web": [Pipeline(41, "\\release\\nightly")]},
    )
    tailspin = Org([Project("site", "Site")], people=list(people), inherited={OPERATOR.id: "Administrator"})
    if not pools:
        prime.pools, tailspin.pools = [], []
    world = World({PRIME: prime, TAILSPIN: tailspin})
    if pools:
        world.documents[parsed(BASE).pool_id.casefold()] = as_arm_has_it(BASE)
    return world


def as_arm_has_it(document: Mapping[str, Json]) -> dict[str, Json]:
    """The body of a spec as ARM returns it: ids in another case, a state, nothing that counts at creation alone."""
    body: dict[str, Json] = deepcopy(document["pool"])
    properties = body["properties"]
    properties["provisioningState"] = "Succeeded"
    properties["organizationProfile"].pop("permissionProfile", None)
    for one in properties["organizationProfile"]["organizations"]:
        one.pop("openAccess", None)
    network = properties["fabricProfile"].get("networkProfile")
    if network and "subnetId" in network:
        network["subnetId"] = network["subnetId"].upper()
    return {"id": parsed(document).pool_id.upper(), "name": document["name"], **body}


def plan(document: Mapping[str, Json], policy: Policy, world: World | None = None) -> Plan:
    """The plan of the real planner, over all facets and all guards."""
    planner = Planner(FACETS, cast("Readers", None), policy, cast("Clock", _Noon()))
    return planner.plan(parsed(document), world or estate(), "c0ffee")


def wide(**instead: Json) -> Policy:
    """A policy/v2 that allows everything, but for what is given; None leaves the field out."""
    fields: dict[str, Json] = {
        row.name: {Kind.PATTERNS: ["*"], Kind.FLAG: True, Kind.NUMBER: row.most}[row.kind] for row in ROWS
    }
    fields["principals"] = ["*", "*#EXT#*"]
    fields |= instead
    entry = {name: value for name, value in fields.items() if value is not None}
    return load(json.dumps({"apiVersion": "policy/v2", "allow": [entry]}).encode())  # which is YAML too


def rules(found: Plan) -> set[str]:
    return {refusal.rule for refusal in found.refusals}


def differing(found: Plan) -> tuple[Json, ...]:
    """All that a plan says, without the lines of a policy."""
    refusals = [(one.change.to_json(), one.rule) for one in found.refusals]
    return [one.to_json() for one in found.changes], refusals, found.gaps, found.remarks
