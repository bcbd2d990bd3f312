"""Single values: each case changes one field of a spec that is right, and names what is said, or nothing."""

from __future__ import annotations

from typing import Any

import pytest

P = "pool.properties"
ORG = f"{P}.organizationProfile"
ORGS = f"{ORG}.organizations"
ONE = f"{ORGS}.0"
FABRIC = f"{P}.fabricProfile"
IMAGE = f"{FABRIC}.images.0"
AGENT = f"{P}.agentProfile"
GUID = "11111111-2222-3333-4444-555555555555"
GROUP = f"/subscriptions/{GUID}/resourceGroups/rg-build/providers"
STATEFUL = {"kind": "Stateful"}

RIGHT = [
    ("name", "a.B-9", "letters, digits, hyphens, dots"),
    ("name", "x" * 44, "the longest"),
    ("subscription", GUID.upper(), "case of guids does not matter"),
    ("resourceGroup", "rg_(1).ü-x", "what resource groups may be called"),
    ("mode", "report", "a mode"),
    ("reason", "trial", "a reason without a pause"),
    ("pool.location", "East US", "a display name"),
    ("pool.tags", {"cost-center": "4711", "empty": ""}, "keys are the author's own"),
    (f"{P}.maximumConcurrency", 4, "a whole number"),
    (f"{ONE}.url", "https://Fabrikam-Tailspin.visualstudio.com/", "the older form, any case, a slash"),
    (f"{ONE}.projects", ["Team Ünïcode 1.0", "プロジェクト"], "names of any script"),
    (f"{ONE}.parallelism", 0, "what the service answers for none"),
    (f"{ONE}.alias", "build", "a name"),
    (f"{ORG}.description", "two\nlines", "the one text that may have lines"),
    (f"{AGENT}", {**STATEFUL, "maxAgentLifetime": "7.00:00:00", "gracePeriodTimeSpan": "00:00:00"}, "the bounds"),
    (f"{IMAGE}.buffer", "*", "all the rest"),
    (f"{IMAGE}.buffer", "100", "percent"),
    (f"{IMAGE}.ephemeralType", "NVMeDisk", "a value of a later version is kept"),
    (
        f"{FABRIC}.storageProfile",
        {"dataDisks": [{"storageAccountType": "PremiumV2_LRS"}]},
        "a later kind of disk is kept",
    ),
    (
        f"{FABRIC}.networkProfile",
        {
            "subnetId": f"{GROUP}/microsoft.network/VIRTUALNETWORKS/v/subnets/s".replace(
                "resourceGroups", "resourcegroups"
            )
        },
        "casing of ids is not stable",
    ),
    (f"{FABRIC}.sku.windowsNvmeDrive", "N", "a letter"),
    (f"{FABRIC}.sku.linuxNvmePath", "/mnt", "a path"),
    (f"{P}.devCenterProjectResourceId", f"{GROUP}/Microsoft.DevCenter/projects/p", "an id"),
    (
        "access.roles",
        [
            {
                "organization": "Fabrikam-Prime",
                "administrators": ["a.b#EXT#@x.onmicrosoft.com", GUID, "[TEAM FOUNDATION]\\G"],
            }
        ],
        "principals",
    ),
    (
        "access.pipelines",
        [{"project": "fabrikam-prime/fabrikam-dev", "pipelines": ["\\top", "\\a b\\c", 7]}],
        "paths and ids",
    ),
    (
        "access.openAccess",
        [{"project": "fabrikam-tailspin/Any Project", "allow": False}],
        "any project where none is listed",
    ),
]


@pytest.mark.parametrize(("path", "value", "reason"), RIGHT)
def test_right_values_are_accepted(says: Any, path: str, value: object, reason: str) -> None:
    assert says((path, value)) == [], reason


WRONG = [
    ("apiVersion", "reconciler/v2", "apiVersion: is reconciler/v2; write reconciler/v1"),
    ("kind", "Pool", "kind: is Pool; write ManagedDevOpsPool"),
    ("name", "ab", "name: is ab, 2 characters long; a pool's name has 3 to 44"),
    ("name", "x" * 45, f"name: is {'x' * 45}, 45 characters long; a pool's name has 3 to 44"),
    ("name", "pool.", "name: is pool.; a pool's name cannot end with a dot"),
    (
        "name",
        "-pool",
        "name: is -pool; a pool's name is letters, digits, hyphens and dots, the first a letter or digit",
    ),
    ("name", 12345, "name: is read as a number, 12345; write it in quotes: '12345'"),
    ("name", None, "name: has no value; write one, or remove the field, which is then not managed"),
    ("subscription", "mine", "subscription: is mine; write a guid, 8-4-4-4-12 hexadecimal digits"),
    (
        "resourceGroup",
        "rg.",
        "resourceGroup: is rg.; a resource group's name has 1 to 90 letters, digits and _ ( ) - ., and no dot at the end",
    ),
    ("mode", "enforced", "mode: is enforced; did you mean enforce? Known are enforce, report or pause"),
    ("mode", "off", "mode: is off; write enforce, report or pause"),
    ("pool", [], "pool: is a list; write a mapping"),
    ("pool.location", "", "pool.location: is empty; write a text"),
    (
        "pool.location",
        "[resourceGroup().location]",
        "pool.location: is the template expression [resourceGroup().location]; write the value itself",
    ),
    ("pool.tags", {"a": 1}, "pool.tags.a: is read as a number, 1; write it in quotes: '1'"),
    ("pool.tags", {"a": True}, "pool.tags.a: is read as a truth value, true; write it in quotes: 'true'"),
    ("pool.tags", {"": "x"}, "pool.tags.an empty text: is empty; write a text"),
    ("pool.tags", {"a": "x " * 200}, "pool.tags.a: is too long; the most is 256 characters"),
    (f"{P}.maximumConcurrency", "4", f"{P}.maximumConcurrency: is a text, 4; write a whole number"),
    (f"{P}.maximumConcurrency", 4.5, f"{P}.maximumConcurrency: is a number, 4.5; write a whole number"),
    (f"{P}.maximumConcurrency", True, f"{P}.maximumConcurrency: is a truth value, true; write a whole number"),
    (f"{P}.maximumConcurrency", 0, f"{P}.maximumConcurrency: is 0; the least is 1"),
    (f"{P}.maximumConcurrency", 10_001, f"{P}.maximumConcurrency: is 10001; the most is 10000"),
    (f"{ORGS}", [], f"{ORGS}: is empty; give at least one"),
    (f"{ORGS}", {}, f"{ORGS}: is a mapping; write a list"),
    (f"{ONE}.openAccess", "yes", "organizations[0].openAccess: is a text, yes; write true or false"),
    (
        f"{ONE}.url",
        "https://dev.azure.com/fabrikam/Web",
        "organizations[0].url: is https://dev.azure.com/fabrikam/Web; write https://dev.azure.com/{organization} alone, and its projects under projects",
    ),
    (
        f"{ONE}.url",
        "http://dev.azure.com/fabrikam",
        "organizations[0].url: is http://dev.azure.com/fabrikam; write https://dev.azure.com/{organization}",
    ),
    (
        f"{ONE}.url",
        "https://dev.azure.com.example.com/fabrikam",
        "organizations[0].url: is https://dev.azure.com.example.com/fabrikam; write https://dev.azure.com/{organization}",
    ),
    (
        f"{ONE}.url",
        "https://ann:pat@dev.azure.com/fabrikam",
        "organizations[0].url: is (not shown, it looks like a secret); write https://dev.azure.com/{organization}",
    ),
    (f"{ONE}.projects", "Web", "organizations[0].projects: is a text; write a list: [Web]"),
    (
        f"{ONE}.projects",
        ["a/b"],
        "organizations[0].projects[0]: is a/b; a project's name cannot hold /; the organization stands above, in url",
    ),
    (f"{ONE}.projects", ["a%b"], "organizations[0].projects[0]: is a%b; a project's name cannot hold %"),
    (
        f"{ONE}.projects",
        ["_a"],
        "organizations[0].projects[0]: is _a; a project's name cannot begin with _ or ., nor end with .",
    ),
    (
        f"{ONE}.projects",
        [" a"],
        "organizations[0].projects[0]: is  a; write the project's name without spaces around it",
    ),
    (
        f"{ONE}.projects",
        ["x" * 65],
        f"organizations[0].projects[0]: is {'x' * 59}…, 65 characters long; a project's name has at most 64",
    ),
    (f"{ONE}.parallelism", -1, "organizations[0].parallelism: is -1; the least is 0"),
    (
        f"{ORG}.kind",
        "AzureDevops",
        "organizationProfile: has a kind that is AzureDevops; did you mean AzureDevOps? Known are AzureDevOps or GitHub",
    ),
    (f"{ORG}.kind", "GitLab", "organizationProfile: has a kind that is GitLab; write AzureDevOps or GitHub"),
    (ORG, {"organizations": []}, "organizationProfile: has no kind; write kind: AzureDevOps or GitHub"),
    (ORG, "fabrikam", "organizationProfile: is a text, fabrikam; write a mapping"),
    (
        AGENT,
        {"kind": "stateful"},
        "agentProfile: has a kind that is stateful; did you mean Stateful? Known are Stateless or Stateful",
    ),
    (
        AGENT,
        {**STATEFUL, "maxAgentLifetime": "7.00:00:01"},
        "agentProfile.maxAgentLifetime: is 7.00:00:01; the maximum is one week, 7.00:00:00",
    ),
    (
        AGENT,
        {**STATEFUL, "maxAgentLifetime": "24:00:00"},
        "agentProfile.maxAgentLifetime: is 24:00:00; hours go to 23, minutes and seconds to 59; days stand before a dot, as in 1.12:00:00",
    ),
    (
        AGENT,
        {**STATEFUL, "gracePeriodTimeSpan": "1h"},
        "agentProfile.gracePeriodTimeSpan: is 1h; write a time span as d.hh:mm:ss, such as 1.12:00:00",
    ),
    (
        AGENT,
        {"kind": "Stateless", "maxAgentLifetime": "01:00:00"},
        "agentProfile.maxAgentLifetime: is not a field here; it belongs under pool.properties.agentProfile",
    ),
    (
        f"{AGENT}.resourcePredictions",
        {"daysData": [{"9:00": 1}]},
        "agentProfile.resourcePredictions.daysData[0].9:00: is 9:00; write a time of day as 'HH:MM:SS'",
    ),
    (
        f"{AGENT}.resourcePredictions",
        {"daysData": [{"09:00:00": "1"}]},
        "agentProfile.resourcePredictions.daysData[0].09:00:00: is a text, 1; write a whole number",
    ),
    (
        f"{AGENT}.resourcePredictionsProfile",
        {"kind": "Automatic", "predictionPreference": "balanced"},
        "agentProfile.resourcePredictionsProfile.predictionPreference: is balanced; did you mean Balanced? Known are Balanced, MostCostEffective, MoreCostEffective, MorePerformance or BestPerformance",
    ),
    (f"{IMAGE}.buffer", 50, "images[0].buffer: is read as a number, 50; write it in quotes: '50'"),
    (f"{IMAGE}.buffer", "101", "images[0].buffer: is 101; write '*' or a percentage from '0' to '100'"),
    (
        f"{IMAGE}.ephemeralType",
        "cacheDisk",
        "images[0].ephemeralType: is cacheDisk; did you mean CacheDisk? Known are Automatic, CacheDisk or ResourceDisk",
    ),
    (
        f"{IMAGE}.resourceId",
        "x y",
        "images[0].resourceId: is x y; write a resource id, which begins with / and holds no space",
    ),
    (f"{FABRIC}.sku", "Standard_D2", "fabricProfile.sku: is a text, Standard_D2; write a mapping"),
    (
        f"{FABRIC}.networkProfile",
        {"subnetId": "agents"},
        "networkProfile.subnetId: is agents; write the resource id /subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/{network}/subnets/{subnet}",
    ),
    (
        f"{FABRIC}.storageProfile",
        {"dataDisks": [{"diskSizeGiB": 32_768}]},
        "storageProfile.dataDisks[0].diskSizeGiB: is 32768; the most is 32767",
    ),
    (
        f"{FABRIC}.storageProfile",
        {"dataDisks": [{"driveLetter": "F:"}]},
        "storageProfile.dataDisks[0].driveLetter: is F:; write one letter",
    ),
    (
        f"{FABRIC}.storageProfile",
        {"osDiskStorageAccountType": "premium"},
        "storageProfile.osDiskStorageAccountType: is premium; did you mean Premium? Known are Standard, Premium or StandardSSD",
    ),
    (
        f"{FABRIC}.osProfile",
        {"logonType": "Interactiv"},
        "osProfile.logonType: is Interactiv; did you mean Interactive? Known are Service or Interactive",
    ),
    (
        f"{ORG}.permissionProfile",
        {"kind": "creatorOnly"},
        "permissionProfile.kind: is creatorOnly; did you mean CreatorOnly? Known are Inherit, CreatorOnly or SpecificAccounts",
    ),
    (
        f"{ORG}.permissionProfile",
        {"kind": "SpecificAccounts", "users": "ann@fabrikam.com"},
        "permissionProfile.users: is a text; write a list: [ann@fabrikam.com]",
    ),
    (
        f"{ORG}.permissionProfile",
        {"kind": "SpecificAccounts", "users": ["Ann"]},
        "permissionProfile.users[0]: is Ann; write an address or an Entra object id",
    ),
    (
        f"{ORG}.permissionProfile",
        {"kind": "SpecificAccounts", "groups": ["[fabrikam]\\G"]},
        "permissionProfile.groups[0]: is [fabrikam]\\G; write an address or an Entra object id; a group of Azure DevOps belongs in access.roles",
    ),
    (
        "pool.identity",
        {
            "type": "userassigned",
            "userAssignedIdentities": [f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/b"],
        },
        "pool.identity.type: is userassigned; did you mean UserAssigned? Known are None, SystemAssigned, UserAssigned or SystemAssigned,UserAssigned",
    ),
    (
        "pool.identity",
        {"type": "UserAssigned", "userAssignedIdentities": {"build": {}}},
        "pool.identity.userAssignedIdentities.build: is build; write the resource id /subscriptions/…/resourceGroups/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{identity}",
    ),
    ("pool.identity", {}, "pool.identity.type: is missing; add it"),
    ("until", "31.12.2026", "until: is 31.12.2026; write a day such as 2026-12-31"),
    ("until", "2026-02-30", "until: is 2026-02-30, which is no day of the calendar"),
    ("access", None, "access: has no value; write one, or remove the field, which is then not managed"),
    (
        "access.roles",
        [{"organization": "https://dev.azure.com/fabrikam-prime"}],
        "access.roles[0].organization: is a URL; write the bare name, fabrikam-prime",
    ),
    (
        "access.roles",
        [{"organization": "a b"}],
        "access.roles[0].organization: is a b; write an organization's bare name: at most 50 letters, digits and hyphens",
    ),
    (
        "access.roles",
        [{"organization": "fabrikam-prime", "administrators": ["Platform"]}],
        (
            "access.roles[0].administrators[0]: is Platform; write an address, '[scope]\\group' in single quotes, '"
            "PROJECT Build Service (ORGANIZATION)', or an Entra object id"
        ),
    ),
    (
        "access.roles",
        [{"organization": "fabrikam-prime", "users": []}],
        "access.roles[0].users: is not a field here; it belongs under access.queueRoles",
    ),
    (
        "access.openAccess",
        [{"project": "fabrikam-dev", "allow": True}],
        "access.openAccess[0].project: is fabrikam-dev; write organization/project, such as fabrikam-prime/fabrikam-dev",
    ),
    (
        "access.openAccess",
        [{"project": "fabrikam-prime/a/b", "allow": True}],
        "access.openAccess[0].project: is fabrikam-prime/a/b; write organization/project, such as fabrikam-prime/fabrikam-dev",
    ),
    (
        "access.openAccess",
        [{"project": "fabrikam-prime/fabrikam-dev"}],
        "access.openAccess[0].allow: is missing; add it",
    ),
    (
        "access.pipelines",
        [{"project": "fabrikam-prime/fabrikam-dev", "pipelines": ["nightly"]}],
        "access.pipelines[0].pipelines[0]: is nightly; write the path from the top, '\\folder\\name' in single quotes, or the pipeline's id",
    ),
    (
        "access.pipelines",
        [{"project": "fabrikam-prime/fabrikam-dev", "pipelines": [0]}],
        "access.pipelines[0].pipelines[0]: is 0; write the path from the top, '\\folder\\name' in single quotes, or the pipeline's id",
    ),
    (
        "access.pipelines",
        [{"project": "fabrikam-prime/fabrikam-dev", "pipelines": [True]}],
        "access.pipelines[0].pipelines[0]: is true; write the path from the top, '\\folder\\name' in single quotes, or the pipeline's id",
    ),
    (
        "access.pipelines",
        [{"project": "fabrikam-prime/fabrikam-dev", "pipelines": ["\\a/b"]}],
        "access.pipelines[0].pipelines[0]: is \\a/b; write the path from the top, '\\folder\\name' in single quotes, or the pipeline's id",
    ),
]


@pytest.mark.parametrize(("path", "value", "said"), WRONG)
def test_a_wrong_value_is_told_with_its_remedy(says: Any, path: str, value: object, said: str) -> None:
    (problem,) = says((path, value))
    assert problem.endswith(said)
