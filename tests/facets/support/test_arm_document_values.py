"""Two documents of a pool, value by value: shapes of another version, names of entries, and what a merge sends."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.facets.support.arm_document import Difference, differences, merged

PRIME = "https://dev.azure.com/fabrikam-prime"
TAILSPIN = "https://dev.azure.com/fabrikam-tailspin"
GITHUB = "https://github.com/fabrikam"


@pytest.mark.parametrize(
    ("wanted", "observed"),
    [
        ({"workFolder": ""}, {}),
        ({"gracePeriodTimeSpan": "01:00:00"}, {"gracePeriodTimeSpan": "0.01:00:00"}),
        ({"name": 5}, {"name": 5.0}),
    ],
)
def test_two_forms_of_one_value_are_no_difference(wanted: dict[str, Any], observed: dict[str, Any]) -> None:
    assert differences(wanted, observed) == []
    assert merged(wanted, observed) == observed


@pytest.mark.parametrize(
    ("wanted", "observed"),
    [
        ({"agentProfile": {"kind": "Stateless"}}, {"agentProfile": ["kind"]}),
        ({"newNames": ["a", "b"]}, {"newNames": ["b", "a"]}),
        ({"projects": ["Web"]}, {"projects": [None, "Web"]}),
        ({"projects": ["Web"]}, {"projects": [{"name": "Web"}]}),
        ({"name": 5}, {"name": 6}),
        ({"vmSizes": [{"name": "a"}]}, {"vmSizes": ["a"]}),
    ],
)
def test_a_shape_of_another_version_is_a_difference_and_is_replaced(
    wanted: dict[str, Any], observed: dict[str, Any]
) -> None:
    (key,) = wanted

    assert [(one.path, one.before, one.after) for one in differences(wanted, observed)] == [
        ((key,), observed[key], sorted(wanted[key]) if isinstance(wanted[key], dict) else wanted[key])
    ]
    assert merged(wanted, observed) == wanted


@pytest.mark.parametrize(
    ("wanted", "observed", "expected"),
    [
        (
            {"dataDisks": [{"diskSizeGiB": 1}, {"diskSizeGiB": 20}]},
            {"dataDisks": [{"diskSizeGiB": 1}, {"diskSizeGiB": 10}]},
            [Difference(("dataDisks[1]", "diskSizeGiB"), 10, 20)],
        ),
        (
            {"properties": {"organizationProfile": {"organizations": [{"url": PRIME}]}}},
            {"properties": {"organizationProfile": {"organizations": []}}},
            [Difference(("properties", "organizationProfile", "organizations[fabrikam-prime]"), None, "all")],
        ),
        (
            {"images": [{"wellKnownImageName": "ubuntu-24.04"}, {"aliases": ["x"]}]},
            {"images": [{"wellKnownImageName": "Windows-2022"}]},
            [Difference(("images",), ["Windows-2022"], ["ubuntu-24.04", ""])],
        ),
        (
            {"organizations": [{"url": GITHUB, "repositories": ["b", "A"]}]},
            {"organizations": []},
            [Difference(("organizations[github.com/fabrikam]",), None, ["A", "b"])],
        ),
        (
            {"organizations": [{"url": PRIME, "projects": ["Web", "app"]}]},
            {"organizations": []},
            [Difference(("organizations[fabrikam-prime]",), None, ["app", "Web"])],
        ),
        ({"links": [{"url": "a"}]}, {"links": [{"url": "b"}]}, [Difference(("links[0]", "url"), "b", "a")]),
    ],
)
def test_a_line_names_the_entry_and_what_it_was_and_becomes(
    wanted: dict[str, Any], observed: dict[str, Any], expected: list[Difference]
) -> None:
    assert differences(wanted, observed) == expected


def test_what_goes_with_another_kind_or_type_is_shown() -> None:
    stateful = {"agentProfile": {"kind": "Stateful", "gracePeriodTimeSpan": "1:00:00", "newLimits": {"b": 1, "a": 2}}}
    listed = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {"/a": {}}}}
    schedule = {"agentProfile": {"resourcePredictions": {"timeZone": "UTC", "daysData": [{"09:00:00": 1}]}}}
    automatic = {"resourcePredictionsProfile": {"kind": "Automatic"}, "resourcePredictions": {"timeZone": "UTC"}}

    gone = {
        one.path[-1]: (one.before, one.after)
        for wanted, observed in (
            ({"agentProfile": {"kind": "Stateless"}}, stateful),
            ({"identity": {"type": "None"}}, listed),
            ({"agentProfile": automatic}, schedule),
        )
        for one in differences(wanted, observed)
        if one.path[-1] not in ("kind", "type")
    }

    assert gone == {
        "gracePeriodTimeSpan": ("1:00:00", None),
        "newLimits": (["a", "b"], None),
        "userAssignedIdentities": (["/a"], None),
        "daysData": ([{"09:00:00": 1}], None),
    }


def test_a_second_spelling_is_shown_as_it_was_and_what_is_not_named_stays() -> None:
    observed = {"TimeZone": "CET", "timeZone": "UTC", "daysData": [{}]}

    assert differences({"timeZone": "UTC"}, observed) == [Difference(("TimeZone",), "CET", None)]
    assert merged({"timeZone": "UTC"}, observed) == {"timeZone": "UTC", "daysData": [{}]}


def test_the_same_kind_in_another_case_drops_nothing() -> None:
    observed = {"agentProfile": {"kind": "stateful", "gracePeriodTimeSpan": "1:00:00"}}
    wanted = {"agentProfile": {"kind": "Stateful", "maxAgentLifetime": "1.00:00:00"}}

    assert merged(wanted, observed) == {
        "agentProfile": {"kind": "stateful", "gracePeriodTimeSpan": "1:00:00", "maxAgentLifetime": "1.00:00:00"}
    }


def test_identities_of_a_type_that_is_not_told_are_kept() -> None:
    """Where neither document tells the type, the list that is there says it."""
    observed = {"identity": {"userAssignedIdentities": {"/A": {"clientId": "c"}}}}
    wanted: dict[str, Any] = {"identity": {"userAssignedIdentities": {"/a": {}, "/b": {}}}}

    assert merged(wanted, observed) == {"identity": {"userAssignedIdentities": {"/A": {"clientId": "c"}, "/b": {}}}}


def test_a_tag_may_be_called_like_a_field_that_is_never_compared() -> None:
    assert merged({"tags": {"openAccess": "yes"}}, {"tags": {"a": "b"}}) == {"tags": {"a": "b", "openAccess": "yes"}}
    assert merged({"tags": {"openAccess": "yes"}}, {}) == {"tags": {"openAccess": "yes"}}


@pytest.mark.parametrize(
    ("wanted", "observed", "sent"),
    [
        (
            [{"resourceId": "/b"}, {"resourceId": "/a"}],
            [{"resourceId": "/a", "x": 1}, {"resourceId": "/a", "x": 2}],
            [{"resourceId": "/b"}, {"resourceId": "/a", "x": 2}],
        ),
        ([{"resourceId": "/a", "buffer": "*"}], [], [{"resourceId": "/a", "buffer": "*"}]),
    ],
)
def test_images_keep_their_own_fields_wherever_the_spec_puts_them(
    wanted: list[dict[str, Any]], observed: list[dict[str, Any]], sent: list[dict[str, Any]]
) -> None:
    assert merged({"images": wanted}, {"images": observed}) == {"images": sent}


def test_a_disk_that_moved_leaves_its_place_to_a_new_one() -> None:
    observed = [{"driveLetter": "F", "x": 1}, {"driveLetter": "H"}]
    wanted = [{"driveLetter": "G"}, {"driveLetter": "F"}]

    sent = merged({"dataDisks": wanted}, {"dataDisks": observed})
    assert sent == {"dataDisks": [{"driveLetter": "G"}, {"driveLetter": "F", "x": 1}]}


def test_organizations_stay_in_their_order_and_a_map_of_times_is_sent_whole() -> None:
    observed = [{"url": PRIME}, {"url": TAILSPIN}]
    wanted = [{"url": TAILSPIN, "parallelism": 2}, {"url": PRIME}]
    assert merged({"organizations": wanted}, {"organizations": observed}) == {
        "organizations": [{"url": PRIME}, {"url": TAILSPIN, "parallelism": 2}]
    }

    times = merged({"daysData": [{"08:00:00": 1}]}, {"daysData": [{"08:00:00": 1, "20:00:00": 50}]})
    assert times == {"daysData": [{"08:00:00": 1}]}
    assert merged({"links": [{"url": "a", "x": 1}]}, {"links": [{"url": "b"}]}) == {"links": [{"url": "a", "x": 1}]}
