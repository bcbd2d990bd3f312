"""Fields that are unknown, misplaced, misspelt or missing."""

from __future__ import annotations

from typing import Any

import pytest

P = "pool.properties"
ORG = f"{P}.organizationProfile"
ORGS = f"{ORG}.organizations"
ONE = f"{ORGS}.0"
FABRIC = f"{P}.fabricProfile"
AGENT = f"{P}.agentProfile"

UNKNOWN = [
    (
        "colour",
        "x",
        "colour: is not a field; known here are access, apiVersion, armApiVersion, disruption, kind, mode, name, pauses, pool, reason, …",
    ),
    ("resource-group", "x", "resource-group: is not a field; did you mean resourceGroup?"),
    ("properties", {}, "properties: is not a field here; it belongs under pool"),
    ("pool.mode", "report", "pool.mode: is not a field here; it belongs at the top of the file"),
    (
        f"{ORG}.openAccess",
        True,
        "organizationProfile.openAccess: is not a field here; it belongs under pool.properties.organizationProfile.organizations",
    ),
    (f"{ONE}.openAcces", True, "organizations[0].openAcces: is not a field; did you mean openAccess?"),
    (
        f"{ORG}.permissionsProfile",
        {},
        "organizationProfile.permissionsProfile: is not a field; did you mean permissionProfile?",
    ),
    (
        f"{FABRIC}.permissionsProfile",
        {},
        "fabricProfile.permissionsProfile: is not a field; did you mean permissionProfile? It belongs under pool.properties.organizationProfile",
    ),
    (
        f"{FABRIC}.osProfile",
        {"secretManagementSettings": {}},
        "osProfile.secretManagementSettings: is not a field; did you mean secretsManagementSettings?",
    ),
    (
        f"{AGENT}.maxAgetLifetime",
        "01:00:00",
        "agentProfile.maxAgetLifetime: is not a field; did you mean maxAgentLifetime? It belongs under pool.properties.agentProfile",
    ),
    ("pool.tags", {"a": {"b": "c"}}, "pool.tags.a: is a mapping; write a text"),
]


@pytest.mark.parametrize(("path", "value", "said"), UNKNOWN)
def test_an_unknown_field_is_told_with_the_nearest_name_or_its_home(
    says: Any, path: str, value: object, said: str
) -> None:
    (problem,) = says((path, value))
    assert problem.endswith(said)


def test_published_samples_give_certificates_as_one_text(says: Any) -> None:
    """The Bicep sample of Microsoft Learn (configure security) does."""
    settings = {"observedCertificates": "https://x.vault.azure.net/secrets/y", "keyExportable": False}
    (problem,) = says((f"{FABRIC}.osProfile.secretsManagementSettings", settings))
    assert problem.endswith("observedCertificates: is a text; write a list: [https://x.vault.azure.net/secrets/y]")


def test_a_missing_field_is_told_at_its_owner(says: Any, removed: object) -> None:
    assert says((f"{ONE}.url", removed)) == [
        "pool.properties.organizationProfile.organizations[0].url: is missing; add it"
    ]


@pytest.mark.parametrize(
    "field",
    [
        "location",
        "properties.maximumConcurrency",
        "properties.organizationProfile",
        "properties.agentProfile",
        "properties.fabricProfile",
        "properties",
    ],
)
def test_what_arm_needs_of_a_new_pool_may_be_left_unmanaged(says: Any, removed: object, field: str) -> None:
    assert says((f"pool.{field}", removed)) == []
