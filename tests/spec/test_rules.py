"""Rules between fields: each case changes what matters in a spec that is right, and names what is said."""

from __future__ import annotations

from typing import Any

import pytest

P = "pool.properties"
ORG = f"{P}.organizationProfile"
ORGS = f"{ORG}.organizations"
IMAGES = f"{P}.fabricProfile.images"
CERTIFICATES = f"{P}.fabricProfile.osProfile.secretsManagementSettings"
AGENT = f"{P}.agentProfile"
SUM = "; the sum of parallelism for all organizations must equal the max concurrency"
IDENTITY = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
STORAGE = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/s"
GUID = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"
ONE_IDENTITY = {"type": "UserAssigned", "userAssignedIdentities": {f"{IDENTITY}/a": {}}}
SECRETS = {"observedCertificates": ["https://x.vault.azure.net/secrets/y"], "keyExportable": False}
PAUSE = ("mode", "pause")
MANUAL = {"kind": "Stateless", "resourcePredictionsProfile": {"kind": "Manual"}}
TAILSPIN = "https://dev.azure.com/fabrikam-tailspin"


def predictions(*days: dict[str, int]) -> dict[str, Any]:
    return {**MANUAL, "resourcePredictions": {"daysData": list(days)}}


def stored(place: str, *images: str) -> list[tuple[str, Any]]:
    """Certificates at a place, on these images; an empty name is an image by its id."""
    given = [{"wellKnownImageName": name, "aliases": [name]} if name else {"resourceId": "/x"} for name in images]
    return [
        ("pool.identity", ONE_IDENTITY),
        (IMAGES, given),
        (CERTIFICATES, {**SECRETS, "certificateStoreLocation": place}),
    ]


FINE: list[tuple[str, list[tuple[str, Any]]]] = [
    ("one share is not given, so the sum is not known", [(f"{ORGS}.1.parallelism", 0)]),
    ("a pool of one machine with one organization", [(f"{P}.maximumConcurrency", 1), (ORGS, [{"url": TAILSPIN}])]),
    ("a pause with an end and a reason", [PAUSE, ("until", "2027-01-01"), ("reason", "move")]),
    ("accounts that are named", [(f"{ORG}.permissionProfile", {"kind": "SpecificAccounts", "groups": [GUID]})]),
    ("no certificates need no identity", [(CERTIFICATES, {**SECRETS, "observedCertificates": []})]),
    ("one identity for certificates", [("pool.identity", ONE_IDENTITY), (CERTIFICATES, SECRETS)]),
    ("the system's identity is one, too", [("pool.identity", {"type": "SystemAssigned"}), (CERTIFICATES, SECRETS)]),
    ("a store on Windows", stored("CurrentUser", "windows-2022/latest")),
    ("a directory on Ubuntu", stored("/usr/local/share/ca-certificates", "ubuntu-24.04", "ubuntu-22.04")),
    ("nobody knows what an image of one's own holds", stored("LocalMachine", "")),
    ("one map for every day", [(AGENT, predictions({"09:00:00": 4}))]),
    ("seven maps", [(AGENT, predictions(*[{}] * 7))]),
    (
        "a whole provisioning script",
        [
            (
                f"{IMAGES}.0",
                {
                    "resourceId": "/x",
                    "provisioningScriptStorageAccountResourceId": STORAGE,
                    "provisioningScriptManagedIdentityClientId": GUID,
                    "provisioningScriptEntryPoint": "x.sh",
                },
            )
        ],
    ),
]


@pytest.mark.parametrize(("reason", "changes"), FINE, ids=[reason for reason, _ in FINE])
def test_what_fits_together_is_accepted(says: Any, reason: str, changes: list[tuple[str, Any]]) -> None:
    assert says(*changes) == [], reason


BROKEN: list[tuple[list[tuple[str, Any]], str]] = [
    (
        [(f"{P}.maximumConcurrency", 9)],
        f"{P}.maximumConcurrency: is 9, but the organizations' parallelism adds up to 4{SUM}",
    ),
    (
        [(f"{ORGS}.0.parallelism", 0), (f"{ORGS}.1.parallelism", 5)],
        f"{P}.maximumConcurrency: is 4, but the organizations' parallelism adds up to 5{SUM}",
    ),
    (
        [(f"{P}.maximumConcurrency", 1)],
        f"{P}.maximumConcurrency: is 1, but there are 2 organizations; a pool of one machine takes one organization",
    ),
    (
        [(f"{ORGS}.1.url", "https://FABRIKAM-tailspin.visualstudio.com")],
        f"{ORG}.organizations[1].url: names fabrikam-tailspin, as organizations[0] does; give each organization once",
    ),
    (
        [(f"{ORGS}.1.projects", ["Web", "Api", "WEB"])],
        f"{ORG}.organizations[1].projects[2]: is WEB, as is entry 1; give it once",
    ),
    (
        [(f"{ORG}.permissionProfile", {"kind": "SpecificAccounts"})],
        f"{ORG}.permissionProfile: is SpecificAccounts, but names no one; list at least one of users or groups",
    ),
    (
        [(f"{ORG}.permissionProfile", {"kind": "SpecificAccounts", "users": []})],
        f"{ORG}.permissionProfile: is SpecificAccounts, but names no one; list at least one of users or groups",
    ),
    (
        [(f"{ORG}.permissionProfile", {"kind": "Inherit", "users": ["a@b.c"]})],
        f"{ORG}.permissionProfile.users: is given, but kind is Inherit; only SpecificAccounts has users",
    ),
    (
        [(f"{ORG}.permissionProfile", {"kind": "SpecificAccounts", "users": ["a@b.c", "A@b.c"]})],
        f"{ORG}.permissionProfile.users[1]: is A@b.c, as is entry 1; give it once",
    ),
    ([PAUSE, ("until", "2027-01-01")], "reason: is missing; mode pause needs why it is paused"),
    ([PAUSE, ("reason", "x")], "until: is missing; mode pause needs the last day of the pause"),
    ([("until", "2027-01-01")], "until: needs mode: pause; an enforced pool has no end"),
    ([("until", "2027-01-01"), ("mode", "report")], "until: is given, but mode is report; only mode pause has an end"),
    (
        [("pool.name", "other-pool")],
        "pool.name: is other-pool, but this spec is about fabrikam-managed-pool; make them agree, or remove it",
    ),
    (
        [("pool.type", "Microsoft.Compute/virtualMachines")],
        "pool.type: is Microsoft.Compute/virtualMachines, but this spec is about Microsoft.DevOpsInfrastructure/pools; make them agree, or remove it",
    ),
    (
        [("pool.resourceGroup", "rg")],
        "pool.resourceGroup: is rg, but this spec is about rg-build; make them agree, or remove it",
    ),
    (
        [("pool.identity", {"type": "UserAssigned"})],
        "pool.identity: has type UserAssigned, but no userAssignedIdentities; list their resource ids",
    ),
    (
        [("pool.identity", {**ONE_IDENTITY, "type": "SystemAssigned"})],
        "pool.identity.userAssignedIdentities: is given, but type is SystemAssigned; write type: UserAssigned",
    ),
    (
        [(CERTIFICATES, SECRETS)],
        f"{CERTIFICATES}.observedCertificates: needs exactly one identity on the pool, to fetch from the key vault; pool.identity has none",
    ),
    (
        [("pool.identity", {**ONE_IDENTITY, "type": "SystemAssigned,UserAssigned"}), (CERTIFICATES, SECRETS)],
        f"{CERTIFICATES}.observedCertificates: needs exactly one identity on the pool, to fetch from the key vault; pool.identity has 2",
    ),
    (
        [
            ("pool.identity", ONE_IDENTITY),
            (CERTIFICATES, {**SECRETS, "observedCertificates": ["https://x.vault.azure.net/secrets/y"] * 2}),
        ],
        f"{CERTIFICATES}.observedCertificates[1]: is https://x.vault.azure.net/secrets/y, as is entry 1; give it once",
    ),
    (
        stored("/var/certificates", "windows-2022"),
        f"{CERTIFICATES}.certificateStoreLocation: is /var/certificates, but windows-2022 is Windows; write LocalMachine or CurrentUser",
    ),
    (
        stored("LocalMachine", "ubuntu-24.04"),
        f"{CERTIFICATES}.certificateStoreLocation: is LocalMachine, but ubuntu-24.04 is Linux; write a directory, which begins with /",
    ),
    (
        stored("LocalMachine", "windows-2022", "ubuntu-24.04"),
        f"{CERTIFICATES}.certificateStoreLocation: is LocalMachine, but no place fits both windows-2022 and ubuntu-24.04; make two pools of them",
    ),
    ([(IMAGES, [{}])], f"{P}.fabricProfile.images[0]: has neither resourceId nor wellKnownImageName; give exactly one"),
    (
        [(IMAGES, [{"wellKnownImageName": "ubuntu-24.04", "aliases": ["a"]}] * 2)],
        f"{P}.fabricProfile.images[1]: is the same as entry 1; give it once",
    ),
    (
        [(f"{IMAGES}.0.resourceId", "/x")],
        f"{P}.fabricProfile.images[0]: has both resourceId and wellKnownImageName; give exactly one",
    ),
    (
        [(f"{IMAGES}.0.provisioningScriptShouldRestart", True), (f"{IMAGES}.0.provisioningScriptEntryPoint", "x")],
        f"{P}.fabricProfile.images[0]: has a provisioning script, but no provisioningScriptStorageAccountResourceId or provisioningScriptManagedIdentityClientId; the three go together",
    ),
    (
        [(AGENT, predictions({}, {}))],
        f"{AGENT}.resourcePredictions.daysData: has 2 maps; give one for every day, or seven beginning with Sunday",
    ),
    (
        [(AGENT, predictions({"09:00:00": 5}))],
        f"{AGENT}.resourcePredictions.daysData[0].09:00:00: is 5, but maximumConcurrency is 4; lower it",
    ),
    (
        [(AGENT, {**predictions({}), "resourcePredictionsProfile": {"kind": "Automatic"}})],
        f"{AGENT}.resourcePredictions: is given, but resourcePredictionsProfile is Automatic; only Manual has a schedule",
    ),
]


@pytest.mark.parametrize(("changes", "said"), BROKEN, ids=[str(index) for index in range(len(BROKEN))])
def test_what_does_not_fit_together_is_told(says: Any, changes: list[tuple[str, Any]], said: str) -> None:
    assert says(*changes) == [said]


def test_a_schedule_is_checked_without_knowing_how_many_machines_there_may_be(says: Any, removed: object) -> None:
    assert says((AGENT, predictions({"09:00:00": 5})), (f"{P}.maximumConcurrency", removed)) == []


def test_a_pool_for_github_has_organizations_once_and_no_parallelism(says: Any) -> None:
    github = {
        "kind": "GitHub",
        "organizations": [{"url": "https://github.com/fabrikam"}, {"url": "https://github.com/Fabrikam/"}],
    }
    assert says((ORG, github)) == [
        f"{ORG}.organizations[1].url: names github.com/fabrikam, as organizations[0] does; give each organization once"
    ]


def test_rules_are_checked_beside_broken_fields_and_say_nothing_of_those(says: Any) -> None:
    """The sum is not complained about when a share could not be read; the images are, all the same."""
    found = says((f"{ORGS}.0.parallelism", "2"), (f"{IMAGES}.0.resourceId", "/x"), (f"{P}.maximumConcurrency", 3))
    assert found == [
        f"{P}.fabricProfile.images[0]: has both resourceId and wellKnownImageName; give exactly one",
        f"{ORG}.organizations[0].parallelism: is a text, 2; write a whole number",
    ]


def test_a_rule_about_a_whole_is_silent_where_a_part_is_broken(says: Any) -> None:
    """SpecificAccounts seems to name no account, because the list could not be read: only the list is reported."""
    (problem,) = says((f"{ORG}.permissionProfile", {"kind": "SpecificAccounts", "users": "ann@fabrikam.com"}))
    assert "write a list" in problem
