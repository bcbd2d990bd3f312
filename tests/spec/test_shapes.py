"""Every published way to write a pool gives the same canonical body, and messages name what the file names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.spec.loader import Loaded, load

HEAD = """\
apiVersion: reconciler/v1
kind: ManagedDevOpsPool
name: fabrikam-managed-pool
subscription: 11111111-2222-3333-4444-555555555555
resourceGroup: rg-build
"""
IDENTITY = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/build"
)
PROJECT = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.DevCenter/projects/p"

ARM = f"""
pool:
  location: eastus
  tags: {{cost-center: '1'}}
  identity: {{type: UserAssigned, userAssignedIdentities: {{{IDENTITY}: {{}}}}}}
  properties:
    maximumConcurrency: 3
    devCenterProjectResourceId: {PROJECT}
    organizationProfile:
      kind: AzureDevOps
      organizations: [{{url: https://dev.azure.com/fabrikam-tailspin, openAccess: true}}]
      permissionProfile: {{kind: CreatorOnly}}
    agentProfile:
      kind: Stateful
      maxAgentLifetime: 1.00:00:00
      resourcePredictionsProfile: {{kind: Manual}}
      resourcePredictions: {{timeZone: UTC, daysData: [{{'09:00:00': 1}}]}}
    fabricProfile:
      kind: Vmss
      sku: {{name: Standard_D2ads_v5}}
      images: [{{wellKnownImageName: ubuntu-24.04}}]
      storageProfile: {{dataDisks: [{{diskSizeGiB: 10}}]}}
"""

AZ = f"""
pool:
  location: eastus
  tags: {{cost-center: '1'}}
  identity: {{type: userAssigned, user-assigned-identities: [{IDENTITY}]}}
  maximum-concurrency: 3
  devcenter-project-id: {PROJECT}
  organization-profile:
    AzureDevOps:
      organizations: [{{url: https://dev.azure.com/fabrikam-tailspin, open-access: true}}]
      permissionProfile: {{kind: CreatorOnly}}
  agent-profile:
    stateful: {{max-agent-lifetime: 1.00:00:00}}
    resource-predictions-profile: {{manual: {{}}}}
    resource-predictions: {{timezone: UTC, days-data: [{{09:00:00: 1}}]}}
  fabric-profile:
    vmss:
      sku: {{name: Standard_D2ads_v5}}
      images: [{{well-known-image-name: ubuntu-24.04}}]
      storage-profile: {{data-disks: [{{disk-size-gi-b: 10}}]}}
"""

AZ_SLIP = AZ.replace(
    """    AzureDevOps:
      organizations: [{url: https://dev.azure.com/fabrikam-tailspin, open-access: true}]
      permissionProfile: {kind: CreatorOnly}
""",
    """    azure-dev-ops:
      organizationProfile:
        organizations: [{url: https://dev.azure.com/fabrikam-tailspin, open_access: true}]
        permission_profile: {kind: CreatorOnly}
""",
)

AZ_SHOW = f"""
pool:
  id: /subscriptions/11111111-2222-3333-4444-555555555555/resourcegroups/RG-BUILD/providers/microsoft.devopsinfrastructure/Pools/fabrikam-managed-pool
  name: fabrikam-managed-pool
  type: microsoft.devopsinfrastructure/pools
  resourceGroup: rg-build
  systemData: {{createdBy: ann@fabrikam.com}}
  provisioningState: Succeeded
  location: eastus
  tags: {{cost-center: '1'}}
  identity:
    type: 'UserAssigned'
    userAssignedIdentities: {{{IDENTITY}: {{principalId: x, clientId: y}}}}
  maximumConcurrency: 3
  devCenterProjectResourceId: {PROJECT}
""" + ARM.split("devCenterProjectResourceId")[1].split("\n", 1)[1].replace("\n  ", "\n").replace(
    "    organizationProfile", "  organizationProfile", 1
)

GET = (
    ARM.replace("maximumConcurrency: 3", "maximumConcurrency: 3\n    provisioningState: Succeeded")
    .replace("wellKnownImageName: ubuntu-24.04", "wellKnownImageName: ubuntu-24.04, isEphemeral: true")
    .replace("      storageProfile", "      networkProfile: {ipAddresses: [10.0.0.1]}\n      storageProfile")
    .replace("type: UserAssigned", "type: UserAssigned, principalId: a, tenantId: b")
)

TEMPLATE = ARM.replace(
    "  location: eastus",
    "  type: Microsoft.DevOpsInfrastructure/pools\n  apiVersion: '2025-01-21'\n  name: fabrikam-managed-pool\n  location: eastus",
)


def read(pool: str) -> Loaded:
    return load({"pool.yaml": (HEAD + pool.lstrip("\n")).encode()})


def body(pool: str) -> Any:
    found = read(pool)
    assert [str(one) for one in found.problems] == []
    return found.specs[0].body


@pytest.mark.parametrize(
    "pool", [AZ, AZ_SLIP, AZ_SHOW, TEMPLATE], ids=["az files", "az files with a slip", "az show", "template"]
)
def test_every_shape_gives_the_same_body(pool: str) -> None:
    assert body(pool) == body(ARM)


def test_what_only_the_service_sets_is_dropped_from_a_pasted_answer() -> None:
    wanted = body(ARM)
    wanted["properties"]["fabricProfile"]["networkProfile"] = {}
    assert body(GET) == wanted


def test_the_body_holds_nothing_that_the_file_does_not_name() -> None:
    assert body(
        "pool: {properties: {organizationProfile: {kind: AzureDevOps, organizations: [{url: 'https://dev.azure.com/a'}]}}}"
    ) == {
        "properties": {
            "organizationProfile": {"kind": "AzureDevOps", "organizations": [{"url": "https://dev.azure.com/a"}]}
        }
    }
    assert body("pool: {}") == {}


def test_identity_types_may_be_written_as_arm_answers_them() -> None:
    kind = "pool: {identity: {type: 'SystemAssigned, UserAssigned', userAssignedIdentities: [" + IDENTITY + "]}}"
    assert body(kind)["identity"]["type"] == "SystemAssigned,UserAssigned"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("max-agent-lifetime: 1.00", "max-agent-lifetime: 8.00", ":17: pool.agent-profile.stateful.max-agent-lifetime: is 8.00:00:00; the maximum"),
        ("vmss:", "vm:", ":21: pool.fabric-profile.vm: is not a field; known here are"),
        ("stateful: {", "stateful: {}\n    stateless: {", ":16: pool.agent-profile: has no kind; write kind: Stateless or Stateful"),
        ("stateful: {max-agent-lifetime: 1.00:00:00}", "stateful: 1", ":16: pool.agent-profile: has no kind; write kind: Stateless or Stateful"),
        ("09:00:00: 1", "09:00:00: 4", ":19: pool.agent-profile.resource-predictions.days-data[0].09:00:00: is 4, but maximumConcurrency is 3; lower it"),
        ("maximum-concurrency: 3", "maximum-concurrency: 3\n  maximumConcurrency: 3", ":11: pool.maximumConcurrency: is given twice, also as maximum-concurrency; keep one"),
        ("maximum-concurrency: 3", "properties: {maximumConcurrency: 3}\n  maximum-concurrency: 3", ":11: pool.maximum-concurrency: is given twice, here and where ARM has it; keep one"),
        ("maximum-concurrency: 3", "maximum-concurrency: 3\n  properties: 4", ":11: pool.properties: is a number, 4; write a mapping"),
        ("[{url: https", "[{url2: x, url: https", ":14: pool.organization-profile.AzureDevOps.organizations[0].url2: is not a field; did you mean url?"),
        ("[" + IDENTITY + "]", "[build]", ":9: pool.identity.user-assigned-identities[0]: is build; write the resource id"),
        ("[" + IDENTITY + "]", "[1]", ":9: pool.identity.user-assigned-identities: is a list; write a mapping"),
        ("[" + IDENTITY + "]", "{" + IDENTITY + ": {objectId: x}}", ":9: pool.identity.user-assigned-identities." + IDENTITY[:59] + "….objectId: is not a field"),
        ("eastus", "\"[parameters('location')]\"", ":7: pool.location: is the template expression [parameters('location')]; write the value itself"),
    ],
)  # fmt: skip
def test_problems_name_fields_and_lines_as_the_file_has_them(old: str, new: str, said: str) -> None:
    assert old in AZ
    found = read(AZ.replace(old, new, 1))
    assert any(f"pool.yaml{said}" in str(one) for one in found.problems), [str(one) for one in found.problems]


def test_kinds_as_keys_are_only_read_where_a_kind_is() -> None:
    found = read("pool: {properties: {organizationProfile: {AzureDevOps: {kind: GitHub, organizations: []}}}}")
    assert "organizations: is empty" in str(found.problems[0])


def test_a_field_of_the_inner_and_the_outer_object_is_told() -> None:
    found = read("pool: {agent-profile: {stateless: {resource-predictions: {}}, resource-predictions: {}}}")
    assert ["agent-profile.stateless.resource-predictions: is given twice" in str(one) for one in found.problems] == [
        True
    ]


def test_names_of_another_spelling_are_read_in_examples_of_the_product(tmp_path: Path) -> None:
    """The documented help text of `az mdp pool create` begins its kinds with capitals and says timezone."""
    pool = "pool: {agent-profile: {Stateless: {}, resourcePredictionsProfile: {Manual: {}}, resourcePredictions: {timezone: UTC, daysData: [{}, {}, {}, {'09:00:00': 2}, {}, {}, {}]}}}"
    agent = body(pool)["properties"]["agentProfile"]
    assert (agent["kind"], agent["resourcePredictionsProfile"]) == ("Stateless", {"kind": "Manual"})
    assert agent["resourcePredictions"]["timeZone"] == "UTC"


@pytest.mark.parametrize("names", [("TimeZone", "DaysData"), ("timezone", "DAYSDATA"), ("tImEzOnE", "daysdata")])
def test_a_schedule_may_be_spelled_as_the_azurerm_provider_does(names: tuple[str, str]) -> None:
    """`resourcePredictions` is an untyped object of the published document."""
    zone, days = names
    pool = f"pool: {{properties: {{agentProfile: {{kind: Stateless, resourcePredictions: {{{zone}: UTC, {days}: [{{'09:00:00': 2}}]}}}}}}}}"

    assert body(pool)["properties"]["agentProfile"]["resourcePredictions"] == {
        "timeZone": "UTC",
        "daysData": [{"09:00:00": 2}],
    }
