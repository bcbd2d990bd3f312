"""Two documents of a pool: what counts as a difference, and what a merge keeps."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.facets.support.arm_document import Difference, differences, merged
from reconciler.spec.names import organization_key

PRIME = "https://dev.azure.com/fabrikam-prime"
TAILSPIN = "https://dev.azure.com/fabrikam-tailspin"
SUBNET = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
IDENTITY = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/build"


def paths(wanted: dict[str, Any], observed: dict[str, Any]) -> list[str]:
    return [".".join(one.path) for one in differences(wanted, observed)]


@pytest.mark.parametrize(
    ("wanted", "observed", "reason"),
    [
        ({}, {"tags": {"a": "b"}}, "what is not named is not looked at"),
        ({"fabricProfile": {}}, {}, "an empty object names nothing"),
        ({"location": "eastus"}, {"location": "East US"}, "a location has two spellings"),
        ({"tags": {"Env": "prod"}}, {"tags": {"env": "prod", "policy": "x"}}, "tag names have no case, others stay"),
        (
            {"networkProfile": {"subnetId": SUBNET}},
            {"networkProfile": {"subnetId": SUBNET.upper()}},
            "ids have no case",
        ),
        ({"kind": "Stateless"}, {"kind": "stateless"}, "enums have no case"),
        ({"projects": []}, {}, "empty is absent"),
        ({"projects": ["Web", "App"]}, {"projects": ["app", "web"]}, "projects are a set"),
        ({"parallelism": 0}, {}, "parallelism omitted comes back as 0, and the other way round"),
        ({"buffer": "*"}, {}, "a default that is left out is no difference"),
        ({"keyExportable": False}, {}, "a false that is left out neither"),
        ({"maxAgentLifetime": "7.00:00:00"}, {}, "nor a time span"),
        ({"gracePeriodTimeSpan": "1.00:00:00"}, {"gracePeriodTimeSpan": "1.0:00:00"}, "time spans have spellings"),
        ({"type": "SystemAssigned, UserAssigned"}, {"type": "SystemAssigned,UserAssigned"}, "blanks in identity types"),
        (
            {"userAssignedIdentities": {IDENTITY: {}}},
            {"userAssignedIdentities": {IDENTITY.lower(): {"clientId": "x"}}},
            "what the service adds to an identity is its own",
        ),
        (
            {"organizations": [{"url": PRIME, "openAccess": True}, {"url": TAILSPIN}]},
            {
                "organizations": [
                    {"url": TAILSPIN, "parallelism": 2},
                    {"url": "https://fabrikam-prime.visualstudio.com/"},
                ]
            },
            "organizations go by name, and open access is not compared",
        ),
        (
            {"permissionProfile": {"kind": "Inherit"}},
            {"permissionProfile": {"kind": "CreatorOnly"}},
            "nor is the permission profile: it counted while the pool was created",
        ),
        (
            {"images": [{"wellKnownImageName": "ubuntu-24.04"}]},
            {"images": [{"wellKnownImageName": "Ubuntu-24.04", "aliases": [], "ephemeralType": "Automatic"}]},
            "the service fills images in",
        ),
        (
            {"dataDisks": [{"diskSizeGiB": 10, "caching": "ReadWrite"}]},
            {"dataDisks": [{"diskSizeGiB": 10, "storageAccountType": "Standard_LRS"}]},
            "and disks",
        ),
        (
            {"resourcePredictions": {"daysData": [{}]}},
            {"resourcePredictions": {"timeZone": "UTC", "daysData": [{}]}},
            "UTC",
        ),
    ],
)
def test_the_services_own_spelling_is_no_difference(
    wanted: dict[str, Any], observed: dict[str, Any], reason: str
) -> None:
    assert differences(wanted, observed) == [], reason


@pytest.mark.parametrize(
    ("wanted", "observed", "difference"),
    [
        ({"maximumConcurrency": 6}, {"maximumConcurrency": 4}, (("maximumConcurrency",), 4, 6)),
        ({"projects": []}, {"projects": ["Web"]}, (("projects",), ["Web"], [])),
        ({"workFolder": "/W"}, {"workFolder": "/w"}, (("workFolder",), "/w", "/W")),
        ({"tags": {"env": "Prod"}}, {"tags": {"ENV": "prod"}}, (("tags", "env"), "prod", "Prod")),
        (
            {"userAssignedIdentities": {"/a": {}}},
            {"userAssignedIdentities": {"/b": {}, "/A": {}}},
            (("userAssignedIdentities",), ["/A", "/b"], ["/a"]),
        ),
        ({"vmSizes": [{"name": "a"}, {"name": "b"}]}, {"vmSizes": [{"name": "a"}]}, None),
        ({"vmSizes": [{"name": "a"}]}, {"vmSizes": ["a"]}, (("vmSizes",), ["a"], [{"name": "a"}])),
        ({"maxAgentLifetime": "soon"}, {"maxAgentLifetime": "7.00:00:00"}, None),
        (
            {"organizations": [{"url": PRIME, "projects": ["Web"]}]},
            {"organizations": []},
            (("organizations[fabrikam-prime]",), None, ["Web"]),
        ),
        ({"organizations": []}, {"organizations": [{"url": PRIME}]}, (("organizations[fabrikam-prime]",), "all", None)),
        (
            {"organizations": [{"url": PRIME, "parallelism": 2}]},
            {"organizations": [{"url": PRIME, "parallelism": 1}]},
            (("organizations[fabrikam-prime]", "parallelism"), 1, 2),
        ),
        (
            {"images": [{"resourceId": "/new"}]},
            {"images": [{"resourceId": "/old"}]},
            (("images",), ["/old"], ["/new"]),
        ),
        (
            {"images": [{"resourceId": "/a", "buffer": "50"}]},
            {"images": [{"resourceId": "/A"}]},
            (("images[/a]", "buffer"), None, "50"),
        ),
        (
            {"agentProfile": {"kind": "Stateful"}},
            {"agentProfile": {"kind": "Stateless"}},
            (("agentProfile", "kind"), "Stateless", "Stateful"),
        ),
        ({"osProfile": {"logonType": "Interactive"}}, {}, (("osProfile", "logonType"), None, "Interactive")),
    ],
)
def test_a_named_field_that_is_not_as_wanted_is_a_difference(
    wanted: dict[str, Any], observed: dict[str, Any], difference: tuple[tuple[str, ...], Any, Any] | None
) -> None:
    key = next(iter(wanted))
    path, before, after = difference or ((key,), observed[key], wanted[key])

    assert differences(wanted, observed) == [Difference(path, before, after)]


def test_what_nobody_understood_travels_unchanged() -> None:
    observed = {
        "properties": {
            "futureProfile": {"a": 1},
            "organizationProfile": {
                "organizations": [
                    {"url": "https://Fabrikam-Prime.visualstudio.com/", "projects": ["Web"], "futureField": 7}
                ],
            },
            "fabricProfile": {"images": [{"resourceId": "/a", "futureField": 8}, {"resourceId": "/b"}]},
        },
        "tags": {"Env": "test", "policy": "x"},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {"/A": {"clientId": "c"}, "/gone": {}}},
    }
    wanted = {
        "properties": {
            "organizationProfile": {"organizations": [{"url": PRIME, "projects": ["App"]}, {"url": TAILSPIN}]},
            "fabricProfile": {"images": [{"resourceId": "/c"}, {"resourceId": "/A", "buffer": "5"}]},
        },
        "tags": {"env": "prod"},
        "identity": {"userAssignedIdentities": {"/a": {}, "/new": {}}},
    }

    assert merged(wanted, observed) == {
        "properties": {
            "futureProfile": {"a": 1},
            "organizationProfile": {
                "organizations": [
                    {"url": "https://Fabrikam-Prime.visualstudio.com/", "projects": ["App"], "futureField": 7},
                    {"url": TAILSPIN},
                ],
            },
            "fabricProfile": {
                "images": [{"resourceId": "/c"}, {"resourceId": "/a", "futureField": 8, "buffer": "5"}],
            },
        },
        "tags": {"Env": "prod", "policy": "x"},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {"/A": {"clientId": "c"}, "/new": {}}},
    }


def test_a_merge_shares_nothing_with_what_it_was_made_of() -> None:
    observed = {"tags": {"a": "1"}, "networkProfile": {"subnetId": SUBNET}}
    wanted = {"images": [{"resourceId": "/a"}], "dataDisks": [{"diskSizeGiB": 1}]}
    before = deepcopy((observed, wanted))

    result = merged(wanted, observed)
    result["tags"]["b"] = result["images"][0]["x"] = result["dataDisks"][0]["y"] = 1

    assert (observed, wanted) == before


def test_another_kind_drops_the_fields_of_the_old_one_and_says_so() -> None:
    """A grace period of a stateless agent would be refused; its stand-by schedule is good for both."""
    observed = {"agentProfile": {"kind": "Stateful", "gracePeriodTimeSpan": "1:00:00", "resourcePredictions": {"a": 1}}}
    wanted = {"agentProfile": {"kind": "Stateless"}}

    assert merged(wanted, observed) == {"agentProfile": {"kind": "Stateless", "resourcePredictions": {"a": 1}}}
    assert paths(wanted, observed) == ["agentProfile.gracePeriodTimeSpan", "agentProfile.kind"]


def test_a_type_without_user_assigned_identities_drops_them_and_says_so() -> None:
    observed = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {"/a": {}}}}
    wanted = {"identity": {"type": "None"}}

    assert merged(wanted, observed) == {"identity": {"type": "None"}}
    assert paths(wanted, observed) == ["identity.type", "identity.userAssignedIdentities"]


def test_an_image_that_is_listed_twice_keeps_its_own_fields_each_time() -> None:
    observed = {"images": [{"resourceId": "/a", "x": 1}, {"resourceId": "/a", "x": 2}]}
    wanted = {"images": [{"resourceId": "/a"}, {"resourceId": "/a", "buffer": "5"}]}

    assert merged(wanted, observed)["images"] == [
        {"resourceId": "/a", "x": 1},
        {"resourceId": "/a", "x": 2, "buffer": "5"},
    ]


# --- properties ---------------------------------------------------------------------------------------


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


names = st.lists(st.sampled_from(["Web", "web", "App", "Old"]), max_size=3, unique_by=str.casefold)
organizations = st.lists(
    st.fixed_dictionaries(
        {"url": st.sampled_from([PRIME, TAILSPIN, "https://Fabrikam-Prime.visualstudio.com/"])},
        optional={
            "projects": names,
            "parallelism": st.integers(0, 3),
            "openAccess": st.booleans(),
            "alias": st.sampled_from(["a", "b"]),
        },
    ),
    max_size=2,
    unique_by=lambda item: organization_key(str(item["url"])),
)
image = st.fixed_dictionaries(
    {"wellKnownImageName": st.sampled_from(["ubuntu", "Ubuntu", "windows"])},
    optional={"buffer": st.sampled_from(["*", "50"]), "aliases": names, "unknown": st.integers()},
)
disk = some(diskSizeGiB=st.integers(1, 3), caching=st.sampled_from(["None", "ReadWrite"]))
predictions = some(
    timeZone=st.sampled_from(["UTC", "W. Europe Standard Time"]), daysData=st.lists(st.just({}), max_size=2)
)
agents = st.one_of(
    some(resourcePredictions=predictions).map(lambda fields: {"kind": "Stateless", **fields}),
    some(maxAgentLifetime=st.sampled_from(["7.00:00:00", "1.00:00:00"])).map(
        lambda fields: {"kind": "Stateful", **fields}
    ),
)
identities = st.one_of(
    st.just({"type": "SystemAssigned"}),
    st.dictionaries(st.sampled_from(["/a", "/b"]), st.just({}), min_size=1).map(
        lambda ids: {"type": "UserAssigned", "userAssignedIdentities": ids}
    ),
)
documents = some(
    tags=st.dictionaries(st.sampled_from(["env", "team"]), st.sampled_from(["x", "X"])),
    identity=identities,
    properties=some(
        maximumConcurrency=st.integers(1, 4),
        agentProfile=agents,
        organizationProfile=some(organizations=organizations, permissionProfile=st.just({"kind": "Inherit"})),
        fabricProfile=some(
            images=st.lists(image, max_size=2),
            storageProfile=some(dataDisks=st.lists(disk, max_size=2)),
            networkProfile=some(subnetId=st.sampled_from(["/s", "/S", "/t"])),
        ),
    ),
)


@given(documents, documents)
def test_a_merge_leaves_no_difference(wanted: dict[str, Any], observed: dict[str, Any]) -> None:
    assert differences(wanted, merged(wanted, observed)) == []


@given(documents)
def test_a_document_does_not_differ_from_itself(document: dict[str, Any]) -> None:
    assert differences(document, document) == []
    assert merged(document, document) == document


@given(documents, documents)
def test_without_a_difference_the_merge_is_what_was_read(wanted: dict[str, Any], observed: dict[str, Any]) -> None:
    """Otherwise a plan without lines would write something."""
    if not differences(wanted, observed):
        kept = {key: value for key, value in merged(wanted, observed).items() if key in observed}

        assert kept == observed


@given(documents, documents)
def test_a_merge_never_takes_create_only_fields_from_the_spec(wanted: dict[str, Any], observed: dict[str, Any]) -> None:
    profile = merged(wanted, observed).get("properties", {}).get("organizationProfile", {})
    before = observed.get("properties", {}).get("organizationProfile", {})

    assert profile.get("permissionProfile") == before.get("permissionProfile")
    opened = {organization_key(one["url"]): one.get("openAccess") for one in before.get("organizations", ())}
    assert all(
        one.get("openAccess") == opened.get(organization_key(one["url"])) for one in profile.get("organizations", ())
    )


@pytest.mark.parametrize(
    ("wanted", "observed", "sent", "reason"),
    [
        ({"tags": {}}, {"a": 1}, {"a": 1}, "empty means absent, and no line of a plan would tell of it"),
        ({"osProfile": {"logonType": "Service"}}, {"a": 1}, {"a": 1}, "an object of defaults is there already"),
        (
            {"osProfile": {"logonType": "Service", "x": 1}},
            {"osProfile": {}},
            {"osProfile": {"x": 1}},
            "what is there and empty is not new: the default stays out",
        ),
        (
            {"settings": {"keyExportable": False, "x": 1}},
            {"a": 1},
            {"a": 1, "settings": {"keyExportable": False, "x": 1}},
            "a new object has its defaults, since ARM requires some",
        ),
    ],
)
def test_what_means_the_same_is_not_put(
    wanted: dict[str, Any], observed: dict[str, Any], sent: dict[str, Any], reason: str
) -> None:
    """A field that no line of the plan lists is taken for a slip by the guard, which then refuses the whole PUT."""
    assert merged(wanted, observed) == sent, reason
