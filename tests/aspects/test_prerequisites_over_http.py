"""The prerequisites of a pool, over HTTP: found in a plan, shown in the status, fixed by an administrator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator import Running, start
from reconciler.engine import Outcome
from reconciler.engine.status import ConditionKind, Truth
from reconciler.facets.support.prerequisites.vaults import RANGES
from reconciler.plan import render
from reconciler.plan.model import Plan
from reconciler.spec.model import Spec
from tests.aspects.conftest import Open
from tests.aspects.shop import POOL, SUBSCRIPTION, Shop, document, estate, resource, settings

PRIME: dict[str, Any] = {"name": "fabrikam-prime", "projects": ["fabrikam-dev"]}
PROVIDERS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-build/providers"
IDENTITY = f"{PROVIDERS}/Microsoft.ManagedIdentity/userAssignedIdentities/build"
VAULT = f"{PROVIDERS}/Microsoft.KeyVault/vaults/fabrikam-vault"
SUBNET = f"{PROVIDERS}/Microsoft.Network/virtualNetworks/hub/subnets/agents"
PRINCIPAL = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"
TENANT = "7a394543-62fd-4274-a7d2-8fac775942b6"
"""Of the emulated organizations."""
ROUTES = (
    "Resources_Get",
    "Resources_GetChild",
    "Vaults_ListBySubscription",
    "RoleAssignments_ListForScope",
    "RoleDefinitions_Get",
    "Permissions_ListForResource",
)
FABRIC = {
    "kind": "Vmss",
    "sku": {"name": "Standard_D2ads_v5"},
    "images": [{"wellKnownImageName": "ubuntu-24.04"}],
    "osProfile": {
        "secretsManagementSettings": {
            "certificateStoreLocation": "/var/lib/certificates",
            "observedCertificates": ["https://fabrikam-vault.vault.azure.net/secrets/signing"],
            "keyExportable": False,
        }
    },
    "networkProfile": {"subnetId": SUBNET},
}
OWN = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}


def wanted() -> Spec:
    """A pool with an identity, a certificate and a subnet."""
    return document(PRIME, identity=OWN, fabricProfile=FABRIC)


def surroundings(*, role: str = "Key Vault Secrets User", delegated: bool = True) -> dict[str, Any]:
    """Both planes as the spec wants them, and what lies around."""
    agent_pool = {"name": POOL, "managed": True, "queues": [{"project": "fabrikam-dev"}]}
    pools = [resource(PRIME, identity=OWN, fabricProfile=FABRIC)]
    state = estate({**PRIME, "agentPools": [agent_pool]}, pools=pools)
    given = [{"role": role, "scope": VAULT}] if role else []
    state["principals"].append({"name": "build", "kind": "managedIdentity", "oid": PRINCIPAL, "roles": given})
    operator = ("Owner", f"/subscriptions/{SUBSCRIPTION}"), ("Key Vault Certificate User", VAULT)
    state["principals"][0]["roles"] = [{"role": name, "scope": scope} for name, scope in operator]
    rules = {"defaultAction": "Deny", "ipRules": [{"value": one} for one in RANGES]}
    delegations = [{"properties": {"serviceName": "Microsoft.DevOpsInfrastructure/pools"}}] if delegated else []
    state["subscriptions"][0]["resources"] = [
        {"id": IDENTITY, "name": "build", "properties": {"tenantId": TENANT, "principalId": PRINCIPAL}},
        {
            "id": VAULT,
            "name": "fabrikam-vault",
            "properties": {"enableRbacAuthorization": True, "networkAcls": rules},
        },
        {"id": SUBNET, "properties": {"delegations": delegations}},
    ]
    return state


def asked(cloud: Running) -> list[str]:
    """Routes of the reads around pools."""
    return sorted(one["route"] for one in cloud.do.requests() if one["route"] in ROUTES)


def ready(here: Shop) -> tuple[Outcome, Truth, str, str]:
    """How a run ends, and what the pool's condition says."""
    result = here.settle(wanted())
    condition = result.status.condition(ConditionKind.READY)
    assert condition is not None
    return result.outcome, condition.status, condition.reason, condition.message


def plan(here: Shop) -> Plan:
    return here.plan(wanted())


def test_the_story_of_machines_that_would_not_start(open_shop: Open) -> None:
    """The plan tells who has to give what; nothing is written; once it is given, the pool is in sync by itself."""
    here = open_shop(surroundings(role="", delegated=False))
    before = here.cloud.do.state()

    found = plan(here)
    outcome, truth, reason, message = ready(here)

    assert found.changes == ()
    assert [gap["message"] for gap in render.to_json(found)["gaps"]] == [gap.message for gap in found.gaps]
    assert f"it needs Key Vault Secrets User on {VAULT} for {IDENTITY}: az role assignment create" in render.text(found)
    assert f"az network vnet subnet update --ids {SUBNET} --delegations Microsoft" in render.markdown(found).replace(
        "&#x2f;", "/"
    ).replace("&#x2d;", "-").replace("&#x3a;", ":").replace("&#x2e;", ".")
    assert (outcome, truth, reason) == (Outcome.STALLED, Truth.FALSE, "Degraded")
    assert "let build read secrets" in message
    assert here.cloud.do.state() == before

    here.cloud.do.replace(surroundings())

    assert ready(here)[:3] == (Outcome.IN_SYNC, Truth.TRUE, "InSync")
    here.second_run_writes_nothing(wanted())


@pytest.mark.parametrize("role", ["Key Vault Certificate User", "Reads secrets, made by hand"])
def test_another_role_that_reads_secrets_will_do(open_shop: Open, role: str) -> None:
    found = plan(open_shop(surroundings(role=role)))

    assert (found.in_sync, found.remarks) == (True, ())


def test_what_may_not_be_seen_is_said_and_blocks_nothing(open_shop: Open) -> None:
    """The operator of most deployments has no rights on other people's vaults and networks."""
    here = open_shop(surroundings(role="", delegated=False))
    for route in ROUTES:
        here.cloud.do.fault("403", route=route, count=None)

    found = plan(here)
    outcome, truth, reason, message = ready(here)

    assert (found.gaps, found.in_sync) == ((), True)
    assert {remark.subject for remark in found.remarks} == {
        f"{IDENTITY} be in the tenant of fabrikam-prime",
        f"{SUBNET} be delegated to the service",
        "key vault fabrikam-vault see the vault",
    }
    assert "not checked: the subnet cannot be read" in render.text(found)
    assert len(render.to_json(found)["remarks"]) == 3
    assert (outcome, truth, reason) == (Outcome.IN_SYNC, Truth.TRUE, "InSync")
    assert message.startswith("both planes are as the spec says; ")
    here.second_run_writes_nothing(wanted())


def test_a_deployment_may_leave_it_out(tmp_path: Path) -> None:
    """Then it is spared the reads, and the plan has nothing to say of it."""
    with start(surroundings(role="", delegated=False), switches={"arm.retry-after": 0}) as cloud:
        here = Shop(cloud, settings(cloud, tmp_path / "state.db", PREREQUISITES="0"))
        cloud.do.reset_log()

        found = plan(here)

        assert (found.in_sync, found.gaps, found.remarks) == (True, (), ())
        assert asked(cloud) == []


def test_pools_share_what_is_read_around_them(open_shop: Open) -> None:
    here = open_shop(surroundings())
    specs = [wanted(), replace(wanted(), name=f"{POOL}-two")]
    survey = here.app.planner.survey(specs)
    here.cloud.do.reset_log()

    for spec in specs:
        here.app.planner.plan(spec, survey, "c0ffee")

    assert asked(here.cloud) == [
        "Permissions_ListForResource",
        "Resources_Get",
        "Resources_GetChild",
        "RoleAssignments_ListForScope",
        "Vaults_ListBySubscription",
    ]


def test_a_pool_that_points_to_nothing_pays_nothing(open_shop: Open) -> None:
    state = surroundings()
    state["subscriptions"][0]["pools"][0] = {"name": POOL, "resourceGroup": "rg-build", **resource(PRIME)}
    here = open_shop(state)
    here.cloud.do.reset_log()

    assert here.settle(document(PRIME)).outcome is Outcome.IN_SYNC
    assert asked(here.cloud) == []
