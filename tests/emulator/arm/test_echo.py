"""What answers show is not what was put: what is left out, what is added, in which spelling."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.emulator.wire import PROPERTIES, Wire, body, organizations

PRIME: dict[str, Any] = {"url": "https://dev.azure.com/fabrikam-prime", "openAccess": True}


def _static(count: int) -> dict[str, Any]:
    fabric = copy.deepcopy(PROPERTIES["fabricProfile"])
    return {**fabric, "networkProfile": {"staticIpAddressCount": count}}


@pytest.mark.parametrize("on", [False, True])
def test_open_access_is_not_told_unless_switched_on(wire: Wire, on: bool) -> None:
    wire.do.switch("arm.echo-open-access", on)
    found = wire.created("p-new", body(organizationProfile=organizations(PRIME)))
    assert ("openAccess" in found["properties"]["organizationProfile"]["organizations"][0]) is on
    listed = wire.arm("GET", found["id"].rsplit("/", 1)[0]).json()["value"]
    assert found in listed, "a list returns the same as a get"


@pytest.mark.parametrize("on", [True, False])
def test_omitted_projects_and_parallelism_come_back_unless_switched_off(wire: Wire, on: bool) -> None:
    wire.do.switch("arm.echo-organization-defaults", on)
    found = wire.created("p-new", body(organizationProfile=organizations(PRIME)))
    organization = found["properties"]["organizationProfile"]["organizations"][0]
    added = {"projects": [], "parallelism": 0} if on else {}
    assert organization == {"url": PRIME["url"], **added}
    assert wire.put("p-new", found).status_code == 201, "what was returned can be sent back"


@pytest.mark.parametrize("on", [True, False])
def test_an_omitted_permission_profile_comes_back_as_creator_only_unless_switched_off(wire: Wire, on: bool) -> None:
    wire.do.switch("arm.echo-permission-default", on)
    profile = wire.created("p-new", body(organizationProfile=organizations(PRIME)))["properties"]["organizationProfile"]
    assert profile.get("permissionProfile") == ({"kind": "CreatorOnly"} if on else None)


@pytest.mark.parametrize(
    ("word", "count", "there"),
    [("with-static-ip", 0, True), ("with-static-ip", 1, False), ("never", 1, True), ("always", 0, False)],
)
def test_permission_profile_is_hidden_with_static_addresses(wire: Wire, word: str, count: int, there: bool) -> None:
    wire.do.switch("arm.hide-permission-profile", word)
    found = wire.created("p-new", body(fabricProfile=_static(count)))
    assert ("permissionProfile" in found["properties"]["organizationProfile"]) is there


@pytest.mark.parametrize(
    ("word", "count", "there"),
    [("with-static-ip", 0, False), ("with-static-ip", 1, True), ("never", 1, False), ("always", 0, True)],
)
def test_defaults_never_sent_appear_with_static_addresses(wire: Wire, word: str, count: int, there: bool) -> None:
    wire.do.switch("arm.echo-defaults", word)
    fabric = wire.created("p-new", body(fabricProfile=_static(count)))["properties"]["fabricProfile"]
    image = fabric["images"][0]
    assert [("osProfile" in fabric), ("aliases" in image), ("ephemeralType" in image)] == [there] * 3


def test_static_addresses_are_filled_in(wire: Wire) -> None:
    found = wire.created("p-new", body(fabricProfile=_static(2)))
    assert len(found["properties"]["fabricProfile"]["networkProfile"]["ipAddresses"]) == 2


def test_an_image_says_whether_it_is_ephemeral_where_a_type_was_asked_for(wire: Wire) -> None:
    fabric = copy.deepcopy(PROPERTIES["fabricProfile"])
    fabric["images"][0]["ephemeralType"] = "Automatic"
    found = wire.created("p-new", body(fabricProfile=fabric))
    assert found["properties"]["fabricProfile"]["images"][0]["isEphemeral"] is True


@pytest.mark.parametrize(
    ("word", "kind"),
    [("recorded", "microsoft.devopsinfrastructure/pools"), ("documented", "Microsoft.DevOpsInfrastructure/pools")],
)
def test_the_casing_of_the_type_is_a_switch(wire: Wire, word: str, kind: str) -> None:
    wire.do.switch("arm.type-casing", word)
    assert wire.pool("old-pool")["type"] == kind


@pytest.mark.parametrize(("word", "part"), [("recorded", "/pools/"), ("documented", "/Pools/")])
def test_the_casing_of_ids_is_a_switch(wire: Wire, word: str, part: str) -> None:
    wire.do.switch("arm.id-casing", word)
    assert wire.pool("old-pool")["id"].endswith(f"{part}old-pool")


def test_an_older_api_version_does_not_tell_what_it_does_not_know(wire: Wire) -> None:
    fabric = copy.deepcopy(PROPERTIES["fabricProfile"])
    fabric["sku"]["linuxNvmePath"] = "/mnt/nvme"
    wire.created("p-new", body(fabricProfile=fabric, runtimeConfiguration={"workFolder": "/w"}))
    old, new = wire.pool("p-new", "2025-01-21")["properties"], wire.pool("p-new")["properties"]
    assert "runtimeConfiguration" not in old
    assert "linuxNvmePath" not in old["fabricProfile"]["sku"]
    assert new["fabricProfile"]["sku"]["linuxNvmePath"] == "/mnt/nvme"


def test_there_is_no_etag_in_a_body_and_one_in_the_headers(wire: Wire) -> None:
    assert "etag" not in wire.pool("old-pool")


@pytest.mark.parametrize("on", [True, False])
def test_a_property_may_be_taken_and_never_returned(wire: Wire, on: bool) -> None:
    wire.do.switch("arm.echo-runtime-configuration", on)

    found = wire.created("p-new", body(runtimeConfiguration={"workFolder": "/mnt/work"}))

    assert found["properties"].get("runtimeConfiguration") == ({"workFolder": "/mnt/work"} if on else None)


@pytest.mark.parametrize(
    ("word", "names"), [("sent", ("TimeZone", "DaysData")), ("documented", ("timeZone", "daysData"))]
)
def test_a_schedule_is_taken_in_any_spelling_and_comes_back_in_one(
    wire: Wire, word: str, names: tuple[str, str]
) -> None:
    """The azurerm provider sends the names of its Go fields."""
    wire.do.switch("arm.predictions-spelling", word)
    sent = {"kind": "Stateless", "resourcePredictions": {"TimeZone": "UTC", "DaysData": [{"00:00:00": 1}]}}

    found = wire.created("p-new", body(agentProfile=sent))

    assert found["properties"]["agentProfile"]["resourcePredictions"] == dict(
        zip(names, ("UTC", [{"00:00:00": 1}]), strict=True)
    )
    machines = wire.arm("GET", f"{found['id']}/resources").json()["value"]
    assert len(machines) == 1, "the schedule is in effect, whatever its spelling"


@pytest.mark.parametrize(("word", "count"), [("kept", 1), ("week", 7)])
def test_a_schedule_of_one_day_comes_back_as_it_was_sent_or_as_a_week(wire: Wire, word: str, count: int) -> None:
    """What is kept is what was sent; seven maps stay seven."""
    wire.do.switch("arm.one-day-schedule", word)
    for name, days, shown in (("p-one", [{"08:00:00": 1}], count), ("p-week", [{}] * 7, 7)):
        sent = {"kind": "Stateless", "resourcePredictions": {"timeZone": "UTC", "daysData": days}}
        found = wire.created(name, body(agentProfile=sent))
        assert found["properties"]["agentProfile"]["resourcePredictions"]["daysData"] == [days[0]] * shown
