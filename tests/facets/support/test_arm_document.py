"""Two documents of a pool: what counts as a difference, and what a merge keeps."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from reconciler.facets.support.arm_document import Difference, differences, merged

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
        (
            {"resourcePredictions": {"timeZone": "UTC", "daysData": [{"09:00:00": 1}]}},
            {"resourcePredictions": {"TimeZone": "UTC", "DaysData": [{"09:00:00": 1}]}},
            "the azurerm provider's spelling of an untyped object",
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
        (
            {"daysData": [{"08:00:00": 1}]},
            {"daysData": [{"08:00:00": 1, "20:00:00": 50}]},
            (("daysData[0]",), {"08:00:00": 1, "20:00:00": 50}, {"08:00:00": 1}),
        ),
        ({"daysData": [{}]}, {"daysData": [{"20:00:00": 50}]}, (("daysData[0]",), {"20:00:00": 50}, {})),
        (
            {"daysData": [{}]},
            {"daysData": [{}] * 6 + [{"08:00:00": 1}]},
            (("daysData",), [{}] * 6 + [{"08:00:00": 1}], [{}]),
        ),
        ({"daysData": [{"08:00:00": 1}]}, {}, (("daysData",), None, [{"08:00:00": 1}])),
        (
            {"dataDisks": [{"diskSizeGiB": 20}]},
            {"dataDisks": [{"diskSizeGiB": 10, "driveLetter": "F"}]},
            (("dataDisks[0]", "diskSizeGiB"), 10, 20),
        ),
        (
            {"dataDisks": [{"driveLetter": "F", "diskSizeGiB": 20}, {"diskSizeGiB": 5}]},
            {"dataDisks": [{"diskSizeGiB": 10, "driveLetter": "f", "caching": "None"}]},
            (
                ("dataDisks",),
                [{"diskSizeGiB": 10, "driveLetter": "f", "caching": "None"}],
                [{"diskSizeGiB": 20, "driveLetter": "f", "caching": "None"}, {"diskSizeGiB": 5}],
            ),
        ),
        (
            {"vmSizes": [{"name": "b"}, {"name": "a"}]},
            {"vmSizes": [{"name": "a", "x": 1}, {"name": "b"}]},
            (("vmSizes",), [{"name": "a", "x": 1}, {"name": "b"}], [{"name": "b"}, {"name": "a", "x": 1}]),
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


AUTOMATIC = {"kind": "Automatic"}
SCHEDULE = {"timeZone": "UTC", "daysData": [{"09:00:00": 1}]}


@pytest.mark.parametrize("live", [{}, {"resourcePredictionsProfile": {"kind": "Manual"}}])
def test_automatic_predictions_drop_the_schedule_and_say_so(live: dict[str, Any]) -> None:
    """Our own rules forbid the pair."""
    observed = {"agentProfile": {"kind": "Stateless", **live, "resourcePredictions": SCHEDULE, "x": 1}}
    wanted = {"agentProfile": {"kind": "Stateless", "resourcePredictionsProfile": AUTOMATIC}}

    assert merged(wanted, observed) == {
        "agentProfile": {"kind": "Stateless", "resourcePredictionsProfile": AUTOMATIC, "x": 1}
    }
    assert "agentProfile.resourcePredictions" in paths(wanted, observed)
    assert paths(wanted, merged(wanted, observed)) == []


def test_automatic_predictions_keep_of_the_schedule_what_the_spec_names() -> None:
    observed = {"agentProfile": {"kind": "Stateless", "resourcePredictions": SCHEDULE}}
    named = {"resourcePredictionsProfile": AUTOMATIC, "resourcePredictions": {"timeZone": "UTC"}}
    wanted = {"agentProfile": {"kind": "Stateless", **named}}

    assert merged(wanted, observed) == wanted
    assert paths(wanted, observed) == [
        "agentProfile.resourcePredictions.daysData",
        "agentProfile.resourcePredictionsProfile.kind",
    ]


def test_automatic_predictions_that_are_there_leave_what_the_service_keeps_beside_them() -> None:
    """Nothing switches here: to drop it would be a write for ever where the service puts it back."""
    observed = {"agentProfile": {"resourcePredictionsProfile": AUTOMATIC, "resourcePredictions": SCHEDULE}}
    wanted = {"agentProfile": {"resourcePredictionsProfile": AUTOMATIC}}

    assert (merged(wanted, observed), paths(wanted, observed)) == (observed, [])


def test_manual_predictions_drop_the_preference_of_automatic_ones() -> None:
    automatic = {**AUTOMATIC, "predictionPreference": "Balanced"}
    observed = {"agentProfile": {"kind": "Stateless", "resourcePredictionsProfile": automatic}}
    manual = {"resourcePredictionsProfile": {"kind": "Manual"}, "resourcePredictions": SCHEDULE}
    wanted = {"agentProfile": {"kind": "Stateless", **manual}}

    assert merged(wanted, observed) == wanted
    assert "agentProfile.resourcePredictionsProfile.predictionPreference" in paths(wanted, observed)


def test_a_field_that_is_there_in_two_spellings_is_left_with_one() -> None:
    """What an older release sent: the service would have to choose."""
    observed = {
        "resourcePredictions": {"DaysData": [{"09:00:00": 1}], "daysData": [{"08:00:00": 1}], "TimeZone": "UTC"}
    }
    wanted = {"resourcePredictions": {"timeZone": "UTC", "daysData": [{"08:00:00": 1}]}}

    sent = {"resourcePredictions": {"daysData": [{"08:00:00": 1}], "TimeZone": "UTC"}}
    assert (merged(wanted, observed), paths(wanted, observed)) == (sent, ["resourcePredictions.DaysData"])
    assert paths(wanted, sent) == []


def test_disks_keep_what_the_spec_does_not_name() -> None:
    """Their letter and kind were reset when a spec changed the size."""
    disk = {"diskSizeGiB": 10, "driveLetter": "F", "storageAccountType": "Premium_LRS"}

    changed = merged({"dataDisks": [{"diskSizeGiB": 20}]}, {"dataDisks": [disk]})
    assert changed == {"dataDisks": [{**disk, "diskSizeGiB": 20}]}

    other = {"diskSizeGiB": 64, "caching": "None"}
    added = merged(
        {"dataDisks": [{"diskSizeGiB": 5}, {"diskSizeGiB": 64}, {"diskSizeGiB": 10}]}, {"dataDisks": [disk, other]}
    )
    assert added == {"dataDisks": [{"diskSizeGiB": 5}, other, disk]}


def test_an_image_that_is_added_does_not_hide_a_change_of_one_that_stays() -> None:
    observed = {"images": [{"resourceId": "/a"}]}
    wanted = {"images": [{"resourceId": "/b"}, {"resourceId": "/a", "buffer": "5"}]}

    assert [(".".join(one.path), one.before, one.after) for one in differences(wanted, observed)] == [
        ("images", ["/a"], ["/b", "/a"]),
        ("images[/a].buffer", None, "5"),
    ]


def test_a_list_of_a_newer_version_goes_by_position() -> None:
    observed = {"rules": [{"a": 1, "b": 2}, {"a": 3}]}

    assert merged({"rules": [{"a": 9}, {"a": 3}]}, observed) == {"rules": [{"a": 9, "b": 2}, {"a": 3}]}
    assert paths({"rules": [{"a": 9}, {"a": 3}]}, observed) == ["rules[0].a"]


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


WEEK = [{"09:00:00": 1}] * 7


@pytest.mark.parametrize("key", ["daysData", "DaysData", "DAYSDATA"])
@pytest.mark.parametrize(("ours", "theirs"), [(WEEK[:1], WEEK), (WEEK, WEEK[:1]), (WEEK, WEEK)])
def test_one_map_of_a_schedule_stands_for_seven_equal_ones(
    key: str, ours: list[dict[str, int]], theirs: list[dict[str, int]]
) -> None:
    assert differences({"daysData": ours}, {key: theirs}) == []
    assert merged({"daysData": ours}, {key: theirs}) == {key: theirs}
