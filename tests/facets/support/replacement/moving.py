"""A pool that stands in one place, a spec that wants it in another, and everything that hangs on it."""

from __future__ import annotations

from typing import Any

from reconciler.engine import Planner
from reconciler.facets.registry import FACETS
from reconciler.plan.model import Change, Plan
from reconciler.plan.policy import Policy
from reconciler.spec.model import Mode, Organization, Spec
from tests.estate import Estate
from tests.keeping import HandClock

ORG = "fabrikam-prime"
POOL = "pool-1"
PATH = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build"
POOL_ID = f"{PATH}/providers/Microsoft.DevOpsInfrastructure/pools/{POOL}"
BODY: dict[str, Any] = {
    "location": "westeurope",
    "properties": {
        "maximumConcurrency": 2,
        "organizationProfile": {
            "kind": "AzureDevOps",
            "organizations": [{"url": f"https://dev.azure.com/{ORG}", "projects": []}],
        },
        "agentProfile": {"kind": "Stateless"},
        "fabricProfile": {
            "kind": "Vmss",
            "sku": {"name": "Standard_D2ads_v5"},
            "images": [{"wellKnownImageName": "ubuntu-24.04"}],
        },
    },
}
SPEC = Spec(
    name=POOL,
    subscription="11111111-2222-3333-4444-555555555555",
    resource_group="rg-build",
    mode=Mode.ENFORCE,
    body=BODY,
    organizations=(Organization(ORG, POOL, (), open_access=True),),
    replace=True,
)
POLICY = Policy(replace_pools=(POOL,))


def document(*, state: str = "Succeeded", location: str = "eastus", **more: Any) -> dict[str, Any]:
    """The resource as ARM answers it, where it is now."""
    properties = {**BODY["properties"], "provisioningState": state, **more}
    return {"id": POOL_ID, "name": POOL, "location": location, "properties": properties}


def estate(projects: int = 2) -> Estate:
    """In sync but for the location."""
    made = Estate()
    made.add(ORG, 1, projects)
    made.arm[POOL_ID.casefold()] = document()
    return made


def plan(world: Estate, spec: Spec = SPEC, policy: Policy = POLICY) -> Plan:
    """By the whole planner, all facets and both rows of guards."""
    planner = Planner(FACETS, world.readers, policy, HandClock())
    return planner.plan(spec, planner.survey([spec]), "c0ffee")


def deletion(world: Estate, spec: Spec = SPEC, policy: Policy = POLICY) -> Change:
    """The one change that deletes, whether it is allowed or not."""
    found = plan(world, spec, policy)
    (change,) = [c for c in (*found.changes, *(r.change for r in found.refusals)) if c.destroys]
    return change
