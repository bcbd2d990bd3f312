"""`convert`: every form in which the product's pages write a pool, and what becomes of their slips."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.errors import SpecInvalid
from reconciler.tools.convert import ConvertOptions, drafts, pieces
from tests.shell import Shell
from tests.tools.convert.samples import (
    ACCOUNTS,
    CERTIFICATE,
    CREATOR,
    IDENTITY,
    MACHINES,
    ONE,
    OPEN,
    SECRETS,
    SUBSCRIPTION,
    TWO,
    bicep,
    converted,
    fabric,
    left_out,
    member,
    profile,
    resource,
    template,
)

HERE = ("--subscription", SUBSCRIPTION, "--resource-group", "rg-build")
ONE_IDENTITY = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}}


ORGANIZATIONS = [
    ("template, one organization", {"a.json": template({"organizationProfile": profile(ONE, CREATOR)})}, ONE, CREATOR),
    ("profile, one organization", {"a.json": json.dumps({"AzureDevOps": {"organizations": ONE}})}, ONE, None),
    ("Bicep, one organization", {"a.bicep": resource({"organizationProfile": profile(ONE, CREATOR)})}, ONE, CREATOR),
    ("member, two organizations", {"a.json": member("organizationProfile", profile(TWO, CREATOR))}, TWO, CREATOR),
    ("profile, two organizations", {"a.json": json.dumps({"AzureDevOps": {"organizations": TWO}})}, TWO, None),
    (
        "Bicep part, two organizations",
        {"a.bicep": f"organizationProfile: {bicep(profile(TWO, CREATOR))}\n"},
        TWO,
        CREATOR,
    ),
    ("member, open access", {"a.json": member("organizationProfile", profile(OPEN, CREATOR))}, OPEN, CREATOR),
    ("Bicep part, open access", {"a.bicep": f"organizationProfile: {bicep(profile(OPEN, CREATOR))}"}, OPEN, CREATOR),
    (
        "whole part, creator only",
        {"a.json": json.dumps({"organizationProfile": profile(ONE, CREATOR)})},
        ONE,
        CREATOR,
    ),
    ("member, accounts", {"a.json": member("organizationProfile", profile(ONE, ACCOUNTS))}, ONE, ACCOUNTS),
    (
        "profile, creator only",
        {"a.json": json.dumps({"AzureDevOps": {"organizations": ONE, "permissionProfile": CREATOR}})},
        ONE,
        CREATOR,
    ),
    (
        "profile with the name repeated inside",
        {
            "a.json": json.dumps(
                {
                    "AzureDevOps": {
                        "organizationProfile": {
                            "organizations": ONE,
                            "permissionProfile": ACCOUNTS,
                            "kind": "AzureDevOps",
                        }
                    }
                }
            )
        },
        ONE,
        ACCOUNTS,
    ),
    (
        "Bicep part, creator only",
        {"a.bicep": f"organizationProfile: {bicep(profile(ONE, CREATOR))}"},
        ONE,
        CREATOR,
    ),
    ("Bicep part, accounts", {"a.bicep": f"organizationProfile: {bicep(profile(ONE, ACCOUNTS))}"}, ONE, ACCOUNTS),
]


@pytest.mark.parametrize(
    ("files", "organizations", "permission"), [row[1:] for row in ORGANIZATIONS], ids=[row[0] for row in ORGANIZATIONS]
)
def test_organizations_are_read_in_every_form(
    files: dict[str, str], organizations: list[dict[str, Any]], permission: dict[str, Any] | None
) -> None:
    draft = converted(files)

    assert draft.document["pool"]["properties"]["organizationProfile"] == (profile(organizations, permission))
    assert left_out(draft) == []


INTERACTIVE = {"logonType": "Interactive"}
VAULT = {"secretsManagementSettings": SECRETS}
FABRICS: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("template, interactive", {"a.json": template({"fabricProfile": fabric(**INTERACTIVE)})}, INTERACTIVE),
    ("profile, interactive", {"a.json": json.dumps({"vmss": {**MACHINES, "osProfile": INTERACTIVE}})}, INTERACTIVE),
    ("Bicep, interactive", {"a.bicep": resource({"fabricProfile": fabric(**INTERACTIVE)})}, INTERACTIVE),
    ("template, key vault", {"a.json": template({"fabricProfile": fabric(**VAULT)}, **ONE_IDENTITY)}, VAULT),
    (
        "profile, key vault",
        {
            "fabric.json": json.dumps({"vmss": {**MACHINES, "osProfile": {**VAULT, **INTERACTIVE}}}),
            "identity.json": json.dumps(ONE_IDENTITY),
        },
        {**VAULT, **INTERACTIVE},
    ),
    (
        "Bicep, key vault",
        {"a.bicep": resource({"fabricProfile": fabric(**VAULT)}, **ONE_IDENTITY)},
        VAULT,
    ),
]


@pytest.mark.parametrize(("files", "os_profile"), [row[1:] for row in FABRICS], ids=[row[0] for row in FABRICS])
def test_the_operating_system_is_read_in_every_form(files: dict[str, str], os_profile: dict[str, Any]) -> None:
    draft = converted(files)

    assert draft.document["pool"]["properties"]["fabricProfile"]["osProfile"] == os_profile
    assert left_out(draft) == []


def test_one_text_for_a_list_of_certificates_becomes_a_list_with_a_note() -> None:
    """A slip of the page's Bicep sample."""
    slip = {**SECRETS, "observedCertificates": CERTIFICATE}
    files = {"a.bicep": resource({"fabricProfile": fabric(secretsManagementSettings=slip)}, **ONE_IDENTITY)}

    draft = converted(files)

    os_profile = draft.document["pool"]["properties"]["fabricProfile"]["osProfile"]
    assert os_profile["secretsManagementSettings"]["observedCertificates"] == [CERTIFICATE]
    assert any("observedCertificates is one text" in note for _, note in draft.notes)


@pytest.mark.parametrize(
    ("properties", "right"),
    [
        (
            {"organizationProfile": {**profile(ONE), "permissionsProfile": CREATOR}},
            "did you mean permissionProfile?",
        ),
        ({"fabricProfile": fabric(secretManagementSettings=SECRETS)}, "did you mean secretsManagementSettings?"),
    ],
)
def test_a_name_that_the_prose_misspells_is_reported_with_the_right_one(properties: dict[str, Any], right: str) -> None:
    draft = converted({"a.json": template(properties)})

    assert len(left_out(draft)) == 1
    assert right in left_out(draft)[0]


def test_open_access_that_a_sample_forgets_is_said_to_be_unmanaged() -> None:
    """The page's CLI sample for open access does not give it."""
    draft = converted({"a.json": json.dumps({"AzureDevOps": {"organizations": TWO}})})

    assert [note for _, note in draft.notes if "is not managed" in note] == [
        f"openAccess of {one['url']} is not given, so it is not managed; true or false makes it so" for one in TWO
    ]


def test_a_sample_that_lacks_its_last_brace_is_refused_with_its_line() -> None:
    whole = json.dumps({"organizationProfile": profile(ONE)}, indent=1)

    with pytest.raises(SpecInvalid, match=r"^a\.json:\d+: is not JSON: "):
        pieces({"a.json": whole.rstrip("}").rstrip().encode()})


TEMPLATE = {
    "parameters": {
        "poolName": {"type": "string"},
        "agents": {"type": "int", "defaultValue": 4},
        "deep": {"type": "string", "defaultValue": "[variables('region')]"},
        "secret": {"type": "securestring"},
    },
    "variables": {"region": "eastus"},
    "resources": [
        {
            "type": "Microsoft.DevOpsInfrastructure/pools",
            "name": "[parameters('poolName')]",
            "location": "[parameters('DEEP')]",
            "tags": {"team": "build", "odd": "[[x]", "made": "[utcNow()]", "key": "[parameters('secret')]"},
            "properties": {
                "maximumConcurrency": "[parameters('agents')]",
                "organizationProfile": {**profile(ONE), "alias": "[concat('a', 'b')]"},
            },
        },
        {"type": "Microsoft.Network/virtualNetworks", "name": "other"},
    ],
}


def test_parameters_and_variables_are_put_in_and_other_expressions_reported() -> None:
    draft = converted({"a.json": json.dumps(TEMPLATE)}, {"poolName": "fabrikam-build"}, name="")

    assert draft.document["name"] == "fabrikam-build"
    assert draft.document["pool"]["location"] == "eastus"
    assert draft.document["pool"]["properties"]["maximumConcurrency"] == 4
    assert left_out(draft) == [
        "left out: a.json:1: tags.made: [utcNow()] is an expression, and convert computes nothing",
        "left out: a.json:1: tags.key: parameter secret has no value",
        "left out: a.json:1: properties.organizationProfile.alias: [concat('a', 'b')] is an expression, and convert computes nothing",
        "left out: a.json:1: pool.tags.odd looks like an expression of a template, and a spec holds none",
    ]


def test_several_pools_of_one_template_are_several_specs() -> None:
    """Also those of a template inside it, and of resources with symbolic names."""
    inner = {
        "parameters": {"where": {}},
        "resources": [
            {
                "type": "Microsoft.DevOpsInfrastructure/pools",
                "name": "fabrikam-two",
                "location": "[parameters('where')]",
                "properties": {},
            }
        ],
    }
    outer = {
        "parameters": {"region": {"defaultValue": "westus3"}},
        "resources": {
            "one": {
                "type": "Microsoft.DevOpsInfrastructure/pools",
                "name": "fabrikam-one",
                "location": "eastus",
                "properties": {"maximumConcurrency": 1},
                "copy": {"count": 2},
            },
            "nested": {
                "type": "Microsoft.Resources/deployments",
                "properties": {"template": inner, "parameters": {"where": {"value": "[parameters('region')]"}}},
            },
        },
    }
    found = drafts(pieces({"a.json": json.dumps(outer).encode()}), ConvertOptions(SUBSCRIPTION, "rg-build"))

    assert [draft.document["name"] for draft in found] == ["fabrikam-one", "fabrikam-two"]
    assert [draft.document["pool"]["location"] for draft in found] == ["eastus", "westus3"]
    assert [left_out(draft) for draft in found] == [
        ["left out: a.json:1: a copy loop makes the pool; what the resource says is written once"],
        [],
    ]


def test_profiles_of_one_pool_are_put_together() -> None:
    files = {
        "organization-profile.json": json.dumps({"azure-dev-ops": {"organizations": ONE}}),
        "fabric-profile.json": json.dumps({"vmss": MACHINES}),
        "agent-profile.json": json.dumps({"stateful": {"max-agent-lifetime": "1.00:00:00"}}),
        "rest.json": json.dumps({"maximum-concurrency": 4, "location": "eastus", "name": "fabrikam-az"}),
        "again.json": json.dumps({"kind": "Vmss", **MACHINES}),
    }

    draft = converted(files, name="", location="westus3")

    assert draft.document["name"] == "fabrikam-az"
    assert draft.document["pool"]["location"] == "westus3"
    assert draft.document["pool"]["properties"]["agentProfile"] == {
        "kind": "Stateful",
        "maxAgentLifetime": "1.00:00:00",
    }
    assert left_out(draft) == ["left out: again.json: properties.fabricProfile: another file gives it too"]


BICEP = """\
@description('how many')
param agents int = 4
param region string
var owner = 'build\\'s'
resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = { name: 'v' }
resource there 'Microsoft.DevOpsInfrastructure/pools@2025-01-21' existing = { name: 'there' }
resource pool 'Microsoft.DevOpsInfrastructure/pools@2025-01-21' = if (wanted) {
  // a comment
  name: 'fabrikam-bicep'
  location: region
  tags: { 'the owner': owner, letter: '\\u{e9}', text: '''
two lines''' }
  properties: {
    maximumConcurrency: agents
    organizationProfile: {
      kind: 'AzureDevOps'
      alias: '${owner}-x'
      organizations: [
        // one
        { url: 'https://dev.azure.com/fabrikam-prime', projects: [], parallelism: max(1, 4), openAccess: false }
      ]
    }
    runtimeConfiguration: { workFolder: unknown, ... }
    devCenterProjectResourceId: null
  }
}
"""


def test_literals_of_bicep_are_read_and_the_rest_is_named_with_its_line() -> None:
    draft = converted({"a.bicep": BICEP}, {"region": "eastus"}, name="")
    pool = draft.document["pool"]

    assert draft.document["name"] == "fabrikam-bicep"
    assert (pool["location"], pool["properties"]["maximumConcurrency"]) == ("eastus", 4)
    assert pool["tags"] == {"the owner": "build's", "letter": "é", "text": "two lines"}
    assert [note.split(" ")[2] for note in left_out(draft) if "a.bicep:" in note] == [
        "a.bicep:7:",
        "a.bicep:17:",
        "a.bicep:20:",
        "a.bicep:23:",
        "a.bicep:23:",
    ]


def test_variables_that_name_each_other_end() -> None:
    draft = converted(
        {"a.bicep": "var a = b\nvar b = a\n" + resource({"x": 1}).replace("x: 1", "maximumConcurrency: a")}
    )

    assert "has no value here" in left_out(draft)[0]


def test_the_profile_of_the_system_alone_is_a_part_too() -> None:
    (piece,) = pieces({"a.bicep": b"osProfile: { logonType: 'Interactive' }"})

    assert piece.body == {"fabricProfile": {"osProfile": {"logonType": "Interactive"}}}


def test_an_exported_resource_is_a_pool() -> None:
    exported = json.loads(template({"maximumConcurrency": 2, "provisioningState": "Succeeded"}))["resources"][0]

    draft = converted({"a.json": json.dumps(exported)})

    assert draft.document["pool"]["properties"] == {"maximumConcurrency": 2}


def test_the_story_of_a_template_that_becomes_a_spec(shell: Shell) -> None:
    """A team has a template with parameters; what comes out passes `validate`, and what was left out is named."""
    shell.write("deploy.json", json.dumps(TEMPLATE))
    shell.write("deploy.parameters.json", json.dumps({"parameters": {"poolName": {"value": "fabrikam-build"}}}))

    given = ("convert", "deploy.json", "--parameters", "deploy.parameters.json", *HERE)
    refused = shell.run(*given)
    ended = shell.run(*given, "--partial")
    shell.write("specs/pool.yaml", ended.out)
    valid = shell.run("validate", "--specs", "specs")

    line = (
        "fabrikam-build: left out: deploy.json:1: tags.made: [utcNow()] is an expression, and convert computes nothing"
    )
    assert (refused.code, refused.out) == (1, "")
    assert f"error: {line}\n" in refused.err
    assert "error: nothing written: " in refused.err
    assert ended.code == 2
    assert f"{line}\n" in ended.err
    assert f"# {line.removeprefix('fabrikam-build: ')}\n" in ended.out
    assert valid.code == 0, valid.out
    as_json = shell.run("convert", "deploy.json", "--name", "mine", *HERE, "--partial", "--output", "json")
    assert as_json.document["specs"][0]["document"]["name"] == "mine"


def test_a_resource_of_no_type_of_ours_and_a_text_of_several_lines_are_passed_by() -> None:
    odd = {"resources": [{"type": "Microsoft.Resources/deployments", "properties": {}}]}
    with pytest.raises(SpecInvalid, match="has no resource"):
        pieces({"a.json": json.dumps(odd).encode()})

    draft = converted({"a.json": template({}, tags={"note": "a\nb", "bad\x7fname": "x"})})
    assert len(left_out(draft)) == 2
