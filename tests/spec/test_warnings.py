"""Warnings: what is reported, withdrawn or unknown keeps no spec from being used."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.spec.cautions import IMAGES, WITHDRAWN
from reconciler.spec.loader import load
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
        "storageAccountType: is PremiumV2_LRS, which this release does not know; known are Standard_"
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
