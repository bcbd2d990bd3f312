"""An organization with enough in it to tell: three projects, two pools, queues open and closed; and the probe's own parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import requests

from emulator import Running, start
from reconciler import bootstrap
from reconciler.config.settings import Settings
from reconciler.survey.capabilities.answers import CapabilityAnswer, OrganizationAnswers
from reconciler.tools.probe import ProbeOrganization, run_probe

PRIME = "fabrikam-prime"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
PEOPLE = ("operator", "ann")


def properties(*, alias: str = "", open_access: bool | None = None) -> dict[str, Any]:
    entry: dict[str, Any] = {"url": f"https://dev.azure.com/{PRIME}", "projects": ["dev"], "parallelism": 2}
    entry |= {"alias": alias} if alias else {}
    entry |= {"openAccess": open_access} if open_access is not None else {}
    return {
        "maximumConcurrency": 2,
        "organizationProfile": {"kind": "AzureDevOps", "organizations": [entry]},
        "agentProfile": {"kind": "Stateless"},
        "fabricProfile": {
            "kind": "Vmss",
            "sku": {"name": "Standard_D2ads_v5"},
            "images": [{"wellKnownImageName": "ubuntu-24.04"}],
        },
    }


def estate(opened: int = 4) -> dict[str, Any]:
    """Two agent pools in three projects; so many of their six queues are open. One pool inherits, one does not."""
    places = [(pool, project) for project in ("dev", "test", "prod") for pool in ("build", "release")]

    def queues(name: str) -> list[dict[str, Any]]:
        mine = [(at, project) for at, (pool, project) in enumerate(places) if pool == name]
        return [{"project": project, "openAccess": at < opened} for at, project in mine]

    return {
        "principals": [
            {"name": "operator", "kind": "servicePrincipal", "displayName": "Pool operator"},
            {"name": "ann", "kind": "user", "upn": "ann@fabrikam.com", "displayName": "Ann Arbor"},
        ],
        "subscriptions": [{"id": SUBSCRIPTION, "resourceGroups": ["rg-build"]}],
        "organizations": [
            {
                "name": PRIME,
                "identities": list(PEOPLE),
                "administrators": ["ann", "operator"],
                "projects": ["dev", "test", "prod"],
                "agentPools": [
                    {"name": "build", "inherit": True, "queues": queues("build")},
                    {
                        "name": "release",
                        "inherit": False,
                        "roles": {"Administrator": ["operator"]},
                        "queues": queues("release"),
                    },
                ],
            }
        ],
    }


def settings_for(running: Running) -> Settings:
    """Those of a person who may do what the emulator's operator may."""
    return Settings.read(
        {
            "RECONCILER_ALLOW_LOOPBACK": "1",
            "RECONCILER_CREDENTIAL": "static",
            "RECONCILER_ARM_ENDPOINT": running.arm,
            "RECONCILER_DEVOPS_ENDPOINT": running.devops,
            "RECONCILER_ARM_TOKEN": running.tokens["arm"],
            "RECONCILER_DEVOPS_TOKEN": running.tokens["devops"],
        }
    )


@contextmanager
def world(state: dict[str, Any] | None = None, **switches: str | float) -> Iterator[Running]:
    """The emulator; `devops__write_lag=1` turns the switch `devops.write-lag`."""
    turned = {name.replace("__", ".").replace("_", "-"): value for name, value in switches.items()}
    with start(state or estate(), switches={"arm.create-seconds": 0.1, **turned}) as running:
        yield running


def ask(running: Running) -> OrganizationAnswers:
    """All questions, with the parts that the command has."""
    with closing(bootstrap.questions(settings_for(running))) as desk:
        pools = desk.readers.arm.pools(SUBSCRIPTION)
        return run_probe(ProbeOrganization(PRIME, desk.raw, desk.readers.devops, pools), desk.clock.now())


def answer(question: str, state: dict[str, Any] | None = None, **switches: str | float) -> CapabilityAnswer:
    """One answer of such a world."""
    with world(state, **switches) as running:
        return ask(running).answers[question]


def create(running: Running, name: str, **more: Any) -> None:
    """A pool, as people make one in ARM."""
    path = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-build/providers/Microsoft.DevOpsInfrastructure/pools/{name}"
    )
    made = requests.put(
        f"{running.arm}{path}?api-version=2026-06-02",
        json={"location": "eastus", "properties": properties(**more)},
        headers={"Authorization": f"Bearer {running.tokens['arm']}"},
        timeout=10,
    )
    assert made.status_code == 201, made.text
    running.do.settle()
