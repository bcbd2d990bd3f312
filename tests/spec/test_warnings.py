"""Warnings: what is reported, withdrawn or unknown keeps no spec from being used."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.spec.cautions import IMAGES, WITHDRAWN
from reconciler.spec.loader import Loaded, load
from tests.scenarios.drafts import POOL, PRIME, organization, spec

SUBNET = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks"
    "/build/subnets/agents"
)
FOCAL = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/providers/Microsoft.Compute/locations/eastus/publishers/canonical"
    "/artifacttypes/vmimage/offers/0001-com-ubuntu-server-focal/skus/20_04-lts-gen2/versions/latest"
)

TOGETHER = "ARM is reported to refuse the two together, so remove one of them"


def warnings(image: Any = None, **fabric: Any) -> list[str]:
    document = spec(POOL, [organization(PRIME)])
    whole = document["pool"]["properties"]["fabricProfile"]
    whole |= {**fabric, **({"images": [image]} if image else {})}
    loaded = load({"spec.yaml": str(document).replace("True", "true").encode()})
    assert (loaded.problems, len(loaded.specs)) == ((), 1)
    return [f"{one.where.rpartition('.')[2]}: {one.message}" for one in loaded.warnings]


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ({"staticIpAddressCount": 16}, []),
        ({"staticIpAddressCount": 0, "subnetId": SUBNET}, []),
        ({"subnetId": SUBNET}, []),
        ({"staticIpAddressCount": 17}, ["staticIpAddressCount: is 17; ARM is reported to take 1 to 16"]),
        (
            {"staticIpAddressCount": 1, "subnetId": SUBNET},
            ["staticIpAddressCount: is given beside subnetId; " + TOGETHER],
        ),
    ],
)
def test_static_addresses(network: Any, told: list[str]) -> None:
    assert warnings(networkProfile=network) == told


@pytest.mark.parametrize("suffix", ["", "/latest"])
@pytest.mark.parametrize("name", IMAGES)
def test_images_that_the_service_has(name: str, suffix: str) -> None:
    assert warnings({"wellKnownImageName": f"{name.upper()}{suffix}"}) == []


@pytest.mark.parametrize("name", sorted(WITHDRAWN))
def test_a_withdrawn_image_is_named_with_date_and_successor(name: str) -> None:
    day, successor = WITHDRAWN[name]
    (told,) = warnings({"wellKnownImageName": f"{name}/latest"})
    assert told == (
        f"wellKnownImageName: is {name}/latest, which was withdrawn on {day}: its agents do not start; use {successor}"
    )
    assert successor in IMAGES


def test_the_marketplaces_withdrawn_ubuntu() -> None:
    (told,) = warnings({"resourceId": FOCAL})
    assert told.startswith("resourceId: is Ubuntu 20.04 of the marketplace, which was withdrawn on 2025-07-01; use")
    assert warnings({"resourceId": FOCAL.replace("20_04", "24_04")}) == []


def test_an_unknown_image_is_named_with_the_nearest() -> None:
    (told,) = warnings({"wellKnownImageName": "ubunt-24.04"})
    assert told == (
        "wellKnownImageName: is ubunt-24.04, which is not known here; did you mean ubuntu-24.04? Known are ubuntu-24.04, "
        "ubuntu-22.04, windows-2025 or windows-2022"
    )
    assert "known are ubuntu-24.04" in warnings({"wellKnownImageName": "solaris"})[0]


def test_a_value_outside_an_open_enumeration_is_for_arm_to_judge() -> None:
    disk = {"dataDisks": [{"storageAccountType": "PremiumV2_LRS", "diskSizeGiB": 8}]}
    (told,) = warnings(storageProfile=disk)
    assert told.startswith(
        "storageAccountType: is PremiumV2_LRS, which this release does not know; did you mean Premium_LRS? Known"
    )


def test_a_warning_names_the_line_of_the_file_in_any_shape_and_beside_a_problem() -> None:
    text = "\n".join(
        (
            "apiVersion: reconciler/v1",
            "kind: ManagedDevOpsPool",
            f"name: {POOL}",
            "subscription: 11111111-2222-3333-4444-555555555555",
            "resourceGroup: rg-build",
            "pool:",
            "  maximum-concurrency: many",
            "  fabric-profile:",
            "    vmss:",
            "      sku: { name: Standard_D2ads_v5 }",
            "      images:",
            "        - well-known-image-name: windows-2019",
        )
    )
    loaded = load({"az.yaml": text.encode()})
    assert [one.line for one in loaded.problems] == [7]
    assert [(one.line, one.where) for one in loaded.warnings] == [
        (12, "pool.fabric-profile.vmss.images[0].well-known-image-name")
    ]


# --- a newer api-version ----------------------------------------------------------------------------------------

NEWER = "2026-07-03-preview"


def newer(version: Any = NEWER, **pool: Any) -> Loaded:
    document = spec(POOL, [organization(PRIME)], armApiVersion=version)
    for path, value in pool.items():
        *owner, name = path.split("__")
        place = document["pool"]
        for step in owner:
            place = place[step]
        place[name] = value
    return load({"spec.yaml": str(document).encode()})


def test_fields_that_a_newer_version_may_have_are_warnings_and_are_kept_as_written() -> None:
    found = newer(
        zones=["1"], properties__futureProfile={"colour": "blue"}, properties__fabricProfile__sku__burst={"hours": 3}
    )

    assert found.problems == ()
    assert [one.where for one in found.warnings] == [
        "pool.properties.fabricProfile.sku.burst",
        "pool.properties.futureProfile",
        "pool.zones",
    ]
    assert (
        found.warnings[0].message == f"is not known to this release; it is sent as written, with armApiVersion {NEWER}"
    )
    (one,) = found.specs
    assert (one.arm_api_version, one.api_version) == (NEWER, NEWER)
    assert one.body["zones"] == ["1"]
    assert one.body["properties"]["futureProfile"] == {"colour": "blue"}
    assert one.body["properties"]["fabricProfile"]["sku"]["burst"] == {"hours": 3}


def test_a_misspelt_field_still_offers_the_nearest() -> None:
    (one,) = newer(properties__maximumConcurency=3).warnings
    assert one.message.endswith("; did you mean maximumConcurrency?")


def test_what_a_pasted_resource_has_of_its_own_is_not_sent() -> None:
    found = newer(type="Microsoft.DevOpsInfrastructure/pools", name=POOL, systemData={"createdBy": "x"})
    assert found.warnings == ()
    assert set(found.specs[0].body) == {"location", "properties"}


def test_only_the_pool_may_have_unknown_fields_and_rules_hold_as_before() -> None:
    document = spec(POOL, [organization(PRIME, parallelism=9)], armApiVersion=NEWER, colour="blue")
    document["pool"]["properties"] |= {"maximumConcurrency": 2, "futureProfile": {}}
    found = load({"spec.yaml": str(document).encode()})

    assert found.specs == ()
    assert [one.where for one in found.problems] == ["colour", "pool.properties.maximumConcurrency"]
    assert [one.where for one in found.warnings] == ["pool.properties.futureProfile"]


def test_without_the_opt_in_an_unknown_field_is_an_error() -> None:
    document = spec(POOL, [organization(PRIME)])
    document["pool"]["properties"]["futureProfile"] = {}
    (problem,) = load({"spec.yaml": str(document).encode()}).problems
    assert "is not a field" in problem.message


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("2026-06-02", "which is not newer than 2026-06-02, the version of this release; remove it"),
        ("2026-06-02-preview", "which is not newer than"),
        ("2025-09-20", "which is not newer than"),
        ("latest", "write an api-version such as 2026-07-03-preview"),
        ("2026-7-3", "write an api-version such as 2026-07-03-preview"),
        (20260703, "write it in quotes"),
    ],
)
def test_only_a_newer_version_can_be_named(version: Any, told: str) -> None:
    (problem,) = newer(version).problems
    assert problem.where == "armApiVersion"
    assert told in problem.message


def test_a_value_of_a_newer_version_names_it() -> None:
    image = {"wellKnownImageName": "ubuntu-24.04", "ephemeralType": "NVMeDisk"}
    (told,) = warnings(image)
    assert told == (f"ephemeralType: is NVMeDisk, which ARM has since {NEWER}; write armApiVersion: {NEWER} at the top")
    assert newer(properties__fabricProfile__images=[image]).warnings == ()
    assert newer("2026-07-30-preview", properties__fabricProfile__images=[image]).warnings == ()
