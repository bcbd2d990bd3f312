"""SKUs, quotas and images that the lists here know: a few of each, so that lists, quotas and refusals can be tried."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.state.arm import PROVIDER, Body

REGIONS = ("australiaeast", "canadacentral", "centralus", "eastus", "eastus2", "northeurope", "westeurope", "westus3")
IMAGES = {
    "windows-2022": ("20260525.1.0", "20260601.1.0"),
    "windows-2025": ("20260601.1.0",),
    "ubuntu-22.04": ("20260525.1.0", "20260601.1.0"),
    "ubuntu-24.04": ("20260601.1.0",),
}


@dataclass(frozen=True, slots=True)
class Sku:
    """A size of machine."""

    name: str
    family: str
    cores: int


SKUS = tuple(
    Sku(f"Standard_D{cores}{suffix}", family, cores)
    for suffix, family in (("ads_v5", "standardDADSv5Family"), ("as_v5", "standardDASv5Family"))
    for cores in (2, 4, 8, 16)
)


def find(name: str) -> Sku | None:
    """By name, whatever its case."""
    return next((sku for sku in SKUS if sku.name.lower() == name.lower()), None)


def sku_body(sku: Sku, subscription: str, location: str) -> Body:
    """One entry of the list of SKUs (azure-rest-api-specs, ResourceSku)."""
    return {
        "id": f"/subscriptions/{subscription}/providers/{PROVIDER}/locations/{location}/skus/{sku.name}",
        "name": sku.name,
        "type": f"{PROVIDER}/locations/skus",
        "properties": {
            "resourceType": "virtualMachines",
            "tier": "Standard",
            "size": sku.name.removeprefix("Standard_"),
            "family": sku.family,
            "locations": [location],
            "locationInfo": [{"location": location, "zones": ["1", "2", "3"], "zoneDetails": []}],
            "capabilities": [{"name": "vCPUs", "value": str(sku.cores)}],
            "restrictions": [],
        },
    }


def usage_body(family: str, limit: int, used: int, where: str) -> Body:
    """One entry of the list of usages, in the form that was recorded (az extension mdp, usage list)."""
    return {
        "unit": "Count",
        "currentValue": used,
        "limit": limit,
        "id": f"{where}/{family}",
        "name": {"value": family, "localizedValue": f"{family} vCPUs"},
    }
