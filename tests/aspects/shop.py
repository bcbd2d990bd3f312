"""The program over HTTP against an emulated estate: plan, run until nothing is left, run once more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from emulator import Running
from reconciler import bootstrap
from reconciler.config.settings import Settings
from reconciler.engine import Result
from reconciler.plan.model import Plan
from reconciler.spec.loader import load
from reconciler.spec.model import Spec

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
POOL = "fabrikam-managed-pool"


def settings(cloud: Running, state: Path, **more: str) -> Settings:
    return Settings.read({
        **{f"RECONCILER_{name}": value for name, value in more.items()},
        "RECONCILER_STATE": str(state),
        "RECONCILER_SPECS": str(state.parent),
        "RECONCILER_ALLOW_LOOPBACK": "1",
        "RECONCILER_CREDENTIAL": "static",
        "RECONCILER_ARM_ENDPOINT": cloud.arm,
        "RECONCILER_DEVOPS_ENDPOINT": cloud.devops,
        "RECONCILER_ARM_TOKEN": cloud.tokens["arm"],
        "RECONCILER_DEVOPS_TOKEN": cloud.tokens["devops"],
    })  # fmt: skip


def parsed(text: str | bytes) -> Spec:
    loaded = load({"pool.yaml": text.encode() if isinstance(text, str) else text})
    assert loaded.problems == ()
    return loaded.specs[0]


class Shop:
    """One estate, one reconciler."""

    def __init__(self, cloud: Running, chosen: Settings) -> None:
        self.cloud = cloud
        self.app = bootstrap.build(chosen)
        self.app.safety.create()

    def plan(self, spec: Spec) -> Plan:
        return self.app.planner.plan(spec, self.app.reconciler.survey([spec]), "c0ffee")

    def run(self, spec: Spec) -> Result:
        return self.app.reconciler.reconcile(spec, "c0ffee")

    def settle(self, spec: Spec, runs: int = 12) -> Result:
        """Run after run, with the emulator's clock pushed ahead, until nothing goes on by itself."""
        for _ in range(runs):
            result = self.run(spec)
            if result.outcome not in ("progressing", "applied"):
                return result
            self.cloud.do.settle()
        raise AssertionError(f"still {result.outcome}: {result.status.conditions}")

    def second_run_writes_nothing(self, spec: Spec) -> None:
        self.cloud.do.reset_log()
        self.run(spec)
        assert self.cloud.do.count(writes=True) == 0, [r for r in self.cloud.do.requests() if r["method"] != "GET"]

    def reads(self, spec: Spec) -> int:
        """How many reads one run of a converged estate takes."""
        self.cloud.do.reset_log()
        self.run(spec)
        return self.cloud.do.count(writes=False)

    def organization(self, name: str) -> dict[str, Any]:
        return next(one for one in self.cloud.do.state()["organizations"] if one["name"] == name)

    def agent_pool(self, organization: str, name: str = POOL) -> dict[str, Any]:
        return next(one for one in self.organization(organization)["agentPools"] if one["name"] == name)


def document(*organizations: dict[str, Any], access: dict[str, Any] | None = None, **resource_of_it: Any) -> Spec:
    """A spec for one small pool; what is given besides replaces properties of the resource, or its identity."""
    content = {
        "apiVersion": "reconciler/v1",
        "kind": "ManagedDevOpsPool",
        "name": POOL,
        "subscription": SUBSCRIPTION,
        "resourceGroup": "rg-build",
        "pool": resource(*organizations, **resource_of_it),
        **({"access": access} if access else {}),
    }
    return parsed(yaml.safe_dump(content))


def resource(
    *organizations: dict[str, Any], identity: dict[str, Any] | None = None, **properties: Any
) -> dict[str, Any]:
    """The ARM body of it."""
    return {
        **({"identity": identity} if identity else {}),
        "location": "eastus",
        "properties": {
            "maximumConcurrency": 2,
            "organizationProfile": {
                "kind": "AzureDevOps",
                "organizations": [
                    {"url": f"https://dev.azure.com/{one['name']}", "projects": one.get("projects", [])}
                    for one in organizations
                ],
            },
            "agentProfile": {"kind": "Stateless"},
            "fabricProfile": {
                "kind": "Vmss",
                "sku": {"name": "Standard_D2ads_v5"},
                "images": [{"wellKnownImageName": "ubuntu-24.04"}],
            },
            **properties,
        },
    }


def estate(*organizations: dict[str, Any], pools: list[dict[str, Any]]) -> dict[str, Any]:
    """An estate for the emulator, with the operator administering every organization."""
    people = ("ann", "bob", "dan")
    principals = [
        {"name": name, "kind": "user", "mail": f"{name}@fabrikam.com", "displayName": name.capitalize()}
        for name in people
    ]
    return {
        "principals": [
            {"name": "operator", "kind": "servicePrincipal", "displayName": "Pool operator"},
            *principals,
        ],
        "subscriptions": [
            {
                "id": SUBSCRIPTION,
                "name": "Fabrikam",
                "resourceGroups": ["rg-build"],
                "pools": [{"name": POOL, "resourceGroup": "rg-build", **pool} for pool in pools],
            }
        ],
        "organizations": [
            {"identities": ["operator", *people], "administrators": ["operator"], **one} for one in organizations
        ],
    }
